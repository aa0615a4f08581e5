#!/bin/sh
# smtp-send and one message: -t, the text as it must be or is made, LMTP, and how
# it comes in by stdin.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"

LF='
'
TAB=$(printf '\t')
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$tmp"' EXIT
lines() { printf '%s\n' "$@"; }
from() { file=$1; shift; "$@" <"$file"; }
msg=$tmp/msg
printf 'Subject: hi\n\nhi\n' >"$msg"

# sent SINK-OPTIONS SEND-OPTION...: to a new sink each time
log=$tmp/log
sent() {
	rm -rf "$log" "$tmp/kept"
	options=$1
	shift
	smtp-send --helo=client.test -s "exec:sink --stdio --log=$log --maildir=$tmp/kept $options" "$@"
}
to() { sed -n 's/^RCPT <\(.*\)> 250.*/\1/p' "$log"; }
kept() { sed '/^Delivered-To:/d; 1d' "$tmp"/kept/new/*; }
# fates SINK-OPTIONS SEND-OPTION...: RECIPIENT FATE STATUS, the exit status
fates() {
	sent "$@" --results -q >"$tmp/got" 2>"$tmp/told"
	code=$?
	cut -f2-4 "$tmp/got" | tr '\t' ' '
	echo "= $code"
}

# ---- -t

cat >"$tmp/t1" <<'E2'
Received: from nowhere
To: Ann <ann@x.test>, "Quoted, Name" <bob@x.test> (a comment, with a comma),
	eve@y.test
cc: friends: joe@x.test, "May (May) May" <may@y.test>;, undisclosed:;
Bcc: secret@z.test,
 hidden@z.test
Subject: Bcc: is a word here
X-Bcc: stays@x.test
BCC : old@z.test
X-Folded: a
 Bcc: not@x.test

Bcc: in the text@x.test
.
E2
cat >"$tmp/t1.want" <<'E2'
Received: from nowhere
To: Ann <ann@x.test>, "Quoted, Name" <bob@x.test> (a comment, with a comma),
	eve@y.test
cc: friends: joe@x.test, "May (May) May" <may@y.test>;, undisclosed:;
Subject: Bcc: is a word here
X-Bcc: stays@x.test
X-Folded: a
 Bcc: not@x.test

Bcc: in the text@x.test
.
E2
ok '-t' from "$tmp/t1" sent '' -f a@x.test -t
is 'all whom the header names' "$(lines ann@x.test bob@x.test eve@y.test joe@x.test may@y.test \
	secret@z.test hidden@z.test old@z.test)" to
kept >"$tmp/t1.got"
same 'nothing of Bcc is left, and all else as it was' "$tmp/t1.want" "$tmp/t1.got"
ok '-t from a pipe, by BDAT' sh -c 'cat "$1" | smtp-send -t -f a@x.test -s "exec:sink --stdio --maildir=$2 --ext=CHUNKING"' \
	- "$tmp/t1" "$tmp/kept2"
sed '/^Delivered-To:/d; 1d' "$tmp"/kept2/new/* >"$tmp/t1.got"
same 'likewise' "$tmp/t1.want" "$tmp/t1.got"

perl -pe 's/\n/\r\n/' "$tmp/t1" >"$tmp/t1.crlf"
ok '-t and CRLF' from "$tmp/t1.crlf" sent '' -f a@x.test -t
kept >"$tmp/t1.got"
same 'are the same' "$tmp/t1.want" "$tmp/t1.got"
is 'the size is that of what is sent' "$(perl -pe 's/\n/\r\n/' "$tmp/t1.want" | wc -c | tr -d ' ')" \
	sed -n 's/^DATA 250 //p' "$log"

from "$tmp/t1" sent '' -f a@x.test -t more@x.test ann@x.test
is 'those that are named, too, each once' "$(lines more@x.test ann@x.test bob@x.test eve@y.test joe@x.test may@y.test \
	secret@z.test hidden@z.test old@z.test)" to
cat >"$tmp/t2" <<'E2'
Resent-To: new@x.test
Resent-Bcc: newer@x.test
Resent-Cc: new2@x.test
Received: x
Resent-To: older@x.test
To: old@x.test
Bcc: hidden@x.test

hi
E2
from "$tmp/t2" sent '' -f a@x.test -t
is 'Resent-: those of the newest block' "$(lines new@x.test newer@x.test new2@x.test)" to
is 'no Bcc of any kind' 0 sh -c 'grep -ci bcc "$1"/new/*; :' - "$tmp/kept"
printf 'Subject: x\n\nTo: a@x.test\n' >"$tmp/t3"
exits 'nobody is named' 65 from "$tmp/t3" sent '' -f a@x.test -t
ok 'nobody is named but here' from "$tmp/t3" sent '' -f a@x.test -t b@y.test
printf 'To: a@x.test, "b@y\n\nhi\n' >"$tmp/t3"
exits 'what cannot be understood' 65 from "$tmp/t3" sent '' -f a@x.test -t
ok 'is not sent to half of them' test ! -e "$log"
printf 'To: -x@y.test, "a b"@y.test, "q\\"uote"@y.test\n\nhi\n' >"$tmp/t3"
is 'a dash is nothing there' "$(lines '-x@y.test delivered 2.0.0' '"a b"@y.test delivered 2.0.0' \
	'"q\x5C"uote"@y.test delivered 2.0.0' '= 0')" from "$tmp/t3" fates '' -f a@x.test -t
printf 'To: a@x.test\nX: \000nul\n\nBcc: x\n' >"$tmp/t3"
ok 'NUL in the header' from "$tmp/t3" sent '' -f a@x.test -t
is 'goes' "To: a@x.test${LF}X: nul${LF}${LF}Bcc: x" kept
printf '\nTo: a@x.test\n' >"$tmp/t3"
exits 'no header' 65 from "$tmp/t3" sent '' -f a@x.test -t
exits 'empty' 65 from /dev/null sent '' -f a@x.test -t
# a long text behind NULs in the header is no header
perl -e 'print "To: a\@x.test\nX: \0\n\n"; print "x" x 70, "\n" for 1 .. 20000' >"$tmp/t3"
ok 'the header ends where it ends' from "$tmp/t3" sent '' -f a@x.test -t

printf 'To: a@x.test\nX: a\rBcc: secret@z.test\n\nhi\n' >"$tmp/t3"
ok 'a Bcc behind a CR alone' from "$tmp/t3" sent '' -f a@x.test -t --repair
is 'does not come to light' "To: a@x.test${LF}X: a${LF}${LF}hi" kept

# ---- the text as it is, and mended

# fate_of FILE SINK-OPTIONS SEND-OPTION...: fate and status
fate_of() {
	f=$1
	shift
	from "$f" sent "$@" --results -q -f a@x.test b@y.test >"$tmp/got" 2>"$tmp/told"
	cut -f3,4 "$tmp/got" | tr '\t' ' '
}
code() { from "$1" sent "$2" -q -f a@x.test b@y.test; }
for end in 'S: x\n\na\nb\n' 'S: x\r\n\r\na\r\nb\r\n' 'S: x\r\n\na\nb\r\n'; do
	# shellcheck disable=SC2059
	printf "$end" >"$tmp/e1"
	is "line ends: $end" 'delivered 2.0.0' fate_of "$tmp/e1" ''
	is 'one text' "S: x$LF${LF}a${LF}b" kept
	is 'one size' 14 sed -n 's/^DATA 250 //p' "$log"
done
printf 'S: x\n\na\rb\r\r\nc\n' >"$tmp/e2"
is 'CR alone' 'failed 5.6.0' fate_of "$tmp/e2" ''
exits 'is 65' 65 code "$tmp/e2" ''
is 'CR alone, --repair' 'delivered 2.0.0' fate_of "$tmp/e2" '' --repair
is 'is a line end' "S: x$LF${LF}a${LF}b$LF${LF}c" kept
perl -e 'print "S: ", join(" ", ("word") x 300), "\nX: y\n\nhi\n"' >"$tmp/e3"
is 'a header line over 998' 'failed 5.6.0' fate_of "$tmp/e3" ''
is '--repair' 'delivered 2.0.0' fate_of "$tmp/e3" '' --repair
is 'folds it' "$(cat "$tmp/e3")" sh -c 'sed "1,2d" "$1"/new/* | perl -0pe "s/\n(?=[ \t])//g"' - "$tmp/kept"

# what Python reads out of it: the text of each part
cat >"$tmp/parts.py" <<'E2'
import email, sys
m = email.message_from_bytes(sys.stdin.buffer.read())
for p in m.walk():
    if not p.is_multipart():
        text = p.get_payload(decode=True).replace(b'\r\n', b'\n')
        print(p.get_content_type(), p.get_content_charset(), text)
E2
parts() { python3 "$tmp/parts.py"; }
python3 - "$tmp" <<'E2'
import sys
d = sys.argv[1]
plain = ('Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n'
         'Content-Transfer-Encoding: 8bit\n\ncaf\u00e9 = \u20ac \n.\n\n' + 'x' * 3000 + '\nend\n').encode()
multi = ('Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="=_b"\n\n'
         'preamble\n--=_b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n'
         'na\u00efve\n--=_b\nContent-Type: text/plain\n\nplain = plain \n--=_b\n'
         'Content-Type: application/octet-stream\nContent-Transfer-Encoding: 8bit\n\n\u00ff\u00fe\u0080\n'
         '--=_b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nw6kK\n--=_b--\n').encode('latin-1')
open(d + '/8plain', 'wb').write(plain)
open(d + '/8multi', 'wb').write(multi)
E2
for eight in 8plain 8multi; do
	perl -ne 'print if length() < 900' "$tmp/$eight" >"$tmp/$eight.short"
	is "$eight: no 8BITMIME" 'failed 5.6.3' fate_of "$tmp/$eight.short" '--ext=SIZE'
	exits 'is 65' 65 code "$tmp/$eight.short" --ext=SIZE
	is "$eight: --body-type=7bit" 'failed 5.6.3' fate_of "$tmp/$eight.short" '' --body-type=7bit
	is "$eight: 8BITMIME" 'delivered 2.0.0' fate_of "$tmp/$eight.short" ''
	like 'is said' '^MAIL .* BODY=8BITMIME' cat "$log"
	kept >"$tmp/8got"
	same 'as it is' "$tmp/$eight.short" "$tmp/8got"
	is "$eight: --repair has nothing to do" 'delivered 2.0.0' fate_of "$tmp/$eight.short" '' --repair
	kept >"$tmp/8got"
	same 'still' "$tmp/$eight.short" "$tmp/8got"
	from "$tmp/$eight" parts >"$tmp/8want"
	is "$eight: --repair" 'delivered 2.0.0' fate_of "$tmp/$eight" '--ext=SIZE' --repair
	exits 'without BODY' 1 grep BODY "$log"
	kept >"$tmp/8got"
	exits 'only ASCII' 1 sh -c 'LC_ALL=C grep "[^ -~	]" "$1"' - "$tmp/8got"
	exits 'no long line' 1 grep -E '.{999}' "$tmp/8got"
	is 'and Python reads the same' "$(cat "$tmp/8want")" from "$tmp/8got" parts
	is "$eight: --repair and --body-type=7bit" 'delivered 2.0.0' fate_of "$tmp/$eight" '' --repair --body-type=7bit
	exits 'only ASCII, too' 1 sh -c 'LC_ALL=C grep -h "[^ -~	]" "$1"/new/*' - "$tmp/kept"
done
printf 'Subject: caf\303\251\n\nhi\n' >"$tmp/h"
is 'a header of 8 bits cannot be mended' 'failed 5.6.3' fate_of "$tmp/h" --ext=SIZE --repair
is 'but sent with 8BITMIME' 'delivered 2.0.0' fate_of "$tmp/h" ''
is 'and with SMTPUTF8 where there is that' 'delivered 2.0.0' fate_of "$tmp/h" --ext=8BITMIME,SMTPUTF8
like 'which is said' '^MAIL <a@x.test> 250 BODY=8BITMIME SMTPUTF8$' cat "$log"
is '--body-type=8bitmime' 'delivered 2.0.0' fate_of "$msg" '' --body-type=8BITMIME
like 'is said of 7 bits' '^MAIL .* BODY=8BITMIME' cat "$log"
is 'where it is offered' 'delivered 2.0.0' fate_of "$msg" --ext=SIZE --body-type=8bitmime
exits '--body-type=x' 64 sent '' --body-type=x b@y.test <"$msg"

is 'over SIZE' 'failed 5.3.4' fate_of "$msg" "'--ext=SIZE 18'"
exits 'is 69' 69 code "$msg" "'--ext=SIZE 18'"
exits 'before MAIL' 1 grep MAIL "$log"
is 'just SIZE' 'delivered 2.0.0' fate_of "$msg" "'--ext=SIZE 19'"

is 'an empty message' 'delivered 2.0.0' fate_of /dev/null ''
is 'is empty' '' kept
is 'an empty message, BDAT' 'delivered 2.0.0' fate_of /dev/null --ext=CHUNKING
like 'BDAT 0' '^BDAT 250 0$' cat "$log"
printf 'no header here\n' >"$tmp/h"
is 'a message without a header' 'delivered 2.0.0' fate_of "$tmp/h" ''
is 'is as it was' 'no header here' kept
printf '\nonly a text\n' >"$tmp/h"
is 'a message that begins with its text' 'delivered 2.0.0' fate_of "$tmp/h" '' --repair
is 'is as it was, too' "${LF}only a text" kept
printf 'S: x\n\na\000b\n\000' >"$tmp/h"
is 'NUL octets' 'delivered 2.0.0' fate_of "$tmp/h" ''
kept >"$tmp/h.got"
printf 'S: x\n\na\000b\n\000\n' >"$tmp/h.want"
same 'go as they are' "$tmp/h.want" "$tmp/h.got"

# ---- addresses

exits '-x is an option, and none' 64 sent '' -x@y.test <"$msg"
exits '-x behind --, with a hint' 64 sent '' -f a@x.test -- -x@y.test <"$msg"
like 'which says' 'write <-x@y\.test>' sent '' -f a@x.test -- -x@y.test <"$msg"
is '<-x@y>' "$(lines '-x@y.test delivered 2.0.0' '= 0')" from "$msg" fates '' -f a@x.test '<-x@y.test>'
is 'blanks in quotes' "$(lines '"john doe"@y.test delivered 2.0.0' '"a\x5C"b"@y.test delivered 2.0.0' '= 0')" \
	from "$msg" fates '' -f '"a b"@x.test' '"john doe"@y.test' '"a\"b"@y.test'
like 'and for the sender' '^MAIL <"a b"@x.test> 250' cat "$log"
for a in 'john doe@y.test' 'a@b@c' 'a@y.test>' "a@y.test${LF}DATA" '"open@y.test' 'a..b@y.test' '@y.test' 'a@' ''; do
	exits "no address: $(printf '%s' "$a" | tr '\n' '|')" 64 sent '' -f x@x.test "$a" <"$msg"
done
ok 'nobody was called' test ! -e "$log"
utf8='--ext=PIPELINING,8BITMIME,SMTPUTF8,SIZE'
local8=$(printf 'b\303\274@b\303\274cher.test')
is 'SMTPUTF8' "$(lines "$local8 delivered 2.0.0" '= 0')" from "$msg" fates "$utf8" -f a@x.test "$local8"
like 'is said' '^MAIL <a@x.test> 250 .*SMTPUTF8' cat "$log"
is 'a domain alone needs none' "$(lines "$(printf 'b@b\303\274cher.test') delivered 2.0.0" '= 0')" \
	from "$msg" fates "$utf8" -f "$(printf 's@b\303\274cher.test')" "$(printf 'b@b\303\274cher.test')"
like 'nor the sender' '^MAIL <s@xn--bcher-kva.test> 250 SIZE=19$' cat "$log"
like 'as A-label' '^RCPT <b@xn--bcher-kva.test> 250$' cat "$log"
is 'a sender who needs it, and no SMTPUTF8' "$(lines 'b@y.test failed 5.6.7' '= 69')" \
	from "$msg" fates '' -f "$local8" b@y.test
is '--smtputf8' "$(lines 'b@y.test delivered 2.0.0' '= 0')" from "$msg" fates "$utf8" --smtputf8 -f a@x.test b@y.test
like 'is asked for' '^MAIL <a@x.test> 250 .*SMTPUTF8' cat "$log"
is '--smtputf8, not offered' "$(lines 'b@y.test failed 5.6.7' '= 69')" from "$msg" fates '' --smtputf8 -f a@x.test b@y.test

# ---- DSN

from "$msg" sent '' -N failure,DELAY -R full -V 'a+b=c d' --orcpt='rfc822;ann+x@first.test' -f a@x.test b@y.test
like 'RET and ENVID' '^MAIL <a@x.test> 250 SIZE=19 RET=FULL ENVID=a\+2Bb\+3Dc\+20d$' cat "$log"
like 'NOTIFY and ORCPT' '^RCPT <b@y.test> 250 NOTIFY=FAILURE,DELAY ORCPT=rfc822;ann\+2Bx@first.test$' cat "$log"
from "$msg" sent '' -N never -f a@x.test b@y.test c@y.test
is 'NEVER, for everybody' 2 grep -c '^RCPT .* NOTIFY=NEVER$' "$log"
from "$msg" sent --ext=SIZE -N never -R full -V x --orcpt='rfc822;a@b' -f a@x.test b@y.test
is 'not where it is not offered' "$(lines 'MAIL <a@x.test> 250 SIZE=19' 'RCPT <b@y.test> 250')" grep -E 'MAIL|RCPT' "$log"
for wrong in -Nsometimes -Nnever,delay '-Nfailure,' -Rhalf --envid= --orcpt=ann@x.test '--orcpt=;x' '--orcpt=rfc822;'; do
	exits "$wrong" 64 sent '' "$wrong" -f a@x.test b@y.test <"$msg"
done
exits '--orcpt for two' 64 sent '' '--orcpt=rfc822;a@b' -f a@x.test b@y.test c@y.test <"$msg"

# ---- LMTP

mixed="--lmtp '--refuse=no*:550 5.1.1 no such user' '--final=full*:452 4.2.2 full' '--final=bad*:554 5.6.0 bad'"
for ext in PIPELINING,ENHANCEDSTATUSCODES PIPELINING,CHUNKING SIZE; do
	is "LMTP: each his own reply ($ext)" "$(lines 'ann@y.test delivered 2.0.0' 'no@y.test failed 5.1.1' \
		'full@y.test deferred 4.2.2' 'bad@y.test failed 5.6.0' 'eve@y.test delivered 2.0.0' '= 75')" \
		from "$msg" fates "$mixed --ext=$ext" --lmtp -f a@x.test ann@y.test no@y.test full@y.test bad@y.test eve@y.test
done
is 'LHLO' 'LHLO client.test 250' grep HLO "$log"
is 'LMTP: everybody refused' "$(lines 'no@y.test failed 5.1.1' 'no2@y.test failed 5.1.1' '= 67')" \
	from "$msg" fates "$mixed" --lmtp -f a@x.test no@y.test no2@y.test
for ext in PIPELINING PIPELINING,CHUNKING; do
	is "LMTP: lost behind one of three replies ($ext)" "$(lines 'ann@y.test delivered 2.0.0' \
		'bob@y.test deferred 4.4.2' 'eve@y.test deferred 4.4.2' '= 75')" \
		from "$msg" fates "--lmtp --drop-verdict=1 --ext=$ext" --lmtp -f a@x.test ann@y.test bob@y.test eve@y.test
	is 'the others may have it' 2 grep -c "${TAB}4.4.2${TAB}possible duplicate: " "$tmp/got"
	is 'and it is not sent again' 1 grep -c CONNECT "$log"
	is "LMTP: lost before the first ($ext)" "$(lines 'ann@y.test deferred 4.4.2' '= 75')" \
		from "$msg" fates "--lmtp --drop-verdict=0 --ext=$ext" --lmtp -f a@x.test ann@y.test
done
is 'LMTP to an SMTP server' "$(lines 'ann@y.test deferred 4.4.1' '= 75')" from "$msg" fates '' --lmtp -f a@x.test ann@y.test
exits 'LMTP to nobody' 64 smtp-send --lmtp -f a@x.test b@y.test <"$msg"
exits 'LMTP on port 25' 64 smtp-send --lmtp -s 127.0.0.1 -f a@x.test b@y.test <"$msg"
perl -MIO::Socket::UNIX -e 'my $l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die;
	my $c = $l->accept; open STDIN, "<&", $c; open STDOUT, ">&", $c;
	exec "sink", "--stdio", "--lmtp", "--final=full*:452 4.2.2 full"' "$tmp/lmtp" &
pids="$pids $!"
wait_for listens "$tmp/lmtp"
is 'LMTP over a UNIX socket' "$(lines "ann@y.test${TAB}delivered" "full@y.test${TAB}deferred")" sh -c \
	'smtp-send --results -q --lmtp -s "unix:$1" -f a@x.test ann@y.test full@y.test | cut -f2,3' - "$tmp/lmtp" <"$msg"

# ---- how it comes in

without() { (TMPDIR=/nonexistent; export TMPDIR; "$@"); }
is 'a file is read in place' "$(lines 'b@y.test delivered 2.0.0' '= 0')" \
	from "$msg" without fates '' -f a@x.test b@y.test
piped() { perl -pe 1 "$msg" | "$@"; }
is 'a pipe is not' '= 74' piped without fates '' -f a@x.test b@y.test
mkdir "$tmp/room"
cat >"$tmp/looks" <<'E2'
#!/bin/sh
ls -A "$1/room" >"$1/room.seen"
exec sink --stdio "--maildir=$1/kept"
E2
chmod +x "$tmp/looks"
in_room() { (TMPDIR=$tmp/room; export TMPDIR; smtp-send -s "exec:$tmp/looks $tmp" -f a@x.test b@y.test); }
rm -rf "$tmp/kept"
ok 'a pipe goes into a file' piped in_room
is 'that nobody sees' '' cat "$tmp/room.seen"
is 'whole' "$(cat "$msg")" kept
no_room() { (ulimit -f 0; in_room) 2>&1 | cat; }
like 'where there is no room, the place is told' "keep the message from stdin in $tmp/room: " \
	piped no_room
closed() { "$@" <&-; }
exits 'no stdin at all' 74 closed sent '' -f a@x.test b@y.test
exits 'a directory' 74 from "$tmp" sent '' -f a@x.test b@y.test

# --stream: the second half is written when the first is there
chunk_came() { grep -q '^BDAT 250' "$log"; }
# halves OCTETS: of the first half
halves() {
	printf 'Subject: x\n\n'
	perl -e 'print "x" x 71, "\n" for 1 .. $ARGV[0] / 72' "$1"
	wait_for chunk_came && touch "$tmp/came"
	echo end
}
streams() {
	rm -f "$tmp/came" "$log"
	: >"$log"
	halves "$1" | smtp-send --stream --results --helo=client.test -f a@x.test b@y.test \
		-s "exec:sink --stdio --log=$log --maildir=$tmp/str --ext=PIPELINING,CHUNKING" >"$tmp/got" &&
		test -e "$tmp/came" && cut -f3 "$tmp/got"
}
is '--stream: much of it arrives before the end' delivered streams 200000
is 'with no size' 'MAIL <a@x.test> 250' grep MAIL "$log"
is 'whole' 'Subject: x 2778 end' sh -c 'cd "$1/new" && { sed -n 3p *; sed 1,4d * | wc -l; tail -n 1 *; } | xargs' - "$tmp/str"
is '--stream: little of it, too' delivered streams 700
is '--stream where there is no CHUNKING' "$(lines 'b@y.test delivered 2.0.0' '= 0')" piped fates '' --stream -f a@x.test b@y.test
is 'is the text' "$(cat "$msg")" kept
is '--stream: a CR alone' "$(lines 'b@y.test failed 5.6.0' '= 65')" \
	from "$tmp/e2" fates --ext=CHUNKING --stream -f a@x.test b@y.test
ok 'is not kept' sh -c '! ls "$1"/new/* 2>/dev/null' - "$tmp/kept"
is '--stream: 8 bits without 8BITMIME' "$(lines 'b@y.test failed 5.6.0' '= 65')" \
	from "$tmp/8plain.short" fates --ext=CHUNKING --stream -f a@x.test b@y.test
is '--stream: lost at the end' "$(lines 'b@y.test deferred 4.4.2' '= 75')" \
	piped fates '--ext=CHUNKING --drop-at=DOT' --stream -f a@x.test b@y.test
exits '--stream without a server' 64 smtp-send --stream -f a@x.test b@y.test <"$msg"
exits '--stream and -t' 64 sent '' --stream -t -f a@x.test b@y.test <"$msg"

# ---- 100 MB, in how much memory
case ${BUILD:-build} in
*asan*) ;;
*)
	cat >"$tmp/most.py" <<'E2'
import resource, subprocess, sys
r = subprocess.run(sys.argv[2:])
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(r.returncode, 'little' if most < int(sys.argv[1]) else 'up to %d kB' % most)
E2
	perl -e 'print "Subject: x\n\n"; my $l = ("x" x 75 . "\n") x 13797; print $l for 1 .. 100' >"$tmp/huge"
	# it is the client alone that is measured: the sink is somebody else's child
	sink --port-file="$tmp/port" --ext='SIZE 200000000,CHUNKING,PIPELINING' 2>/dev/null &
	pids="$pids $!"
	wait_for test -s "$tmp/port"
	most() { python3 "$tmp/most.py" 24000 smtp-send -s "127.0.0.1:$(cat "$tmp/port")" -f a@x.test b@y.test "$@"; }
	is '100 MB from a file' '0 little' from "$tmp/huge" most
	is '100 MB by DATA and -t' '0 little' from "$tmp/huge" most --no-chunking -t
	slurped() { perl -pe 1 "$tmp/huge" | most "$@"; }
	is '100 MB by --stream' '0 little' slurped --stream
	;;
esac

done_testing
