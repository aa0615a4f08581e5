# Sendmail, see ../servers.sh.  Tried with 8.17.1.9.
# shellcheck shell=sh disable=SC2154

serve_sendmail() {
	cat >"$root/etc/mail/tg.mc" <<-'END'
	OSTYPE(`linux')dnl
	define(`confDOMAIN_NAME', `sendmail.test')dnl
	define(`confDONT_PROBE_INTERFACES', `True')dnl
	define(`QUEUE_DIR', `/var/spool/mqueue.tg')dnl
	define(`ALIAS_FILE', `')dnl
	define(`STATUS_FILE', `')dnl
	define(`confCONTROL_SOCKET_NAME', `')dnl
	define(`confSERVICE_SWITCH_FILE', `/etc/mail/tg.switch')dnl
	define(`confTO_IDENT', `0')dnl
	dnl however busy this machine is
	define(`confQUEUE_LA', `1000')dnl
	define(`confREFUSE_LA', `1000')dnl
	define(`confDELAY_LA', `0')dnl
	FEATURE(`no_default_msa')dnl
	FEATURE(`nocanonify')dnl
	FEATURE(`accept_unresolvable_domains')dnl
	define(`confCACERT', `/etc/tls/ca.pem')dnl
	define(`confCACERT_PATH', `/etc/tls')dnl
	define(`confSERVER_CERT', `/etc/tls/good.pem')dnl
	define(`confSERVER_KEY', `/etc/tls/good.key')dnl
	define(`confAUTH_REALM', `sendmail.test')dnl
	define(`confAUTH_MECHANISMS', `EXTERNAL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN')dnl
	TRUST_AUTH_MECH(`EXTERNAL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN')dnl
	END
	{
		cat <<-END
		define(\`confMAX_RCPTS_PER_MESSAGE', \`$many')dnl
		define(\`confMAX_MESSAGE_SIZE', \`$size')dnl
		DAEMON_OPTIONS(\`Name=MTA, Addr=$at, Port=25, M=A')dnl
		DAEMON_OPTIONS(\`Name=TLSMSA, Addr=$at, Port=465, M=sa')dnl
		DAEMON_OPTIONS(\`Name=MSA, Addr=$at, Port=587, M=a')dnl
		DAEMON_OPTIONS(\`Name=CLEAR, Addr=$at, Port=2525, M=Sa')dnl
		END
		for sm_domain in $domains; do
			echo "RELAY_DOMAIN(\`$sm_domain')dnl"
		done
		cat <<-'END'
		FEATURE(`mailertable', `hash /etc/mail/tg.mailertable')dnl
		MAILER(`local')dnl
		MAILER(`smtp')dnl
		MAILER_DEFINITIONS
		Mdrop,	P=/bin/sh, F=lsDFMnP, S=0, R=0, T=DNS/RFC822/X-Unix, U=mail:mail, A=sh /etc/mail/tg.drop $u
		LOCAL_CONFIG
		Klocalpart regex -m -a@IS ^<?(no|later)-
		Kno regex -m -a@NO ^<?no-
		Klater regex -m -a@LATER ^<?later-
		LOCAL_RULESETS
		SLocal_check_rcpt
		R$*			$: $1 $| $(no $1 $)
		R$* $| $* @NO		$#error $@ 5.1.1 $: "550 no such user"
		R$* $| $*		$: $1 $| $(later $1 $)
		R$* $| $* @LATER	$#error $@ 4.2.1 $: "451 come again"
		R$* $| $*		$: $1
		END
	} >>"$root/etc/mail/tg.mc"
	echo 'd=/var/mail/all f=$(date +%s.%N).$$
	{ echo "X-Original-To: $1"; cat; } >$d/tmp/$f && mv $d/tmp/$f $d/new/$f || exit 75' \
		>"$root/etc/mail/tg.drop"
	printf 'hosts files\naliases files\n' >"$root/etc/mail/tg.switch"
	for sm_domain in $domains; do
		printf '%s\tdrop:all\n' "$sm_domain"
	done >"$root/etc/mail/tg.mailertable"
	mkdir -p "$root/etc/mail/sasl" "$root/usr/lib/sasl2"
	echo "$cyrus_conf" >"$root/etc/mail/sasl/Sendmail.conf"
	echo "$cyrus_conf" >"$root/usr/lib/sasl2/Sendmail.conf"
	sasldb sendmail.test root
	chroot "$root" sh -c 'set -e
		cd /usr/share/sendmail/cf
		m4 -D_CF_DIR_=/usr/share/sendmail/cf/ m4/cf.m4 /etc/mail/tg.mc >/etc/mail/tg.cf
		# a map that does not belong to root would be called unsafe
		makemap hash /etc/mail/tg.mailertable </etc/mail/tg.mailertable
		chown root:root /etc/mail/tg.mailertable.db
		mkdir -m 700 /var/spool/mqueue.tg
		sendmail -C/etc/mail/tg.cf -bd -q5s -X /var/log/sendmail.log' \
		</dev/null >"$tmp/sendmail.start" 2>&1 || {
		diag <"$tmp/sendmail.start"
		return 1
	}
}
