#!/bin/sh
# What carries an MTA's sessions to a customer who was turned round: smtp-send is the
# MTA here, sink the customer.
# shellcheck shell=sh disable=SC2086
. "$(dirname "$0")/lib.sh"

# begin OPTION... -- SINK-OPTION...: the splice waits for the MTA at $tmp/mta, until it is
# told that nobody comes any more
begin() {
	own=
	while [ "$1" != -- ]; do own="$own $1"; shift; done
	shift
	rm -rf "$tmp/md" "$tmp/mta" "$tmp/splice.out"
	: >"$tmp/log"
	splice --stop="$tmp/stop" --quiet=60000 $own --listen="unix:$tmp/mta" --domains='c.test @d.test' \
		sink --stdio --log="$tmp/log" --maildir="$tmp/md" "$@" \
		>"$tmp/splice.out" 2>"$tmp/splice.err" &
	carrier=$!
	wait_for begun
}
# it may be over already
begun() { [ -s "$tmp/splice.out" ] || listens "$tmp/mta"; }
mkfifo "$tmp/stop"
# what it said, and its status, once it is told; or of itself
finished() { echo 1<>"$tmp/stop"; ends; }
ends() { wait $carrier; carried=$?; cat "$tmp/splice.out"; return $carried; }
send() { smtp-send -s "unix:$tmp/mta" -f ann@x.test "$@"; }
verbs() { cut -d' ' -f1 "$tmp/log" | paste -sd ' ' -; }
count() { find "$tmp/md/new" -type f 2>/dev/null | wc -l | tr -d ' '; }
text() { printf 'Subject: %s\n\n.\n..dots\nhi\n' "$1"; }

begin --
text 1 | send bob@c.test
text 2 | send bob@sub.d.test eve@c.test
is 'two sessions, then QUIT' 'sessions 2 messages 2 refused 0' finished
is 'the customer saw one' 'CONNECT EHLO MAIL RCPT DATA RSET MAIL RCPT RCPT DATA RSET QUIT' \
	verbs
