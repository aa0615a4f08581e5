#!/bin/sh
# What waits in a real nullmailer, beside its mailq, at rest and while mail moves.
# shellcheck disable=SC2034,SC2154
chroots=nullmailer
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=nullmailer spool=/var/spool/nullmailer
list_root
echo '127.0.0.1 smtp --port=2599' >"$root/etc/nullmailer/remotes"
echo 1 >"$root/etc/nullmailer/pausetime"
mkfifo -m 622 "$root$spool/trigger"
chroot "$root" chown mail "$spool/trigger"

# its mailq says no ID; it reads the directory as `ls -U' does
told() {
	(cd "$root$spool/queue" && ls -U) >"$tmp/.names"
	chroot "$root" mailq | perl -ne '
		BEGIN { open $names, "<", shift }
		($from, $id) = ($1 eq "" ? "-" : $1, scalar <$names>) if / from <(.*)>$/;
		chomp $id;
		print "$id $from $1\n" if /^  to <(.*)>$/' "$tmp/.names" | sort
}
run() { echo >"$root$spool/trigger"; }

# its own process, so that it can be ended
unshare --mount sh -c "$enter" "$root" setpriv --reuid=mail --regid=mail \
	--clear-groups nullmailer-send >>"$tmp/log" 2>&1 </dev/null &
pid=$!
wait_for pgrep -x nullmailer-send >/dev/null

submit ann@x.test bob@later.test carla@later.test
submit '' dan@other.test
submit eve@x.test held@later.test
wait_for many 3
at_rest 3
unprivileged told
untouched
come_and_go 500
kill $pid
done_testing
