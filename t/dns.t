#!/bin/sh
# From a domain to hosts, addresses and TLSA records, asked of a name server.
. "${0%/*}/lib.sh"
LF='
'
hex=0123456789abcdef

own=$(perl -MSocket -e 'socket(S, PF_INET, SOCK_DGRAM, 0);
	connect(S, sockaddr_in(9, inet_aton("192.0.2.1"))) or exit;
	print inet_ntoa((sockaddr_in(getsockname(S)))[1])' 2>/dev/null)
case $own in 127.* | 0.0.0.0) own= ;; esac

cat >"$tmp/zone" <<E2
# hosts of the others
a.test		A 192.0.2.11
b.test		A 192.0.2.12
c.test		A 192.0.2.13
own.test	A ${own:-192.0.2.99}
zero.test	A 0.0.0.0
loopback.test	A 127.0.0.1

# MX: the order, CNAMEs, none, no such
one.test	MX 10 a.test
three.test	MX 30 c.test
three.test	MX 10 a.test
three.test	MX 20 b.test
even.test	MX 10 a.test
even.test	MX 10 b.test
even.test	MX 10 c.test
evener.test	MX 7 c.test
evener.test	MX 7 a.test
evener.test	MX 7 b.test
uneven.test	MX 5 a.test
uneven.test	MX 10 b.test
uneven.test	MX 10 c.test
xn--bcher-kva.test MX 10 a.test
alias.test	CNAME chain.test
chain.test	CNAME one.test
circle.test	CNAME elcric.test
elcric.test	CNAME circle.test
dangling.test	CNAME nowhere.test
aliased.test	MX 10 www.test
www.test	CNAME chain2.test
chain2.test	CNAME a.test
none.test	A 192.0.2.20
text.test	TXT "v=spf1" "-all"
null.test	MX 0 .
amongst.test	MX 0 .
amongst.test	MX 10 a.test
odd.test	RAW MX 0001 04 2d726d66 00
odd.test	RAW MX 0002 05 61200d0a62 04 74657374 00
odd.test	MX 10 a.test
onlyodd.test	RAW MX 0001 04 2d726d66 00
stray.test	STRAY other.test MX 1 evil.test
stray.test	MX 10 a.test
onlystray.test	STRAY other.test MX 1 evil.test
dotted.test	MX 10 a.test.

# failures
servfail.test	SERVFAIL
servfail.test	A 192.0.2.1
refused.test	REFUSED
silent.test	SILENT
garbage.test	GARBAGE
loop.test	LOOP
lame.test	LAME
notimp.test	NOTIMP
huge.test	HUGE
tc.test		TC
tc.test		MX 10 a.test
tcsilent.test	TCSILENT
tcsilent.test	MX 10 a.test
tcclose.test	TCCLOSE
tcclose.test	MX 10 a.test
noedns.test	NOEDNS
noedns.test	MX 10 a.test
forged.test	FORGED
forged.test	MX 10 a.test
drop.test	DROP
drop.test	MX 10 a.test

# ourselves
before.test	MX 10 a.test
before.test	MX 20 own.test
before.test	MX 20 b.test
before.test	MX 30 c.test
best.test	MX 10 own.test
best.test	MX 20 a.test
named.test	MX 10 a.test
named.test	MX 20 Us.Test
named.test	MX 30 c.test
us.test		A 192.0.2.30
implicit.test	A ${own:-192.0.2.99}
unspecified.test MX 10 zero.test
world.test	MX 10 loopback.test
unknown.test	MX 10 servfail.test
unknown.test	MX 20 silent.test
unknown.test	MX 30 own.test
unknown.test	MX 40 c.test
hostname.test	MX 10 a.test
hostname.test	MX 20 $(uname -n)

