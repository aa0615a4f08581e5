# A real Sendmail that sends everything to $hop; sourced after list.sh, with $root made.
#
#	told, run		as list.sh wants them
#	$LIST_SERVER		where it takes mail
# shellcheck shell=sh disable=SC2154,SC2034

cat >"$root/etc/mail/list.mc" <<-'END'
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mx.test')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`ALIAS_FILE', `')dnl
define(`STATUS_FILE', `')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`confTO_IDENT', `0')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/mail/list.switch')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h 2599')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port=2598')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
END
# in a long campaign it would start a runner a second, hundreds at once
[ -z "${LETTERS-}" ] || sed -i "/confMIN_QUEUE_AGE/a define(\`confMAX_QUEUE_CHILDREN', \`10')dnl" \
	"$root/etc/mail/list.mc"
printf 'hosts files\naliases files\n' >"$root/etc/mail/list.switch"
chroot "$root" sh -c 'set -e
	cd /usr/share/sendmail/cf
	m4 -D_CF_DIR_=/usr/share/sendmail/cf/ m4/cf.m4 /etc/mail/list.mc >/etc/mail/sendmail.cf
	rm -f /etc/mail/submit.cf
	# it writes where only root may
	rm -rf /var/spool/mqueue; mkdir -m 700 /var/spool/mqueue
	sendmail -bd -q1s -X /var/log/sendmail.log' </dev/null >"$tmp/start" 2>&1 || {
	diag <"$tmp/start"
	bail 'no Sendmail'
}
# `mailq -v': ID size priority+ date sender; (reason); then recipients.  Of what is
# quarantined -qQ tells.
told() {
	{ chroot "$root" sendmail -Am -bp -v; chroot "$root" sendmail -Am -bp -v -qQ; } >"$tmp/mailq" 2>&1
	perl -ne '
		if (/^([0-9A-Za-z]{8}\d{5,})[*X-]?\s.*?\d\d:\d\d (\S.*?)\s*$/) {
			($id, $from) = ($1, $2);
			$from =~ s/^<(.*)>$/$1/;
			$from = "-" if $from eq "" || $from eq "MAILER-DAEMON";
		} elsif (/^\s+[(]/ || /^\s+QUARANTINE/) { next }
		elsif (defined $id && /^\s+(\S.*\@\S+)\s*$/) {
			($to = $1) =~ s/^<(.*)>$/$1/;
			print "$id $from $to\n";
		} elsif (/^\S/) { undef $id }' "$tmp/mailq" | sort -u
}
run() { chroot "$root" sendmail -Am -q; }

export LIST_SERVER=127.0.0.1:2598
wait_for smtp-send -s $LIST_SERVER --quit-after=ehlo 2>/dev/null
