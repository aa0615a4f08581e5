#!/bin/sh
# The main job on real mail: two Postfixes, the provider at end a of a slow link
# and the gateway at end b, and one command that moves what waits at both.
. "$(dirname "$0")/lib.sh"

root_of isp
root_of gw
isp=$tmp/isp gw=$tmp/gw
install_into "$gw"

# The control socket and the relay lie inside the gateway's chroot, because its
# DIAL and HANGUP need them; so the relay needs the libraries of nobody.
mkdir -p "$gw/run/slowlink"
SLOWLINK_DIR=$gw/run/slowlink SLOWLINK_RELAY=$gw/usr/bin/slowlink-relay
CC="${CC:-cc} -static"
export SLOWLINK_DIR SLOWLINK_RELAY CC

slowlink() { verb=$1; shift; "$mta/slowlink" "$verb" tg "$@"; }
at() { end=$1; shift; ip netns exec "tg-$end" "$@"; }
link_is_there() { at b test -e /sys/class/net/sl0; }
link_is_gone() { ! link_is_there; }

# --- the scene -------------------------------------------------------------

NETWORKS='127.0.0.0/8 10.99.0.0/30' LISTEN=0.0.0.0
export NETWORKS LISTEN
slowlink up --rtt 600ms --rate 56kbit \
	--cc "$(cat /proc/sys/net/ipv4/tcp_congestion_control)" || bail 'no slow link'
at a env PORT=25 TARGET_HOST=10.99.0.2 TARGET_PORT=2525 \
	"$mta/recipes/postfix/up.sh" "$isp" isp 2>&1 | diag
at b env PORT=2525 TARGET_HOST=10.99.0.1 TARGET_PORT=25 \
	"$mta/recipes/postfix/up.sh" "$gw" gateway 2>&1 | diag
at a python3 "$mta/mail.py" sink 127.0.0.23 2523 "$tmp/world" &
at a python3 "$mta/mail.py" mute 0.0.0.0 2626 &
wait_for test -d "$tmp/world" || bail 'no world'
slowlink hangup

# conf [KEY=VALUE...]: the phone book, without the keys that are given, and these
conf() {
	mkdir -p "$gw/etc/tidegate/links"
	cat >"$tmp/conf" <<-EOF
	DIAL=slowlink-relay ctl /run/slowlink/tg.sock dial
	HANGUP=slowlink-relay ctl /run/slowlink/tg.sock hangup
	INTERFACE=sl0
	DIAL_TIMEOUT=5s
	SPOOL=postfix
	SEND=release
	SMARTHOST=10.99.0.1
	RETRIEVE=etrn
	DOMAINS=customer.test
	LISTEN_PORT=2525
	FIRST=20s
	IDLE=3s
	MAX_SESSION=5m
	EOF
	for setting; do
		sed -i "/^${setting%%=*}=/d" "$tmp/conf"
		printf '%s\n' "$setting" >>"$tmp/conf"
	done
	install -m 644 "$tmp/conf" "$gw/etc/tidegate/links/isp.conf"
}

dial() { in_chroot tg-b "$gw" MAIL_CONFIG=/etc/postfix-gateway gateway-dial "$@"; }
last_session() { tail -n 1 "$gw/var/log/tidegate/sessions.log"; }
field() { last_session | tr ' ' '\n' | sed -n "s/^$1=//p" | tail -n 1; }

# session NAME ERE: the last line of the log says that
session() {
	like "$1" "^20[0-9-]+T[0-9:]+Z link=isp $2 up=([0-9]+s|-)\$" last_session
}

is "the gateway's own domains, as its Postfix has them" "10.99.0.1	ETRN customer.test" \
	in_chroot tg-b "$gw" MAIL_CONFIG=/etc/postfix-gateway \
	etrn-request --dry-run --local-domains --spool=postfix --server=10.99.0.1

# --- the mail --------------------------------------------------------------

: >"$tmp/in"; : >"$tmp/out"	# plans of all letters so far, see mail.py

# What will not leave the provider: the other customer's.
stays() { awk '$2 ~ /@other\.test$/' "$@"; }
leaves() { awk '$2 !~ /@other\.test$/' "$@"; }
in_queue() { sed 's/ whole$/ deferred/'; }

