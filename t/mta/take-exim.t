#!/bin/sh
# What dequeue does to a real Exim: orders, and drains while it works.
# shellcheck disable=SC2034,SC2154
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/exim.sh"
. "$mta/takelive.sh"

exim_root <<-END
queue_run_max = 1
domainlist local_domains = @ : Here.Test : +more : *.wild.test : !not.test : lsearch;/etc/exim4/domains : dsearch;/etc/exim4/virtual
domainlist more = <; more.test ; \$primary_hostname
begin routers
$all_to_hop
begin transports
$transport_hop
begin retry
* * F,1h,1s
END
go() { run & }
leftovers() { find "$root$spool" -name 'tidegate*'; }
at() { queue-list --spool="$kind:$root$spool" -F '%q %r' "$@" | sort; }
at_is() { [ "$(at)" = "$1" ]; }
id_of() { queue-list --spool="$kind:$root$spool" --ids -r "$1"; }
start() { chroot "$root" exim4 -bdf "$@" </dev/null >>"$tmp/start" 2>&1 & exim_pid=$!; }
stop() { kill "$exim_pid"; wait "$exim_pid" 2>/dev/null; }
in_log() { grep -h "$1" "$root/var/log/exim4/mainlog"; }
# tried and put off, and let go
rests() { ! ours | cut -d' ' -f1 | sort -u | while read -r rests_id; do
	grep -q ' defer (' "$root$spool/msglog/$rests_id" || echo "$rests_id"; done | grep -q .; }
