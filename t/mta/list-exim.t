#!/bin/sh
# What waits in a real Exim, beside exim -bp, at rest and while mail moves.
# shellcheck disable=SC2034
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=exim spool=/var/spool/exim4
list_root
cat >"$root/etc/exim4/exim4.conf" <<-'END'
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
allow_utf8_domains = true
queue_run_max = 4
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = hop
begin transports
hop:
  driver = smtp
  port = 2599
  allow_localhost
  hosts_try_fastopen =
begin retry
* * F,1h,1s
END
# `-bp': age size id <sender>, then recipients, `D' before those that are done
told() {
	chroot "$root" exim4 -bp | perl -ne '
		if (/^\s*\S+\s+\S+\s+(\S+-\S+-\S+) <(.*?)>/) { ($id, $from) = ($1, $2 eq "" ? "-" : $2) }
		elsif (/^ {10}(\S.*)$/) { print "$id $from $1\n" }' | sort
}
run() { chroot "$root" exim4 -qff; }
chroot "$root" exim4 -bV >"$tmp/start" 2>&1 || { diag <"$tmp/start"; bail 'no Exim'; }
chroot "$root" exim4 -bdf -q1s </dev/null >>"$tmp/start" 2>&1 &
pid=$!

submit ann@x.test bob@later.test carla@later.test
submit '"odd sender"@x.test' '"a b"@later.test'
submit '<>' dan@other.test
submit eve@x.test held@later.test
wait_for many 4
frozen() { chroot "$root" exim4 -Mf "$(ours | awk '/held@/ { print $1 }')" >/dev/null 2>&1 &&
	[ "$(queue-list --spool=exim:"$root$spool" -r held@later.test -F %q)" = hold ]; }
wait_for frozen
at_rest 4
is 'exim: frozen is held' hold sh -c \
    'queue-list --spool=exim:"$1$2" -r held@later.test -F %q' - "$root" "$spool"
unprivileged told
untouched
chroot "$root" exim4 -Mt "$(ours | awk '/held@/ { print $1 }')" >/dev/null
come_and_go 500
kill $pid
done_testing