# addresses
both.test	A 192.0.2.1
both.test	A 192.0.2.2
both.test	A 192.0.2.3
both.test	AAAA 2001:db8::1
both.test	AAAA 2001:db8::2
half.test	A 192.0.2.1
half.test	SERVFAIL AAAA
gone.test	EMPTY A
gone.test	SERVFAIL AAAA
empty.test	TXT x
strayed.test	STRAY www.bank.test A 192.0.2.66
strayed.test	A 192.0.2.1
short.test	RAW A 7f0000
$(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	echo "many.test A 192.0.2.$i"; echo "many.test AAAA 2001:db8::$i"; done)

# DNSSEC
plain.test	MX 10 plain-host.test
plain-host.test	A 192.0.2.41
_25._tcp.plain-host.test TLSA 3 1 1 $hex
ad on
signed.test	MX 10 a.test
signed.test	A 192.0.2.40
signed.test	AAAA 2001:db8::40
signedalias.test CNAME signed.test
bare.test	A 192.0.2.41
toplain.test	CNAME plain.test
literal.test	MX 10 192.0.2.44
_25._tcp.signed.test TLSA 3 1 1 $hex
_25._tcp.signed.test TLSA 2 0 2 $hex
_366._tcp.signed.test TLSA 3 1 1 $hex
_25._tcp.alias.test CNAME _25._tcp.signed.test
_25._tcp.broken.test RAW TLSA 030101
_25._tcp.broken.test RAW TLSA -
_25._tcp.half.test RAW TLSA 0301
_25._tcp.half.test TLSA 0 0 0 $hex
_25._tcp.fail.test SERVFAIL
_25._tcp.silent.test SILENT
_25._tcp.nodata.test TXT x
mixed.test	A 192.0.2.45
ad off
mixed.test	AAAA 2001:db8::45
E2
sed -i 's/ RAW TLSA -$/ RAW TLSA/' "$tmp/zone"

# start NAME [OPTION...]: its port is in $tmp/NAME
start() {
	start_name=$1
	shift
	"$top/t/tool/dnsd" --port-file="$tmp/$start_name" --log="$tmp/log" "$@" "$tmp/zone" &
	servers="$servers $!"
	wait_for test -s "$tmp/$start_name"
}

servers=
trap 'kill $servers 2>/dev/null; rm -rf "$tmp"' EXIT
start dns
TIDEGATE_NAMESERVER=127.0.0.1:$(cat "$tmp/dns")
export TIDEGATE_NAMESERVER

# patient: never longer than a minute; short: with a deadline of half a second
patient() { timeout 60 route "$@"; }
short() { timeout 60 route --deadline=500 "$@"; }
sorted() { patient "$@" | sort; }
asked() { : >"$tmp/log"; "$@" >/dev/null 2>&1; cat "$tmp/log"; }

# fails NAME STATUS ERE COMMAND...
fails() {
	fails_name=$1 fails_status=$2 fails_words=$3
	shift 3
	exits "$fails_name" "$fails_status" "$@"
	cp "$tmp/.err" "$tmp/words"
	like "$fails_name: in words" "$fails_words" cat "$tmp/words"
}

# ---- 1, addresses and names

is 'a literal' '0 192.0.2.1 literal' patient mx '[192.0.2.1]'
is 'of IPv6' '0 2001:db8::1 literal' patient mx '[IPv6:2001:db8::1]'
is 'nobody is asked' '' asked patient mx '[192.0.2.1]'
is 'U-labels' '10 a.test' patient mx 'bücher.test'
is 'go out as A-labels' 'udp xn--bcher-kva.test MX edns ad' sh -c 'head -1 "$1"' - "$tmp/log"
is 'a dot at the end' '10 a.test' patient mx One.Test.
fails 'no domain' 68 '5\.1\.2 .*no domain name' patient mx 'a b.test'
fails 'an address without brackets' 68 '5\.1\.2 .*brackets' patient mx 192.0.2.1
fails 'a literal that is none' 68 '5\.1\.2 ' patient mx '[192.0.2]'
is 'one question, and the host for the loop check' \
	"udp one.test MX edns ad${LF}udp a.test A edns ad${LF}udp a.test AAAA edns ad" asked patient mx one.test