is 'both are there' 2 count
for f in "$tmp"/md/new/*; do sed -n '/^Subject/,$p' "$f"; done | sort >"$tmp/got"
{ text 1; text 2; } | sort >"$tmp/want"
same 'as they were sent' "$tmp/want" "$tmp/got"

begin --
for i in 1 2 3 4 5 6; do
	text $i | send bob@c.test &
	pids="${pids-} $!"
done
for p in $pids; do wait $p || echo "# a sender failed"; done
is 'six at the same time: one after the other' 'sessions 6 messages 6 refused 0' finished
is 'all are there' 6 count

begin --
exits 'mail for others: later' 75 sh -c 'echo | smtp-send -s "unix:$1" bob@other.test' - "$tmp/mta"
exits 'for him and for others: partly' 75 \
	sh -c 'echo | smtp-send -s "unix:$1" bob@other.test bob@c.test' - "$tmp/mta"
is 'nothing else happened' 'sessions 2 messages 1 refused 0' finished
exits 'the customer never heard of it' 1 grep other.test "$tmp/log"

begin -- --refuse='no*:550 5.1.1 nobody' --final='later*:451 4.2.0 later'
exits 'he refuses: as he says' 67 sh -c 'echo | smtp-send -s "unix:$1" no@c.test' - "$tmp/mta"
exits 'or wants it later' 75 sh -c 'echo | smtp-send -s "unix:$1" later@c.test' - "$tmp/mta"
is 'counted' 'sessions 2 messages 0 refused 1' finished

for at in MAIL RCPT DATA TEXT DOT; do
	begin -- --drop-at=$at
	exits "the customer is lost at $at: the MTA keeps it" 75 \
		sh -c 'echo | smtp-send -s "unix:$1" bob@c.test' - "$tmp/mta"
	finished >/dev/null
	is 'and it is told' 75 echo $carried
done

# in LMTP: each recipient his own reply
begin -- --ext=PIPELINING,CHUNKING --refuse='no*:550 5.1.1 nobody'
pids=
for i in 1 2 3 4 5 6; do
	text $i | send --lmtp "u$i@c.test" &
	pids="${pids-} $!"
done
for p in $pids; do wait $p || echo "# a sender failed"; done
text 7 | send --lmtp --results bob@c.test no@c.test x@other.test eve@sub.d.test 2>/dev/null >"$tmp/fates"
is 'in LMTP: all is carried' 'sessions 7 messages 7 refused 0' finished
is 'all are there' 7 count
is 'over one connection' '1 1' sh -c 'echo $(grep -c ^CONNECT "$0") $(grep -c ^QUIT "$0")' "$tmp/log"
is 'in chunks' '7 0' sh -c 'echo $(grep -c "^BDAT " "$0") $(grep -c ^DATA "$0")' "$tmp/log"
is 'each recipient has his fate' 'bob@c.test delivered
eve@sub.d.test delivered
no@c.test failed
x@other.test deferred' sh -c 'cut -f2,3 "$0" | tr "\t" " " | sort' "$tmp/fates"
for f in "$tmp"/md/new/*; do sed -n '/^Subject/,$p' "$f"; done | sort >"$tmp/got"
for i in 1 2 3 4 5 6 7; do text $i; done | sort >"$tmp/want"
same 'as they were sent' "$tmp/want" "$tmp/got"

begin --
for i in 1 2 3; do text $i | send --lmtp bob@c.test; done
is 'in LMTP to one without CHUNKING' 'sessions 3 messages 3 refused 0' finished
is 'as DATA' 3 grep -c '^DATA ' "$tmp/log"
for f in "$tmp"/md/new/*; do sed -n '/^Subject/,$p' "$f"; done | sort >"$tmp/got"
for i in 1 2 3; do text $i; done | sort >"$tmp/want"
same 'as they were sent' "$tmp/want" "$tmp/got"

perl -e 'print "Subject: big\n\n"; printf "line %07d\n.%s\n", $_, "x" x ($_ % 60) for 1 .. 25000' >"$tmp/big"
for how in '' --lmtp; do
	for ext in PIPELINING,CHUNKING ''; do
		begin -- --ext=$ext
		exits "over 1 MB ${how:-as it is}, ${ext:-without extensions}" 0 send $how bob@c.test <"$tmp/big"
		finished >/dev/null
		sed -n '/^Subject/,$p' "$tmp"/md/new/* >"$tmp/got"
		same 'whole' "$tmp/big" "$tmp/got"
	done
done

begin -- --drop-at=DOT
exits 'in LMTP: the customer is lost at the end of the text' 75 \
	sh -c 'echo | smtp-send --lmtp -s "unix:$1" bob@c.test' - "$tmp/mta"
finished >/dev/null
is 'and it is told' 75 echo $carried

begin -- --banner='554 go away'
finished >/dev/null
is 'no greeting: later' 75 echo $carried

# who is still there when all that was expected has been answered is sent home
begin --expected=2 --quiet=90000 --deadline=30000 --
text 1 | send bob@c.test
perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new($ARGV[0]) or exit 1;
	print $s "LHLO x.test\r\nMAIL FROM:<>\r\nRCPT TO:<b\@c.test>\r\nDATA\r\n";
	while (<$s>) { last if /^354/ }
	print $s "x\r\n.\r\n"; print <$s>' "$tmp/mta" >"$tmp/said"
is 'all that was expected came: QUIT' 'sessions 2 messages 2 refused 0' ends
like 'and goodbye to the MTA' '^421 4.3.2 that was all' cat "$tmp/said"
begin --expected=3 --quiet=500 --
text 1 | send bob@c.test
is 'not all came: it is quiet' 'sessions 1 messages 1 refused 0' ends

begin --first=300 --
is 'no session comes: QUIT' 'sessions 0 messages 0 refused 0' ends
is 'nothing but that' 'CONNECT EHLO QUIT' verbs

begin --near=300 --quiet=300 --
perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new($ARGV[0]) or exit 1; print <$s>' \
	"$tmp/mta" >"$tmp/said"
is 'an MTA that says nothing is sent away' 'sessions 1 messages 0 refused 0' finished
like 'with a 421' '^421 ' cat "$tmp/said"

# torn within the text: the customer gets no end of it
begin --
perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new($ARGV[0]) or exit 1;
	print $s "EHLO x.test\r\nMAIL FROM:<>\r\nRCPT TO:<b\@c.test>\r\nDATA\r\n";
	while (<$s>) { last if /^354/ }
	print $s "half a line"' "$tmp/mta"
finished >/dev/null
is 'the MTA is gone within the text' 75 echo $carried
is 'nothing was kept' 0 count

like 'only a loopback address' 'others could reach that; it is an address of loopback' \
	splice --listen=192.0.2.1:2525 --domains=c.test true
done_testing
