# Real servers for the tests, sourced after lib.sh, with TLS and AUTH:
#
#	serve postfix|exim|sendmail|opensmtpd|opensmtpd-6
#
# starts that one from a copy of its chroot ($tmp/NAME), at its own address,
# NAME.test, and returns when it answers.  All take mail for $domains, into the
# Maildir $tmp/NAME/var/mail/all, each file with its Return-Path and recipient;
# no-...@ is refused with 550 5.1.1, later-...@ with 451 4.2.1; over $size octets
# nothing; over $many recipients a message are told to come later.
#
#	25	STARTTLS; no AUTH
#	465	TLS before anything is said; AUTH
#	587	first STARTTLS, then AUTH, only then mail
#	588	the same, with Dovecot's AUTH		only Postfix
#	2525	no TLS; AUTH in clear			not OpenSMTPD
#	2501	as 25, with the certificate other-name	not Sendmail
#	2502	expired
#	2503	early
#	2504	other-ca
#	2505	self-signed
#	2510	wants a client's certificate from ca	not Sendmail
#
#	serve_lmtp	Dovecot's LMTP, for the users alice and bob (who may have 2000
#			octets in all), at the socket $tmp/postfix/run/dovecot/lmtp;
#			after serve postfix
#
# The user of all of them is "user" with the password "open sesame"; $certs is
# what `certs' makes, and `token SECONDS' a bearer token for Dovecot.
# shellcheck shell=sh

domains='mail.test d1.test d2.test d3.test sender.test'
size=300000 many=100
password='open sesame'
certs=$tmp/certs
bad_certs='2501:other-name 2502:expired 2503:early 2504:other-ca 2505:self-signed'

servers_ready() {
	"$mta/certs" "$certs" postfix.test exim.test sendmail.test opensmtpd.test \
		127.0.0.41 127.0.0.42 127.0.0.43 127.0.0.44 || bail 'no certificates'
	cat >"$tmp/hosts" <<-END
	127.0.0.1 localhost
	127.0.0.41 postfix.test
	127.0.0.42 exim.test
	127.0.0.43 sendmail.test
	127.0.0.44 opensmtpd.test
	127.0.0.45 opensmtpd-6.test
	END
	mount --bind "$tmp/hosts" /etc/hosts
	printf '%s\n' "$password" >"$tmp/password"
	echo 'close sesame' >"$tmp/wrong"
	chmod 600 "$tmp/password" "$tmp/wrong"
}

# serve NAME: $at its address, $root its chroot
serve() {
	case $1 in
	postfix) at=127.0.0.41; root_of "$1" postfix-auth ;;
	exim) at=127.0.0.42; root_of "$1" "$1" ;;
	sendmail) at=127.0.0.43; root_of "$1" "$1" ;;
	opensmtpd) at=127.0.0.44; root_of "$1" "$1" ;;
	opensmtpd-6) at=127.0.0.45; root_of "$1" "$1" ;;
	esac
	root=$tmp/$1
	cp "$tmp/hosts" "$root/etc/hosts"
	install -d -m 755 "$root/etc/tls"
	cp -p "$certs"/*.pem "$certs"/*.key "$root/etc/tls"
	install -d -o mail -g mail "$root/var/mail/all" "$root/var/mail/all/new" \
		"$root/var/mail/all/cur" "$root/var/mail/all/tmp"
	"serve_${1%-6}" || bail "$1 does not start"
	wait_for answers 25 || bail "$1 does not answer"
}

answers() {
	bash -c 'exec 3<>/dev/tcp/$0/$1 && read -r -t 5 said <&3 && [[ $said = 220* ]] &&
		printf "QUIT\r\n" >&3 && read -r -t 5 _ <&3' $at "$1"
}

# commas WORD...: with commas between
commas() { echo "$*" | sed 's/ /, /g'; }

# sasldb REALM OWNER: Cyrus' user, with what every mechanism needs
sasldb() {
	printf %s "$password" | chroot "$root" saslpasswd2 -p -c -u "$1" user
	chroot "$root" chown "$2" /etc/sasldb2
	chmod 640 "$root/etc/sasldb2"
}

cyrus_conf='pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: EXTERNAL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN'

for servers_one in postfix dovecot exim sendmail opensmtpd; do
	. "$mta/servers/$servers_one.sh"
done
servers_ready
