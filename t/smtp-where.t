#!/bin/sh
# smtp-send: where each recipient goes (MX, addresses, PEERs), in how many sessions
# and how many messages at a time.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"

msg=$tmp/msg
printf 'Subject: hi\n\nhi\n' >"$msg"
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$tmp"' EXIT

# ---- a world: five hosts with one port between them, and who has which

# host NAME ADDRESS:PORT SINK-OPTION...
host() {
	n=$1 at=$2
	shift 2
	: >"$tmp/$n.log"
	sink --listen="$at" --port-file="$tmp/$n.port" --log="$tmp/$n.log" \
		--maildir="$tmp/$n" "$@" 2>"$tmp/$n.err" &
	pids="$pids $!"
	wait_for test -s "$tmp/$n.port" || { cat "$tmp/$n.err" >&2; exit 1; }
}
host a 127.0.0.2:0 '--refuse=no*:550 5.1.1 no' '--refuse=later*:451 4.2.0 later' '--refuse=pol*:550 5.7.1 no' \
	'--refuse-mail=later*:451 4.3.0 later'
port=$(cat "$tmp/a.port")
host b "127.0.0.3:$port"
host c "127.0.0.4:$port" '--banner=421 4.3.2 busy'
host d "127.0.0.5:$port" '--banner=554 5.3.2 never'
host e "127.0.0.6:$port" '--ehlo-reply=421 4.3.0 no hello'
host g "127.0.0.8:$port" --hang-at=BANNER
# nobody listens at 127.0.0.7

cat >"$tmp/zone" <<'E2'
a.mx.test	A 127.0.0.2
b.mx.test	A 127.0.0.3
c.mx.test	A 127.0.0.4
d.mx.test	A 127.0.0.5
e.mx.test	A 127.0.0.6
r.mx.test	A 127.0.0.7
g.mx.test	A 127.0.0.8
mute.test	MX 10 g.mx.test
one.test	MX 10 a.mx.test
two.test	MX 10 a.mx.test
xn--bcher-kva.test MX 5 a.mx.test
three.test	MX 10 b.mx.test
null.test	MX 0 .
broken.test	SERVFAIL
implicit.test	A 127.0.0.2
equal.test	MX 10 a.mx.test
equal.test	MX 10 b.mx.test
equal2.test	MX 7 b.mx.test
equal2.test	MX 7 a.mx.test
refused.test	MX 10 r.mx.test
refused.test	MX 20 a.mx.test
busy.test	MX 10 c.mx.test
busy.test	MX 20 a.mx.test
never.test	MX 10 d.mx.test
never.test	MX 20 a.mx.test
hello.test	MX 10 e.mx.test
hello.test	MX 20 a.mx.test
onlynever.test	MX 10 d.mx.test
down.test	MX 10 r.mx.test
down.test	MX 20 c.mx.test
empty.test	MX 10 nowhere.test
own.test	MX 10 a.mx.test
own.test	MX 20 client.test
own.test	MX 30 b.mx.test
ownbest.test	MX 10 client.test
ownbest.test	MX 20 a.mx.test
client.test	A 127.0.0.3
both.test	A 127.0.0.2
both.test	AAAA ::1
E2
"$top/t/tool/dnsd" --port-file="$tmp/dns" --log="$tmp/dns.log" "$tmp/zone" &
pids="$pids $!"
wait_for test -s "$tmp/dns"
TIDEGATE_NAMESERVER=127.0.0.1:$(cat "$tmp/dns")
export TIDEGATE_NAMESERVER


