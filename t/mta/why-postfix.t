#!/bin/sh
# queue-list --why on a real Postfix: it names the true cause, and what it advises works.
# shellcheck disable=SC2034
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/postfix.sh"
. "$mta/why.sh"

postfix_root <<-END
smtp_tls_security_level = none
minimal_backoff_time = 20m
maximal_backoff_time = 40m
queue_run_delay = 20m
# without a unit it is days
maximal_queue_lifetime = 4
bounce_queue_lifetime = 12h
transport_maps = texthash:/etc/postfix/transport
sender_dependent_relayhost_maps = inline:{{fay@branch.test = [127.0.0.1]:2597}}
relay_domains = etrn.test
defer_transports = etrn
fast_flush_domains = etrn.test
# one failure is enough
slow_initial_destination_concurrency = 1
header_checks = regexp:/etc/postfix/checks
END
cat >"$root/etc/postfix/transport" <<-END
etrn.test	etrn:[127.0.0.1]:2599
plain.test	etrn:[127.0.0.1]:2599
slow.test	slow:[127.0.0.1]:2599
dns.test	smtp:smart.test:2599
off.test	retry:4.7.1 waits for ETRN
.test	smtp:[127.0.0.1]:2599
END
echo '/^Subject: .*hold/ HOLD suspicious' >"$root/etc/postfix/checks"
printf '%s unix - - n - - smtp\n' etrn slow >>"$root/etc/postfix/master.cf"
chroot "$root" postconf -F '*/*/chroot = n'
echo 'smart.test SERVFAIL' >"$tmp/zone"
names "$tmp/zone"

postfix() { chroot "$root" postfix "$@" >"$tmp/postfix.said" 2>&1; }
postfix_starts
# waits ADDRESS [STATE]: there is such mail
waits() {
	[ "$(queue-list --spool="postfix:$root$where" -r "$1" --state="${2-deferred}" --count)" = 1 ]
}
where=$spool
# stuck SENDER ADDRESS: it came, and was put off
stuck() {
	submit "$1" "$2"
	wait_for waits "$2" || { diag <"$root/var/log/postfix.log"; bail "$2 is not put off"; }
}
# tries ADDRESS: how often it was put off, as the log has it
tries() { grep -c "to=<$1>.*status=deferred" "$root/var/log/postfix.log"; }
more() { [ "$(tries "$1")" -gt "$2" ]; }

nothing

# ---- the next hop refuses the connection, or the recipient
stuck ann@x.test bob@refused.test
says refused bob@refused.test 'is in deferred \(postfix, /var/spool/postfix\), from ann@x.test, [0-9]+ octets, came [0-9]+s ago' \
    ' bob@refused.test: connect to 127.0.0.1\[127.0.0.1\]:2599: Connection refused ' \
    'goes by transport smtp, next hop \[127.0.0.1\]:2599 ' 'last tried [0-9]+s ago' \
    'next in (19|20)m' 'is given up in [34]d' 'It looks every 20m'
stuck '' ann@back.test
says 'a report' ann@back.test 'from <>' 'is given up in (11|12)h'
stuck fay@branch.test bob@elsewhere.example
says 'by its sender' bob@elsewhere.example 'elsewhere.example: connect to 127.0.0.1\[127.0.0.1\]:2597: Connection refused' \
    'goes by transport smtp, next hop \[127.0.0.1\]:2597'
n=$(tries bob@refused.test)
follow 'still refused' bob@refused.test
ok 'postfix: still refused: it was tried again' wait_for more bob@refused.test "$n"
wait_for waits bob@refused.test
open_hop --refuse='later@*:451 4.2.1 come again'
follow 'taken now' bob@refused.test
delivered 'taken now' bob@refused.test
stuck ann@x.test later@full.test
says 'recipient refused' later@full.test 'later@full.test: host 127.0.0.1\[127.0.0.1\] said: 451 4.2.1 come again'
close_hop
open_hop
follow 'recipient refused' later@full.test
delivered 'recipient refused' later@full.test
close_hop

# ---- no answer of the DNS, or none that says where
stuck ann@x.test bob@dns.test
says SERVFAIL bob@dns.test 'Name service error for name=smart.test type=MX: Host not found, try again' \
    'goes by transport smtp, next hop smart.test:2599'
no_names
n=$(tries bob@dns.test)
follow 'no name server' bob@dns.test
ok 'postfix: no name server: it was tried again' wait_for more bob@dns.test "$n"
wait_for waits bob@dns.test
says 'no name server' bob@dns.test 'Name service error for name=smart.test'
printf '%s\n' 'smart.test MX 10 hop.test' 'hop.test A 127.0.0.1' >"$tmp/zone"
names "$tmp/zone"
open_hop
follow 'there is one again' bob@dns.test
delivered 'there is one again' bob@dns.test

# ---- on hold
printf 'Subject: hold this\n\nhello\n' | chroot "$root" sendmail -i -f ann@x.test bob@held.test
wait_for waits bob@held.test hold
says held bob@held.test 'is in hold \(postfix' ' bob@held.test goes by transport smtp, next hop' \
    'It is on hold: Postfix leaves it alone until it is let go'
ok 'postfix: held: it never expires' sh -c '! grep -q "given up" "$1"' - "$tmp/why"
follow held bob@held.test 'released from hold'
delivered held bob@held.test
close_hop

# ---- its next hop is in backoff
stuck ann@x.test first@slow.test
stuck ann@x.test bob@slow.test
says throttled bob@slow.test ': delivery temporarily suspended: connect to 127.0.0.1\[127.0.0.1\]:2599: Connection refused' \
    'goes by transport slow' 'next in (19|20)m' 'Its next hop failed for other mail and is left alone for a while'