is 'no search list' 'udp nx MX edns ad' asked env LOCALDOMAIN=here.test RES_OPTIONS=ndots:5 route mx nx

# ---- 2, what is not there

fails 'NXDOMAIN' 68 'route: 5\.1\.2 nx.test: no such domain' patient mx nx.test
is 'no MX: the domain itself' '0 none.test' patient mx none.test
is 'not for want of an address' '0 text.test' patient mx text.test
fails 'SERVFAIL' 75 '4\.4\.3 servfail.test: .*SERVFAIL' patient mx servfail.test
is 'is no reason to ask for addresses' 'udp servfail.test MX edns ad' asked patient mx servfail.test
fails 'REFUSED' 75 '4\.4\.3 refused.test: .*REFUSED' patient mx refused.test
fails 'NOTIMP' 75 '4\.4\.3 notimp.test: .*NOTIMP' patient mx notimp.test
fails 'counts that are not true' 75 '4\.4\.3 garbage.test: a damaged answer' patient mx garbage.test
fails 'a host that points at itself' 75 '4\.4\.3 loop.test: a damaged answer' patient mx loop.test
fails 'a referral is no answer' 75 '4\.4\.3 lame.test: no answer' short mx lame.test
fails 'silence' 75 '4\.4\.3 silent.test: no answer' short mx silent.test
fails 'a deadline that has passed' 75 '4\.4\.3 ' timeout 60 route --deadline=0 mx silent.test
fails 'nobody there' 75 '4\.4\.3 one.test: no answer' env TIDEGATE_NAMESERVER=127.0.0.1:1 timeout 60 route mx one.test
fails 'a name server that is none' 78 '^route: .TIDEGATE_NAMESERVER' env TIDEGATE_NAMESERVER=x route mx one.test
fails 'nor for addresses' 78 'TIDEGATE_NAMESERVER' env TIDEGATE_NAMESERVER=1.2.3.4:x route addresses a.test
is 'a packet is lost' '10 a.test' timeout 60 route --deadline=30000 mx drop.test
is 'forged ones before it' '10 a.test' patient mx forged.test
is 'a server without EDNS' '10 a.test' patient mx noedns.test
: >"$tmp/log"
route mx silent.test >"$tmp/out" 2>"$tmp/err" &
pid=$!
wait_for grep -q silent.test "$tmp/log"
kill -TERM $pid
wait $pid
exits 'a signal ends the waiting' 75 sh -c 'exit "$1"' - $?
like 'and says so' 'silent.test: interrupted' cat "$tmp/err"

# ---- 3, CNAMEs

is 'CNAMEs in front of MX' '10 a.test' patient mx alias.test
fails 'in a circle' 75 '4\.4\.3 ' patient mx circle.test
fails 'to nowhere' 68 '5\.1\.2 ' patient mx dangling.test
is 'an MX host that is one' '10 www.test' patient mx aliased.test
is 'and its address' '192.0.2.11 of a.test' patient addresses www.test

# ---- 4 and 5, null MX and hosts without addresses

fails 'null MX' 68 '5\.1\.10 null.test: .*null MX' patient mx null.test
is 'is no reason to ask for addresses' 'udp null.test MX edns ad' asked patient mx null.test
is 'a null MX among others' '10 a.test' patient mx amongst.test
is 'names that are none' '10 a.test' patient mx odd.test
fails 'only such' 75 '4\.4\.3 ' patient mx onlyodd.test
is 'an MX of somebody else' '10 a.test' patient mx stray.test
is 'only of somebody else: none' '0 onlystray.test' patient mx onlystray.test

# ---- 6, order

is 'best first' "10 a.test${LF}20 b.test${LF}30 c.test" patient mx three.test
is 'equal ones, all of them' "10 a.test${LF}10 b.test${LF}10 c.test" sorted mx even.test
ok 'in no order' sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
	route mx even.test | head -1; done | sort -u | wc -l | grep -qx "[23]"'
