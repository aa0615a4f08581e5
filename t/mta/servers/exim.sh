# Exim, see ../servers.sh.  Tried with 4.96.
# shellcheck shell=sh disable=SC2154

serve_exim() {
	chroot "$root" chown root:Debian-exim /etc/tls -R
	chmod 640 "$root"/etc/tls/*.key
	for ex_bad in $bad_certs; do
		echo "${ex_bad%:*}: ${ex_bad#*:}"
	done >"$root/etc/exim4/certs"
	{
		cat <<-END
		local_interfaces = $at
		domainlist ours = $(echo "$domains" | sed 's/ / : /g')
		message_size_limit = $size
		recipients_max = $many
		END
		cat <<-'END'
		daemon_smtp_ports = 25 : 465 : 587 : 2525 : 2510 : 2501 : 2502 : 2503 : 2504 : 2505
		tls_on_connect_ports = 465
		tls_advertise_hosts = ${if eq{$received_port}{2525} {}{*}}
		CERT = /etc/tls/${lookup{$received_port}lsearch{/etc/exim4/certs}{$value}{good}}
		tls_certificate = CERT.pem
		tls_privatekey = CERT.key
		tls_verify_certificates = /etc/tls/ca.pem
		tls_verify_hosts = ${if eq{$received_port}{2510} {*}{}}
		tls_try_verify_hosts = *
		primary_hostname = exim.test
		disable_ipv6 = true
		host_lookup =
		rfc1413_query_timeout = 0s
		keep_environment =
		never_users =
		dsn_advertise_hosts = *
		# what comes down one connection is delivered at once, however much
		smtp_accept_queue_per_connection = 0
		acl_smtp_mail = acl_mail
		acl_smtp_rcpt = acl_rcpt
		acl_smtp_data = acl_data

		begin acl
		acl_mail:
		  accept condition = ${if inlist{$received_port}{465:587:2525} {no}{yes}}
		  accept authenticated = *
		  deny message = 530 5.7.0 who are you
		acl_rcpt:
		  deny local_parts = ^no-
		       message = 550 5.1.1 no such user
		  defer local_parts = ^later-
		       message = 451 4.2.1 come again
		  accept domains = +ours
		  deny message = 550 5.7.1 no relay
		acl_data:
		  accept

		begin routers
		here:
		  driver = accept
		  domains = +ours
		  transport = maildir
		# reports only
		nowhere:
		  driver = redirect
		  data = :blackhole:

		begin transports
		maildir:
		  driver = appendfile
		  directory = /var/mail/all
		  maildir_format
		  envelope_to_add
		  return_path_add
		  user = mail
		  group = mail
		  batch_max = 1

		begin retry
		* * F,1h,1m

		begin authenticators
		END
		# two with the same name are not possible: its own where it has one
		cat <<-END
		own_cram_md5:
		  driver = cram_md5
		  public_name = CRAM-MD5
		  server_secret = \${if eq{\$auth1}{user} {$password}fail}
		  server_set_id = \$auth1
		  server_advertise_condition = \${if inlist{\$received_port}{465:587:2525}}
		own_plain:
		  driver = plaintext
		  public_name = PLAIN
		  server_prompts = :
		  server_condition = \${if and{{eq{\$auth2}{user}}{eq{\$auth3}{$password}}}}
		  server_set_id = \$auth2
		  server_advertise_condition = \${if inlist{\$received_port}{465:587:2525}}
		own_login:
		  driver = plaintext
		  public_name = LOGIN
		  server_prompts = Username:: : Password::
		  server_condition = \${if and{{eq{\$auth1}{user}}{eq{\$auth2}{$password}}}}
		  server_set_id = \$auth1
		  server_advertise_condition = \${if inlist{\$received_port}{465:587:2525}}
		own_external:
		  driver = external
		  public_name = EXTERNAL
		  server_param2 = \${certextract{subj_altname,mail,>:}{\$tls_in_peercert}}
		  server_condition = \${if inlisti{\$auth1}{\$auth2}}
		  server_set_id = \$auth1
		  server_advertise_condition = \${if and{{bool{\$tls_in_certificate_verified}}{inlist{\$received_port}{465:587}}}}
		END
		for ex_mech in SCRAM-SHA-256 SCRAM-SHA-1 XOAUTH2 OAUTHBEARER; do
			cat <<-END
			dovecot_$(echo $ex_mech | tr -- -A-Z _a-z):
			  driver = dovecot
			  public_name = $ex_mech
			  server_socket = /run/dovecot/auth-client
			  server_set_id = \$auth1
			  server_advertise_condition = \${if inlist{\$received_port}{465:587:2525}}
			END
		done
	} >"$root/etc/exim4/exim4.conf"
	dovecot
	chroot "$root" exim4 -bV >"$tmp/exim.start" 2>&1 || {
		diag <"$tmp/exim.start"
		return 1
	}
	# as a child of process 1 it would not go into the background itself
	chroot "$root" exim4 -bdf -q5s </dev/null >>"$tmp/exim.start" 2>&1 &
}
