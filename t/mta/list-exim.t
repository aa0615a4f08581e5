#!/bin/sh
# What waits in a real Exim, beside exim -bp, at rest and while mail moves.
# shellcheck disable=SC2034
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/exim.sh"

exim_root <<-END
allow_utf8_domains = true
queue_run_max = 4
begin routers
$all_to_hop
begin transports
$transport_hop
begin retry
* * F,1h,1s
END
chroot "$root" exim4 -bdf -q1s </dev/null >>"$tmp/start" 2>&1 &
pid=$!

submit ann@x.test bob@later.test carla@later.test
submit '"odd sender"@x.test' '"a b"@later.test'
submit '<>' dan@other.test
submit eve@x.test held@later.test
wait_for many 4
frozen() { chroot "$root" exim4 -Mf "$(ours | awk '/held@/ { print $1 }')" >/dev/null 2>&1 &&
	[ "$(queue-list --spool=exim:"$root$spool" -r held@later.test -F %q)" = hold ]; }
wait_for frozen
at_rest 4
is 'exim: frozen is held' hold sh -c \
    'queue-list --spool=exim:"$1$2" -r held@later.test -F %q' - "$root" "$spool"
unprivileged told
untouched
chroot "$root" exim4 -Mt "$(ours | awk '/held@/ { print $1 }')" >/dev/null
come_and_go 500
kill $pid
done_testing
