#!/bin/sh
# Two Postfixes at a dialled line of 100 ms and 1 Mbit/s, as in dial.t: the other ways to
# fetch, and what else may go wrong, each followed by a session that completes it.
# shellcheck disable=SC2034,SC2016
. "$(dirname "$0")/lib.sh"
quick=yes line='--rtt 100ms --rate 1mbit --addr-a 10.99.0.1/29 --addr-b 10.99.0.2/29' queue_room=24m
. "$mta/line.sh"

install_into "$isp"
# what does not fit is no letter to the postmaster
pf "$gw" gateway postconf -e notify_classes=
pf "$gw" gateway postfix reload 2>&1 | diag
# a connection is kept for another message no longer than it has to be
pf "$isp" isp postconf -e smtp_connection_cache_time_limit=1s
pf "$isp" isp postfix reload 2>&1 | diag
mkdir -p "$isp/etc/tidegate" "$gw/etc/tidegate"
echo 'customer: customer.test' >"$isp/etc/tidegate/customers"
echo 'customer:{PLAIN}turned' >"$isp/etc/tidegate/users"
echo secret >"$gw/etc/tidegate/gw.password"
echo turned >"$gw/etc/tidegate/customer.password"
chmod 600 "$isp/etc/tidegate/users" "$gw/etc/tidegate"/*.password
ip -n tg-a addr add 10.99.0.3/32 dev lo
at a python3 "$mta/front.py" "$tmp/front" unshare --mount sh -c "$enter" "$isp" \
	MAIL_CONFIG=/etc/postfix-isp 2>"$tmp/front.err" &
wait_for test -s "$tmp/front" || bail 'no front'
# what ssh would do
cat >"$gw/usr/bin/at-provider" <<'END'
#!/bin/bash
exec 3<>/dev/tcp/10.99.0.1/2222
echo "$*" >&3
mapfile -t said <&3
printf '%s\n' "${said[@]}" >&2
exit "${said[-1]}"
END
chmod 755 "$gw/usr/bin/at-provider"
# Nobody here is to ask for a name: where resolv.conf is empty they would ask here.
: >"$tmp/asked"
at b python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
while True:
	open("'"$tmp/asked"'", "a").write(repr(s.recv(999)) + "\n")' &

# said ERE: in which connections to the front; the log ends with the last session's
said() { grep -E "$1" "$tmp/front" | sort | uniq -c | sed 's/^ *//'; }
forget() { : >"$tmp/front"; }
by_front='PORT=2588 TLS=none SEND_OPTIONS=--auth-in-clear USER=gw PASSWORD_FILE=/etc/tidegate/gw.password'
good='status=0 link=ok send=0 retrieve=0 hangup=ok sent=1 deferred=0 received=2 bytes=[0-9]+'

few() {
	printf '%sin1 1500 u1@customer.test\n%sin2 700 u2@customer.test\n' "$1" "$1" >"$tmp/case.in"
	echo "$1out 900 bob@world.test" >"$tmp/case.out"
	post "$tmp/case.in" "$tmp/case.out"
}

# fetches CASE KEY=VALUE...: a session after which all is there
fetches() {
	name=$1
	shift
	conf IDLE=1s "$@"
	exits "$name: done" 0 dial isp
	[ "$tap_code" = 0 ] || diag <"$tmp/.err"
	session "$name: the log line" "$good"
	ok "$name: the line is down" link_is_gone
	completed "$name"
}

echo 'stays 600 someone@other.test' >"$tmp/case.in"
: >"$tmp/case.out"
post "$tmp/case.in" "$tmp/case.out"

# --- on the connection that takes our mail ---------------------------------

for how in turn atrn; do
	few $how
	forget
	# shellcheck disable=SC2086
	fetches "SEND=drain, RETRIEVE=$how" SEND=drain RETRIEVE=$how DELIVER=127.0.0.1:2525 $by_front
	verb=$(echo $how | tr a-z A-Z)
	like "$how: after our letter, on the one connection" \
		'^[0-9]+ is gw;MAIL;'"$verb"'( customer.test)?;$' sh -c '
			cut -d" " -f2- "$1" | sed "s/^MAIL .*/MAIL/" | grep -E "^(is|MAIL|A?T)" |
				tr "\n" ";" | sed "s/^/$(cut -d" " -f1 "$1" | sort -u | tr "\n" " ")/"' - "$tmp/front"
