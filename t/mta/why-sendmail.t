#!/bin/sh
# queue-list --why on a real Sendmail: it names the true cause, and what it advises works.
# shellcheck disable=SC2034
chroots=sendmail
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/why.sh"

kind=sendmail spool=/var/spool/mqueue
list_root
cat >"$root/etc/mail/why.mc" <<-'END'
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mx.test')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`ALIAS_FILE', `')dnl
define(`STATUS_FILE', `')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`confTO_IDENT', `0')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/mail/why.switch')dnl
define(`confMIN_QUEUE_AGE', `20m')dnl
define(`confTO_QUEUERETURN', `4')dnl
define(`confTO_QUEUERETURN_DSN', `12h')dnl
define(`confHOST_STATUS_DIRECTORY', `/var/spool/hoststat')dnl
define(`confCON_EXPENSIVE', `True')dnl
define(`SMTP_MAILER_ARGS', `TCP $h 2599')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h 2599')dnl
define(`RELAY_MAILER_ARGS', `TCP $h 2599')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`mailertable', `hash /etc/mail/why.mailertable')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port=25')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
MAILER_DEFINITIONS
Metrn,	P=[IPC], F=mDFMuXa%, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP/HdrFromSMTP, E=\r\n, L=990, T=DNS/RFC822/SMTP, A=TCP $h 2599
Mdear,	P=[IPC], F=mDFMuXae, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP/HdrFromSMTP, E=\r\n, L=990, T=DNS/RFC822/SMTP, A=TCP $h 2599
END
printf 'hosts files dns\naliases files\n' >"$root/etc/mail/why.switch"
cat >"$root/etc/mail/why.mailertable" <<-'END'
dns.test	esmtp:smart.test
etrn.test	etrn:[127.0.0.1]
dear.test	dear:[127.0.0.1]
refused.test	esmtp:[127.0.0.1]
slow.test	esmtp:[127.0.0.1]
.test	esmtp:[127.0.0.1]
END
chroot "$root" sh -c 'set -e
	# before there is our sendmail.cf, with which it would call the directory unsafe
	makemap hash /etc/mail/why.mailertable </etc/mail/why.mailertable
	chown root:root /etc/mail/why.mailertable.db
	cd /usr/share/sendmail/cf
	m4 -D_CF_DIR_=/usr/share/sendmail/cf/ m4/cf.m4 /etc/mail/why.mc >/etc/mail/sendmail.cf
	# it writes where only root may
	rm -rf /var/spool/mqueue; mkdir -m 700 /var/spool/mqueue
	mkdir -m 755 /var/spool/hoststat
	rm -f /etc/mail/access.db /etc/mail/aliases.db' </dev/null >"$tmp/made" 2>&1 || { diag <"$tmp/made"; bail 'no sendmail.cf'; }
echo 'smart.test SERVFAIL' >"$tmp/zone"
names "$tmp/zone"
daemon() {
	chroot "$root" sendmail -bd -q20m -X /var/log/sendmail.log </dev/null >"$tmp/start" 2>&1 || {
		diag <"$tmp/start"
		bail 'no Sendmail'
	}
	wait_for smtp-send -s $LIST_SERVER --quit-after=ehlo 2>/dev/null
}
export LIST_SERVER=127.0.0.1:25
end() { for pid in $(pids); do kill "$pid"; done; wait_for nobody; }
pids() { for exe in /proc/[0-9]*/exe; do
	case $(readlink "$exe") in */libexec/sendmail/sendmail) echo "$exe" | cut -d/ -f3 ;; esac
done; }
nobody() { [ -z "$(pids)" ]; }
daemon
# json ADDRESS MEMBER: of the message that waits for it
json() {
	queue-list --spool="sendmail:$root${where-$spool}" -r "$1" -j >"$tmp/.json"
	python3 -c 'import json, sys
for line in open(sys.argv[1]): print(json.loads(line).get(sys.argv[2]))' "$tmp/.json" "$2"
}
# tries ADDRESS; stuck SENDER ADDRESS TRIES: it came, and was tried so often
tries() { json "$1" attempts; }
file_of() { queue-list --spool="sendmail:$root${where-$spool}" -r "$1" --records | cut -f1; }
put_off() { [ "$(tries "$2")" = "$1" ] && ! locked "$(file_of "$2")"; }
stuck() {
	submit "$1" "$2"
	wait_for put_off "$3" "$2" || { diag <"$tmp/.json"; bail "$2 is not put off"; }
}
nothing

# ---- the next hop refuses the connection, or the recipient
stuck ann@x.test bob@refused.test 1
says refused bob@refused.test 'is in deferred \(sendmail, /var/spool/mqueue\), from ann@x.test, [0-9]+ octets, came [0-9]+s ago' \
    ' bob@refused.test: Deferred: Connection refused by \[127.0.0.1\] ' \
    'goes by mailer esmtp, host \[127.0.0.1\], user bob@refused.test ' 'tried 1 time, last [0-9]+s ago' \
    'next in (19|20)m' 'is given up in [34]d' 'MinQueueAge'
is 'sendmail: refused: it is said once' 1 sh -c 'grep -c "Connection refused" "$1"' - "$tmp/why"
is 'sendmail: refused: the daemon runs, whether it has a pid file or not' 0 sh -c \
    'grep -c "No MTA is running" "$1" | grep .' - "$tmp/why"
stuck '<>' ann@back.test 1
says 'a report' ann@back.test 'from <>' 'is given up in (11|12)h'
follow 'still refused' bob@refused.test 'Connection refused'
is 'sendmail: still refused: it was tried again' 2 tries bob@refused.test
open_hop --refuse='later@*:451 4.2.1 come again'
follow 'taken now' bob@refused.test 'Sent'
delivered 'taken now' bob@refused.test
stuck ann@x.test later@full.test 1
says 'recipient refused' later@full.test 'later@full.test: (Deferred: )?451 4.2.1 come again'
close_hop
open_hop
follow 'recipient refused' later@full.test
delivered 'recipient refused' later@full.test
close_hop

# ---- no answer of the DNS, or none that says where
stuck ann@x.test bob@dns.test 1
says SERVFAIL bob@dns.test 'Deferred: Name server: smart.test: host name lookup failure' 'goes by mailer esmtp, host smart.test'
no_names
follow 'no name server' bob@dns.test
is 'sendmail: no name server: it was tried again' 2 tries bob@dns.test
says 'no name server' bob@dns.test 'Deferred: Name server: smart.test: host name lookup failure'
printf '%s\n' 'smart.test MX 10 hop.test' 'hop.test A 127.0.0.1' >"$tmp/zone"
names "$tmp/zone"
open_hop
follow 'there is one again' bob@dns.test
delivered 'there is one again' bob@dns.test
close_hop

# ---- in quarantine
stuck ann@x.test bob@held.test 1
open_hop
chroot "$root" sendmail -Qsuspicious "-qI$(json bob@held.test queue_id)" >/dev/null 2>&1
says held bob@held.test 'is in hold \(sendmail' 'note: suspicious' 'It is in quarantine: queue runners leave it alone'
ok 'sendmail: held: it never expires' sh -c '! grep -q "given up" "$1"' - "$tmp/why"
chroot "$root" sendmail -q -OMinQueueAge=0 >/dev/null 2>&1
is 'sendmail: held: by a queue run, too' hold json bob@held.test queue_name
follow held bob@held.test 'Sent'
delivered held bob@held.test
close_hop

# ---- until later: it rests between two tries, and its host is known to be down
stuck ann@x.test bob@slow.test 1
open_hop
chroot "$root" sendmail -q >/dev/null 2>&1
is 'sendmail: throttled: a queue run leaves it alone' 1 tries bob@slow.test
says throttled bob@slow.test 'next in (19|20)m' 'Queue runs leave it alone until then \(MinQueueAge\)'
ok 'sendmail: throttled: the host is noted as down' test -n "$(find "$root/var/spool/hoststat" -type f)"
follow throttled bob@slow.test 'Sent'
delivered throttled bob@slow.test

# ---- until ETRN, or until the next run
submit ann@x.test bob@etrn.test
wait_for equals 0 tries bob@etrn.test
chroot "$root" sendmail -q -OMinQueueAge=0 >/dev/null 2>&1
says ETRN bob@etrn.test ' bob@etrn.test' 'goes by mailer etrn' 'never tried, is given up' \
    'Its mailer etrn waits until the mail is asked for \(flag %\)'
follow ETRN bob@etrn.test 'via etrn'
delivered ETRN bob@etrn.test
submit ann@x.test bob@dear.test
wait_for equals 0 tries bob@dear.test
says expensive bob@dear.test 'Its mailer dear is expensive: it waits for the next queue run'
follow expensive bob@dear.test 'via dear'
delivered expensive bob@dear.test
close_hop

# ---- lost: what shows it needs no shell to go astray
stuck ann@x.test bob@lost.test 1
for f in "$root$spool"/qf"$(json bob@lost.test queue_id)"; do mv "$f" "${f%/*}/Qf${f##*/qf}"; done
says_lost() { in_chroot - "$root" queue-list --why --state=corrupt >"$tmp/why"; }
says_lost
like 'sendmail: lost' 'renamed it Qf: it is lost until somebody looks' sh -c 'tr -s "\n " "  " <"$1"' - "$tmp/why"
sed -n 's/^ *now: //p' "$tmp/why" >"$root/tmp/advice"
like 'sendmail: lost: the command shows it' "$spool/Qf" in_chroot - "$root" sh /tmp/advice

# ---- submitted here, while the daemon is down
end
where=/var/spool/mqueue-client
printf 'Subject: early\n\nhello\n' | chroot "$root" sendmail -i -f ann@x.test bob@client.test >/dev/null 2>&1
where=$where wait_for json bob@client.test queue_id
says client bob@client.test 'is in maildrop \(sendmail, /var/spool/mqueue-client\)' 'No MTA is running that would' \
    'waits for the daemon on this host' 'goes by mailer relay'
open_hop
daemon
where=$spool
follow client bob@client.test 'Message accepted for delivery'
# the daemon has it now, but knows that host to be down and does not even try
wait_for equals 1 tries bob@client.test
says 'client: taken by the daemon' bob@client.test 'is in deferred \(sendmail, /var/spool/mqueue\)' \
    'Deferred: Connection refused'
follow 'client: taken by the daemon' bob@client.test 'Sent'
delivered 'client: taken by the daemon' bob@client.test

# ---- somebody else's sendmail is the first on PATH
where=$spool
close_hop
stuck ann@x.test bob@other.test 1
open_hop
rm "$root/usr/sbin/sendmail"
printf '#!/bin/sh\n# DontBlameSendmail\necho "$@" >>/tmp/wrong\n' >"$root/usr/sbin/sendmail"
chmod +x "$root/usr/sbin/sendmail"
says 'another sendmail' bob@other.test 'goes by mailer esmtp'
like 'sendmail: another sendmail: ours is called by its path' '^/usr/libexec/sendmail/sendmail -v ' advice bob@other.test
follow 'another sendmail' bob@other.test 'Sent'
delivered 'another sendmail' bob@other.test
close_hop
stuck ann@x.test two@other.test 1
mv "$root/usr/libexec/sendmail/sendmail" "$root/usr/libexec/sendmail/away"
says 'no sendmail' two@other.test "Sendmail's own program was not found"
is 'sendmail: no sendmail: no command' '' advice two@other.test
ok 'sendmail: what is not its own is never run' test ! -e "$root/tmp/wrong"
end
done_testing