# post IN OUT: the letters of these two plans, at the provider and the gateway
post() {
	cat "$1" >>"$tmp/in"
	cat "$2" >>"$tmp/out"
	at a python3 "$mta/mail.py" send 127.0.0.1 25 "$1" || bail 'provider takes no mail'
	at b python3 "$mta/mail.py" send 127.0.0.1 2525 "$2" || bail 'gateway takes no mail'
	{ mail planned "$1" | leaves; mail planned "$tmp/in" | stays; } |
		in_queue | sort >"$tmp/waits.isp"
	mail planned "$2" | in_queue >"$tmp/waits.gw"
	wait_for queue_is "$tmp/waits.isp" "$isp" isp || bail 'provider keeps no mail'
	wait_for queue_is "$tmp/waits.gw" "$gw" gateway || bail 'gateway keeps no mail'
}

mailbox() { mail arrived "$tmp/in" "$gw/var/mail/gateway"; }
world() { mail arrived "$tmp/out" "$tmp/world"; }
everything() { mail planned "$tmp/in" | leaves; mail planned "$tmp/out"; }
everywhere() { mailbox; world; }
all_there() { everything >"$tmp/want"; everywhere >"$tmp/have"; cmp -s "$tmp/want" "$tmp/have"; }
quiet_isp() { mail planned "$tmp/in" | stays | in_queue >"$tmp/.left"; queue_is "$tmp/.left" "$isp" isp; }

# completed NAME: each of the letters so far is where it belongs, once
completed() {
	wait_for all_there
	same "$1: every recipient has every message once, octet by octet" \
		"$tmp/want" "$tmp/have"
	wait_for quiet_isp
	mail planned "$tmp/in" | stays | in_queue >"$tmp/.left"
	queue "$isp" isp >"$tmp/.isp"
	same "$1: only the other customer's mail waits at the provider" \
		"$tmp/.left" "$tmp/.isp"
	is "$1: nothing waits at the gateway" '' pf "$gw" gateway postqueue -j
}

# accounted NAME: each is where it belongs or still in a queue.  A letter may be
# on its way while we look, so we look along its way: a queue before the next.
accounted() {
	{
		queue "$isp" isp; queue "$gw" gateway; queue "$isp" isp
		everywhere
	} >"$tmp/.seen"
	grep -v '^$' "$tmp/.seen" | cut -d' ' -f1,2 | sort -u >"$tmp/have"
	{ mail planned "$tmp/in"; mail planned "$tmp/out"; } | cut -d' ' -f1,2 |
		sort -u >"$tmp/want"
	same "$1: nothing is lost" "$tmp/want" "$tmp/have"
	is "$1: nothing is damaged or astray" 0 sh -c \
		'grep -Ec " (damaged|unknown|astray)" "$1" || :' - "$tmp/.seen"
}

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
post "$tmp/1.in" "$tmp/1.out"
slowlink reset
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

# letters CASE [INSIZE [OUTSIZE]]: a few at both ends
letters() {
	awk -v c="$1" -v size="${2-1500}" 'BEGIN {
		for (i = 1; i <= 6; i++)
			printf "%sin%d %d u%d@customer.test%s\n", c, i, size + i,
				i, i == 2 ? " v2@customer.test" : ""
	}' >"$tmp/case.in"
	awk -v c="$1" -v size="${3-700}" 'BEGIN {
		for (i = 1; i <= 3; i++)
			printf "%sout%d %d bob%d@world.test\n", c, i, size * i, i
	}' >"$tmp/case.out"
	post "$tmp/case.in" "$tmp/case.out"
}

# after CASE: nothing lost; a second run completes it
after() {
	last_session 2>&1 | diag
	accounted "$1"
	conf
	exits "$1: a second run: done" 0 dial isp
	last_session 2>&1 | diag
	ok "$1: the interface is gone" link_is_gone
	completed "$1"
}

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
provider() {
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/root")" != "$isp" ] || kill "-$1" "${p#/proc/}"
	done
}
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