done

# --- from another host, as somebody else -----------------------------------

few elsewhere
forget
# shellcheck disable=SC2086
fetches 'another host' SEND=drain RETRIEVE=atrn RETRIEVE_HOST=10.99.0.3 RETRIEVE_USER=customer RETRIEVE_TLS=none RETRIEVE_OPTIONS=--auth-in-clear \
	RETRIEVE_PASSWORD_FILE=/etc/tidegate/customer.password DELIVER=127.0.0.1:2525 $by_front
is 'another host: the one heard of gw and no turn' 'is gw' sh -c 'grep -Eo "(is|ATRN|TURN).*" "$1"' - "$tmp/front"
like 'another host: the other of customer' 'customer' cat "$tmp/front.err"
is 'another host: and of nobody else' 0 sh -c 'grep -c "gw\\b" "$1"; :' - "$tmp/front.err"

# --- by a command at the provider ------------------------------------------

few command
fetches 'a command that waits' RETRIEVE=command \
	'RETRIEVE_COMMAND=at-provider dequeue --spool=postfix -d customer.test --wait=30s'

# --- it starts late; two at once; KEEPALIVE --------------------------------

few late
conf RETRIEVE_PORT=2588 IDLE=2s FIRST=30s 'KEEPALIVE=echo x >>/run/kept'
forget
dial isp >"$tmp/dial.out" 2>&1 &
pid=$!
ok 'late: the provider was asked' wait_for grep -q ETRN "$tmp/front"
exits 'two at once: 75 by hand' 75 dial isp
like 'two at once: it says who' 'isp: a session is going on already \(process [0-9]+\)' dial isp
exits 'two at once: 0 by --due' 0 dial --due isp
is 'two at once: and silent' '' dial --due isp
ok 'two at once: the line is up' link_is_there
touch "$tmp/front.go"
exits 'late: it was waited for' 0 wait $pid
session 'late: the log line' "$good"
ok 'late: the line is down' link_is_gone
like 'late: KEEPALIVE was run meanwhile' x cat "$gw/run/kept"
completed late

# --- full, hung, closed ----------------------------------------------------

few full
fallocate -l 12m "$gw/var/spool/postfix-gateway/full" || bail 'no file that large'
conf IDLE=1s
exits 'disk full: 75' 75 dial isp
session 'disk full: the log line' \
	'status=75 link=ok send=0 retrieve=75 hangup=ok sent=1 deferred=0 received=0 bytes=[0-9]+'
queue "$isp" isp >"$tmp/.isp"
is 'disk full: all is at the provider' 'fullin1 u1@customer.test
fullin2 u2@customer.test' sh -c 'grep full "$1" | cut -d" " -f1,2' - "$tmp/.isp"
rm "$gw/var/spool/postfix-gateway/full"
after 'disk full'

few half
# shellcheck disable=SC2086
conf SEND=drain RETRIEVE_PORT=2666 SEND_OPTIONS=--timeout=2s RETRIEVE_OPTIONS=--timeout=2s PORT=2666
exits 'half an answer: 75' 75 dial isp
session 'half an answer: the log line' \
	'status=75 link=ok send=75 retrieve=75 hangup=ok sent=0 deferred=1 received=(0|-) bytes=[0-9]+'
ok 'half an answer: hung up' link_is_gone
conf SEND=drain RETRIEVE=atrn PORT=2626 SEND_OPTIONS=--timeout=2s
exits 'no answer: 75' 75 dial isp
session 'no answer: the log line' \
	'status=75 link=ok send=75 retrieve=75 hangup=ok sent=0 deferred=1 received=- bytes=[0-9]+'
after 'half an answer'

