#!/bin/sh
# The tests' own SMTP server, and the player of conversations, against each other.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"

TALK_LOG=$tmp/talk.log
export TALK_LOG
mkfifo "$tmp/up"

# played SCRIPT SINK-OPTION...: talk is the client of one session with sink
played() {
	script=$1
	shift
	: >"$TALK_LOG"
	: >"$tmp/log"
	rm -rf "$tmp/md"
	# shellcheck disable=SC2086
	sink --stdio --log="$tmp/log" --maildir="$tmp/md" "$@" <"$tmp/up" |
		talk --client ${bite:+--bite=$bite} "$script" >"$tmp/up"
	[ ! -s "$TALK_LOG" ]
}

script() { cat >"$tmp/$1"; }
kept() { cat "$tmp"/md/new/*; }
count() { find "$tmp/md/new" -type f | wc -l | tr -d ' '; }

script plain <<'END'
S: 220 sink.test ESMTP
C: EHLO client.test
S: 250-sink.test
S: 250-PIPELINING
S: 250-SIZE 10000000
S: 250-8BITMIME
S: 250-ENHANCEDSTATUSCODES
S: 250-DSN
S: 250 HELP
C: MAIL FROM:<"a \\" >"@x.test> BODY=8BITMIME SIZE=40
C: RCPT TO:<b@y.test> NOTIFY=NEVER
C: RCPT TO:<nobody@y.test>
C: DATA
S: 250 2.1.0 ok
S: 250 2.1.5 ok
S: 550 5.1.1 no such user
S: 354 go ahead
C: Subject: dots
C: 
C: ..
C: ..two
C: caf\xc3\xa9
C: .
S: 250 2.0.0 kept
C: RSET
C: MAIL FROM:<>
C: RCPT TO:<c@y.test>
C: DATA
S: 250 2.0.0 ok
S: 250 2.1.0 ok
S: 250 2.1.5 ok
S: 354 go ahead
C: .
S: 250 2.0.0 kept
C: QUIT
S: 221 2.0.0 bye
END

for bite in 1 7 ''; do
	ok "two letters, in bites of ${bite:-all}" \
		played "$tmp/plain" '--refuse=no*:550 5.1.1 no such user'
	is 'are kept' 2 count
	is 'without CRLF and doubled dots, with their envelope' \
		"$(printf '%s\n' 'Return-Path: <"a \" >"@x.test>' \
		'Delivered-To: b@y.test' 'Subject: dots' '' . .two café)" \
		sh -c 'cat "$(grep -l dots "$1"/md/new/*)"' - "$tmp"
done
is 'the log' 'CONNECT
EHLO client.test 250
MAIL <"a \" >"@x.test> 250 BODY=8BITMIME SIZE=40
RCPT <b@y.test> 250 NOTIFY=NEVER
RCPT <nobody@y.test> 550
DATA 250 33
RSET 250
MAIL <> 250
RCPT <c@y.test> 250
DATA 250 0
QUIT 221' cat "$tmp/log"

# What the strict server refuses.
hello='S~ ^220
C: EHLO client.test
S~ ^250-sink
S: 250-8BITMIME
S: 250 HELP'
start="$hello
C: MAIL FROM:<a@x.test>
S~ ^250
C: RCPT TO:<b@y.test>
S~ ^250
C: DATA
S~ ^354"
refused() {
	name=$1
	shift
	printf '%s\n' "$@" >"$tmp/refused"
	ok "$name" played "$tmp/refused" --ext=8BITMIME
	is "$name: nothing is kept" 0 count
}
refused 'a bare LF in the text' "$start" 'C-: a\nb\r\n.\r\n' 'S~ ^554 5.5.2'
refused 'a bare CR in the text' "$start" 'C-: a\rb\r\n.\r\n' 'S~ ^554 5.5.2'
refused 'LF.LF is no end' "$start" 'C-: a\n.\nMAIL FROM:<c@z.test>\r\n.\r\n' 'S~ ^554 5.5.2'
refused 'CRLF.LF is no end' "$start" 'C-: a\r\n.\nb\r\n.\r\n' 'S~ ^554 5.5.2'
refused 'LF.CRLF is no end' "$start" 'C-: a\n.\r\nb\r\n.\r\n' 'S~ ^554 5.5.2'
refused 'CR CR LF' "$start" 'C-: a\r\r\n.\r\n' 'S~ ^554 5.5.2'
refused '8 bits undeclared' "$start" 'C: \xe9' 'C: .' 'S~ ^554 5.6.3'
refused 'a line of 999' "$start" "C: $(printf '%999s' x)" 'C: .' 'S~ ^554 5.6.0'
refused 'a bare LF ends no command' "$hello" 'C-: NOOP\nNOOP\r\n' 'S~ ^554' 'S~ ^250'
refused 'a parameter not offered' "$hello" 'C: MAIL FROM:<a@x.test> SIZE=3' 'S~ ^555'
refused 'a blank before the path' "$hello" 'C: MAIL FROM: <a@x.test>' 'S~ ^501'
refused 'SMTPUTF8 without saying so' "$hello" 'C: MAIL FROM:<\xc3\xa9@x.test>' 'S~ ^553'
refused 'pipelining that was not offered' "$hello" 'C-: RSET\r\nRSET\r\n' 'S~ ^554'
refused 'DATA without a recipient' "$hello" 'C: MAIL FROM:<a@x.test>' 'S~ ^250' 'C: DATA' 'S~ ^503'
refused 'BDAT not offered' "$hello" 'C: BDAT 0 LAST' 'S~ ^502'
refused 'a line without end' "$hello" "C-: $(printf '%5000s' x)" 'S~ ^500'
refused 'a text that breaks off' "$start" 'C: half' X
ok 'is in the log' grep -qx 'LOST DATA' "$tmp/log"

# What the options do.
script ehlo <<'END'
S: 554 go away
C: EHLO client.test
S~ ^502
C: HELO client.test
S~ ^250
C: QUIT
S~ ^221
END
ok 'no EHLO, another banner' played "$tmp/ehlo" --no-ehlo '--banner=554 go away'

script stages <<'END'
S~ ^220
C: EHLO client.test
S~ ^250-sink
S: 250-PIPELINING
S: 250 HELP
C: MAIL FROM:<bad@x.test>
S: 451 4.7.1 later
C: MAIL FROM:<a@x.test>
C: RCPT TO:<one@y.test>
C: RCPT TO:<two@y.test>
C: RCPT TO:<three@y.test>
C: DATA
S~ ^250
S~ ^250
S~ ^250
S: 452 4.5.3 too many recipients
S~ ^354
C: .
S: 452 4.3.1 full
C: MAIL FROM:<a@x.test>
C: RCPT TO:<nodata@y.test>
C: DATA
S~ ^250
S~ ^250
S: 550 5.7.1 no
END
ok 'a refusal at every stage' played "$tmp/stages" --ext=PIPELINING --max-rcpt=2 \
	'--refuse-mail=bad@*:451 4.7.1 later' '--final=two@*:452 4.3.1 full' \
	'--refuse-data=nodata@*:550 5.7.1 no'

script bdat <<'END'
S~ ^220
C: EHLO client.test
S~ ^250-sink
S: 250-PIPELINING
S: 250-CHUNKING
S: 250 HELP
C: MAIL FROM:<a@x.test>
C: RCPT TO:<b@y.test>
C: BDAT 3
C-: .a\r
C: BDAT 2 LAST
C-: \nb
S~ ^250
S~ ^250
S~ ^250
S: 250 2.0.0 kept
C: MAIL FROM:<a@x.test>
C: RCPT TO:<no@y.test>
C: BDAT 6 LAST
C-: QUIT\r\n
C: QUIT
S~ ^250
S~ ^550
S~ ^554
S~ ^221
END
for bite in 1 ''; do
	ok "BDAT, in bites of ${bite:-all}" played "$tmp/bdat" \
		--ext=PIPELINING,CHUNKING '--refuse=no@*:550 no'
	is 'is kept as it was' "$(printf '.a\nb.')" sh -c 'tail -n +3 "$1"/md/new/*; echo .' - "$tmp"
done

script gone <<'END'
S~ ^220
C: EHLO client.test
S~ ^250
S: 250 HELP
C: NOOP
END
ok 'it goes after N commands' played "$tmp/gone" --ext= --drop-after=1
ok 'it goes at a verb' played "$tmp/gone" --ext= --drop-at=NOOP
echo X >>"$tmp/gone"
ok 'it hangs at a verb' played "$tmp/gone" --ext= --hang-at=NOOP
ok 'and says so' grep -qx 'HANG NOOP' "$tmp/log"

# ETRN: no shell in between, and nothing that is no node.
mkfifo "$tmp/asked"
cat >"$tmp/ask" <<END
#!/bin/sh
echo "\$#:\$1" >"$tmp/asked"
END
chmod +x "$tmp/ask"
script etrn <<'END'
S~ ^220
C: EHLO client.test
S~ ^250-sink
S: 250-ETRN
S: 250 HELP
C: ETRN other.test
S: 459 4.7.1 no
C: ETRN $(id).test
S~ ^501
C: ETRN -x.test
S~ ^501
C: ETRN @customer.test
S~ ^250
C: QUIT
S~ ^221
END
cat "$tmp/asked" >"$tmp/answer" &
reader=$!
ok 'ETRN' played "$tmp/etrn" --ext= --etrn="$tmp/ask" '--etrn-reply=other.test:459 4.7.1 no'
wait "$reader"
is 'its program got the node' '1:@customer.test' cat "$tmp/answer"

# The player notices.
cat >"$tmp/script" <<'END'
# one
S: 220 here
C: EHLO x
B: .dot
END
noticed() { printf "$1" | talk "$tmp/script" >"$tmp/out" 2>"$tmp/err"; echo $? >"$tmp/code"; cat "$tmp/err"; }
is 'a conversation as written' '' noticed 'EHLO x\r\n..dot\r\n'
is 'was answered' "$(printf '220 here\r')" cat "$tmp/out"
like 'another line' 'script: line 3: wanted "EHLO x\\x0D\\x0A" got "HELO x\\x0D\\x0A"' noticed 'HELO x\r\n..dot\r\n'
is 'is a failure' 1 cat "$tmp/code"
ok 'and in the log' grep -q 'line 3' "$TALK_LOG"
like 'a line too few' 'line 4: wanted .* got "\(the end\)"' noticed 'EHLO x\r\n'
like 'a line too many' 'line 5: wanted "\(the end\)" got "NOOP' noticed 'EHLO x\r\n..dot\r\nNOOP\r\n'
like 'a bare LF' 'got "EHLO x\\x0A"' noticed 'EHLO x\n..dot\r\n'

# Over TCP: two clients at once, and TERM ends it all.
sink --port-file="$tmp/port" --log="$tmp/tcp" --maildir="$tmp/tcpmd" &
server=$!
wait_for test -s "$tmp/port"
cat >"$tmp/tcp.pl" <<'END'
use strict; use IO::Socket::INET;
my @c = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]") or die } 1, 2;
for my $c (reverse @c) {
	<$c> =~ /^220 / or die;
	print $c "HELO x\r\n"; <$c> =~ /^250/ or die;
}
for my $c (@c) {
	for ("MAIL FROM:<>", "RCPT TO:<x\@y.test>", "DATA") {
		print $c "$_\r\n"; <$c> =~ /^[23]5/ or die;
	}
	print $c "hi\r\n.\r\n"; <$c> =~ /^250/ or die;
}
print "good\n";
exec 'cat' if $ARGV[1];	# stays connected
END
is 'two clients at once' good perl "$tmp/tcp.pl" "$(cat "$tmp/port")"
is 'two letters' 2 sh -c 'ls "$1/tcpmd/new" | wc -l | tr -d " "' - "$tmp"
is 'nothing half written' '' ls "$tmp/tcpmd/tmp"
kill "$server"
wait "$server"
is 'TERM is a good end' 0 echo $?
exits 'an unknown option' 64 sink --colour=red

done_testing
