#!/bin/sh
# etrn-request: every server, every node, every reply.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"

TAB=$(printf '\t')
LF='
'
log=$tmp/log

# asked SINK-OPTIONS WORD...: one server; the log is new each time
asked() {
	rm -f "$log"
	options=$1
	shift
	etrn-request --helo=client.test -s "exec:sink --stdio --log=$log --ext=ETRN $options" "$@"
}
# row REPLY NODE: CODE COUNT of the result line, and the exit status
row() {
	asked "'--etrn-reply=*:$1'" --results -q "$2" >"$tmp/o"
	code=$?
	echo "$(cut -f2-4 "$tmp/o" | tr '\t' ' ') $code"
}

is '250' 'x.test 250 - 0' row '250 Queuing started' x.test
is '251: no mail is no failure' 'x.test 251 0 0' row '251 no messages waiting for node x.test' x.test
is '252' 'x.test 252 - 0' row '252 OK, pending messages for node x.test started' x.test
is '253 counts' 'x.test 253 14 0' row '253 OK, 14 pending messages for node x.test started' x.test
is '253 with an enhanced code' 'x.test 253 3 0' row '253 2.0.0 OK, 3 pending messages for node x.test started' x.test
is '253 without a number' 'x.test 253 - 0' row '253 OK' x.test
is '253 with one too large' 'x.test 253 - 0' row '253 OK, 99999999999999999999 messages' x.test
is '458' 'x.test 458 - 75' row '458 Unable to queue messages for node x.test' x.test
is '459' 'x.test 459 - 77' row '459 <x.test>: service unavailable' x.test
is '500' 'x.test 500 - 69' row '500 what?' x.test
is '502' 'x.test 502 - 69' row '502 not implemented' x.test
is '501' 'x.test 501 - 64' row '501 parameter' x.test
is '501 of Exim' 'x.test 501 - 69' row '501 argument must begin with #' x.test
is '503' 'x.test 503 - 76' row '503 say EHLO first' x.test
is '530' 'x.test 530 - 77' row '530 5.7.0 log in' x.test
is '550' 'x.test 550 - 77' row '550 no' x.test
is '554' 'x.test 554 - 77' row '554 5.7.1 Etrn command rejected' x.test
is '451, which no RFC names' 'x.test 451 - 75' row '451 later' x.test
is '555 likewise' 'x.test 555 - 69' row '555 no' x.test
is '354 likewise' 'x.test 354 - 76' row '354 go' x.test
is '421' 'x.test 421 - 75' row '421 4.7.0 too many errors' x.test

is 'silent on success' '' asked '' x.test
is 'what was said' "CONNECT${LF}EHLO client.test 250${LF}ETRN x.test 250${LF}QUIT 221" cat "$log"
like 'a refusal, and a hint' '^etrn-request: exec:sink .*: ETRN x.test: 459 no \(.*asking again will not help\)$' \
	asked "'--etrn-reply=*:459 no'" x.test
like 'a hint for Exim' '501 argument must begin with # \(write #domain for this server\)$' \
	asked "'--etrn-reply=*:501 argument must begin with #'" x.test
like 'a hint at 530' '530 log in \(it wants us to log in\)$' asked "'--etrn-reply=*:530 log in'" x.test
like 'a loss' 'ETRN x.test: exec:sink .*: the server closed the connection' asked --drop-at=ETRN x.test
exits 'is 75' 75 asked --drop-at=ETRN x.test
rm "$log"
exits 'no ETRN there: 69' 69 etrn-request -s "exec:sink --stdio --log=$log" x.test
exits 'and it is not asked' 1 grep -q "^ETRN" "$log"
exits '--force asks' 69 etrn-request --force -s "exec:sink --stdio --log=$log" x.test
like 'indeed' '^ETRN x.test 502' cat "$log"
exits 'after HELO there is none' 69 asked --no-ehlo x.test

# ---- nodes

is 'all kinds of nodes' 'x.test
@y.test
#queue
xn--bcher-kva.test
@xn--bcher-kva.test
z.test' sh -c '"$@" | cut -f2' - etrn-request --results -s 'exec:sink --stdio --ext=ETRN' \
	x.test @Y.Test '#queue' "$(printf 'b\303\274cher.test')" "$(printf '@B\303\234CHER.test')" z.test.
cat >"$tmp/nodes" <<'E2'
# our domains
x.test

   @y.test	
#queue
## more of a comment
#	and this
z.test
E2
listed() { asked '' --results "$@" | cut -f2; }
is '--nodes-from' "x.test$LF@y.test$LF#queue${LF}z.test" listed --nodes-from="$tmp/nodes"
is 'after those of the command line' "w.test${LF}x.test$LF@y.test$LF#queue${LF}z.test" \
	listed w.test --nodes-from="$tmp/nodes"
