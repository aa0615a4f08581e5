#!/bin/sh
# What waits in a real OpenSMTPD, beside smtpctl show queue, at rest and while mail
# moves.
# shellcheck disable=SC2034
chroots=opensmtpd
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/opensmtpd.sh"

opensmtpd_root </dev/null
told() {
	chroot "$root" smtpctl show queue | awk -F'|' '{
		sub(/^@$/, "-", $5); print $1, $5, $7 }' | sort
}
run() { chroot "$root" smtpctl schedule all; }
chroot "$root" smtpd -n >"$tmp/start" 2>&1 || { diag <"$tmp/start"; bail 'no OpenSMTPD'; }
chroot "$root" smtpd -d >>"$tmp/start" 2>&1 </dev/null &
pid=$!
wait_for chroot "$root" smtpctl show status >/dev/null 2>&1

submit ann@x.test bob@later.test carla@later.test
submit '' dan@other.test
submit eve@x.test held@later.test
wait_for many 4
id=$(ours | awk '/held@/ { print $1 }')
chroot "$root" smtpctl pause envelope "$id" >/dev/null
at_rest 4
unprivileged told
untouched
chroot "$root" smtpctl resume envelope "$id" >/dev/null
come_and_go 500
kill $pid
done_testing
