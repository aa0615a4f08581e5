#!/bin/sh
# queue-list --why on a real Exim: it names the true cause, and what it advises works.
# shellcheck disable=SC2034
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/why.sh"

kind=exim spool=/var/spool/exim4
list_root
cat >"$root/etc/exim4/exim4.conf" <<-'END'
primary_hostname = mx.test
log_file_path = /var/log/exim4/%slog
pid_file_path = /run/exim4/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = 2598
disable_ipv6 = true
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
trusted_users = root
never_users =
queue_domains = etrn.test
hold_domains = kept.test
dns_retrans = 1s
dns_retry = 1
begin routers
dns:
  driver = dnslookup
  domains = dns.test
  ignore_target_hosts =
  self = send
  transport = hop
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
*.slow.test * F,4d,2h
* * F,4d,20m
END
echo 'dns.test SERVFAIL' >"$tmp/zone"
names "$tmp/zone"

exim() { chroot "$root" exim4 "$@" >"$tmp/exim.said" 2>&1; }
exim -bV || { diag <"$tmp/exim.said"; bail 'no Exim'; }
mkdir -p "$root/run/exim4"
chown Debian-exim "$root/run/exim4" 2>/dev/null || chroot "$root" chown Debian-exim /run/exim4
# daemon [OPTION...]: it listens
daemon() {
	chroot "$root" exim4 -bdf "$@" </dev/null >"$tmp/start" 2>&1 &
	pid=$!
	wait_for test -s "$root/run/exim4/exim.pid"
}
end() { kill "$pid"; wait "$pid" 2>/dev/null; rm -f "$root/run/exim4/exim.pid"; }

waits() {
	[ "$(queue-list --spool=exim:"$root$spool" -r "$1" --state="${2-deferred}" --count)" = 1 ]
}
log_of() { cat "$root$spool"/msglog/"$(queue-list --spool=exim:"$root$spool" --ids -r "$1")" 2>/dev/null; }
tries() { log_of "$1" | grep -c -e defer; }
more() { [ "$(tries "$1")" -gt "$2" ]; }
# stuck SENDER ADDRESS: it came, and was put off
stuck() {
	submit "$1" "$2"
	wait_for more "$2" 0 || { diag <"$root/var/log/exim4/mainlog"; bail "$2 is not put off"; }
}
id_of() { queue-list --spool=exim:"$root$spool" --ids -r "$1"; }

nothing
daemon -q20m

# ---- the next hop refuses the connection, or the recipient
stuck ann@x.test bob@refused.test
says refused bob@refused.test 'is in deferred \(exim, /var/spool/exim4\), from ann@x.test, [0-9]+ octets, came [0-9]+s ago' \
    ' bob@refused.test: .*Connection refused ' 'goes by .*router = all, transport = hop' \
    'tried 1 time, last [0-9]+s ago' 'The next queue runner tries it again once its retry time has come'
n=$(tries bob@refused.test)
follow 'still refused' bob@refused.test
ok 'exim: still refused: it was tried again' wait_for more bob@refused.test "$n"
says 'still refused' bob@refused.test 'tried 2 times'
open_hop --refuse='later@*:451 4.2.1 come again'
follow 'taken now' bob@refused.test
delivered 'taken now' bob@refused.test
stuck ann@x.test later@full.test
says 'recipient refused' later@full.test ' later@full.test: .*451 4.2.1 come again'
close_hop
open_hop
follow 'recipient refused' later@full.test
delivered 'recipient refused' later@full.test
close_hop

# ---- no answer of the DNS, or none that says where
stuck ann@x.test bob@dns.test
says SERVFAIL bob@dns.test ' bob@dns.test: .*host lookup did not complete' \
    'goes by .*host lookup did not complete'
no_names
n=$(tries bob@dns.test)
follow 'no name server' bob@dns.test
ok 'exim: no name server: it was tried again' wait_for more bob@dns.test "$n"
printf '%s\n' 'dns.test MX 10 hop.test' 'hop.test A 127.0.0.1' >"$tmp/zone"
names "$tmp/zone"
open_hop
says 'there is one again' bob@dns.test 'router = dns, transport = hop'
follow 'there is one again' bob@dns.test
delivered 'there is one again' bob@dns.test
close_hop

# ---- frozen
stuck ann@x.test bob@held.test
exim -Mf "$(id_of bob@held.test)"
wait_for waits bob@held.test hold
says frozen bob@held.test 'is in hold \(exim' 'It is frozen: .*until somebody thaws it'
open_hop
follow frozen bob@held.test
delivered frozen bob@held.test
close_hop

# ---- its retry time has not come
stuck ann@x.test one@throttled.test
stuck ann@x.test two@throttled.test
says throttled two@throttled.test ' two@throttled.test: .*(retry time not reached|Connection refused)' \
    'once its retry time has come \(exinext shows when\)'
open_hop
follow throttled two@throttled.test
delivered throttled two@throttled.test
close_hop

# ---- until ETRN, or by force
stuck ann@x.test bob@etrn.test
says queue_domains bob@etrn.test 'domain is in queue_domains' 'at once \(queue_domains\).*queue runner'
stuck ann@x.test bob@kept.test
says hold_domains bob@kept.test 'domain is held' 'hold_domains.*only a forced delivery'
ok 'exim: hold_domains: no next try is promised' sh -c '! grep -q "[, ]next in" "$1"' - "$tmp/why"
open_hop
follow queue_domains bob@etrn.test
delivered queue_domains bob@etrn.test
follow hold_domains bob@kept.test
delivered hold_domains bob@kept.test
close_hop

# ---- nobody will try
end
submit ann@x.test bob@down.test
wait_for more bob@down.test 0
says down bob@down.test 'No MTA is running that would deliver'
daemon
says 'no runs' bob@down.test 'starts no queue runs'
open_hop
follow down bob@down.test
delivered down bob@down.test
end
done_testing