# Exim has this one in hand
tries() { python3 - "$root$spool/input/$(id_of "$1")-D" <<-'END'
	import fcntl, os, sys
	try:
	    fcntl.lockf(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
	except BlockingIOError:
	    sys.exit(0)
	sys.exit(1)
END
}

# ---- orders ----
printf '# ours\nfile.test: x\n"quoted.test" y\n more.of.it.test\n*.wild.test: z\n' >"$root/etc/exim4/domains"
mkdir -p "$root/etc/exim4/virtual"
: >"$root/etc/exim4/virtual/dir.test"
sink --listen=127.0.0.1:2601 --port-file="$tmp/etrn.port" --ext=ETRN &
etrn_pid=$!
wait_for test -s "$tmp/etrn.port"
is 'its own domains' 'dir.test file.test here.test more.test mx.test quoted.test' sh -c '
	chroot "$1" etrn-request --spool=exim --local-domains --results -s 127.0.0.1:2601 2>/dev/null |
		cut -f2 | sort | paste -sd " "' - "$root"
kill $etrn_pid
open_hop --refuse='*:451 4.2.1 come again'
submit ann@x.test bob@one.test
submit ann@x.test carla@two.test dora@one.test
submit ann@x.test eve@three.test
wait_for many 3
wait_for rests
exits 'hold one domain: the mixed one is left' 75 dq -d one.test --hold
is 'held' 'deferred carla@two.test dora@one.test
deferred eve@three.test
hold bob@one.test' at
ok 'Exim says so, too' sh -c 'chroot "$1" exim4 -bp | grep -q frozen' - "$root"
exits 'holding it again is no mistake' 0 dq --hold --state=hold -d one.test
exits 'nor by its ID' 0 dq --hold "$(id_of bob@one.test)"
exits 'nor by its ref, among others' 0 in_chroot - "$root" sh -c 'queue-list -r bob@one.test | dequeue - --hold'
exits 'held mail is not removed unasked' 75 dq --remove -y "$(id_of bob@one.test)"
exits 'nor taken' 75 dq "$(id_of bob@one.test)" -- false
exits 'nor released' 75 dq "$(id_of bob@one.test)"
exits 'unhold' 0 dq --unhold --all
is 'none is held' 'deferred bob@one.test
deferred carla@two.test dora@one.test
deferred eve@three.test' at
exits 'remove by ID' 0 dq --remove -y "$(id_of bob@one.test)"
is 'it is gone' 'deferred carla@two.test dora@one.test
deferred eve@three.test' at
ok 'Exim has noted it' in_log 'removed by root'
exits 'an ID that is not there' 69 dq --remove -y 1xVWxJ-0002qn-2a
like 'released, and put off again' 'stayed: .*451 4\.2\.1 come again' dq -d three.test --wait=20s -v
exits 'no rights: 77' 77 in_chroot - "$root" setpriv --reuid=65534 --regid=65534 --clear-groups \
	dequeue --spool=exim --hold --all
close_hop
open_hop
# Exim may have a connection to the hop that was
exits 'release one domain, no daemon runs' 0 dq -d three.test --wait=30s
is 'the other one stays' 'deferred carla@two.test dora@one.test' at
ok 'it has arrived' grep -rq eve@three.test "$tmp/got/new"
dq --hold --all
exits 'release of what is held, if it is asked for' 0 dq --state=hold --all --wait=30s
wait_for empty
ok 'that, too' grep -rq carla@two.test "$tmp/got/new"
close_hop
rm -rf "$tmp/got"

# ---- a queue with a name, and many at once ----
open_hop --refuse='*:451 4.2.1 come again'
printf 'Subject: q\n\nhi\n' | chroot "$root" exim4 -odq -MCG slow -i -f q@x.test -- zoe@one.test
for n in 1 2 3 4 5 6 7 8 9; do submit ann@x.test "r$n@one.test"; done
wait_for many 10
exits 'in a queue with a name: hold' 0 dq --hold "$(id_of zoe@one.test)"
is 'is held' 'hold zoe@one.test' at -r zoe@one.test
exits 'and let go' 0 dq --unhold --state=hold "$(id_of zoe@one.test)"
close_hop
open_hop
exits 'all are released' 0 dq --all --wait=30s
is 'and have arrived' 10 sh -c 'grep -l @one.test "$1"/got/new/* | grep -c .' - "$tmp"
close_hop
rm -rf "$tmp/got"

# ---- frozen meanwhile ----
open_hop --refuse='*:550 5.1.1 no such user'
printf 'Subject: a report\n\nhi\n' | chroot "$root" exim4 -odq -i -f '<>' -- gone@one.test
like 'it is not waited for' 'stayed: it is held now: .*550 5\.1\.1' dq --all --wait=10m
like 'nor a second time' 'stayed: it is held now: .*550 5\.1\.1' dq --all --state=hold --wait=10m
exits 'and can be removed' 0 dq --remove --all --state=hold -y
close_hop

# ---- in delivery ----
sink --listen=$hop --port-file="$tmp/port" --ext=8BITMIME --hang-at=DATA &
list_pid=$!
wait_for test -s "$tmp/port"
submit ann@x.test bob@one.test
hanging() { dq --dry-run --all -- false | grep -q bob && dq --all -v -- false 2>&1 | grep -q ' busy 1,'; }
wait_for hanging
like 'in delivery: busy' ', busy 1,' dq --all -v -- smtp-send --records -s $far
like 'not removed' ', busy 1,' dq --remove --all -v -y
like 'not held' ', busy 1,' dq --hold --all -v
printf 'Subject: q\n\nhi\n' | chroot "$root" exim4 -odq -i -f ann@x.test -- dora@two.test
exits 'a release waits for no host that hangs' 0 timeout 60 \
	unshare --mount sh -c "$enter" "$root" dequeue --spool=exim -d two.test
wait_for tries dora@two.test
like 'but Exim does, behind us' 'was not tried again in time' dq -d two.test --wait=1s -v
close_hop
wait_for rests
exits 'then it is' 0 dq --remove --all -y
wait_for empty

# ---- not as root ----
open_hop --refuse='*:451 4.2.1 come again'
open_far
submit ann@x.test bob@one.test
submit ann@x.test dora@two.test
wait_for many 2
wait_for rests
exim_gid=$(stat -c %g "$root$spool")
as() {
	as_ids=$1
	shift
	# shellcheck disable=SC2086
	in_chroot - "$root" setpriv $as_ids dequeue --spool=exim "$@"
}
group="--reuid=65534 --regid=65534 --groups=$exim_gid"
user="--reuid=$(stat -c %u "$root$spool") --regid=$exim_gid --clear-groups"
like "Exim's group may release" 'stayed: .*451 4\.2\.1' as "$group" -d one.test --wait=20s -v
exits "Exim's group may not drain" 77 as "$group" -d one.test -- smtp-send --records -s $far
exits "Exim's own user may" 0 as "$user" -d one.test -- smtp-send --records -s $far
is 'that went' bob@one.test live got "$tmp/far"
chroot "$root" chmod o+rx "$spool" "$spool/input"
chroot "$root" chmod -R o+rX "$spool/input" "$spool/msglog"
nobody='--reuid=65534 --regid=65534 --clear-groups'
exits 'who may read, but not tell Exim: 77' 77 as "$nobody" --all
like 'in its words' 'ermission denied' as "$nobody" --all
exits 'nor hold: 77' 77 as "$nobody" --hold --all
chroot "$root" chmod -R o-rwx "$spool"
exits 'as root' 0 dq --remove --all -y
wait_for empty
close_hop
close_far
rm -rf "$tmp/far"

# ---- what Exim makes of our marks ----
open_hop --refuse='*:451 4.2.1 later'
submit ann@x.test Bob@One.TEST '"a b"@one.test' carla@two.test
submit ann@x.test dora@one.test eve@two.test
wait_for many 2
wait_for rests
open_far
exits 'one domain is drained' 0 dq -d one.test -- smtp-send --records -s $far
is 'the journal is Exim'"'"'s' '"a b"@one.test
Bob@one.test' sh -c 'sort "$1/input/$2-J"' - "$root$spool" "$(id_of carla@two.test)"
is 'the others wait' 'deferred carla@two.test
deferred eve@two.test' at
exits 'returned' 0 dq -d two.test -r eve@two.test --bounce --bounce-text='5.3.4 too large'
wait_for many 2
is 'it is gone, and its report waits' 'deferred ann@x.test
deferred carla@two.test' at
is 'from nobody' '<>' queue-list --spool="exim:$root$spool" -F %f -r ann@x.test
close_hop
open_hop
exits 'Exim delivers the rest' 0 dq --all --wait=30s
wait_for empty
is 'and only that' 'ann@x.test
carla@two.test' live got "$tmp/got"
ok 'as if it had begun it' in_log ' Completed'
is 'nothing is left' '' find "$root$spool/input" "$root$spool/msglog" -type f
close_hop
close_far
rm -rf "$tmp/got" "$tmp/far"

# ---- drains while it works ----
open_far --refuse='no-*:550 5.1.1 no such user' --refuse='later-*:451 4.2.1 later'
open_hop --refuse='*:451 4.2.1 later'
start -q1s
fill "$seed" "$letters" 1
drains_domain d1.test
storms d2.test
close_hop
at_once d3.test
lets_go
returns
is 'exim: no file is left' '' find "$root$spool/input" "$root$spool/msglog" -type f
is 'exim: no reason to panic' '' sh -c 'cat "$1"/var/log/exim4/paniclog 2>/dev/null; :' - "$root"
echo "# it met $(in_log 'is locked' | grep -c .) locked files, and missed $(in_log 'not found' | grep -c .)"
close_far
stop
done_testing