closed() { ! at b bash -c 'exec 3<>/dev/tcp/127.0.0.1/2525'; }
opened() { ! closed; }
gateway_conf() { sed -i "$1" "$gw/etc/postfix-gateway/master.cf" && pf "$gw" gateway postfix reload 2>&1 | diag; }
few closed
gateway_conf 's/^\(0\.0\.0\.0:2525 .*\)/#\1/'
wait_for closed || bail 'it does not close'
conf IDLE=1s
exits 'our own port is closed: 69' 69 dial isp
cp "$tmp/.err" "$tmp/e"
like 'our own port is closed: it says so' 'nobody listens on port 2525' cat "$tmp/e"
session 'our own port is closed: the log line' \
	'status=69 link=ok send=0 retrieve=69 hangup=ok sent=1 deferred=0 received=[0-] bytes=[0-9]+'
gateway_conf 's/^#\(0\.0\.0\.0:2525\)/\1/'
wait_for opened || bail 'it does not open'
after 'our own port is closed'

# --- what does not go: too large, for whom, too old -------------------------

report() { cat "$tmp/world"/* 2>/dev/null | tr -d '\r' | grep -A 9 "^Final-Recipient: rfc822; *$1" | grep -m 1 "^Status: $2"; }
cat >"$tmp/plan" <<-END
	large 30000 huge@world.test
	limited 6000 small@limited.test
	fits 6000 fits@world.test
END
at b python3 "$mta/mail.py" send 127.0.0.1 2525 "$tmp/plan"
mail planned "$tmp/plan" | in_queue >"$tmp/waits"
ok 'three letters wait' wait_for queue_is "$tmp/waits" "$gw" gateway
echo 'limited.test 5k' >"$gw/etc/tidegate/limits"
conf RETRIEVE=none MAX_SIZE=20k LIMITS=/etc/tidegate/limits
exits 'two are too large: 0' 0 dial isp
ok 'one is sent' wait_for sh -c 'grep -q "^X-Original-To: fits@world.test" "$0"/*' "$tmp/world"
# hears ADDRESS STATUS: Postfix may have made the report when this session was over already
hears() { report "$@" || { conf RETRIEVE=none && dial isp && report "$@"; }; }
ok 'of one its sender hears' wait_for hears huge@world.test 5.3.4
ok 'and of the other, that is for one who takes less' wait_for hears small@limited.test 5.3.4
is 'they were not sent' 0 sh -c 'cat "$0"/* | grep -Ec "^X-Original-To: (huge|small)"; :' "$tmp/world"

cat >"$tmp/plan" <<-END
	old 600 old@world.test
END
at b python3 "$mta/mail.py" send 127.0.0.1 2525 "$tmp/plan"
is_old() { [ "$(in_chroot - "$gw" MAIL_CONFIG=/etc/postfix-gateway queue-list --spool=postfix -F %a | sort -n | tail -n 1)" -ge 2 ]; }
ok 'one waits for two seconds' wait_for is_old
conf RETRIEVE=none EXPIRE=1s
exits 'it is too old: 0' 0 dial isp
ok 'of this its sender hears, too' wait_for hears old@world.test 5.4.7

# What waits at the provider expires there, and nobody is told that it waits.
cat >"$tmp/plan" <<-END
	expires 600 expires@customer.test
END
pf "$isp" isp postconf -e maximal_queue_lifetime=1s queue_run_delay=1s minimal_backoff_time=1s maximal_backoff_time=1s
pf "$isp" isp postfix reload 2>&1 | diag
at a python3 "$mta/mail.py" send 127.0.0.1 25 "$tmp/plan"
ok 'what waits for ETRN expires' wait_for report expires@customer.test '[45]\.'
is 'nobody was told of a delay' 0 sh -c 'grep -il "^Action: delayed" "$0"/* | wc -l | tr -d " "' "$tmp/world"

is 'nobody asked for a name' '' cat "$tmp/asked"
in_chroot tg-b "$gw" getent ahosts somewhere.test >/dev/null 2>&1 &
ok '... which would have been seen' wait_for test -s "$tmp/asked"
umount -l "$gw/var/spool/postfix-gateway"
done_testing