fresh() {
	for n in a b c d e six dns; do : >"$tmp/$n.log"; rm -rf "$tmp/$n"/new/*; done
}
send() { smtp-send -p "$port" --helo=client.test "$@"; }
# go WORD...: RECIPIENT FATE STATUS of each, and the exit status
go() {
	fresh
	send --results -q -f "${sender:-s@x.test}" "$@" <"$msg" >"$tmp/got" 2>"$tmp/told"
	code=$?
	cut -f2-4 "$tmp/got" | tr '\t' ' ' | sort
	echo "= $code"
}
# at HOST: the recipients of each transaction there
at() {
	perl -ne 'push @r, $1 if /^RCPT <(.*)> 250/;
		if (/^(DATA|BDAT) 250/) { print "@r\n"; @r = () }' "$tmp/$1.log"
}
same_set() { printf '%s\n' "$1" | sort; }
# of all transactions, whatever their order
rcpts_at() { sed -n 's/^RCPT <\(.*\)> 250.*/\1/p' "$tmp/$1.log" | sort; }
lines() { printf '%s\n' "$@"; }

# ---- MX

is 'three domains' "$(lines 'ann@one.test delivered 2.0.0' 'bob@two.test delivered 2.0.0' \
	'eve@three.test delivered 2.0.0' '= 0')" go ann@one.test eve@three.test bob@two.test
is 'two of them have one host, which gets them at once' 'ann@one.test bob@two.test' at a
is 'and the third another' 'eve@three.test' at b
is 'one connection each' 2 sh -c 'cat "$1/a.log" "$1/b.log" | grep -c CONNECT' - "$tmp"
is 'each domain is asked for once' "$(lines 'one.test MX' 'three.test MX' 'two.test MX')" \
	sh -c 'grep -o "[^ ]* MX" "$1/dns.log" | sort' - "$tmp"

is 'null MX' "$(lines 'ann@null.test failed 5.1.10' '= 68')" go ann@null.test
is 'no such domain' "$(lines 'ann@gone.test failed 5.1.2' '= 68')" go ann@gone.test
is 'nobody knows' "$(lines 'ann@broken.test deferred 4.4.3' '= 75')" go ann@broken.test
is 'and no A is asked for' '' sh -c 'grep -o " A .*\| AAAA.*" "$1/dns.log" || :' - "$tmp"
is 'no MX: the domain itself' "$(lines 'ann@implicit.test delivered 2.0.0' '= 0')" go ann@implicit.test
is 'is where it says' ann@implicit.test at a
is 'an MX without an address' "$(lines 'ann@empty.test deferred 4.4.1' '= 68')" go ann@empty.test
is 'a domain of U-labels' "$(printf 'b\303\274@b\303\274cher.test failed 5.6.7\nann@b\303\274cher.test delivered 2.0.0\n= 69' | sort)" \
	same_set "$(go "$(printf 'ann@b\303\274cher.test')" "$(printf 'b\303\274@b\303\274cher.test')")"

seen_first() {
	send -n ann@equal.test | cut -f2 | cut -d/ -f1
}
firsts() { for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do seen_first; done | sort -u; }
is 'equal ones are both the first now and then' "$(lines a.mx.test b.mx.test)" firsts
go ann@equal.test bob@equal2.test >/dev/null
is 'equal ones in whatever order are the same host' 'ann@equal.test bob@equal2.test' \
	echo "$(at a; at b)"

for d in refused busy never hello; do
	is "$d.test: the second" "$(lines "ann@$d.test delivered 2.0.0" '= 0')" go "ann@$d.test"
	is "$d.test got it" "ann@$d.test" at a
done
like 'the first had said no to the hello' '^EHLO 421' cat "$tmp/e.log"
is 'all of them away: later' "$(lines 'ann@down.test deferred 4.4.1' '= 75')" go ann@down.test
is 'a greeting of 554 alone: later, too' "$(lines 'ann@onlynever.test deferred 4.4.1' '= 75')" go ann@onlynever.test
sender=later@x.test
is 'a 4xx to MAIL is not taken to the next' "$(lines 'ann@equal.test deferred 4.3.0' '= 75')" \
	go -s 127.0.0.2 -s 127.0.0.3 ann@equal.test
sender=
ok 'who is not even asked' test ! -s "$tmp/b.log"

is 'behind our own name nobody is asked' "$(printf 'ann@own.test\ta.mx.test/10')" send -n ann@own.test
is 'and in front of all: it is a circle' "$(lines 'ann@ownbest.test failed 5.4.6' '= 68')" go ann@ownbest.test

# ---- literals and PEERs

is 'an address literal' "$(lines 'ann@[127.0.0.3] delivered 2.0.0' '= 0')" go 'ann@[127.0.0.3]'
is 'gets it' 'ann@[127.0.0.3]' at b
is 'without DNS' '' cat "$tmp/dns.log"
is 'an address without brackets is none' "$(lines 'ann@127.0.0.3 failed 5.1.2' '= 68')" go ann@127.0.0.3
is 'no domain, and no server' "$(lines 'postmaster failed 5.1.2' '= 68')" go postmaster
is 'no domain, and a server' "$(lines 'postmaster delivered 2.0.0' '= 0')" go -s 127.0.0.3 postmaster

is '--mx: all go to its hosts' "$(lines 'ann@gone.test delivered 2.0.0' 'bob@three.test delivered 2.0.0' '= 0')" \
	go --mx=refused.test ann@gone.test bob@three.test
is 'the second of them, at once' 'ann@gone.test bob@three.test' at a
is '--mx: null MX' '= 68' go --mx=null.test ann@one.test
is '--mx: no such domain' '= 68' go --mx=gone.test ann@one.test
is '--mx: nobody knows' '= 75' go --mx=broken.test ann@one.test
exits '--mx and -s' 64 send --mx=one.test -s 127.0.0.2 ann@one.test <"$msg"

is 'servers in order: the first' "$(lines 'ann@one.test delivered 2.0.0' '= 0')" go -s 127.0.0.3 -s 127.0.0.2 ann@one.test
is 'has it' ann@one.test at b
is 'servers in order: behind one that is away and one that is busy' "$(lines 'ann@one.test delivered 2.0.0' '= 0')" \
	go -s 127.0.0.7 -s 127.0.0.4 -s "unix:$tmp/none" -s 127.0.0.3 -s 127.0.0.2 ann@one.test
is 'has it, too' ann@one.test at b
is 'exec: behind one that is away' "$(lines 'ann@one.test delivered 2.0.0' '= 0')" \
	go -s 127.0.0.7 -s "exec:sink --stdio" ann@one.test
is 'a refusal is not taken to the next' "$(lines 'nobody@one.test failed 5.1.1' '= 67')" \
	go -s 127.0.0.2 -s 127.0.0.3 nobody@one.test
ok 'who heard nothing' test ! -s "$tmp/b.log"

if perl -MSocket=:all -e 'socket my $s, AF_INET6, SOCK_STREAM, 0 or exit 1;
	exit !bind $s, pack_sockaddr_in6(0, inet_pton(AF_INET6, "::1"))'
then
	host six "::1:$port"
	is '-6' "$(lines 'ann@both.test delivered 2.0.0' '= 0')" go -6 ann@both.test
	is 'goes to the AAAA' ann@both.test at six
	is '-4' "$(lines 'ann@both.test delivered 2.0.0' '= 0')" go -4 ann@both.test
	is 'goes to the A' ann@both.test at a
	is 'an IPv6 literal' "$(lines 'ann@[IPv6:::1] delivered 2.0.0' '= 0')" go 'ann@[IPv6:::1]'
	is 'is there' 'ann@[IPv6:::1]' at six
	is 'a literal of the other family' "$(lines 'ann@[IPv6:::1] deferred 4.4.1' '= 68')" go -4 'ann@[IPv6:::1]'
fi
exits '-4 and -6' 64 send -4 -6 ann@one.test <"$msg"

# what a server sees of us: it says so, and goes
perl -MIO::Socket::INET -e 'my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.8", Listen => 1) or die;
	open my $f, ">", "$ARGV[0].tmp"; print $f $l->sockport; close $f; rename "$ARGV[0].tmp", $ARGV[0];
	my $c = $l->accept; print $c "421 you are ", $c->peerhost, "\r\n"; <$c>' "$tmp/seen.port" &
pids="$pids $!"
wait_for test -s "$tmp/seen.port"
like '--bind' '421 you are 127\.0\.0\.9$' send --bind=127.0.0.9 -s "127.0.0.8:$(cat "$tmp/seen.port")" a@x.test <"$msg"

# ---- mixtures

is 'one that fails does not stop the others' "$(lines 'ann@one.test delivered 2.0.0' 'bob@broken.test deferred 4.4.3' \
	'eve@gone.test failed 5.1.2' 'joe@null.test failed 5.1.10' 'may@three.test delivered 2.0.0' '= 75')" \
	go eve@gone.test ann@one.test bob@broken.test joe@null.test may@three.test
is 'for good: the class of the first' "$(lines 'ann@three.test delivered 2.0.0' 'eve@gone.test failed 5.1.2' \
	'nobody@one.test failed 5.1.1' '= 68')" go ann@three.test eve@gone.test nobody@one.test
is 'later counts more' "$(lines 'ann@down.test deferred 4.4.1' 'eve@gone.test failed 5.1.2' '= 75')" \
	go eve@gone.test ann@down.test
is 'one host refuses one of two' "$(lines 'bob@two.test delivered 2.0.0' 'policy@one.test failed 5.7.1' '= 77')" \
	go policy@one.test bob@two.test
like 'who is told why' '^smtp-send: <eve@gone.test>: failed: gone.test' send -f a@x.test eve@gone.test <"$msg"

# many domains, none of which is there: what is kept of the first must last
many=$(perl -e 'print join " ", "u\@broken.test", (map { "u\@d$_.test" } 1 .. 40), "v\@broken.test"')
many() {
	# shellcheck disable=SC2086
	go $many >"$tmp/many"
	cut -d' ' -f2- "$tmp/many" | sort | uniq -c | sed 's/^ *//'
}
is 'forty domains that are not' "$(lines '1 75' '2 deferred 4.4.3' '40 failed 5.1.2')" many
is 'each has its own reason' 0 perl -F'\t' -lane '
	my ($d) = $F[1] =~ /@(.*)/; $bad++ if index($F[4], $d) < 0; END { print $bad + 0 }' "$tmp/got"

# ---- --dry-run

fresh
is 'each, where and why' "$(printf '%s\t%s\n' ann@one.test a.mx.test/10 eve@refused.test r.mx.test/10,a.mx.test/20 \
	'joe@[127.0.0.3]' 127.0.0.3/0 may@implicit.test implicit.test/0)" \
	send -n ann@one.test eve@refused.test 'joe@[127.0.0.3]' may@implicit.test
is 'and nobody hears of it' '' cat "$tmp/a.log" "$tmp/b.log"
like 'why not' '^u@null.test	-	5\.1\.10 null\.test' send -n u@null.test
exits 'null MX' 68 send -n u@null.test
exits 'nobody knows' 75 send -n u@null.test u@broken.test u@one.test
is 'a server is a server' "$(printf 'ann@one.test\t127.0.0.7,[::1]:25')" send -n -s 127.0.0.7 -s '[::1]:25' ann@one.test
is 'with -t' "$(printf 'ann@one.test\ta.mx.test/10')" \
	sh -c 'printf "To: ann@one.test\n\nhi\n" | smtp-send -t -n' -

# ---- records to several hosts

q=$tmp/q
mkdir -p "$q/new" "$q/cur" "$q/tmp"
# mail NAME RECIPIENT...: a message, and its record
mail() {
	n=$1
	shift
	{
		echo 'Return-Path: <s@x.test>'
		for r; do echo "Delivered-To: $r"; done
		printf 'Subject: %s\n\n%s\n' "$n" "${text:-hi}"
	} >"$q/new/$n"
	printf '%s/new/%s\ts@x.test' "$q" "$n"
	for r; do printf '\t%s' "$r"; done
	echo
}
# REF RECIPIENT FATE of each, sorted, and the exit status
records() {
	fresh
	send --records -q "$@" <"$tmp/rec" >"$tmp/got" 2>"$tmp/told"
	code=$?
	sed "s,$q/new/,," "$tmp/got" | cut -f1-3 | tr '\t' ' ' | sort
	echo "= $code"
}
{
	mail m1 ann@one.test bob@three.test
	mail m2 eve@gone.test ann@two.test
	mail m3 bob@three.test nobody@one.test
	mail m4 ann@broken.test
	mail m5 ann@one.test
} >"$tmp/rec"
is 'records, each recipient his way' "$(lines 'm1 ann@one.test delivered' 'm1 bob@three.test delivered' \
	'm2 ann@two.test delivered' 'm2 eve@gone.test failed' 'm3 bob@three.test delivered' \
	'm3 nobody@one.test failed' 'm4 ann@broken.test deferred' 'm5 ann@one.test delivered' '= 75')" records
is 'over one connection to each host' 1 grep -c CONNECT "$tmp/a.log"
is 'and to the other' 1 grep -c CONNECT "$tmp/b.log"
is 'letter by letter' "$(lines ann@one.test ann@two.test ann@one.test)" at a

{
	for i in 1 2 3; do mail "g$i" "u$i@mute.test"; done
	mail g4 ann@one.test
} >"$tmp/rec"
records --timeout=2s >"$tmp/sorted"
is 'a host that says nothing holds up none of the others' 'ann@one.test delivered' \
	sh -c 'head -n 1 "$1" | cut -f2,3 | tr "\t" " "' - "$tmp/got"
is 'and its own are told later' "$(lines 'g1 u1@mute.test deferred' 'g2 u2@mute.test deferred' \
	'g3 u3@mute.test deferred' 'g4 ann@one.test delivered' '= 75')" cat "$tmp/sorted"

for i in 1 2 3 4 5 6 7 8 9; do mail "c$i" "u$i@one.test"; done >"$tmp/rec"
fates() { sort "$tmp/got" | cut -f3 | uniq -c | sed 's/^ *//'; }
is '-c 3: all' "$(for i in 1 2 3 4 5 6 7 8 9; do echo "c$i u$i@one.test delivered"; done; echo '= 0')" records -c 3
is 'over three connections' 3 grep -c CONNECT "$tmp/a.log"
is 'each once' "$(for i in 1 2 3 4 5 6 7 8 9; do echo "u$i@one.test"; done)" rcpts_at a
exits '-c 0' 64 send -c 0 --records </dev/null
exits '-c 101' 64 send -c 101 --records </dev/null

# ---- how much is unanswered

# Answers when nothing more has come for a while, and notes how many whole
# messages it had then.
cat >"$tmp/hold.pl" <<'E2'
use strict; use warnings;
my ($log, $chunking) = @ARGV;
$| = 1;
my ($in, $n, @out, $text, $quit) = ('', 0);
sub out { print @_ }
out("220 hold.test\r\n");
vec(my $r = '', 0, 1) = 1;
while (1) {
	if (!select(my $ready = $r, undef, undef, @out ? .15 : undef)) {
		if ($n) { open my $f, '>>', $log or die; print $f "$n\n" }
		out(@out);
		exit if $quit;
		@out = ();
		$n = 0;
		next;
	}
	sysread STDIN, $in, 65536, length $in or last;
	while (1) {
		if ($text) {
			last unless $in =~ s/\A(?:.*?\r\n)?\.\r\n//s;
			($text, $n) = (0, $n + 1);
			push @out, "250 kept\r\n";
		}
		last unless $in =~ /\A(.*?)\r\n/;
		my $line = $1;
		if ($line =~ /^BDAT (\d+)( LAST)?/) {
			my ($len, $last) = (length($line) + 2 + $1, $2);
			last if length $in < $len;
			substr($in, 0, $len) = '';
			push @out, "250 kept\r\n";
			$n++ if $last;
			next;
		}
		substr($in, 0, length($line) + 2) = '';
		if ($line =~ /^EHLO/) {
			out("250-hold.test\r\n", $chunking ? "250-CHUNKING\r\n" : (), "250 PIPELINING\r\n");
		} elsif ($line eq 'DATA') {
			if ($n) { open my $f, '>>', $log or die; print $f "$n\n" }
			out(@out, "354 go\r\n");
			@out = ();
			($text, $n) = (1, 0);
		} elsif ($line eq 'QUIT') {
			$quit = 1;
			push @out, "221 bye\r\n";
		} else {
			push @out, "250 ok\r\n";
		}
	}
}
E2
text=$(perl -e 'print "x" x 60, "\n" for 1 .. 50')
for i in 1 2 3 4 5 6; do mail "f$i" "u$i@one.test"; done >"$tmp/rec"
text=
# held OPTION...: the most it had of them at a time
held() {
	: >"$tmp/hold.log"
	smtp-send --records -q -s "exec:perl $tmp/hold.pl $tmp/hold.log ${chunking-1}" "$@" <"$tmp/rec" >"$tmp/got" &&
		[ "$(cut -f3 "$tmp/got" | grep -c delivered)" = 6 ] && sort -n "$tmp/hold.log" | tail -1
}
is '--in-flight=1' 1 held --in-flight=1
is '--in-flight=2' 2 held --in-flight=2
is '--in-flight=8k: three of 3 kB' 3 held --in-flight=8k
is 'all of them, when nothing is said' 6 held
chunking=
is 'DATA: one text at a time' 1 held
chunking=1
for n in 0 0k -1 x; do exits "--in-flight=$n" 64 send --records --in-flight=$n </dev/null; done

# ---- what a session will not take

# sessions SINK-OPTIONS [OPTION...]: fates, and recipients of each transaction
sessions() {
	options=$1
	shift
	rm -rf "$tmp/x" "$tmp/x.log"
	smtp-send --records -q -s "exec:sink --stdio --log=$tmp/x.log --maildir=$tmp/x $options" "$@" <"$tmp/rec" >"$tmp/got" 2>"$tmp/told"
	code=$?
	fates
	echo "$(grep -c CONNECT "$tmp/x.log") sessions"
	# each letter once
	cat "$tmp"/x/new/* 2>/dev/null | grep '^Subject:' | sort | uniq -d
	return $code
}
# however many sessions it takes
one_each() { sessions "$@" | sed '/sessions/d'; }
seven() { for i in 1 2 3 4 5 6 7; do mail "s$i" "u$i@one.test"; done >"$tmp/rec"; }
seven
all='PIPELINING,CHUNKING,ENHANCEDSTATUSCODES,8BITMIME'
for ext in PIPELINING "$all" SIZE; do
	is "MAILMAX=2 ($ext)" "$(lines '7 delivered' '4 sessions')" sessions "'--ext=$ext,LIMITS MAILMAX=2' --max-mail=2"
	is "452 to the third MAIL ($ext)" "$(lines '7 delivered' '4 sessions')" sessions "--ext=$ext --max-mail=2"
	is "421 to the fourth MAIL ($ext)" "$(lines '7 delivered' '3 sessions')" \
		sessions "--ext=$ext '--max-mail=3:421 4.7.0 enough'"
done
for ext in PIPELINING SIZE; do
	is "a server that goes after ten replies ($ext)" '7 delivered' one_each "--ext=$ext --drop-after=10"
done
# their whole text was on its way: it may have been taken
is 'a server that goes after ten replies, and seven in flight' "$(lines '2 delivered' '5 deferred')" \
	one_each "--ext=$all --drop-after=10"
is 'which says so' 5 grep -c 'deferred	4.4.2	possible duplicate: ' "$tmp/got"
{ mail r1 a@one.test b@one.test c@two.test d@two.test e@three.test; } >"$tmp/rec"
tx() { perl -ne 'push @r, $1 if /^RCPT <(.*)> 250/; if (/^(DATA|BDAT) 250/) { print "@r\n"; @r = () }' "$tmp/x.log"; }
for ext in PIPELINING "$all"; do
	is "RCPTMAX=2 ($ext)" "$(lines '5 delivered' 'Subject: r1')" \
		one_each "'--ext=$ext,LIMITS RCPTMAX=2' --max-rcpt=2"
	is 'two at a time' "$(lines 'a@one.test b@one.test' 'c@two.test d@two.test' e@three.test)" tx
	is 'over one connection' 1 grep -c CONNECT "$tmp/x.log"
	is "RCPTDOMAINMAX=1 ($ext)" "$(lines '5 delivered' 'Subject: r1')" \
		one_each "'--ext=$ext,LIMITS RCPTDOMAINMAX=1'"
	is 'one domain at a time' "$(lines 'a@one.test b@one.test' 'c@two.test d@two.test' e@three.test)" tx
	is "452 behind three recipients ($ext)" "$(lines '5 delivered' 'Subject: r1')" \
		one_each "--ext=$ext --max-rcpt=3"
	is 'the rest behind' "$(lines 'a@one.test b@one.test c@two.test' 'd@two.test e@three.test')" tx
done
seven
is '421 at every session' "$(lines '7 deferred' '2 sessions')" echo \
	"$(sessions "'--max-mail=0:421 4.7.0 go away'")"
is '452 to every MAIL is no end of a session' "$(lines '7 deferred' '1 sessions')" echo \
	"$(sessions --max-mail=0)"

done_testing
