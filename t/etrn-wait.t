#!/bin/sh
# etrn-request --wait: a provider comes, or does not, and is waited for.
# shellcheck shell=sh source=t/lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"

TAB=$(printf '\t')
LF='
'
export tmp
wait_port=

# visit FROM TO PORT OCTETS COMMAND: one session of the provider's, which says so
# many octets and closes as soon as COMMAND succeeds; with `-' for it, says QUIT and
# lets the other side close first; with `!', says QUIT and closes.
cat >"$tmp/visit" <<'E2'
use IO::Handle;
use Socket qw(:all);
my ($from, $to, $port, $octets, $until) = @ARGV;
sub place {
	my ($host, $number) = @_;
	return sockaddr_in $number, inet_aton $host if $host !~ /:/;
	return pack_sockaddr_in6 $number, inet_pton AF_INET6, $host;
}
socket my $s, $to =~ /:/ ? AF_INET6 : AF_INET, SOCK_STREAM, 0 or die "socket: $!";
bind $s, place $from, 0 or die "bind: $!";
connect $s, place $to, $port or die "connect: $!";
$s->autoflush;
if ($until =~ /[-!]/ && length $until == 1) {
	print $s "QUIT\r\n";
	if ($until eq "-") { 1 while <$s> }
	exit;
}
print $s "x" x ($octets - 2), "\r\n";
until (system("sh", "-c", $until) == 0) { select undef, undef, undef, .05 }
shutdown $s, 1;		# what has not been read would make it a reset
1 while <$s>;
E2
# listen ADDRESS FILE ONLY6: reads whatever comes; its port goes into FILE
cat >"$tmp/listen" <<'E2'
use Socket qw(:all);
my ($address, $file, $only) = @ARGV;
$SIG{CHLD} = "IGNORE";
socket my $l, AF_INET6, SOCK_STREAM, 0 or exit 1;
setsockopt $l, IPPROTO_IPV6, IPV6_V6ONLY, $only + 0 or exit 1;
bind $l, pack_sockaddr_in6 0, inet_pton AF_INET6, $address or exit 1;
listen $l, 9;
open my $f, ">", "$file.new";
print $f +(unpack_sockaddr_in6 getsockname $l)[0];
close $f;
rename "$file.new", $file;
while (1) {
	accept my $s, $l or next;
	if (!fork) { 1 while sysread $s, my $x, 9999; exit }
}
E2

# Whenever it is asked, the provider does what $tmp/plan says.
: >"$tmp/plan"
echo '. "$tmp/plan"' | sed '1i#!/bin/sh' >"$tmp/provider"
chmod +x "$tmp/provider"
sink --listen=127.0.0.1:0 --port-file="$tmp/mta" >/dev/null 2>&1 &
kids=$!
sink --listen=127.0.0.1:0 --port-file="$tmp/isp" --ext=ETRN --log="$tmp/log" --etrn="$tmp/provider" \
	'--etrn-reply=none*:251 no messages' '--etrn-reply=pending*:252 OK' '--etrn-reply=two*:253 OK, 2 pending' \
	'--etrn-reply=zero*:253 OK, 0 pending' '--etrn-reply=no.*:459 no' >/dev/null 2>"$tmp/isp.err" &
kids="$kids $!"
trap 'kill $kids 2>/dev/null; rm -rf "$tmp"' EXIT
wait_for test -s "$tmp/mta"
wait_for test -s "$tmp/isp"
mta=$(cat "$tmp/mta") isp=$(cat "$tmp/isp")

# visits FROM OCTETS COMMAND: for a plan, to the MTA
visits() { printf 'perl "$tmp/visit" %s 127.0.0.1 %s %s %s\n' "$1" "$mta" "$2" "'$3'"; }
plan() {
	rm -f "$tmp/left"
	cat >"$tmp/plan.new"
	mv "$tmp/plan.new" "$tmp/plan"
}
etrn() { timeout 60 etrn-request --helo=client.test -s "127.0.0.1:$isp" --wait-port="${wait_port:-$mta}" "$@"; }
asked() { etrn --wait=20s --idle=1s "$@"; }
asked_long() { etrn --wait=20s --idle=4s "$@"; }
# ends NAME STATUS COMMAND...: what it said stays in $tmp/o and $tmp/e
ends() {
	exits "$@"
	cp "$tmp/.out" "$tmp/o"
	cp "$tmp/.err" "$tmp/e"
}
came() { tail -n 1 "$tmp/o" | cut -f5; }
octets() { if [ -n "$counts" ]; then echo "$1 octets"; else echo 'octets unknown'; fi; }
# seen N: a command that waits until -v told of N sessions
seen() { echo "test \$(grep -Ec \"session,? from\" \"\$tmp/.err\") -ge $1"; }
napped() { echo "perl -e \"select undef, undef, undef, $1\""; }

### They come

