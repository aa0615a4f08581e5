#!/bin/sh
# What waits in a real Postfix, beside postqueue -j, at rest and while mail moves.
# shellcheck disable=SC2034
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/postfix.sh"

postfix_root <<-END
$to_hop
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
END
run() { chroot "$root" postqueue -f; }
postfix_starts

submit ann@x.test bob@later.test carla@later.test
submit '"odd sender"@x.test' '"a b"@later.test'
submit '' dan@other.test
submit eve@x.test held@later.test
wait_for many 4
chroot "$root" postsuper -h "$(ours | awk '/held@/ { print $1 }')" 2>/dev/null
at_rest 4
is 'postfix: held is held' hold sh -c \
    'queue-list --spool=postfix:"$1$2" -r held@later.test -F %q' - "$root" "$spool"
unprivileged listed
untouched
chroot "$root" postsuper -H ALL 2>/dev/null
come_and_go 500
chroot "$root" postfix stop 2>/dev/null
done_testing