from_stdin() { printf 'x.test\nlast.test' | listed --nodes-from=-; }
is 'from stdin' "x.test${LF}last.test" from_stdin
printf 'x.test\r\ny.test\r\n' >"$tmp/dos"
is 'with CRLF' "x.test${LF}y.test" listed --nodes-from="$tmp/dos"
exits 'a file that is not there' 74 asked '' --nodes-from="$tmp/no"
ok 'is noticed first' test ! -e "$log"
exits 'no nodes in it' 64 asked '' --nodes-from=/dev/null
mkdir "$tmp/md" "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp"
exits '--local-domains and none is known' 69 asked '' --local-domains --spool="maildir:$tmp/md"
like 'and why' 'names no domain of its own' asked '' --local-domains --spool="maildir:$tmp/md"
exits '--local-domains of a queue that is not there' 74 asked '' --local-domains --spool=postfix:/nowhere

is '--dry-run' "exec:touch $tmp/touched${TAB}ETRN x.test${LF}exec:touch $tmp/touched${TAB}ETRN @y.test" \
	etrn-request -n -s "exec:touch $tmp/touched" x.test @y.test
ok 'talks to nobody' test ! -e "$tmp/touched"

# Wrong ones are told before anybody is talked to.
long=$(printf '%064d' 0).test
for node in '' - -x -x.test 'a b' 'a..b' .a '@' '#' '#a b' 'u@x.test' '<x.test>' '*' '[192.0.2.1]' \
    "$long" "x.test${LF}QUIT" "$(printf 'x.test\r')" "$(printf 'b\374cher.test')" "$(printf 'x\001y')"; do
	exits "64: $(printf %s "$node" | tr '\001\n\r\374' '....')" 64 \
		etrn-request -s "exec:touch $tmp/touched" -- good.test "$node"
	ok 'nobody was talked to' test ! -e "$tmp/touched"
	[ -n "$node" ] || continue
	printf '%s\n' good.test "$node" >"$tmp/bad"
	case $node in
	*"$LF"*|*"$(printf '\r')") continue ;;
	esac
	[ "$node" = '#' ] && continue	# a comment
	exits 'nor from a file' 64 etrn-request -s "exec:touch $tmp/touched" --nodes-from="$tmp/bad"
	ok 'nobody was talked to' test ! -e "$tmp/touched"
done
exits 'no node' 64 etrn-request -s "exec:touch $tmp/touched"
exits 'no server' 64 etrn-request x.test

# ---- many

mixed="'--etrn-reply=no*:459 no' '--etrn-reply=later*:458 later' '--etrn-reply=odd*:500 odd'"
exits 'the first refusal counts' 77 asked "$mixed" x.test no.test odd.test
exits 'later counts more' 75 asked "$mixed" no.test later.test x.test
is 'all were asked' 3 grep -c ETRN "$log"
exits 'every server is asked' 77 etrn-request -q -s "exec:sink --stdio --ext=ETRN --log=$tmp/l1 '--etrn-reply=*:459 no'" \
	-s "exec:sink --stdio --ext=ETRN --log=$tmp/l2" x.test y.test
is 'the first for both' 2 grep -c ETRN "$tmp/l1"
is 'the second for both' 2 grep -c ETRN "$tmp/l2"
exits 'one that is away' 75 etrn-request -q -s "unix:$tmp/no" -s "exec:sink --stdio --ext=ETRN --log=$tmp/l3" x.test y.test
is 'does not keep us from the next' 2 grep -c ETRN "$tmp/l3"
away() { etrn-request -q --results -s "unix:$tmp/no" x.test y.test | cut -f1-4; }
is 'and has its lines' "unix:$tmp/no${TAB}x.test${TAB}-${TAB}-${LF}unix:$tmp/no${TAB}y.test${TAB}-${TAB}-" away

nodes=$(i=0; while [ $i -lt 17 ]; do i=$((i + 1)); echo "n$i.test"; done)
# shellcheck disable=SC2086
ok 'seventeen nodes' asked '' $nodes
is 'three connections' 3 grep -c EHLO "$log"
is 'every node once' 17 sh -c 'grep ETRN "$1" | sort -u | wc -l | tr -d " "' - "$log"
is 'QUIT on each' 3 grep -c QUIT "$log"
exits 'a server that hangs up after three' 75 asked --drop-after=3 --results -q a.test b.test c.test d.test e.test
cp "$tmp/.out" "$tmp/o"
is 'those answered, and those not: no code is made up' \
	"a.test 250${LF}b.test 250${LF}c.test -${LF}d.test 250${LF}e.test 250" \
	sh -c 'cut -f2,3 "$1" | tr "\t" " "' - "$tmp/o"
