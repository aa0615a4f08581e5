#!/bin/sh
# What waits in a real Courier, beside its mailq, at rest and while mail moves.
# shellcheck disable=SC2034,SC2154
chroots=courier
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=courier spool=/var/lib/courier
list_root
for name in me defaultdomain; do echo mx.test >"$root/etc/courier/$name"; done
echo localhost >"$root/etc/courier/locals"
echo ':[127.0.0.1],2599' >"$root/etc/courier/esmtproutes"
# a host that did not answer is tried again at once
echo 0 >"$root/etc/courier/esmtpdelay"

# `SIZE ID DATE', `USER SENDER', and `STATUS RECIPIENT' lines: a status is `done', or none
told() {
	chroot "$root" mailq | perl -ne '
		($id, $from) = ($1, undef), next if /^\d+ +([0-9A-F.]{40,}) /;
		next unless defined $id && (($status, $text) = /^(.{16}) (.*)$/);
		if (!defined $from) { $from = $text eq "" ? "-" : $text }
		elsif ($status =~ /^ *$/) { print "$id $from $text\n" }' | sort
}
run() { chroot "$root" courier flush; }
inside() { unshare --mount sh -c "$enter" "$root" "$@"; }

inside makealiases >"$tmp/start" 2>&1 </dev/null &&
	inside courier start >>"$tmp/start" 2>&1 </dev/null ||
	{ diag <"$tmp/start"; bail 'no Courier'; }
wait_for test -p "$root$spool/tmp/trigger"

submit ann@x.test bob@later.test carla@later.test
submit '' dan@other.test
submit eve@x.test held@later.test
wait_for many 3
at_rest 3
unprivileged told
untouched
come_and_go 500
inside courier stop
done_testing
