# Providers: an MTA in the chroot $root, set up with exactly what --print-config=MTA
# printed into $tmp/printed; what is for no customer goes to 127.0.0.1:2599.
#
#	isp_postfix	takes mail at 127.0.0.1:25
#	isp_exim	is not started: exim4 -bdf; would take mail at 127.0.0.1:2598
#	isp_sendmail	takes mail at 127.0.0.1:2598
#
# shellcheck shell=sh disable=SC2154

isp_postfix() {
	{
		cat <<-END
		compatibility_level = 3.6
		maillog_file = /var/log/postfix.log
		myhostname = mx.test
		mydestination =
		inet_interfaces = loopback-only
		inet_protocols = ipv4
		relayhost = [127.0.0.1]:2599
		smtp_dns_support_level = disabled
		smtp_host_lookup = native
		alias_maps =
		END
		sed '/^# master.cf/,$d' "$tmp/printed"
	} >"$root/etc/postfix/main.cf"
	sed '1,/^# master.cf/d' "$tmp/printed" >>"$root/etc/postfix/master.cf"
	chroot "$root" postfix start >"$tmp/start" 2>&1 || { diag <"$tmp/start"; bail 'no Postfix'; }
}

isp_exim() {
	{
		cat <<-'END'
		primary_hostname = mx.test
		log_file_path = /var/log/exim4/%slog
		local_interfaces = 127.0.0.1
		daemon_smtp_ports = 2598
		disable_ipv6 = true
		tls_advertise_hosts =
		host_lookup =
		rfc1413_query_timeout = 0s
		keep_environment =
		trusted_users = root
		never_users =
		END
		sed '/^# in acl_smtp_rcpt/,$d' "$tmp/printed"
		echo 'acl_smtp_rcpt = acl_rcpt'
		echo 'begin acl'
		echo 'acl_rcpt:'
		sed '1,/^# in acl_smtp_rcpt/d; /^# the first router/,$d' "$tmp/printed"
		echo 'begin routers'
		sed '1,/^# the first router/d; /^# transports/,$d' "$tmp/printed"
		cat <<-'END'
		world:
		  driver = manualroute
		  route_list = * 127.0.0.1::2599
		  transport = world
		  self = send
		begin transports
		END
		sed '1,/^# transports/d' "$tmp/printed"
		cat <<-'END'
		world:
		  driver = smtp
		  allow_localhost
		  hosts_try_fastopen =
		begin retry
		* * F,1h,1s
		END
	} >"$root/etc/exim4/exim4.conf"
}

isp_sendmail() {
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
		sed '/mailertable, then/,$d' "$tmp/printed"
		cat <<-'END'
		MAILER(`local')dnl
		MAILER(`smtp')dnl
		END
	} >"$root/etc/mail/list.mc"
	sed '1,/mailertable, then/d; s/^#   //' "$tmp/printed" >"$root/etc/mail/mailertable"
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
}
