# A gateway whose MTA is as its package left it, mended by what gateway-dial --probe prints
# and by nothing else, until that has nothing more to say; then a session with a Postfix
# that keeps its mail.
#
#	probing CHROOT	of the gateway
#	conf KEY=VALUE...	the phone book: without DIAL and the others, and with these
#	probe		$tmp/said is what it finds; its status
#	mended		does what it printed, once
#	settled		to be set: waits until the MTA has taken that
#	mend_all NAME	probes and mends until nothing is wrong, in four rounds
#	session NAME N	a letter each way waits, N at the provider, and a session moves both
#
# shellcheck shell=sh disable=SC2034,SC2154

. "$mta/setup.sh"
line='--rtt 10ms --rate 10mbit'

# All in one mount namespace: who restarts a daemon that he knows by its /proc/PID/exe finds
# none of another.
in_chroot() {
	probing_in=$1 probing_root=$2
	shift 2
	nsenter --net="/run/netns/$probing_in" chroot "$probing_root" /usr/bin/env -i LC_ALL=C \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

probing() {
	two_hosts postfix "$1"
	trap 'umount -l "$isp/proc" "$gw/proc"; rm -rf --one-file-system "$tmp"' EXIT
	mount -t proc proc "$isp/proc" && mount -t proc proc "$gw/proc" || bail 'no /proc'
	chroot "$isp" postconf -e myhostname=mx.test maillog_file=/var/log/mail.log
	page isp 'Postfix, the provider' >"$tmp/provider" 2>&1 || { diag <"$tmp/provider"; bail 'no provider'; }
	# the name that its package asked for
	for file in postfix/main.cf exim4/update-exim4.conf.conf mail/sendmail.mc mail/sendmail.cf mail/local-host-names; do
		[ ! -e "$gw/etc/$file" ] || sed -i 's/mx\.test/gw.customer.test/g' "$gw/etc/$file"
	done
}

conf() {
	mkdir -p "$gw/etc/tidegate/links"
	printf '%s\n' "SPOOL=$spool" DIAL=true HANGUP=true CHECK=true SEND=release SMARTHOST=10.99.0.1 \
	    RETRIEVE=etrn DOMAINS=customer.test FIRST=20s IDLE=1s EVERY=3d "$@" >"$gw/etc/tidegate/links/isp.conf"
}

probe() { in_chroot gw "$gw" gateway-dial --probe isp >"$tmp/said" 2>&1; }

# As a user would: a command is copied, a line of the phone book is put in.
mended() {
	sed -n 's/^         //p' "$tmp/said" | while read -r where what; do
		case $where in
		run:) printf '%s\n' "$what" >"$gw/tmp/mend"
			in_chroot gw "$gw" sh /tmp/mend >"$tmp/mend" 2>&1 </dev/null || {
				echo "# status $? of: $what"
				diag <"$tmp/mend"
			} ;;
		*/isp.conf:)
			sed -i "/^${what%%=*}=/d" "$gw/etc/tidegate/links/isp.conf"
			printf '%s\n' "$what" >>"$gw/etc/tidegate/links/isp.conf" ;;
		*) echo "# not a command: $where $what" ;;
		esac
	done
}

settled() { :; }

mend_all() {
	: >"$tmp/rounds"
	for n in 1 2 3 4; do
		probe
		diag <"$tmp/said" >>"$tmp/rounds"
		[ -n "$(wrong)" ] || break
		mended >>"$tmp/rounds"
		settled
	done
	is "$1: what was wrong is mended by what was printed" '' wrong
	exits "$1: 0" 0 probe
	is "$1: each command that was printed did its work" '' sh -c 'grep "^# \(status\|not a\)" "$1"; :' - "$tmp/rounds"
	[ "$tap_bad" = 0 ] || cat "$tmp/rounds"
}

session() {
	write isp ann@customer.test "$1 in"
	write gw bob@mx.test "$1 out"
	ok "$1: it waits at the provider" waits_at isp "$2"
	ok "$1: it waits at the gateway" waits_at gw 1
	exits "$1: a session" 0 in_chroot gw "$gw" gateway-dial -v isp
	cp "$tmp/.out" "$tmp/line"
	like "$1: it is told" 'status=0 link=up send=0 retrieve=0 hangup=kept sent=1 deferred=0 ' cat "$tmp/line"
	ok "$1: what was written outside is here" wait_for has gw ann "$1 in"
	ok "$1: what was written inside is there" wait_for has isp bob "$1 out"
	is "$1: nothing waits at the provider" 0 deferred_at isp
	is "$1: nor at the gateway" 0 deferred_at gw
}
