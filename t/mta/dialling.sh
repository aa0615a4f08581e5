# A gateway and a provider of different MTAs at the ends of a line that has to be dialled
# (100 ms, 1 Mbit/s), set up by the page: mail both ways by ETRN, then by ATRN.
#
#	dialling PROVIDER GATEWAY	by their chroots' names
#
# shellcheck shell=sh disable=SC2034,SC2154

. "$mta/setup.sh"
SLOWLINK_DIR=$gw/run/slowlink SLOWLINK_RELAY=$gw/usr/bin/slowlink-relay
CC="${CC:-cc} -static"
export SLOWLINK_DIR SLOWLINK_RELAY CC
line='--rtt 100ms --rate 1mbit'

chapter() { case $1 in exim) echo Exim ;; sendmail) echo Sendmail ;; postfix) echo Postfix ;; esac; }
# Debian's local mailer, which these copies do not have
mailer() {
	printf '#!/bin/sh\ncat >>"/var/mail/$2"\n' >"$1/usr/sbin/sensible-mda"
	chmod 755 "$1/usr/sbin/sensible-mda"
}
link_is_there() { ip -n gw link show sl0 >/dev/null 2>&1; }
link_is_gone() { ! link_is_there; }

# conf KEY=VALUE...
conf() {
	mkdir -p "$gw/etc/tidegate/links"
	printf '%s\n' "DIAL=slowlink-relay ctl /run/slowlink/tg.sock dial" \
	    "HANGUP=slowlink-relay ctl /run/slowlink/tg.sock hangup" INTERFACE=sl0 DIAL_TIMEOUT=10s \
	    "SPOOL=$dialling_gw" SEND=release SMARTHOST=mx.test DOMAINS=customer.test \
	    FIRST=20s IDLE=3s MAX_SESSION=3m "$@" >"$gw/etc/tidegate/links/isp.conf"
}

# letters TAG: five each way, and they wait
letters() {
	for n in 1 2 3 4 5; do
		write isp ann@customer.test "$1 in $n"
		write gw bob@mx.test "$1 out $n"
	done
	ok "$1: five wait at the provider" waits_at isp 5
	ok "$1: and five at the gateway" waits_at gw 5
}
all_have() {
	for n in 1 2 3 4 5; do
		has gw ann "$1 in $n" && has isp bob "$1 out $n" || return
	done
}
once() { cat "$gw/var/mail/ann" "$isp/var/mail/bob" | grep -c "^Subject: $1 "; }

# session TAG: one
session() {
	letters "$1"
	exits "$1: a session" 0 in_chroot gw "$gw" gateway-dial -v isp
	cp "$tmp/.err" "$tmp/said"
	tail -n 1 "$gw/var/log/tidegate/sessions.log" >"$tmp/line"
	like "$1: the line is told" 'link=isp status=0 link=ok send=0 retrieve=0 hangup=ok sent=5 deferred=0 ' cat "$tmp/line"
	ok "$1: all have theirs" wait_for all_have "$1"
	is "$1: once" 10 once "$1"
	is "$1: nothing waits at the provider" 0 deferred_at isp
	is "$1: nor at the gateway" 0 deferred_at gw
	ok "$1: the line is down" link_is_gone
	[ "$tap_bad" = 0 ] || diag <"$tmp/said"
}

dialling() {
	dialling_gw=$2
	two_hosts "$1" "$2"
	[ "$1" != sendmail ] || { mailer "$isp"; printf 'hosts files\naliases files\n' >"$isp/etc/mail/service.switch"; }
	[ "$2" != sendmail ] || mailer "$gw"
	"$mta/slowlink" hangup tg
	exits 'the provider' 0 page isp "$(chapter "$1"), the provider"
	exits 'the gateway' 0 page gw "$(chapter "$2"), the gateway"
	# the page's own letters
	in_chroot isp "$isp" dequeue --all --remove -y --whole >/dev/null 2>&1
	in_chroot gw "$gw" dequeue --all --remove -y --whole >/dev/null 2>&1
	conf RETRIEVE=etrn
	session ETRN
	socket isp
	exits 'turn-server' 0 page isp 'ATRN beside any of them'
	(umask 077 && cp "$isp/etc/tidegate/customer.password" "$gw/etc/tidegate/isp.password")
	conf RETRIEVE=atrn RETRIEVE_USER=customer RETRIEVE_PASSWORD_FILE=/etc/tidegate/isp.password
	session ATRN
	[ "$tap_bad" = 0 ] || tail -n 30 "$tmp/turn-server.log" | diag
	done_testing
}
