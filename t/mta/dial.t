#!/bin/sh
# The main job on real mail: two Postfixes, the provider at end a of a slow link
# and the gateway at end b, and one command that moves what waits at both.
# shellcheck disable=SC2034
. "$(dirname "$0")/lib.sh"
line='--rtt 600ms --rate 56kbit'
. "$mta/line.sh"

is "the gateway's own domains, as its Postfix has them" "10.99.0.1	ETRN customer.test" \
	in_chroot tg-b "$gw" MAIL_CONFIG=/etc/postfix-gateway \
	etrn-request --dry-run --local-domains --spool=postfix --server=10.99.0.1

# --- 600 ms, 56 kbit/s -----------------------------------------------------

awk 'BEGIN {
	for (i = 1; i <= 20; i++) {
		size = i == 9 ? 102400 : 400 + i * 60
		more = i % 4 == 0 ? " second" i "@customer.test" : ""
		if (i == 7)
			more = " someone@other.test"
		printf "in%02d %d user%d@customer.test%s\n", i, size, i, more
	}
}' >"$tmp/1.in"
awk 'BEGIN {
	for (i = 1; i <= 10; i++)
		printf "out%02d %d bob%d@world.test\n", i, 300 + i * 100, i
}' >"$tmp/1.out"
conf IDLE=6s FIRST=1m
# as with a router that dials when there is something to carry
slowlink dial
slowlink reset
post "$tmp/1.in" "$tmp/1.out"
packets() {
	slowlink stat | awk '$1 ~ /^(ab|ba)$/ {
		for (i = 2; i < NF; i++) if ($i == "packets") n += $(i + 1)
	} END { print n + 0 }'
}
is 'nothing but a session wants the line: mail that waits does not' 0 packets
slowlink hangup
ok 'the link is down' link_is_gone

exits 'gateway-dial isp: done' 0 dial isp
diag <"$tmp/.err"
last_session 2>&1 | diag
slowlink stat | tee "$tmp/stat" | diag
ok 'the interface is gone' link_is_gone
session 'the log line has the right numbers' \
	'status=0 link=ok send=0 retrieve=0 hangup=ok sent=10 deferred=0 received=20 bytes=[0-9]+'
completed 'slow link'
is 'received= is what the log of Postfix says' "$(field received)" \
	logged "$gw" gateway 'smtpd\[[0-9]+\]: [0-9A-Za-z]+: client=.*\[10\.99\.0\.1\]'
# What left end a arrived at end b, but for what was on the line at the end.
ok 'bytes= is what came over the link' awk -v said="$(field bytes)" '
	$1 == "ab" { for (i = 2; i < NF; i++) if ($i == "bytes") sent = $(i + 1) }
	END { print said, sent; exit !(said <= sent && said > sent - 10000) }' "$tmp/stat"

# --- 100 ms, 1 Mbit/s ------------------------------------------------------

slowlink set rtt=100ms rate=1mbit

letters refused
conf DOMAINS=nosuch.test
exits 'ETRN refused: 77' 77 dial isp
session 'ETRN refused: the log line' \
	'status=77 link=ok send=0 retrieve=77 hangup=ok sent=3 deferred=0 received=(0|-) bytes=[0-9]+'
ok 'ETRN refused: hung up' link_is_gone
after 'ETRN refused'

# The provider is in the middle of it: some have come, not all.
letters dies 30000
conf
before=$(logged "$gw" gateway 'client=.*\[10\.99\.0\.1\]')
some_came() { [ "$(logged "$gw" gateway 'client=.*\[10\.99\.0\.1\]')" -ge $((before + 2)) ]; }
dial isp >"$tmp/dial.out" 2>&1 &
pid=$!
ok 'link dies: mail was coming' wait_for some_came
slowlink hangup
exits 'link dies: 75' 75 wait $pid
diag <"$tmp/dial.out"
session 'link dies: the log line' 'status=75 link=ok send=0 retrieve=75 .*'
after 'link dies'

# The gateway is in the middle of it.  What the dead line swallowed, nobody misses
# before MAX_SESSION is over: it may come back any time.
letters sending 1500 60000
conf MAX_SESSION=20s
before=$(world | grep -c .)
some_went() { [ "$(world | grep -c .)" -gt "$before" ]; }
dial isp >"$tmp/dial.out" 2>&1 &
pid=$!
ok 'link dies while we send: mail was going' wait_for some_went
slowlink hangup
exits 'link dies while we send: 75' 75 wait $pid
diag <"$tmp/dial.out"
after 'link dies while we send'

letters mute
conf RETRIEVE_PORT=2626 RETRIEVE_OPTIONS=--timeout=2s
exits 'provider is silent: 75' 75 dial isp
session 'provider is silent: the log line' \
	'status=75 link=ok send=0 retrieve=75 hangup=ok sent=3 deferred=0 .*'
ok 'provider is silent: hung up' link_is_gone
after 'provider is silent'

# All of it stands still: the kernel takes connections, nobody says a word.
letters still
conf MAX_SESSION=8s
provider STOP
exits 'provider stands still: 75' 75 dial isp
ok 'provider stands still: hung up' link_is_gone
provider CONT
after 'provider stands still'

letters nodial
conf DIAL=true DIAL_TIMEOUT=2s
exits 'link never comes up: 75' 75 dial isp
session 'link never comes up: the log line' \
	'status=75 link=failed send=- retrieve=- hangup=(ok|none) sent=- deferred=- received=- bytes=-'
after 'link never comes up'

letters up
conf
slowlink dial
exits 'link was up: done' 0 dial isp
session 'link was up: the log line' \
	'status=0 link=up send=0 retrieve=0 hangup=kept sent=3 deferred=0 received=6 bytes=[0-9]+'
ok 'link was up: it still is' link_is_there
completed 'link was up'
slowlink hangup

bounces() { cat "$isp/var/log/postfix-isp.log" "$gw/var/log/postfix-gateway.log" | grep -c status=bounced; }
like 'no message was bounced' '^0$' bounces
done_testing
