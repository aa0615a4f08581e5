# OpenSMTPD, see ../servers.sh.  Tried with 7.6 and 6.8.
# shellcheck shell=sh disable=SC2154

serve_opensmtpd() {
	printf 'user\t%s\n' "$(openssl passwd -6 "$password")" >"$root/etc/creds"
	chroot "$root" chgrp opensmtpd /etc/creds
	chmod 640 "$root/etc/creds"
	{
		cat <<-END
		table domains { $(commas $domains) }
		table creds file:/etc/creds
		table everybody { "@" = "mail" }
		smtp max-message-size "$size"
		smtp limit max-rcpt $many
		ca test cert "/etc/tls/ca.pem"
		END
		for os_cert in good other-name expired early other-ca self-signed; do
			echo "pki $os_cert cert \"/etc/tls/$os_cert.pem\""
			echo "pki $os_cert key \"/etc/tls/$os_cert.key\""
		done
		cat <<-'END'
		filter no phase rcpt-to match rcpt-to regex "^<?no-" reject "550 5.1.1 no such user"
		filter later phase rcpt-to match rcpt-to regex "^<?later-" reject "451 4.2.1 come again"
		filter answers chain { no, later }
		END
		echo "listen on $at port 25 tls pki good filter answers hostname opensmtpd.test"
		echo "listen on $at port 465 smtps pki good auth <creds> filter answers hostname opensmtpd.test"
		echo "listen on $at port 587 tls-require pki good auth <creds> filter answers hostname opensmtpd.test"
		for os_bad in $bad_certs; do
			echo "listen on $at port ${os_bad%:*} tls pki ${os_bad#*:} hostname opensmtpd.test"
		done
		cat <<-END
		listen on $at port 2510 tls-require verify pki good ca test hostname opensmtpd.test
		action take maildir "/var/mail/all" virtual <everybody>
		match from any for domain <domains> action take
		END
	} >"$root/etc/smtpd.conf"
	# it will not start without some authorities
	install -D -m 644 "$certs/ca.pem" "$root/etc/ssl/certs/ca-certificates.crt"
	chroot "$root" smtpd -n >"$tmp/opensmtpd.log" 2>&1 || {
		diag <"$tmp/opensmtpd.log"
		return 1
	}
	chroot "$root" smtpd -d >>"$tmp/opensmtpd.log" 2>&1 </dev/null &
}
