# Postfix, see ../servers.sh.  Tried with 3.7.11.
# shellcheck shell=sh disable=SC2154

serve_postfix() {
	cat >"$root/etc/postfix/main.cf" <<-END
	compatibility_level = 3.6
	maillog_file = /var/log/postfix.log
	myhostname = postfix.test
	mydestination =
	# it refuses addresses here that no interface carries: master.cf names ours
	inet_interfaces = loopback-only
	inet_protocols = ipv4
	mynetworks =
	alias_maps =
	biff = no
	smtp_dns_support_level = disabled
	smtp_host_lookup = native
	smtpd_peername_lookup = no
	virtual_mailbox_domains = $domains
	virtual_mailbox_base = /var/mail
	virtual_mailbox_maps = static:all/
	virtual_uid_maps = static:8
	virtual_gid_maps = static:8
	virtual_minimum_uid = 8
	message_size_limit = $size
	smtpd_recipient_limit = $many
	smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
	smtpd_recipient_restrictions = check_recipient_access regexp:/etc/postfix/answers
	smtpd_tls_security_level = may
	smtpd_tls_auth_only = yes
	smtpd_tls_cert_file = /etc/tls/good.pem
	smtpd_tls_key_file = /etc/tls/good.key
	smtpd_tls_CAfile = /etc/tls/ca.pem
	smtpd_tls_received_header = yes
	cyrus_sasl_config_path = /etc/postfix/sasl
	smtpd_sasl_local_domain = postfix.test
	smtpd_sasl_authenticated_header = yes
	END
	cat >"$root/etc/postfix/answers" <<-'END'
	/^no-/		550 5.1.1 no such user
	/^later-/	451 4.2.1 come again
	END
	{
		echo "$at:25 inet n - n - - smtpd"
		for pf_bad in $bad_certs; do
			echo "$at:${pf_bad%:*} inet n - n - - smtpd
				-o smtpd_tls_cert_file=/etc/tls/${pf_bad#*:}.pem
				-o smtpd_tls_key_file=/etc/tls/${pf_bad#*:}.key"
		done
		sed "s/^AT/$at/" <<-'END'
		AT:2510 inet n - n - - smtpd
		 -o smtpd_tls_security_level=encrypt
		 -o smtpd_tls_req_ccert=yes
		AT:465 inet n - n - - smtpd
		 -o smtpd_tls_wrappermode=yes
		 -o smtpd_sasl_auth_enable=yes
		 -o smtpd_client_restrictions=permit_sasl_authenticated,reject
		AT:587 inet n - n - - smtpd
		 -o smtpd_tls_security_level=encrypt
		 -o smtpd_sasl_auth_enable=yes
		 -o smtpd_client_restrictions=permit_sasl_authenticated,reject
		AT:588 inet n - n - - smtpd
		 -o smtpd_tls_security_level=encrypt
		 -o smtpd_sasl_auth_enable=yes
		 -o smtpd_sasl_type=dovecot
		 -o smtpd_sasl_path=/run/dovecot/auth-client
		 -o smtpd_client_restrictions=permit_sasl_authenticated,reject
		AT:2525 inet n - n - - smtpd
		 -o smtpd_tls_security_level=none
		 -o smtpd_tls_auth_only=no
		 -o smtpd_sasl_auth_enable=yes
		 -o smtpd_client_restrictions=permit_sasl_authenticated,reject
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		tlsmgr unix - - n 1000? 1 tlsmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		trace unix - - n - 0 bounce
		flush unix n - n 1000? 0 flush
		proxymap unix - - n - - proxymap
		smtp unix - - n - - smtp
		relay unix - - n - - smtp
		showq unix n - n - - showq
		error unix - - n - - error
		retry unix - - n - - error
		anvil unix - - n - 1 anvil
		virtual unix - n n - - virtual
		postlog unix-dgram n - n - 1 postlogd
		END
	} >"$root/etc/postfix/master.cf"
	mkdir -p "$root/etc/postfix/sasl"
	echo "$cyrus_conf" | sed 's/EXTERNAL //' >"$root/etc/postfix/sasl/smtpd.conf"
	sasldb postfix.test postfix
	dovecot
	chroot "$root" postfix start </dev/null >"$tmp/postfix.start" 2>&1 || {
		cat "$tmp/postfix.start" "$root/var/log/postfix.log" | diag
		return 1
	}
}
