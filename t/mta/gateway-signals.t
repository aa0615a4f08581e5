#!/bin/sh
# A session of two Postfixes at a dialled line is ended, by TERM, INT and HUP, in each of
# its phases: the line is down, the log tells the truth, nothing is lost, and the next
# session completes it.
# shellcheck disable=SC2034
. "$(dirname "$0")/lib.sh"
quick=yes
. "$mta/line.sh"
pf "$isp" isp postconf -e smtp_connection_cache_time_limit=1s
pf "$isp" isp postfix reload 2>&1 | diag
echo 'stays 600 someone@other.test' >"$tmp/case.in"
: >"$tmp/case.out"
post "$tmp/case.in" "$tmp/case.out"

few() {
	printf '%sin1 1500 u1@customer.test\n%sin2 700 u2@customer.test\n' "$1" "$1" >"$tmp/case.in"
	echo "$1out 900 bob@world.test" >"$tmp/case.out"
	post "$tmp/case.in" "$tmp/case.out"
}
# starts: a session in the background, $pid; perl: what a shell starts there ignores INT
starts() {
	rm -f "$gw/run/here" "$gw/run/go"
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' ip netns exec tg-b sh -c "$enter" "$gw" \
		MAIL_CONFIG=/etc/postfix-gateway gateway-dial -v isp >"$tmp/dial.out" 2>&1 &
	pid=$!
}
reached() { test -e "$gw/run/here"; }
# Somebody at end b is connected to the mute port, 2626; to the MTA.
at_mute() { at b grep -q '0100630A:0A42 01 ' /proc/net/tcp; }
at_mta() { at b grep -q '0100630A:0019 01 ' /proc/net/tcp; }
was_answered() { grep -q 'customer.test.250' "$tmp/dial.out"; }

# ended PHASE STATUS REACHED ERE SIGNAL...: in that phase; the line of the log
ended() {
	phase=$1 want=$2 when=$3 line=$4
	shift 4
	for signal; do
		starts
		wait_for "$when" || { diag <"$tmp/dial.out"; bail "it is never $phase"; }
		kill "-$signal" $pid
		[ ! -e "$gw/run/here" ] || touch "$gw/run/go"
		exits "SIG$signal, $phase: $want" "$want" wait $pid
		session "SIG$signal, $phase: the log line" "$line"
		ok "SIG$signal, $phase: the line is down" link_is_gone
		[ "$want" = 0 ] || like "SIG$signal, $phase: it says so" "ended by SIG$signal" cat "$tmp/dial.out"
	done
}

conf SEND=none
ended waiting 75 was_answered \
	'status=75 link=ok send=- retrieve=75 hangup=ok sent=- deferred=- received=0 bytes=[0-9]+' TERM INT HUP
few waiting
after waiting

few dialling
conf 'DIAL=slowlink-relay ctl /run/slowlink/tg.sock dial; touch /run/here; sleep 60' DIAL_TIMEOUT=90s
ended dialling 75 reached \
	'status=75 link=failed send=- retrieve=- hangup=ok sent=- deferred=- received=- bytes=[0-9-]+' TERM INT HUP
after dialling

few sending
conf SEND=drain PORT=2626
ended sending 75 at_mute \
	'status=75 link=ok send=75 retrieve=- hangup=ok sent=[0-] deferred=[01-] received=- bytes=[0-9]+' TERM INT HUP
conf
provider STOP
ended 'sending, by the MTA' 75 at_mta \
	'status=75 link=ok send=75 retrieve=- hangup=ok sent=[0-] deferred=[01-] received=- bytes=[0-9]+' TERM
provider CONT
after sending

few requesting
conf SEND=none RETRIEVE_PORT=2626
ended requesting 75 at_mute \
	'status=75 link=ok send=- retrieve=75 hangup=ok sent=- deferred=- received=0 bytes=[0-9]+' TERM INT HUP
after requesting

# To be ended here would leave the line up.
few hanging
conf IDLE=1s 'HANGUP=touch /run/here; until test -e /run/go; do sleep .1; done; slowlink-relay ctl /run/slowlink/tg.sock hangup'
ended 'hanging up' 0 reached \
	'status=0 link=ok send=0 retrieve=0 hangup=ok sent=1 deferred=0 received=2 bytes=[0-9]+' TERM
completed 'hanging up'
conf SEND=none RETRIEVE=none 'HANGUP=touch /run/here; until test -e /run/go; do sleep .1; done; slowlink-relay ctl /run/slowlink/tg.sock hangup'
ended 'hanging up' 0 reached \
	'status=0 link=ok send=- retrieve=- hangup=ok sent=- deferred=- received=- bytes=[0-9]+' INT HUP
done_testing
