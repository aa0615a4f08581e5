# A real Exim for the tests that look at its queue; sourced after list.sh.
#
#	exim_root		$root, and exim4.conf: what all want, then stdin
#	$all_to_hop		a router: everything goes to $hop
#	$transport_hop		that transport, for the section of them
#	told, run		as list.sh wants them
# shellcheck shell=sh disable=SC2034,SC2154

kind=exim spool=/var/spool/exim4
all_to_hop='all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = hop'
transport_hop='hop:
  driver = smtp
  port = 2599
  allow_localhost
  hosts_try_fastopen =
  multi_domain'

exim_root() {
	list_root
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
		cat
	} >"$root/etc/exim4/exim4.conf"
	chroot "$root" exim4 -bV >"$tmp/start" 2>&1 || { diag <"$tmp/start"; bail 'no Exim'; }
}

# `-bp': age size id <sender>, then recipients, `D' before those that are done
told() {
	chroot "$root" exim4 -bp | perl -ne '
		if (/^\s*\S+\s+\S+\s+(\S+-\S+-\S+) <(.*?)>/) { ($id, $from) = ($1, $2 eq "" ? "-" : $2) }
		elsif (/^ {10}(\S.*)$/) { print "$id $from $1\n" }' | sort
}
run() { chroot "$root" exim4 -qff; }
