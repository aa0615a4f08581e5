#!/bin/sh
# What dequeue does to a real Sendmail: orders, and drains while it works.
# shellcheck disable=SC2034,SC2154
chroots=sendmail
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/takelive.sh"

kind=sendmail spool=/var/spool/mqueue
list_root
. "$mta/sendmail.sh"
go() { run & }
# while it works files vanish under find
leftovers() { find "$root$spool" -name '[tx]f*' -mmin +5 2>/dev/null; :; }
at() { queue-list --spool="$kind:$root$spool" -F '%q %r' "$@" | sort; }
at_is() { [ "$(at)" = "$1" ]; }
id_of() { queue-list --spool="$kind:$root$spool" --ids -r "$1"; }
pids() { for exe in /proc/[0-9]*/exe; do
	case $(readlink "$exe") in */libexec/sendmail/sendmail) echo "$exe" | cut -d/ -f3 ;; esac
done; }
nobody() { [ -z "$(pids)" ]; }
stop() { for pid in $(pids); do kill "$pid" 2>/dev/null; done; wait_for nobody; }
start() { chroot "$root" sendmail -bd "$@" -X /var/log/sendmail.log </dev/null >>"$tmp/start" 2>&1
	wait_for smtp-send -s "$LIST_SERVER" --quit-after=ehlo 2>/dev/null; }

# ---- orders ----
stop
start -q1h
submit ann@x.test bob@one.test
submit ann@x.test carla@two.test dora@one.test
submit ann@x.test eve@three.test
wait_for at_is 'deferred bob@one.test
deferred carla@two.test dora@one.test
deferred eve@three.test'
exits 'hold one domain: the mixed one is left' 75 dq -d one.test --hold
is 'held' 'deferred carla@two.test dora@one.test
deferred eve@three.test
hold bob@one.test' at
like 'Sendmail says so, too' 'held by dequeue' chroot "$root" sendmail -Am -bp -qQ
exits 'held mail is not removed unasked' 75 dq --remove -y "$(id_of bob@one.test)"
exits 'nor released' 75 dq "$(id_of bob@one.test)"
exits 'unhold' 0 dq --unhold --all
is 'none is held' 'deferred bob@one.test
deferred carla@two.test dora@one.test
deferred eve@three.test' at
exits 'remove by ID' 0 dq --remove -y "$(id_of bob@one.test)"
is 'it is gone' 'deferred carla@two.test dora@one.test
deferred eve@three.test' at
exits 'an ID that is not there' 69 dq --remove -y 6ANG5xA5022991
exits 'no rights: 77' 77 in_chroot - "$root" setpriv --reuid=65534 --regid=65534 --clear-groups \
	dequeue --spool=sendmail --hold --all
open_hop
stop
exits 'release one domain, no daemon runs' 0 dq -d three.test --wait=30s
is 'the other one stays' 'deferred carla@two.test dora@one.test' at
ok 'it has arrived' grep -rq eve@three.test "$tmp/got/new"
dq --hold --all
exits 'release of what is held, if it is asked for' 0 dq --state=hold --all --wait=30s
wait_for empty
ok 'that, too' grep -rq carla@two.test "$tmp/got/new"
for n in 1 2 3 4 5 6 7 8; do
	printf 'Subject: x\n\nhi\n' | chroot "$root" sendmail -Am -odq -i -f ann@x.test "n$n@one.test"
done
dq --hold --all
exits 'and of what nobody has tried yet' 0 dq --state=hold --all --wait=2m
close_hop
rm -rf "$tmp/got"
start -q1s

# ---- what Sendmail makes of our files ----
open_hop --refuse='*:451 4.2.1 later'
open_far --refuse='never*:451 4.3.0 ours comes later'
submit ann@x.test Bob@one.test '"a b"@one.test' never@one.test carla@two.test
put_off() { queue-list --spool=sendmail:"$root$spool" -j | grep -q 'later'; }
wait_for put_off
stop
exits 'one domain is drained, one of it put off' 75 dq -d one.test -- smtp-send --records -s $far
is 'the others wait' 'deferred never@one.test carla@two.test' at
told >"$tmp/told"
ours >"$tmp/ours"
same 'Sendmail lists the same' "$tmp/told" "$tmp/ours"
close_hop
open_hop
exits 'and delivers it' 0 dq --all --wait=30s
wait_for empty
ok 'to those who waited' grep -rq never@one.test "$tmp/got/new"
ok 'and to nobody else' sh -c '! grep -rq Bob@one.test "$1"' - "$tmp/got/new"
is 'no file of it is left' '' find "$root$spool" -type f
close_hop
close_far
rm -rf "$tmp/got" "$tmp/far"
start -q1s

# ---- drains while it works ----
open_far --refuse='no-*:550 5.1.1 no such user' --refuse='later-*:451 4.2.1 later'
open_hop --refuse='*:451 4.2.1 later'
fill "$seed" "$letters" 1
drains_domain d1.test
storms d2.test
close_hop
at_once d3.test
lets_go
returns
close_far
is 'it found nothing lost' '' find "$root$spool" -name 'Qf*'
stop
done_testing