sessions() {
	visits 127.0.0.1 1000 "$(seen 1) && $(napped 1.5) && touch \"\$tmp/left\"" | plan
	ends "$way: a session" 0 asked -v --results x.test
	ok '... was waited for to its end' test -e "$tmp/left"
	is '... is counted' "at least 1 session, $(octets 1000)" came
	like '... is told of' 'etrn-request: first session, from 127\.0\.0\.1$' cat "$tmp/e"
	like '... and the waiting' "waiting 20s for a session to port $mta from 127\\.0\\.0\\.1\$" cat "$tmp/e"
	like '... and the quiet' 'at least 1 session, .*, and none for 1s$' cat "$tmp/e"

	{ visits 127.0.0.1 0 -; visits 127.0.0.1 0 -; visits 127.0.0.1 0 -; } | plan
	# a busy machine may need a second from one to the next
	ends "$way: short ones, one after the other" 0 asked_long --results x.test
	like '... are all seen by what they leave' '^at least 3 sessions, ' came
	is '... which is said beside the answers' "x.test${TAB}250$LF-$TAB-" cut -f2,3 "$tmp/o"
	is '... and not told' '' cat "$tmp/e"

	if [ "$counts" ]; then
		{ visits 127.0.0.1 0 !; visits 127.0.0.1 0 !; visits 127.0.0.1 0 !; } | plan
		ends "$way: short ones that they close" 0 asked_long --results x.test
		like '... are told of by the kernel' '^at least 3 sessions, ' came
	fi

	{ napped 1.2; visits 127.0.0.1 0 -; } | plan
	ends "$way: one that comes later than after --idle" 0 asked --results x.test
	like '... is seen' '^at least 1 session, ' came

	{ visits 127.0.0.1 700 "$(seen 1)"; napped .5; visits 127.0.0.1 70 "$(seen 2)"; } | plan
	ends "$way: a pause" 0 asked_long -v --results x.test
	is '... shorter than --idle' "at least 2 sessions, $(octets 770)" came
}
way=diag
if perl -e 'socket my $s, 16, 3, 4 or exit 1'; then counts=yes; else counts=; fi
sessions
way=/proc counts=
TIDEGATE_PROC=/proc
export TIDEGATE_PROC
sessions
unset TIDEGATE_PROC

### From elsewhere

{ visits 127.0.0.2 0 -; } | plan
nobody() { etrn --wait=1s --idle=1s --results "$@" | tail -n 1 | cut -f5; }
is 'another address means nothing' 'no session' nobody x.test
ends 'unless it is named' 0 asked --results --wait-from=127.0.0.2 x.test
like '... by --wait-from' '^at least 1 session' came
ends 'as one of many' 0 asked -v --wait-from=192.0.2.1 --wait-from=127.0.0.3/31 x.test
like '... likewise' '^etrn-request: first session, from 127\.0\.0\.2$' cat "$tmp/e"
like '... which are said' 'from 192\.0\.2\.1, 127\.0\.0\.3/31, 127\.0\.0\.1$' cat "$tmp/e"
by_exec() {
	timeout 60 etrn-request -s 'exec:sink --stdio --ext=ETRN' --wait-port="$mta" --wait=20s --idle=1s "$@"
}
: >"$tmp/.err"
(
	wait_for grep -q waiting "$tmp/.err"
	. "$tmp/plan"
) &
like 'a server that has no address' 'first session, from 127\.0\.0\.2$' by_exec -v --wait-from=127.0.0.2 x.test

### They do not come

: | plan
ends 'nobody came' 0 etrn --wait=1s x.test
is '... and that is no failure: there may be no mail' '' cat "$tmp/e"
like '... but -v says so' 'etrn-request: no session within 1s$' etrn --wait=1s -v x.test
ends 'nobody came, and mail was said to wait' 75 etrn --wait=1s pending.test
like '... which is said' 'mail was said to wait, and no session came within 1s$' cat "$tmp/e"
ends 'likewise with 253' 75 etrn --wait=1s x.test two.test
ends '251 is not waited for' 0 etrn --wait=1h --results none.test
is '... and said to be no session' 'no session' came
ends '253 with 0 likewise' 0 etrn --wait=1h zero.test none.test
ends 'refused is not waited for' 77 etrn --wait=1h -q no.test none.test
ends 'a refusal beside a promise counts' 77 etrn --wait=1s -q no.test x.test
ends 'not even waited for when asked only for show' 0 env TIDEGATE_PROC=/nowhere \
	etrn-request -n -s "127.0.0.1:$isp" --wait=1h x.test

### Those that were there before