# shellcheck disable=SC2086
exits 'a server that always hangs up' 75 asked --drop-after=1 -q $nodes
is 'is left alone after two connections' 2 grep -c CONNECT "$log"
exits 'one that flags a flood' 75 asked "'--etrn-reply=b*:421 too many'" -q --results a.test b.test c.test
fd_peer() {
	perl -e '
	use Socket; use Fcntl;
	socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0 or die;
	if (!fork) {
		close $a;
		open STDIN, "<&", $b; open STDOUT, ">&", $b;
		exec "sink", "--stdio", "--ext=ETRN";
	}
	close $b;
	fcntl $a, F_SETFD, 0;
	my $n = fileno $a;
	exec "etrn-request", "-q", "--results", "-s", "fd:$n", @ARGV' "$@"
}
# shellcheck disable=SC2086
exits 'an fd is one connection' 75 fd_peer $nodes
cp "$tmp/.out" "$tmp/o"
is 'with eight nodes' 8 grep -c "${TAB}250${TAB}" "$tmp/o"
is 'the others have their lines' 9 grep -c "not asked" "$tmp/o"

json() {
	asked "'--etrn-reply=n*:253 OK, 7 pending \"x\" \\' for it' '--etrn-reply=r*:459 no'" -j -q n.test r.test y.test |
		python3 -c '
import json, sys
for l in sys.stdin:
	a = json.loads(l)
	print(a["node"], a["code"], a.get("count"), a["status"], a["server"][:9])'
}
is 'JSON' "n.test 253 7 0 exec:sink${LF}r.test 459 None 77 exec:sink${LF}y.test 250 None 0 exec:sink" json
exits 'answers that cannot be written' 74 sh -c '"$@" >/dev/full' - etrn-request --results \
	-s 'exec:sink --stdio --ext=ETRN' x.test
like 'the dialogue' '^ +[0-9.]+  -> ETRN x.test$' asked '' -v x.test

# ---- --mx

cat >"$tmp/zone" <<'E2'
two.test MX 20 127.0.0.2
two.test MX 10 127.0.0.1
order.test MX 30 127.0.0.4
order.test MX 10 127.0.0.2
order.test MX 20 127.0.0.3
ours.test MX 10 127.0.0.1
ours.test MX 20 localhost
null.test MX 0 .
fail.test SERVFAIL
refused.test REFUSED
bad.test GARBAGE
evil.test RAW MX 000a 082d6f6f70733b726d 00
E2
"$top/t/tool/dnsd" --port-file="$tmp/dns" "$tmp/zone" &
dns=$!
sink --listen=127.0.0.2:0 --port-file="$tmp/port" --ext=ETRN --log="$tmp/sink.log" >/dev/null &
sink=$!
trap 'kill $dns $sink 2>/dev/null; rm -rf "$tmp"' EXIT
wait_for test -s "$tmp/dns"
wait_for test -s "$tmp/port"
TIDEGATE_NAMESERVER=127.0.0.1:$(cat "$tmp/dns")
port=$(cat "$tmp/port")
export TIDEGATE_NAMESERVER
is 'the MX hosts but ourselves' "127.0.0.2${TAB}ETRN x.test" etrn-request -n --mx=two.test x.test
is 'best first' "127.0.0.2${LF}127.0.0.3${LF}127.0.0.4" sh -c '"$@" | cut -f1' - etrn-request -n --mx=order.test x.test
is 'is asked' "[127.0.0.2]:$port${TAB}x.test${TAB}250" \
	sh -c 'etrn-request -p "$1" --results --mx=Two.Test. x.test | cut -f1-3' - "$port"
exits 'each of them, although one is away' 75 etrn-request -q -p "$port" --mx=order.test x.test
is 'both times' 2 grep -c 'ETRN x.test' "$tmp/sink.log"
exits 'no host but ourselves: 68' 68 etrn-request --mx=ours.test x.test
exits 'null MX: 68' 68 etrn-request --mx=null.test x.test
exits 'NXDOMAIN: 68' 68 etrn-request --mx=nx.test x.test
exits 'SERVFAIL: 75' 75 etrn-request --mx=fail.test x.test
exits 'REFUSED: 75' 75 etrn-request --mx=refused.test x.test
exits 'a damaged answer: 75' 75 etrn-request --mx=bad.test x.test
exits 'a host that is no name: 75' 75 etrn-request --mx=evil.test x.test
exits 'smtp-send: NXDOMAIN: 68' 68 smtp-send --mx=nx.test -f a@x.test b@y.test </dev/null
exits '--mx is no domain: 64' 64 etrn-request '--mx=a b' x.test
exits '--mx and --server: 64' 64 etrn-request --mx=two.test -s fd:9 x.test
exits 'a name server that is none: 78' 78 env TIDEGATE_NAMESERVER=x etrn-request --mx=two.test x.test

done_testing
