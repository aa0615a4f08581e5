#!/bin/sh
# What waits in a real Sendmail, beside mailq -v, at rest and while mail moves.
# shellcheck disable=SC2034
chroots=sendmail
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=sendmail spool=/var/spool/mqueue
list_root
. "$mta/sendmail.sh"
submit ann@x.test bob@later.test carla@later.test
submit '"odd sender"@x.test' '"a b"@later.test'
submit '<>' dan@other.test
submit eve@x.test held@later.test
wait_for many 4
held() {
	chroot "$root" sendmail -Am -Qreview "-qI$(ours | awk '/held@/ { print $1 }')" >/dev/null 2>&1
	[ "$(queue-list --spool=sendmail:"$root$spool" -r held@later.test -F %q)" = hold ]
}
wait_for held
at_rest 4
[ $tap_bad = 0 ] || diag <"$tmp/mailq"
is 'sendmail: quarantined is held' hold sh -c \
    'queue-list --spool=sendmail:"$1$2" -r held@later.test -F %q' - "$root" "$spool"
unprivileged told
untouched
chroot "$root" sendmail -Am -Q -qQ "-qI$(ours | awk '/held@/ { print $1 }')" >/dev/null 2>&1
come_and_go 500
done_testing
