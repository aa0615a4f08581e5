# A real Postfix for the tests that look at its queue; sourced after list.sh.
#
#	postfix_root		$root, and main.cf: what all want, then stdin
#	$to_hop			lines for main.cf: everything goes to $hop
#	$for_senders		lines for main.cf: mail for sender.test, into $root/var/mail/all
#	postfix_starts
#	told			as list.sh wants it
# shellcheck shell=sh disable=SC2034,SC2154

kind=postfix spool=/var/spool/postfix
to_hop='relayhost = [127.0.0.1]:2599
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_connection_reuse_time_limit = 1s'
for_senders='virtual_mailbox_domains = sender.test
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000'

postfix_root() {
	list_root
	{
		cat <<-END
		compatibility_level = 3.6
		maillog_file = /var/log/postfix.log
		myhostname = mx.test
		mydestination =
		inet_interfaces = loopback-only
		inet_protocols = ipv4
		alias_maps =
		END
		cat
	} >"$root/etc/postfix/main.cf"
	mkdir -p "$root/var/mail/all/new" "$root/var/mail/all/cur" "$root/var/mail/all/tmp"
	chown -R 5000:5000 "$root/var/mail/all"
}

postfix_starts() {
	chroot "$root" postfix start >"$tmp/start" 2>&1 || {
		diag <"$tmp/start"
		bail 'no Postfix'
	}
}

told() {
	chroot "$root" postqueue -j | perl -MJSON::PP -ne '$m = decode_json($_);
		$s = $m->{sender} eq "MAILER-DAEMON" ? "-" : $m->{sender};
		print "$m->{queue_id} $s $_->{address}\n" for @{ $m->{recipients} }' | sort
}