is 'routes are the same' same patient same even.test evener.test
is 'or not' different patient same even.test uneven.test
is 'nor when one is secure' different patient same one.test signed.test
is 'at most fifty' 50 sh -c 'timeout 60 route mx huge.test | wc -l | tr -d " "'
is 'the families in turn' "2001:db8::1${LF}192.0.2.1${LF}2001:db8::2${LF}192.0.2.2${LF}192.0.2.3" \
	patient addresses both.test
is 'IPv4 only' "192.0.2.1${LF}192.0.2.2${LF}192.0.2.3" patient --family=4 addresses both.test
is 'is not asked for the other' 'udp both.test AAAA edns ad' asked patient --family=6 addresses both.test
is 'at most ten, five of each' '5 5' sh -c 'timeout 60 route addresses many.test >"$1"
	echo $(grep -c : "$1") $(grep -vc : "$1")' - "$tmp/many"
is 'one family fails' 192.0.2.1 patient addresses half.test
fails 'one fails, the other has none' 75 SERVFAIL patient addresses gone.test
fails 'no address' 68 'has no address' patient addresses empty.test
fails 'no such host' 68 'no such domain' patient addresses nx.test
fails 'nobody says' 75 SERVFAIL patient addresses servfail.test
fails 'in time' 75 'no answer' short addresses silent.test
is 'the address of somebody else' 192.0.2.1 patient addresses strayed.test
fails 'half an address' 75 'damaged' patient --family=4 addresses short.test
is 'an address is its own' '192.0.2.7 secure' patient addresses 192.0.2.7
is 'of IPv6, with a zone' 'fe80::1%lo secure' patient addresses fe80::1%lo
is 'nobody is asked for it' '' asked patient addresses 2001:db8::1
fails 'of the other family' 68 'IPv4' patient --family=4 addresses ::1
fails 'no short form' 68 'no such domain' patient addresses 127.1

# ---- 7, ourselves

is 'our name' '10 a.test' patient --helo=us.test mx named.test
is 'the name of the host' '10 a.test' patient mx hostname.test
fails 'our name only' 68 '^route: 5\.4\.6 ' patient --helo=us.test mx us.test
fails 'our literal' 68 '5\.4\.6 ' patient '--helo=[192.0.2.1]' mx '[192.0.2.1]'
fails '0.0.0.0' 68 '5\.4\.6 ' patient mx unspecified.test
fails '[0.0.0.0]' 68 '5\.4\.6 ' patient mx '[0.0.0.0]'
is 'loopback, while somebody plays the world there' '10 loopback.test' patient mx world.test
fails 'loopback otherwise' 68 '5\.4\.6 ' env -u TIDEGATE_NAMESERVER route mx '[127.0.0.1]'
fails 'of IPv6' 68 '5\.4\.6 ' env -u TIDEGATE_NAMESERVER route mx '[IPv6:::1]'
fails 'mapped' 68 '5\.4\.6 ' env -u TIDEGATE_NAMESERVER route mx '[IPv6:::ffff:127.0.0.1]'
if [ -n "$own" ]; then
	is 'our address' '10 a.test' patient mx before.test
	fails 'the best is our address' 68 '5\.4\.6 ' patient mx best.test
	fails 'no MX, and our address' 68 '5\.4\.6 ' patient mx implicit.test
	fails 'a literal of ours' 68 '5\.4\.6 ' patient mx "[$own]"
	fails 'mapped into IPv6' 68 '5\.4\.6 ' patient mx "[IPv6:::ffff:$own]"
	is 'behind hosts that cannot be looked up' "10 servfail.test${LF}20 silent.test" \
		env RES_OPTIONS='timeout:1 attempts:1' timeout 60 route mx unknown.test
fi

# ---- 8, over TCP

