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
told_done() { chroot "$root" mailq | sed -n 's/^done  *//p'; }
ours_done() {
	queue-list --spool="$kind:$root$spool" -j | perl -MJSON::PP -ne '
		print $_->{address}, "\n" for @{decode_json($_)->{done} || []}'
}
run() { chroot "$root" courier flush; }
inside() { unshare --mount sh -c "$enter" "$root" "$@"; }

# it asks for a policy (RFC 8461) and waits long for the answer: there is none
: >"$tmp/zone"
"$top/t/tool/dnsd" --listen=127.0.0.1:53 --port-file="$tmp/names" "$tmp/zone" </dev/null &
names=$!
wait_for test -s "$tmp/names" || bail 'no name server'
echo 'nameserver 127.0.0.1' >"$root/etc/resolv.conf"
start() { inside makealiases && inside courier start; }
start >"$tmp/start" 2>&1 </dev/null || { diag <"$tmp/start"; bail 'no Courier'; }
wait_for test -p "$root$spool/tmp/trigger"

submit ann@x.test bob@later.test carla@later.test
submit '' dan@other.test
submit eve@x.test held@later.test
# one recipient of two has it
open_hop --refuse='*@later.test:451 4.2.1 later'
submit ann@x.test bob@later.test now@other.test
wait_for equals now@other.test told_done
close_hop
at_rest 4
is 'courier: who has it' now@other.test ours_done
unprivileged told
untouched
come_and_go 500
inside courier stop
kill $names
done_testing
