#!/bin/sh
# What dequeue has a real Postfix do: hold, let go, remove, release, return.
# shellcheck disable=SC2034
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=postfix spool=/var/spool/postfix
list_root
mkdir -p "$root/var/mail/all/new" "$root/var/mail/all/cur" "$root/var/mail/all/tmp"
chown -R 5000:5000 "$root/var/mail/all"
cat >"$root/etc/postfix/main.cf" <<-END
compatibility_level = 3.6
maillog_file = /var/log/postfix.log
myhostname = mx.test
mydestination =
virtual_mailbox_domains = sender.test
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
inet_interfaces = loopback-only
inet_protocols = ipv4
relayhost = [127.0.0.1]:2599
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
queue_run_delay = 1h
smtp_connection_reuse_time_limit = 1s
END
chroot "$root" postfix start >"$tmp/start" 2>&1 || { diag <"$tmp/start"; bail 'no Postfix'; }

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
exits 'remove by ID' 0 dq --remove "$(id_of bob@one.test)"
is 'it is gone' 'deferred carla@two.test dora@one.test
deferred eve@three.test' at
exits 'an ID that is not there' 69 dq --remove 4ZZZZZ1ZZZzZZZZ

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
done_testing
