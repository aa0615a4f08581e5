#!/bin/sh
# What dequeue has a real OpenSMTPD do: orders, and drains while it works.
# shellcheck disable=SC2034,SC2154
chroots=opensmtpd
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/opensmtpd.sh"
. "$mta/takelive.sh"

# who is tried again and again every second is soon told of as delayed
opensmtpd_root <<-END
bounce warn-interval 30d
END
ctl() { chroot "$root" smtpctl "$@"; }
told() {
	ctl show queue | awk -F'|' '{ sub(/^@$/, "-", $5); print $1, $5, $7 }' | sort
}
run() { ctl schedule all; }
leftovers() { (cd "$root$spool" && ls -d tidegate* incoming/*.tidegate 2>/dev/null; ctl show queue | grep suspend; :); }
at() { in_chroot - "$root" queue-list --spool=opensmtpd -F '%q %r' "$@" | sort; }
at_is() { [ "$(at)" = "$1" ]; }
id_of() { queue-list --spool="$kind:$root$spool" --ids -r "$1"; }
# what was tried and put off, not what it has in hand
at_rest_is() { [ "$(ctl show queue | grep -c '|pending|')" = "$1" ]; }
# Seldom, where all is scheduled each second and we pause and resume, it dies of an
# envelope that it has twice (tree_xset): then it is started again, as a service is.
start() {
	(
		trap 'kill $smtpd_now; wait $smtpd_now; exit' TERM
		while :; do
			chroot "$root" smtpd -d >>"$tmp/log" 2>&1 </dev/null &
			smtpd_now=$!
			wait $smtpd_now
			echo 'smtpd died' >>"$tmp/log"
		done
	) &
	smtpd_pid=$!
	wait_for ctl show status
}
stop() { kill $smtpd_pid; wait $smtpd_pid 2>/dev/null; }

# ---- orders ----
open_hop --refuse='*:451 4.2.1 later'
start
submit ann@x.test bob@one.test carla@two.test
submit ann@x.test eve@three.test
wait_for at_rest_is 3
exits 'hold one domain' 0 dq -d one.test --hold
is 'held' 'deferred carla@two.test
deferred eve@three.test
hold bob@one.test' at
is 'it says so itself' 1 sh -c 'chroot "$1" smtpctl show queue | grep -c suspend' - "$root"
exits 'held mail is not removed unasked' 75 dq --remove -y "$(id_of bob@one.test)"
exits 'nor taken' 75 dq "$(id_of bob@one.test)" -- false
exits 'unhold' 0 dq --unhold --all
is 'none is held' 'deferred bob@one.test
deferred carla@two.test
deferred eve@three.test' at
exits 'remove by ID' 0 dq --remove -y "$(id_of bob@one.test)"
is 'it is gone' 'deferred carla@two.test
deferred eve@three.test' at
exits 'an ID that is not there' 69 dq --remove -y 0123456789abcdef
dq --hold -d two.test
like 'let go, tried, and put off: it is told' ': stayed: 451 4\.2\.1' \
	dq --state=hold -d two.test --wait=2m
close_hop
open_hop
# the first may still meet the connection to the hop that has gone
let_go() { dq -d three.test --wait=30s; }
ok 'release one domain' wait_for let_go
is 'the other one stays' 'deferred carla@two.test' at
ok 'it has arrived' grep -rq eve@three.test "$tmp/got/new"
dq --hold -d two.test
exits 'release of what is held, if it is asked for' 0 dq --state=hold -d two.test --wait=30s
wait_for empty
ok 'that, too' grep -rq carla@two.test "$tmp/got/new"
close_hop
returns
rm -rf "$tmp/got"

# ---- in delivery ----
sink --listen=$hop --port-file="$tmp/port" --ext=8BITMIME --hang-at=DATA --log="$tmp/hang" &
list_pid=$!
wait_for test -s "$tmp/port"
submit ann@x.test bob@one.test
# the first try may still meet the connection to the hop that has gone
hanging() { run >/dev/null; grep -q ^RCPT "$tmp/hang" && ctl show queue | grep -q inflight; }
wait_for hanging
like 'in delivery: busy' ', busy 1,' dq --all -v -- smtp-send --records -s $far
like 'not removed' ', busy 1,' dq --remove --all -v -y
like 'not held' ', busy 1,' dq --hold --all -v
is 'and not paused for later' '' leftovers
exits 'no rights: 77' 77 in_chroot - "$root" setpriv --reuid=65534 --regid=65534 --clear-groups \
	dequeue --spool=opensmtpd --hold --all

# ---- it gives no answer ----
close_hop
open_hop --refuse='*:451 4.2.1 later'
wait_for at_rest_is 1
ctl_path=$root$(chroot "$root" sh -c 'command -v smtpctl')
mkdir "$root/real"
mv "$ctl_path" "$root/real/smtpctl"
cat >"$ctl_path" <<-END
	#!/bin/sh
	[ "\$1" != pause ] || { echo 'smtpctl: too many of us' >&2; exit 75; }
	exec /real/smtpctl "\$@"
END
chmod 755 "$ctl_path"
open_far
exits 'nobody answers: it is not taken' 75 dq --all -- smtp-send --records -s $far
is 'nor sent' '' live got "$tmp/far"
like 'it waits' bob@one.test waiting
mv "$root/real/smtpctl" "$ctl_path"
close_far

# ---- what it does not know ----
planted=$root$spool/queue/00/00abcdef
mkdir -p "${planted%/*}"
plant() {
	cp -a "$(queue-list --spool="$kind:$root$spool" -r bob@one.test | sed 's,/[^/]*$,,')" "$planted" &&
		mv "$planted"/???????????????? "$planted/00abcdef01234567"
}
plant
exits 'what is there and smtpd does not know is told' 65 dq 00abcdef01234567
mv "$ctl_path" "$root/real/smtpctl"
cat >"$ctl_path" <<-END
	#!/bin/sh
	/real/smtpctl "\$@"
	[ "\$1 \$2 \$3" != 'show queue 00abcdef' ] || rm -rf '$spool/queue/00/00abcdef'
END
chmod 755 "$ctl_path"
exits 'what it has delivered just now has gone' 0 dq 00abcdef01234567
ok 'that it was' test ! -e "$planted"
mv "$root/real/smtpctl" "$ctl_path"

# ---- while it is down ----
stop
close_hop
exits 'down: release says so' 75 dq --all
exits 'down: hold, too' 75 dq --all --hold
open_far --refuse='no-*:550 5.1.1 no such user' --refuse='later-*:451 4.2.1 later'
submit ann@x.test later-x@one.test	# into offline: not to be touched
exits 'down: drained by its files' 0 dq --all -- smtp-send --records -s $far
is 'that went' bob@one.test live got "$tmp/far"
rm -f "$tmp"/far/new/*
is 'what smtpd has not seen yet stays' 1 sh -c 'ls "$1/offline" | grep -c .' - "$root$spool"
open_hop --refuse='*:451 4.2.1 later'
start
wait_for at_rest_is 1
stop
exits 'put off while it is down' 75 dq --all -- smtp-send --records -s $far
start
wait_for at_rest_is 1
is 'smtpd takes what we wrote for its own' 1 sh -c 'chroot "$1" smtpctl show queue |
	grep -c later-x@one.test' - "$root"
dq --remove -y --all
wait_for empty

# ---- drains while it works ----
( while [ -e "$tmp/log" ]; do run >/dev/null 2>&1; sleep 1; done ) &
runner=$!
fill "$seed" "$letters" 1
drains_domain d1.test
storms d2.test
close_hop
# what smtpd has just delivered is so for a moment; one that is killed, as below, may leave it
no_orphans() {
	for orphan in "$root$spool"/queue/*/*; do
		[ "$(ls "$orphan" 2>/dev/null)" != message ] || return
	done
}
ok 'no text is without an envelope' wait_for no_orphans
# `schedule' delivers what we have paused, too: from now on smtpd tries when it wants to
kill $runner
go() { stop; start; }
at_once d3.test
lets_go
is 'it found nothing corrupt' '' sh -c 'grep -i -e corrupt -e fatal "$1"; ls "$2/corrupt" 2>/dev/null; :' - "$tmp/log" "$root$spool"
echo "# smtpd died: $(grep -c '^smtpd died' "$tmp/log")"
close_far
stop
done_testing