early() {
	: | plan
	perl "$tmp/visit" 127.0.0.1 127.0.0.1 "$mta" 500 "$1; exec test -e \"\$tmp/over\"" &
	kids="$kids $!"
	wait_for test -e "$tmp/came"
}
rm -f "$tmp/over" "$tmp/came"
early 'touch "$tmp/came"; grep -q waiting "$tmp/.err" && { perl -e "select undef, undef, undef, 1.5"; touch "$tmp/over"; }'
: >"$tmp/.err"
ends 'one that was there before' 0 etrn --wait=1s --idle=1s -v --results x.test
is '... did not come' 'no session' came
ok '... but it is not quiet while it is there' test -e "$tmp/over"

### It ends otherwise

visits 127.0.0.1 100 'test -e "$tmp/over"' | plan
rm -f "$tmp/over"
ends '--deadline' 75 asked -v --results --deadline=4s x.test
like '... says so' 'the deadline is over while waiting: at least 1 session, .* so far$' cat "$tmp/e"
touch "$tmp/over"

: | plan
rm "$tmp/e"
etrn-request --helo=client.test -s "127.0.0.1:$isp" --wait-port="$mta" --wait=1h -v -j x.test >"$tmp/o" 2>"$tmp/e" &
pid=$!
wait_for grep -q waiting "$tmp/e"
kill "$pid"
ok 'TERM ends it, an hour early' timeout 60 tail --pid=$pid -s .1 -f /dev/null
wait $pid
exits '... with 75' 75 sh -c 'exit "$1"' - $?
like '... which is said' 'interrupted while waiting: no session so far' cat "$tmp/e"
is '... also in JSON' '{"sessions": 0, "octets": 0, "text": "no session", "status": 75}' tail -n 1 "$tmp/o"

visits 127.0.0.1 1000 "$(seen 1)" | plan
json() {
	tail -n 1 "$tmp/o" | python3 -c 'import json, sys
a = json.load(sys.stdin)
print(a["sessions"], a.get("octets", 1000), a["text"][:19], a["status"])'
}
ends 'JSON' 0 asked -v -j x.test
is '... of what came' '1 1000 at least 1 session, 0' json

### IPv6, and IPv4 on a socket for both

six() {
	rm -f "$tmp/six"
	perl "$tmp/listen" "$1" "$tmp/six" "$2" &
	kids="$kids $!"
	wait_for test -s "$tmp/six" || return 1
	wait_port=$(cat "$tmp/six")
	printf 'perl "$tmp/visit" %s %s %s 300 %s\n' "$3" "$4" "$wait_port" "'$(seen 1)'" | plan
}
if perl -e 'use Socket qw(:all); socket my $s, AF_INET6, SOCK_STREAM, 0 or exit 1;
	bind $s, pack_sockaddr_in6 0, inet_pton AF_INET6, "::1" or exit 1'; then
	for TIDEGATE_PROC in '' /proc; do
		export TIDEGATE_PROC
		[ -n "$TIDEGATE_PROC" ] || unset TIDEGATE_PROC
		six ::1 1 ::1 ::1
		like "IPv6${TIDEGATE_PROC:+, $TIDEGATE_PROC}" 'first session, from ::1$' asked --wait-from=::1 -v x.test
		six :: 0 127.0.0.1 127.0.0.1
		like 'IPv4, mapped' 'first session, from 127\.0\.0\.1$' asked -v x.test
	done
	unset TIDEGATE_PROC
	wait_port=
fi

### What cannot be

rm "$tmp/log"
ends 'connections cannot be seen: 69' 69 env TIDEGATE_PROC=/nowhere timeout 60 etrn-request -s "127.0.0.1:$isp" \
	--wait-port="$mta" --wait=1s x.test
like '... why' 'connections cannot be seen here: /nowhere/net/tcp: No such file' cat "$tmp/e"
perl -e 'use Socket; socket my $s, AF_INET, SOCK_STREAM, 0; bind $s, sockaddr_in 0, INADDR_LOOPBACK; $| = 1;
	print +(sockaddr_in getsockname $s)[0], "\n"; select undef, undef, undef, 600' >"$tmp/deaf" &
kids="$kids $!"
wait_for test -s "$tmp/deaf"
wait_port=$(cat "$tmp/deaf")
ends 'nobody listens: 69' 69 etrn --wait=1s x.test
like '... why' "nobody listens on port $wait_port here: what comes could not be seen" cat "$tmp/e"
wait_port=
for option in --idle=1s --wait-from=127.0.0.1 --wait-port=25 --wait=0 --wait=x '--wait=1s --idle=0' \
	'--wait=1s --idle=x' '--wait=1s --wait-port=0' '--wait=1s --wait-port=65536' '--wait=1s --wait-port=smtp' \
	'--wait=1s --wait-from=isp.test' '--wait=1s --wait-from=192.0.2.1/33'; do
	# shellcheck disable=SC2086
	exits "64: $option" 64 etrn-request -s "127.0.0.1:$isp" $option x.test
done
ends '64: a server without an address' 64 by_exec x.test
ok 'nobody was talked to' test ! -e "$tmp/log"

is 'the provider had no trouble' '' cat "$tmp/isp.err"
done_testing
