#!/bin/sh
# What dequeue has a real Postfix do: hold, let go, remove, release, return.
# shellcheck disable=SC2034
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/postfix.sh"

postfix_root <<-END
$to_hop
$for_senders
queue_run_delay = 1h
END
postfix_starts

dq() { in_chroot - "$root" dequeue --spool=postfix "$@"; }
at() { queue-list --spool=postfix:"$root$spool" -F '%q %r' "$@" | sort; }
is_at() { [ "$(at)" = "$1" ]; }
id_of() { queue-list --spool=postfix:"$root$spool" --ids -r "$1"; }
reports() { grep -rl 'report-type=delivery-status' "$root/var/mail/all/new" 2>/dev/null; }

submit ann@sender.test bob@one.test
submit ann@sender.test carla@two.test dora@one.test
submit ann@sender.test eve@three.test
wait_for is_at 'deferred bob@one.test
deferred carla@two.test dora@one.test
deferred eve@three.test'

exits 'hold one domain: the mixed one is left' 75 dq -d one.test --hold
is 'held' 'deferred carla@two.test dora@one.test
deferred eve@three.test
hold bob@one.test' at
exits 'held mail is not removed unasked' 75 dq --remove "$(id_of bob@one.test)"
exits 'unhold' 0 dq --unhold --all
is 'none is held' 'deferred bob@one.test
deferred carla@two.test dora@one.test
deferred eve@three.test' at
like 'who stays is told' ': stayed: connect to .*Connection refused' \
	dq "$(id_of eve@three.test)" --wait=60s
exits 'remove by ID' 0 dq --remove "$(id_of bob@one.test)"
is 'it is gone' 'deferred carla@two.test dora@one.test
deferred eve@three.test' at
exits 'an ID that is not there' 69 dq --remove 4ZZZZZ1ZZZzZZZZ
like 'a COMMAND without --' '^dequeue: cat: no such message; a COMMAND stands behind --$' dq -d one.test cat

# returned: Postfix itself tells the sender, once
exits 'bounce one recipient of two' 0 dq -d two.test --bounce --bounce-text='5.3.4 too large for the line'
is 'the other one waits' 'deferred dora@one.test
deferred eve@three.test' at
open_hop
exits 'release' 0 dq -d one.test --wait=30s
wait_for is_at 'deferred eve@three.test'
wait_for reports
is 'one report' 1 sh -c 'grep -rl report-type=delivery-status "$1" | wc -l' - "$root/var/mail/all/new"
like 'with our words' '^Diagnostic-Code: .*5.3.4 too large|^Status: 5.3.4' cat "$(reports)"
is 'about the right one' 'Final-Recipient: rfc822; carla@two.test' \
	grep -h '^Final-Recipient' "$(reports)"
close_hop
ok 'the other one has it' grep -rq dora@one.test "$tmp/got/new"

# on hold: by the local sendmail
rm -f "$(reports)"
dq --hold -d three.test
exits 'bounce what is held' 0 dq --state=hold -d three.test --bounce
wait_for reports
is 'a report about it' 'Final-Recipient: rfc822; eve@three.test' \
	grep -h '^Final-Recipient' "$(reports)"
like 'by us' '^From: Mail Delivery System' cat "$(reports)"
wait_for is_at ''
is 'Postfix has nothing to complain of' '' awk '/ (fatal|panic|error): |corrupt/' "$root/var/log/postfix.log"

# not as somebody else, not while it is down
submit ann@sender.test bob@one.test
wait_for is_at 'deferred bob@one.test'
exits 'no rights: 77' 77 in_chroot - "$root" setpriv --reuid=65534 --regid=65534 --clear-groups \
	dequeue --spool=postfix --hold --all
chroot "$root" postfix stop 2>/dev/null
exits 'down: release says so' 75 dq --all
exits 'down: hold works all the same' 0 dq --all --hold
is 'held' 'hold bob@one.test' at
like 'down: what a release did, and what it did not' \
	': no longer held, but not tried: .*mail system is down' dq --all --state=hold
is 'no longer held' 'deferred bob@one.test' at
exits 'down: try again later' 75 dq --all --state=hold,deferred
done_testing
