#!/bin/sh
# Postfix at both ends, from the Debian package to mail that goes and comes, by what
# tidegate-setup(7) says, as that package has it, and nothing else: ETRN, then ATRN.
# shellcheck disable=SC2034,SC2154
chroots='postfix-auth postfix'
. "$(dirname "$0")/lib.sh"
. "$mta/setup.sh"
for need in dpkg-buildpackage dh; do
	command -v $need >/dev/null || skip_all "$need is needed (./setup mta)"
done

install=install_package
two_hosts postfix-auth postfix
# what a Postfix that works has already: a name, and a log; without them
# these copies would have the name and no syslog
chroot "$isp" postconf -e myhostname=mx.test maillog_file=/var/log/mail.log
chroot "$gw" postconf -e myhostname=gw.customer.test maillog_file=/var/log/mail.log

exits 'the provider' 0 page isp 'Postfix, the provider'
ok 'it waits at isp' waits_at isp 1
exits 'the gateway' 0 page gw 'Postfix, the gateway'
ok 'it waits at gw' waits_at gw 1
like 'it is said why it waits' 'defer_transports' why_at gw

exits 'ETRN' 0 page gw 'The phone book for ETRN'
is 'ETRN: --probe finds nothing wrong' '' wrong
like 'one went and one came' 'status=0 link=(ok|up) send=0 retrieve=0 .*sent=1 deferred=0 received=1 ' cat "$tmp/said"
ok 'what was written outside is here' wait_for has gw ann in
ok 'what was written inside is there' wait_for has isp bob out
is 'nothing waits at the provider' 0 deferred_at isp

# --- the same, called for
write isp ann@customer.test 'second in'
write gw bob@mx.test 'second out'
ok 'it waits at isp' waits_at isp 1
ok 'it waits at gw' waits_at gw 1
socket isp
exits 'turn-server' 0 page isp 'ATRN beside any of them'
like 'its certificate holds' 'ATRN' cat "$tmp/said"

# A provider has submission for his customers; here by Cyrus, which has to hear of the
# password that was made.
{
	echo 'pwcheck_method: auxprop'
	echo 'auxprop_plugin: sasldb'
	echo 'mech_list: PLAIN'
} >"$isp/etc/postfix/sasl/smtpd.conf"
chroot "$isp" sh -ec 'tr -d "\n" </etc/tidegate/customer.password | saslpasswd2 -p -c -u mx.test customer
	chown postfix /etc/sasldb2
	of=/etc/letsencrypt/live/mx.test
	postconf -e smtpd_tls_cert_file=$of/fullchain.pem smtpd_tls_key_file=$of/privkey.pem smtpd_sasl_local_domain=mx.test
	postconf -M "submission/inet=submission inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes \
		-o smtpd_tls_security_level=encrypt -o smtpd_relay_restrictions=permit_sasl_authenticated,reject"
	postfix reload' >"$tmp/sasl" 2>&1 || { diag <"$tmp/sasl"; bail 'no submission'; }

exits 'ATRN' 0 page gw 'The phone book for ATRN' <"$isp/etc/tidegate/customer.password"
is 'ATRN: --probe finds nothing wrong' '' wrong
like 'one went and one came, called for' 'status=0 link=(ok|up) send=0 retrieve=0 .*sent=1 deferred=0 received=1 ' cat "$tmp/said"
ok 'what was written outside is here, too' wait_for has gw ann 'second in'
ok 'what was written inside is there, too' wait_for has isp bob 'second out'
is 'nothing waits at the provider any more' 0 deferred_at isp
is 'nor at the gateway' 0 deferred_at gw
exits 'by the clock' 0 page gw 'By the clock'
is 'the timer is on' gateway-dial@isp.timer cat "$gw/run/enabled"
[ $tap_bad = 0 ] || tail -n 30 "$tmp/turn-server.log" "$gw/var/log/mail.log" "$isp/var/log/mail.log" | diag
done_testing
