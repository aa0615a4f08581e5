#!/bin/sh
# What dequeue does to a real nullmailer: orders, and drains while it works.
# shellcheck disable=SC2034,SC2154
chroots=nullmailer
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
# between the end of its delivery and its unlink nobody can see that it is done
take_window=2
. "$mta/takelive.sh"

kind=nullmailer spool=/var/spool/nullmailer
list_root
echo '127.0.0.1 smtp --port=2599' >"$root/etc/nullmailer/remotes"
mkfifo -m 622 "$root$spool/trigger"
chroot "$root" chown mail "$spool/trigger"

# start PAUSE: nullmailer-send, which tries its queue so often
start() {
	[ -z "${nm_pid-}" ] || { kill "$nm_pid"; wait "$nm_pid"; } 2>/dev/null
	echo "$1" >"$root/etc/nullmailer/pausetime"
	# its own process, so that it can be ended
	unshare --mount sh -c "$enter" "$root" setpriv --reuid=mail --regid=mail \
		--clear-groups nullmailer-send >>"$tmp/log" 2>&1 </dev/null &
	nm_pid=$!
	wait_for runs
}
runs() { pgrep -x nullmailer-send; }
trigger_free() { ! ls -l /proc/[0-9]*/fd 2>/dev/null | grep -qF "$root$spool/trigger"; }
told() {
	for told_f in "$root$spool"/queue/*; do
		[ -f "$told_f" ] || continue
		sed -n '1h; 1!{ /^$/q; G; s/\(.*\)\n\(.*\)/\2 \1/p }' "$told_f" |
			sed "s/^ /- /; s,^,${told_f##*/} ,"
	done | sort
}
run() { echo >"$root$spool/trigger"; }
leftovers() { (cd "$root$spool" && ls -d ./*.tidegate ./tmp/* 2>/dev/null; :); }
at() { queue-list --spool="$kind:$root$spool" -F '%q %r' "$@" | sort; }
id_of() { queue-list --spool="$kind:$root$spool" --ids -r "$1"; }

# ---- orders ----
start 3600
submit ann@x.test bob@one.test
submit ann@x.test carla@two.test dora@one.test
submit ann@x.test eve@three.test
wait_for many 3
exits 'hold one domain: the mixed one is left' 75 dq -d one.test --hold
is 'held' 'deferred carla@two.test dora@one.test
deferred eve@three.test
hold bob@one.test' at
exits 'unhold' 0 dq --unhold --state=hold --all
is 'none is held' 'deferred bob@one.test
deferred carla@two.test dora@one.test
deferred eve@three.test' at
exits 'remove by ID' 0 dq --remove "$(id_of bob@one.test)"
is 'it is gone' 'deferred carla@two.test dora@one.test
deferred eve@three.test' at
exits 'an ID that is not there' 69 dq --remove 1795450564.1
exits 'it cannot release one domain' 69 dq -d three.test
open_hop
exits 'it can release all' 0 dq --all --wait=30s
wait_for empty
close_hop
ok 'they have arrived' grep -rq eve@three.test "$tmp/got/new"
submit ann@x.test bob@one.test
kill $nm_pid; wait $nm_pid 2>/dev/null
nm_pid=
# what it had started holds its trigger, too
wait_for trigger_free
exits 'down: release says so' 75 dq --all
like 'in words' 'not running' dq --all
exits 'down: remove works all the same' 0 dq --remove --all -y
exits 'nothing is selected: 0' 0 dq --all
rm -rf "$tmp/got"

# ---- what it has in delivery is busy ----
sink --listen=$hop --port-file="$tmp/port" --ext=8BITMIME --hang-at=DATA &
list_pid=$!
wait_for test -s "$tmp/port"
start 3600
submit ann@x.test bob@one.test
wait_for pgrep -x smtp
like 'in delivery: busy' ', busy 1,' dq --all -v -- smtp-send --records -s $far
like 'not removed' ', busy 1,' dq --remove --all -v
is 'it still waits' 'deferred bob@one.test' at
close_hop
dq --remove --all
wait_for empty

# ---- drains while it works ----
open_far --refuse='no-*:550 5.1.1 no such user' --refuse='later-*:451 4.2.1 later'
open_hop --refuse='*:451 4.2.1 later'
start 1
fill "$seed" "$letters" 1
drains_domain d1.test
storms d2.test
close_hop
at_once d3.test
lets_go
returns
like 'nullmailer tried meanwhile' '^[1-9]' grep -c 'Starting delivery' "$tmp/log"
echo "# it missed $(grep -c "Can't open file" "$tmp/log") files, and could not unlink $(grep -c "Can't unlink" "$tmp/log")"
close_far
kill $nm_pid
done_testing
