#!/bin/sh
# nullmailer as the gateway of an OpenSMTPD with turn-server, by what tidegate-setup(7) says
# and nothing else.
# shellcheck disable=SC2034,SC2154
chroots='opensmtpd nullmailer'
. "$(dirname "$0")/lib.sh"
. "$mta/setup.sh"

two_hosts opensmtpd nullmailer
exits 'the provider' 0 page isp 'OpenSMTPD, the provider'
ok 'it waits at isp' waits_at isp 1
socket isp
exits 'turn-server' 0 page isp 'ATRN beside any of them'
like 'its certificate holds' 'ATRN' cat "$tmp/said"
exits 'the gateway' 0 page gw 'nullmailer, the gateway'
ok 'it waits at gw' waits_at gw 1

# the provider's submission for his customers
(umask 077 && cat "$certs/good.pem" "$certs/good.key" >"$tmp/submission.pem")
ip netns exec isp "$(command -v sink)" --listen=10.99.0.1:587 --maildir="$tmp/submitted" --port-file="$tmp/port" \
	--tls-cert="$tmp/submission.pem" --auth=PLAIN --need-auth \
	--user="customer:$(cat "$isp/etc/tidegate/customer.password")" &
wait_for test -s "$tmp/port"
# smtpd has it in hand until it has seen that nobody listens where it is to go
at_rest() { ! chroot "$isp" smtpctl show queue | grep -q '|inflight|'; }
ok 'the provider has tried it' wait_for at_rest
exits 'ATRN' 0 page gw 'The phone book for nullmailer' <"$isp/etc/tidegate/customer.password"
is 'ATRN: --probe finds nothing wrong' '' wrong
like 'one went and one came' 'status=0 link=(ok|up) send=0 retrieve=0 .*sent=1 deferred=0 received=1 ' cat "$tmp/said"
ok 'what was written outside is here' grep -rq '^Subject: in' "$gw/var/spool/tidegate/in/new"
ok 'what was written inside is there' grep -rq '^Subject: out' "$tmp/submitted/new"
is 'nothing waits at the provider' 0 deferred_at isp
is 'nor at the gateway' 0 deferred_at gw
done_testing