open_hop
follow throttled bob@slow.test
delivered throttled bob@slow.test

# ---- until ETRN; and where the fast flush daemon keeps no log
stuck ann@x.test bob@etrn.test
says ETRN bob@etrn.test ' bob@etrn.test: deferred transport ' 'goes by transport etrn, next hop' \
    'defer_transports: Postfix keeps it until etrn.test asks for it \(ETRN\)'
is 'postfix: ETRN: all of the domain is sent' 'postqueue -s etrn.test' advice bob@etrn.test
follow ETRN bob@etrn.test
delivered ETRN bob@etrn.test
stuck ann@x.test bob@plain.test
says 'by hand' bob@plain.test ' bob@plain.test: deferred transport ' 'which Postfix does not offer for this mail'
follow 'by hand' bob@plain.test
delivered 'by hand' bob@plain.test
stuck ann@x.test bob@off.test
says 'put off' bob@off.test 'waits for ETRN' 'goes by transport retry' "Postfix's configuration puts it off"
n=$(tries bob@off.test)
follow 'put off' bob@off.test
ok 'postfix: put off: it was tried again' wait_for more bob@off.test "$n"
wait_for waits bob@off.test
sed -i '/off.test/d' "$root/etc/postfix/transport"
postfix reload
follow 'no longer put off' bob@off.test
delivered 'no longer put off' bob@off.test

# ---- one paragraph of many: of those that are selected alone
close_hop
stuck ann@x.test 'bob@quiet.test'
submit ann@x.test two@refused.test two@etrn.test
wait_for waits two@refused.test
says 'selected' two@refused.test 'qmgr tries it again'
says 'selected' two@etrn.test 'until etrn.test asks'

# ---- Postfix hangs, or is down
stop_it() { for pid in $(pids); do kill -STOP "$pid"; done; }
go_on() { for pid in $(pids); do kill -CONT "$pid"; done; }
pids() { for exe in /proc/[0-9]*/exe; do
	case $(readlink "$exe") in */master | */trivial-rewrite) echo "$exe" | cut -d/ -f3 ;; esac
done; }
stop_it
in_chroot - "$root" timeout 60 queue-list --why >"$tmp/out" 2>"$tmp/err"
is 'postfix: hangs: that is told, with 75' 75 echo $?
is 'postfix: hangs: once' 1 grep -c 'queue-list: Postfix.s resolver does not answer' "$tmp/err"
ok 'postfix: hangs: what the files say is said' grep -q 'connect to .*Connection refused' "$tmp/out"
go_on
postfix stop
printf 'Subject: early\n\nhello\n' | chroot "$root" sendmail -i -f ann@x.test bob@maildrop.test 2>/dev/null
says down bob@quiet.test 'No MTA is running that would deliver' '^.*now: postfix start && postqueue -i'
ok 'postfix: down: that is no error' test ! -s "$tmp/why.err"
says down bob@maildrop.test 'is in maildrop' 'It was submitted here, and waits for pickup'
open_hop
follow down bob@maildrop.test
delivered down bob@maildrop.test
postfix stop
follow down bob@quiet.test
delivered down bob@quiet.test

# ---- a second instance has its own queue, configuration and resolver
close_hop
chroot "$root" sh -c 'postmulti -e init && postmulti -I postfix-out -e create' >"$tmp/multi" 2>&1 ||
    diag <"$tmp/multi"
out=/etc/postfix-out
while read -r setting; do chroot "$root" postconf -c "$out" -e "$setting"; done <<-'END'
maillog_file = /var/log/postfix.log
multi_instance_enable = yes
master_service_disable =
authorized_submit_users = root
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
minimal_backoff_time = 20m
relayhost = [127.0.0.1]:2598
queue_run_delay = 20m
END
chroot "$root" postconf -c "$out" -F '*/*/chroot = n'
chroot "$root" postconf -c "$out" -MX smtp/inet
postfix stop
postfix_starts
where=/var/spool/postfix-out
printf 'Subject: out\n\nhello\n' | chroot "$root" sendmail -C "$out" -i -f ann@x.test bob@out.test
wait_for waits bob@out.test || diag <"$root/var/log/postfix.log"

where=$spool
stuck ann@x.test bob@in.test
says 'the other instance' bob@out.test 'postfix, /var/spool/postfix-out\)' 'Connection refused' \
    'goes by transport smtp, next hop \[127.0.0.1\]:2598' 'is given up in [45]d'
says 'this instance' bob@in.test 'postfix, /var/spool/postfix\)' 'next hop \[127.0.0.1\]:2599'
like 'postfix: its command names the instance' '^postqueue -c /etc/postfix-out -i [0-9A-Za-z]+$' advice bob@out.test
hop=127.0.0.1:2598 open_hop
follow 'the other instance' bob@out.test
delivered 'the other instance' bob@out.test
chroot "$root" postfix -c "$out" stop 2>/dev/null
says 'this instance still runs' bob@in.test 'next hop \[127.0.0.1\]:2599'
printf 'Subject: out\n\nhello\n' | chroot "$root" sendmail -C "$out" -i -f ann@x.test two@out.test 2>/dev/null
says 'the other is down' two@out.test 'No MTA is running that would'
follow 'the other is down' two@out.test
delivered 'the other is down' two@out.test
[ "$tap_bad" = 0 ] || tail -60 "$root/var/log/postfix.log" | diag
postfix stop
chroot "$root" postfix -c "$out" stop 2>/dev/null
done_testing
