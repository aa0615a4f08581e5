#!/bin/sh
# A real Exim with exactly what --print-config printed, spliced to a customer.
# shellcheck disable=SC2034
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=exim spool=/var/spool/exim4 other_splice=127.0.0.1:626
list_root
. "$mta/splice.sh"
# its parts, each behind a comment that names its place
part() { awk -v want="$1" '/^# / && !/^#  / { on = index($0, want) } on' "$tmp/printed"; }
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
	sed '1,/^# the first router/d; /^# a transport/,$d' "$tmp/printed"
	cat <<-'END'
	world:
	  driver = manualroute
	  route_list = * 127.0.0.1::2599
	  transport = world
	  self = send
	begin transports
	END
	sed '1,/^# a transport/d' "$tmp/printed"
	cat <<-'END'
	world:
	  driver = smtp
	  allow_localhost
	  hosts_try_fastopen =
	begin retry
	* * F,1h,1s
	END
} >"$root/etc/exim4/exim4.conf"
is 'Exim finds nothing wrong' '' sh -c 'chroot "$0" exim4 -bV 2>&1 >/dev/null' "$root"
run_queue() { chroot "$root" exim4 -q; }
splice_tests
diag <"$tmp/splice.err"
done_testing
