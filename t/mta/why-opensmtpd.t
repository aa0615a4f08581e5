#!/bin/sh
# queue-list --why on a real OpenSMTPD: it names the true cause, and what it advises
# works.
# shellcheck disable=SC2034
chroots=opensmtpd
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/opensmtpd.sh"
. "$mta/why.sh"

opensmtpd_root <<-END
action dns relay helo mx.test
match from any for domain dns.test action dns
END
echo 'dns.test SERVFAIL' >"$tmp/zone"
names "$tmp/zone"
ctl() { chroot "$root" smtpctl "$@" >"$tmp/ctl" 2>&1; }
start() {
	chroot "$root" smtpd -d >>"$tmp/start" 2>&1 </dev/null &
	pid=$!
	wait_for ctl show status
}
end() { kill "$pid"; wait "$pid" 2>/dev/null; wait_for down; }
down() { ! ctl show status; }
id_of() { queue-list --spool=opensmtpd:"$root$spool" --ids -r "$1"; }
# put_off ADDRESS: it was tried, and waits again
put_off() {
	queue-list --spool=opensmtpd:"$root$spool" -j -r "$1" | grep -q '"delay_reason": "[^"]' &&
		why "$1" | grep -q 'tries it again by itself'
}
# stuck ADDRESS: it came, and was put off
stuck() {
	submit ann@x.test "$1"
	wait_for put_off "$1" || { diag <"$tmp/start"; bail "$1 is not put off"; }
}

start
nothing

# ---- the next hop refuses the connection, or the recipient
stuck bob@refused.test
says refused bob@refused.test 'is in deferred \(opensmtpd, /var/spool/smtpd\), from ann@x.test' \
    ' bob@refused.test: .*(onnection|rror)' 'smtpd tries it again by itself' 'It has disabled its route to 127.0.0.1 for now' \
    'tried 1 time' 'next in [0-9]+[sm]'
open_hop --refuse='later@*:451 4.2.1 come again'
follow 'taken now' bob@refused.test
delivered 'taken now' bob@refused.test
stuck later@full.test
says 'recipient refused' later@full.test ' later@full.test: .*451 4.2.1 come again'
close_hop
open_hop
# it keeps a session open, which has died with that next hop
ctl schedule "$(id_of later@full.test)"
died() { why later@full.test | grep -q 'closed unexpectedly .*tries it again'; }
wait_for died
follow 'recipient refused' later@full.test
delivered 'recipient refused' later@full.test
close_hop

# ---- no answer of the DNS
stuck bob@dns.test
says SERVFAIL bob@dns.test ' bob@dns.test: .*(DNS|MX|resol)' 'smtpd tries it again by itself'
follow SERVFAIL bob@dns.test
no_names
printf '%s\n' 'dns.test MX 10 hop.test' 'hop.test A 192.0.2.1' >"$tmp/zone"
names "$tmp/zone"
# it looks for no addresses while the host has none but 127.0.0.1
ip addr add 192.0.2.1/32 dev lo
hop=192.0.2.1:25
open_hop
hop=127.0.0.1:2599
follow 'there is one again' bob@dns.test
delivered 'there is one again' bob@dns.test
close_hop

# ---- suspended
stuck bob@held.test
ctl pause envelope "$(id_of bob@held.test)"
says suspended bob@held.test 'is in hold \(opensmtpd' 'It is suspended \(smtpctl pause\)' 
open_hop
follow suspended bob@held.test 'resumed'
says 'let go' bob@held.test 'is in deferred' 'smtpd tries it again by itself'
follow 'let go' bob@held.test
delivered 'let go' bob@held.test
close_hop

# ---- throttled: only its own time, or smtpctl
stuck bob@slow.test
says throttled bob@slow.test 'next in [0-9]+[sm]'
open_hop
follow throttled bob@slow.test
delivered throttled bob@slow.test

# ---- nothing goes out until somebody says so
ctl pause mta
submit ann@x.test bob@wait.test
wait_for id_of bob@wait.test
says paused bob@wait.test 'smtpd sends nothing out \(smtpctl pause mta\)'
follow paused bob@wait.test
delivered paused bob@wait.test
close_hop

# ---- it is down
stuck bob@down.test
end
says down bob@down.test 'No MTA is running' 'waits for smtpd to be started'
ok 'opensmtpd: down: no next try is promised' sh -c '! grep -q "next" "$1"' - "$tmp/why"
open_hop
follow down bob@down.test
wait_for put_off bob@down.test
says 'started' bob@down.test 'tries it again by itself' 'next in [0-9]+[sm]'
follow 'started' bob@down.test
delivered 'started' bob@down.test
close_hop
done_testing
