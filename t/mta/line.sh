# Two Postfixes at the ends of a line that has to be dialled, the provider at end a
# (10.99.0.1, port 25) and the gateway at end b (10.99.0.2, port 2525), each in a
# chroot, $isp and $gw; sourced after lib.sh.  $line: another one than 100 ms, 1 Mbit/s.
# At the provider port 2626 takes connections and says nothing.  $queue_room: so large
# is the file system of the gateway's queue.
#
#	conf [KEY=VALUE...]	the phone book
#	dial [OPTION...] isp	gateway-dial
#	session NAME ERE	the last line of its log says that
#	letters CASE [INSIZE [OUTSIZE]]	a few at both ends, and they wait
#	completed CASE		each of the letters so far is where it belongs, once
#	accounted CASE		... or still in a queue
#	after CASE		nothing lost; a second run completes it
#	provider STOP|CONT	all of its processes
#
# shellcheck shell=sh

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

NETWORKS='127.0.0.0/8 10.99.0.0/29' LISTEN=0.0.0.0
export NETWORKS LISTEN
# shellcheck disable=SC2086
slowlink up ${line:---rtt 100ms --rate 1mbit} \
	--cc "$(cat /proc/sys/net/ipv4/tcp_congestion_control)" || bail 'no slow link'
[ -z "${queue_room-}" ] || {
	mkdir -p "$gw/var/spool/postfix-gateway"
	mount -t tmpfs -o "size=$queue_room" tmpfs "$gw/var/spool/postfix-gateway"
}
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
	conf ${quick:+IDLE=1s}
	exits "$1: a second run: done" 0 dial isp
	last_session 2>&1 | diag
	ok "$1: the interface is gone" link_is_gone
	completed "$1"
}

# provider SIGNAL
provider() {
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/root")" != "$isp" ] || kill "-$1" "${p#/proc/}"
	done
}
