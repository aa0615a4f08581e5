#!/bin/sh
# queue-list --why on a real Exim: it names the true cause, and what it advises works.
# shellcheck disable=SC2034
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/exim.sh"
. "$mta/why.sh"

exim_root <<-END
pid_file_path = /run/exim4/exim.pid
queue_domains = etrn.test
queue_smtp_domains = routed.test
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
special:
  driver = manualroute
  senders = special@x.test
  route_list = * 127.0.0.1
  self = send
  transport = hop
$all_to_hop
begin transports
$transport_hop
begin retry
brief.test * F,1h,5m; G,3h,10m,1.5; F,5h,1h
* * F,4d,20m
END
two="$root/etc/exim4/it's two/exim4.conf"
mkdir "${two%/*}" "$root/var/spool/exim two"
sed 's/2598/2597/; /^log_file/i spool_directory = /var/spool/exim two' "$root/etc/exim4/exim4.conf" >"$two"
echo "${two#"$root"}" >"$root/etc/exim4/trusted_configs"
chroot "$root" chown Debian-exim: '/var/spool/exim two'
echo 'dns.test SERVFAIL' >"$tmp/zone"
names "$tmp/zone"

exim() { chroot "$root" exim4 "$@" >"$tmp/exim.said" 2>&1; }
mkdir -p "$root/run/exim4"
chroot "$root" chown Debian-exim /run/exim4
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
# whoever comes while it is locked is sent away
more() { [ "$(tries "$1")" -gt "$2" ] && ! locked "$root$spool/input/$(id_of "$1")-D"; }
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
    'tried 1 time, last [0-9]+s ago, next in (19m|[0-9]+s) .*, is given up in 9[0-9]h|is given up in [34]d' \
    'The first queue run after its retry time tries it again. One begins every 20m\.' \
    "now: exim4 -M $(id_of bob@refused.test) or: exim4 -Mvl"
n=$(tries bob@refused.test)
follow 'still refused' bob@refused.test
ok 'exim: still refused: it was tried again' wait_for more bob@refused.test "$n"
says 'still refused' bob@refused.test 'tried 2 times'
open_hop --refuse='later@*:451 4.2.1 come again'
follow 'taken now' bob@refused.test
delivered 'taken now' bob@refused.test
stuck ann@x.test later@full.test
says 'recipient refused' later@full.test ' later@full.test: .*451 4.2.1 come again' \
    'next in (19|20)m' 'after its retry time'
close_hop
open_hop
follow 'recipient refused' later@full.test
delivered 'recipient refused' later@full.test
close_hop

# ---- no answer of the DNS, or none that says where
stuck ann@x.test bob@dns.test
says SERVFAIL bob@dns.test ' bob@dns.test: .*host lookup did not complete' \
    'goes by .*host lookup did not complete' 'next in (19|20)m'
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
    'next in (19|20)m' 'after its retry time'
submit special@x.test three@throttled.test
wait_for more three@throttled.test 0
says 'by its sender' three@throttled.test 'goes by router = special, transport = hop'
stuck ann@x.test bob@brief.test
says 'given up sooner' bob@brief.test 'is given up in (299|300)m|is given up in [45]h'
open_hop
follow throttled two@throttled.test
delivered throttled two@throttled.test
close_hop

# ---- until ETRN, or by force
stuck ann@x.test bob@etrn.test
says queue_domains bob@etrn.test 'domain is in queue_domains' 'at once \(queue_domains\).*queue runner' \
    'One begins every 20m' 'never tried'
stuck ann@x.test bob@kept.test
says hold_domains bob@kept.test 'domain is held' 'hold_domains.*only a forced delivery'
ok 'exim: hold_domains: no next try is promised' sh -c '! grep -q "[, ]next in" "$1"' - "$tmp/why"
open_hop
follow queue_domains bob@etrn.test
delivered queue_domains bob@etrn.test
follow hold_domains bob@kept.test
delivered hold_domains bob@kept.test
close_hop
stuck ann@x.test bob@routed.test
says queue_smtp_domains bob@routed.test 'first-pass only routing' 'at once \(queue_domains\)' 'never tried'
open_hop
follow queue_smtp_domains bob@routed.test
delivered queue_smtp_domains bob@routed.test
close_hop

# ---- one is held, the other is not
submit ann@x.test eve@kept.test dora@free.test
wait_for more dora@free.test 1
says 'of two, held' eve@kept.test 'hold_domains.*only a forced delivery'
says 'of two, free' dora@free.test 'queue run'
ok 'exim: of two, free: it is not held' sh -c '! grep -q hold_domains "$1"' - "$tmp/why"

# ---- a queue with a name that a shell would stumble over
stuck ann@x.test bob@named.test
exim -MG "it's slow" "$(id_of bob@named.test)" || diag <"$tmp/exim.said"
says named bob@named.test "It is in the queue it's slow, which only runs of that queue work on" \
    'starts no runs of this queue: unless cron does \(exim4 .-qGit.*slow.\), nothing tries it'
open_hop
follow named bob@named.test
delivered named bob@named.test
close_hop

# ---- another configuration, with a spool of its own
chroot "$root" exim4 -C "${two#"$root"}" -bdf -q7m -oP /run/exim4/two.pid </dev/null >"$tmp/start2" 2>&1 &
pid2=$!
wait_for test -s "$root/run/exim4/two.pid"
printf 'Subject: two\n\nhello\n' | chroot "$root" exim4 -C "${two#"$root"}" -i -f ann@x.test bob@two.test
put_off() { grep -q 'defer (' "$root/var/spool/exim two/msglog"/* && ! locked "$root/var/spool/exim two/input"/*-D; }
wait_for put_off
says 'another configuration' bob@two.test 'is in deferred \(exim, /var/spool/exim two\)' \
    'goes by router = all' 'next in (19|20)m' 'One begins every 7m' \
    "now: exim4 -C '/etc/exim4/it.*two/exim4.conf' -M "
is 'exim: its spool by name, too' 1 in_chroot - "$root" sh -c "queue-list --why --spool='exim:/var/spool/exim two' | grep -c now:"
chmod o+w "$two"
in_chroot - "$root" queue-list --why --spool='exim:/var/spool/exim two' | tr -s '\n ' '  ' >"$tmp/unsafe"
is 'exim: a configuration that others may write is not used' 1 grep -c 'that no MTA of this host works on' "$tmp/unsafe"
ok 'exim: and no command is printed with it' sh -c '! grep -q now: "$1"' - "$tmp/unsafe"
chmod o-w "$two"
open_hop
follow 'another configuration' bob@two.test
delivered 'another configuration' bob@two.test
close_hop
kill $pid2
wait $pid2 2>/dev/null

# ---- nobody will try
end
submit ann@x.test bob@down.test
wait_for more bob@down.test 0
says down bob@down.test 'No MTA is running that would deliver' 'Unless cron starts queue runs \(exim4 -q\), nothing'
ok 'exim: down: no next try is promised' sh -c '! grep -q "next" "$1"' - "$tmp/why"
daemon
says 'no runs' bob@down.test 'starts no runs of this queue'
open_hop
follow down bob@down.test
delivered down bob@down.test
end
done_testing