is 'cut over UDP' '10 a.test' patient mx tc.test
is 'asked over TCP' 'tcp tc.test MX edns ad' sh -c 'grep "^tcp tc.test" "$1" | head -1' - "$tmp/log"
fails 'silent over TCP' 75 '4\.4\.3 ' short mx tcsilent.test
fails 'cut over TCP' 75 '4\.4\.3 ' patient mx tcclose.test
is 'TCP from the beginning' '10 a.test' env RES_OPTIONS=use-vc timeout 60 route mx one.test

# ---- DNSSEC

is 'MX' '10 a.test secure' patient mx signed.test
is 'the answer that there is none' '0 bare.test secure' patient mx bare.test
is 'not so' '10 plain-host.test' patient mx plain.test
is 'a secure CNAME to what is not' '10 plain-host.test' patient mx toplain.test
is 'an address is not' '10 192.0.2.44 literal' patient mx literal.test
is 'addresses' "2001:db8::40 of signed.test secure${LF}192.0.2.40 of signed.test secure" \
	patient addresses signedalias.test
is 'of one family' '192.0.2.45 secure' patient --family=4 addresses mixed.test
is 'of both or not' "2001:db8::45${LF}192.0.2.45" patient addresses mixed.test
is 'TLSA' "3 1 1 $hex secure${LF}2 0 2 $hex secure" patient tlsa signed.test
is 'of another port' "3 1 1 $hex secure" patient --port=366 tlsa signed.test
is 'behind a CNAME' "3 1 1 $hex secure${LF}2 0 2 $hex secure" patient tlsa alias.test
is 'not secure' "3 1 1 $hex" patient tlsa plain-host.test
is 'no such' none patient tlsa nx.test
is 'no data' 'none secure' patient tlsa nodata.test
is 'malformed ones are there' "255 0 0  secure${LF}255 0 0  secure" patient tlsa broken.test
is 'among others' "255 0 0  secure${LF}0 0 0 $hex secure" patient tlsa half.test
fails 'SERVFAIL' 75 '_25._tcp.fail.test: .*SERVFAIL' patient tlsa fail.test
fails 'silence' 75 '_25._tcp.silent.test: no answer' short tlsa silent.test

# ---- who is trusted: resolv.conf's servers, off loopback

# elsewhere OPTIONS COMMAND...: with a name server on 192.0.2.53, port 53
elsewhere() {
	printf 'nameserver 192.0.2.53\n%s\n' "$1" >"$tmp/resolv.conf"
	shift
	unset TIDEGATE_NAMESERVER
	rm -f "$tmp/ns"
	export tmp
	unshare -rmn sh -c '
		mount --bind "$tmp/resolv.conf" /etc/resolv.conf && ip link set lo up &&
		ip addr add 192.0.2.53/32 dev lo || exit 99
		"$top/t/tool/dnsd" --listen=192.0.2.53:53 --port-file="$tmp/ns" "$tmp/zone" &
		until [ -s "$tmp/ns" ]; do perl -e "select undef, undef, undef, .05"; done
		timeout 60 "$@"
		code=$?
		kill $!
		exit $code' - "$@"
}
if (elsewhere '' true) >/dev/null 2>&1; then
	away() { (elsewhere "$@"); }
	is 'AD from elsewhere' '10 a.test' away '' route mx signed.test
	is 'trust-ad' '10 a.test secure' away 'options trust-ad' route mx signed.test
	is 'vouches not for the variable' '10 a.test' away 'options trust-ad' \
		env TIDEGATE_NAMESERVER=192.0.2.53 route mx signed.test
	is 'one of two is elsewhere' '10 a.test' away 'nameserver 127.0.0.1' route mx signed.test
	is 'the first is away' '10 a.test' away "options timeout:1${LF}nameserver ::1" \
		sh -c 'printf "nameserver ::1\nnameserver 192.0.2.53\n" >"$tmp/resolv.conf"; route mx signed.test'
fi

done_testing
