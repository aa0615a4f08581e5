#!/bin/sh
# A real Sendmail with exactly what --print-config printed, spliced to a customer.
# shellcheck disable=SC2034
chroots=sendmail
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=sendmail spool=/var/spool/mqueue other_splice=127.0.0.2:625
list_root
. "$mta/splice.sh"
printed() { sed '/mailertable, then/,$d' "$tmp/printed"; }
routes() { sed '1,/mailertable, then/d; s/^#   //' "$tmp/printed"; }
{
	cat <<-'END'
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
	END
	printed
	cat <<-'END'
	MAILER(`local')dnl
	MAILER(`smtp')dnl
	END
} >"$root/etc/mail/list.mc"
routes >"$root/etc/mail/mailertable"
printf 'hosts files\naliases files\n' >"$root/etc/mail/list.switch"
chroot "$root" sh -c 'set -e
	# before there is our sendmail.cf, with which it would call the directory unsafe
	rm -f /etc/mail/mailertable.db
	makemap hash /etc/mail/mailertable </etc/mail/mailertable
	chown root:root /etc/mail/mailertable.db
	cd /usr/share/sendmail/cf
	m4 -D_CF_DIR_=/usr/share/sendmail/cf/ m4/cf.m4 /etc/mail/list.mc >/etc/mail/sendmail.cf
	rm -f /etc/mail/submit.cf
	rm -rf /var/spool/mqueue; mkdir -m 700 /var/spool/mqueue
	sendmail -bd -q1h -X /var/log/sendmail.log' </dev/null >"$tmp/start" 2>&1 || {
	diag <"$tmp/start"
	bail 'no Sendmail'
}
export LIST_SERVER=127.0.0.1:2598
wait_for smtp-send -s $LIST_SERVER --quit-after=ehlo 2>/dev/null
run_queue() { chroot "$root" sendmail -Am -q; }
splice_tests
diag <"$tmp/splice.err"
done_testing
