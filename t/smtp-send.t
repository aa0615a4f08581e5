#!/bin/sh
# smtp-send: over the conversations of t/talk, against sink, with and without records.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"

TAB=$(printf '\t')
LF='
'
msg=$tmp/msg
printf 'Subject: hi\n\nhi\n' >"$msg"

# ---- the conversations that test the engine, now with the tool

# From a script: the command's words, the message, the results; 1: not for a tool.
cat >"$tmp/plan.pl" <<'E2'
my ($script, $dir) = @ARGV;
my (@args, @order, %want, $msg, $last, $done);
open my $f, '<', $script or die;
while (<$f>) {
	chomp;
	exit 1 if /^# engine only/ || /^! (helo|etrn|atrn|turn|try|starttls|auth|rset)/ || (/^! send/ && @order);
	push @args, '--lmtp' if /^! lmtp/;
	push @args, '--no-chunking' if /^! data/;
	if (/^! send (\S+) (.*)/) {
		push @args, '-f', $1;
		for (split / /, $2) {
			if (/^notify=(.*)/) { push @args, '-N', $1 }
			elsif (/^ret=(.*)/) { push @args, '-R', $1 }
			elsif (/^envid=(.*)/) { push @args, '-V', $1 }
			elsif (/@/) { push @args, $_; push @order, $_ }
		}
	}
	if (/^B: ?(.*)/ && !$done) {
		my $l = $1;
		$l =~ s/\\x(..)/chr hex $1/ge;
		$msg .= "$l\n";
	}
	$last = 1 if /^C: BDAT .* LAST/;
	$done = 1 if $_ eq 'C: .' || ($last && /^S: /);
	$want{$1} = $2 if /^= (\S+@\S+) (.*)/;
}
exit 1 unless @order;
sub put { open my $o, '>', "$dir/$_[0]" or die; print $o $_[1]; close $o }
put('args', join('', map { "$_\n" } @args));
put('text', $msg // '');
my $lines = '';
for (@order) {
	my ($fate, $status, $text) = split / /, $want{$_}, 3;
	$text =~ s/([\x00-\x1f\x7f\\])/sprintf '\x%02X', ord $1/ge;
	$lines .= join("\t", '-', $_, $fate, $status, $text) . "\n";
}
put('want', $lines);
E2

# The same outcome, whoever said it and however the line died.
plain_results() {
	sed -e 's/exec:talk [^:]*: //' \
	    -e 's/the server closed the connection (waiting for the .*)/the line is dead/' \
	    -e 's/receive: Connection reset by peer (waiting.*)/the line is dead/'
}

# talked SCRIPT [--bite=N]
talked() {
	: >"$TALK_LOG"
	LF1=$IFS IFS=$LF
	# shellcheck disable=SC2046
	set -- "$@" -- $(cat "$tmp/args")
	IFS=$LF1
	script=$1 bite=$2
	shift 3
	smtp-send --helo=client.test -s "exec:talk $bite $script" --results "$@" \
		<"$tmp/text" >"$tmp/raw" 2>"$tmp/said"
	plain_results <"$tmp/raw" | sort >"$tmp/got"
	cat "$TALK_LOG" "$tmp/said" >&2
	diff -u "$tmp/want" "$tmp/got" && [ ! -s "$TALK_LOG" ]
}

TALK_LOG=$tmp/talk.log
export TALK_LOG
for script in "$top"/t/talk/*.talk; do
	perl "$tmp/plan.pl" "$script" "$tmp" || continue
	sort "$tmp/want" -o "$tmp/want"
	ok "talk: ${script##*/}" talked "$script" --bite=3
done

# ---- one message

# sent SINK-OPTIONS SEND-OPTION...: the log is new each time
log=$tmp/log
sent() {
	rm -f "$log"
	options=$1
	shift
	smtp-send --helo=client.test -s "exec:sink --stdio --log=$log $options" "$@"
}
from() { file=$1; shift; "$@" <"$file"; }
one() { from "$msg" sent "$@"; }

is 'silent on success' '' one "--maildir=$tmp/one" -f alice@here.test bob@there.test
is 'the envelope' 'CONNECT
EHLO client.test 250
MAIL <alice@here.test> 250 SIZE=19
RCPT <bob@there.test> 250
DATA 250 19
QUIT 221' cat "$log"
is 'the letter' "Return-Path: <alice@here.test>${LF}Delivered-To: bob@there.test${LF}$(cat "$msg")" \
	sh -c 'cat "$1"/new/*' - "$tmp/one"
is 'no word with -q' '' sh -c '"$@" 2>&1 || :' - smtp-send -q -s "exec:sink --stdio --refuse=*:550" \
	-f a@x.test b@y.test </dev/null

refusals="'--refuse=no*:550 5.1.1 no such user' '--refuse=later*:451 4.2.0 later'
    '--refuse=never*:550 5.7.1 not you' '--refuse=plain*:550 no'"
exits '67: no such user' 67 one "$refusals" -f a@x.test nobody@y.test
exits '77: policy' 77 one "$refusals" -f a@x.test never@y.test
exits '69: refused for another reason' 69 one "$refusals" -f a@x.test plain@y.test
exits '75: later' 75 one "$refusals" -f a@x.test later@y.test
exits 'the first refusal counts' 77 one "$refusals" -f a@x.test b@y.test never@y.test nobody@y.test
exits 'but later counts more' 75 one "$refusals" -f a@x.test nobody@y.test later@y.test
like 'who is told why' '^smtp-send: <nobody@y.test>: failed: exec:sink .*: 550 5.1.1 no such user$' \
	one "$refusals" -f a@x.test b@y.test nobody@y.test
like 'the other still got it' '^DATA 250' cat "$log"
exits '69: MAIL refused' 69 one "'--refuse-mail=*:550 no'" -f a@x.test b@y.test
exits '75: DATA refused for now' 75 one "'--refuse-data=*:451 4.3.0 full'" -f a@x.test b@y.test
exits '69: the text refused' 69 one "'--final=*:554 5.6.0 no'" -f a@x.test b@y.test
exits '75: greeting 554' 75 one "'--banner=554 no'" -f a@x.test b@y.test
exits '76: the protocol is broken' 76 one "'--banner=250 no'" -f a@x.test b@y.test
exits '76: in the middle, too' 76 one "'--refuse=*:354 go'" -f a@x.test b@y.test
exits '69: too large' 69 one '--ext=SIZE\ 10' -f a@x.test b@y.test
exits 'and MAIL is never said' 1 grep MAIL "$log"
exits '69: no such program' 69 smtp-send -s exec:/nonexistent/mta -f a@x.test b@y.test <"$msg"
exits '75: nobody listens' 75 smtp-send -s "unix:$tmp/no.socket" -f a@x.test b@y.test <"$msg"
is 'results: delivered' "-${TAB}b@y.test${TAB}delivered${TAB}2.0.0" \
	sh -c '"$@" | cut -f1-4' - smtp-send --results -s 'exec:sink --stdio' -f '<>' b@y.test <"$msg"
json_fates() {
	one "$refusals" -j -q -f a@x.test b@y.test nobody@y.test | python3 -c '
import json, sys
for l in sys.stdin:
	r = json.loads(l)
	print(r["ref"], r["recipient"], r["fate"], r["status"])'
}
is 'JSON' "- b@y.test delivered 2.0.0${LF}- nobody@y.test failed 5.1.1" json_fates
like 'the dialogue' '^ +[0-9.]+  -> MAIL FROM:<a@x.test> SIZE=19$' one '' -v -f a@x.test b@y.test
like 'and what it said' '^ +[0-9.]+ <-  354 go ahead$' one '' -v -f a@x.test b@y.test
like 'refusals are marked' '^ +[0-9.]+ <\*\* 550 5.1.1 no such user$' one "$refusals" -v -f a@x.test nobody@y.test
like 'the text is only counted' '^ +[0-9.]+  -> \[19 octets of text\]$' one '' -v -f a@x.test b@y.test
is 'nothing of it reaches a terminal raw' '0' sh -c '"$@" 2>&1 | grep -c "$(printf "\033")"; :' - \
	smtp-send -v -s "exec:talk $top/t/talk/hostile.talk" --helo=client.test \
	-f alice@here.test bob@there.test <"$msg"

# DSN
one '' -N success,delay -R hdrs -V 'Q 1+' -f a@x.test b@y.test
like 'DSN: RET and ENVID' '^MAIL <a@x.test> 250 SIZE=19 RET=HDRS ENVID=Q\+201\+2B$' cat "$log"
like 'DSN: NOTIFY' '^RCPT <b@y.test> 250 NOTIFY=SUCCESS,DELAY$' cat "$log"
is 'no DSN there: relayed' relayed sh -c '"$@" | cut -f3' - smtp-send --results -N success \
	-s 'exec:sink --stdio --ext=SIZE' -f a@x.test b@y.test <"$msg"

# ---- the text

# wire FILE: what the sink kept of it
wire() {
	rm -rf "$tmp/w"
	sent "--maildir=$tmp/w" -f a@x.test b@y.test <"$1" && sed 1,2d "$tmp"/w/new/*
}
octets() { sed -n 's/^DATA 250 //p' "$log"; }
printf 'S: x\n\n.\n..\n.a\nno end' >"$tmp/t1"
is 'dots, and a last line without an end' "$(cat "$tmp/t1")" wire "$tmp/t1"
is 'as RFC 1870 counts' 27 octets
printf 'S: x\r\n\r\na\r\n' >"$tmp/t2"
is 'CRLF stays CRLF' "S: x$LF${LF}a" wire "$tmp/t2"
is 'and is not doubled' 11 octets
printf 'S: x\r\n\na\r\nb\n' >"$tmp/t3"
is 'a mixture becomes CRLF' "S: x$LF${LF}a${LF}b" wire "$tmp/t3"
is 'an empty message' '' wire /dev/null
is 'has no octets' 0 octets

# unsent SINK-OPTIONS FILE: fate, status, exit status; MAIL was never said
unsent() {
	sent "$1" --results -q -f a@x.test b@y.test <"$2" >"$tmp/o"
	code=$?
	echo "$(cut -f3,4 "$tmp/o") $code $(grep -c MAIL "$log")"
}
printf 'S: x\n\na\rb\n' >"$tmp/t4"
is 'a lone CR' "failed${TAB}5.6.0 65 0" unsent '' "$tmp/t4"
printf 'S: x\n\nab\r' >"$tmp/t4"
is 'at the end, too' "failed${TAB}5.6.0 65 0" unsent '' "$tmp/t4"
perl -e 'print "S: x\n\n", "x" x 999, "\n"' >"$tmp/t5"
is 'a line of 999 octets' "failed${TAB}5.6.0 65 0" unsent '' "$tmp/t5"
perl -e 'print "S: x\n\n", "x" x 998, "\n"' >"$tmp/t5"
is 'one of 998 may go' "$(cat "$tmp/t5")" wire "$tmp/t5"
printf 'S: x\n\ncaf\303\251\n' >"$tmp/t6"
is '8 bits without 8BITMIME' "failed${TAB}5.6.3 65 0" unsent --ext=SIZE "$tmp/t6"
is '8 bits with it' "$(cat "$tmp/t6")" wire "$tmp/t6"
like 'are declared' '^MAIL <a@x.test> 250 SIZE=15 BODY=8BITMIME$' cat "$log"
local8=$(printf 'b\303\270b@y.test')
utf8_less() { one '' --results -q -f a@x.test "$local8" b@y.test | cut -f2-4; }
is 'a local part that is not ASCII, and no SMTPUTF8: the other gets it' \
	"$local8${TAB}failed${TAB}5.6.7${LF}b@y.test${TAB}delivered${TAB}2.0.0" utf8_less
like 'and the server that lacks it is named' 'exec:sink [^:]*: offers no SMTPUTF8, which this address needs' \
	one '' --results -q -f a@x.test "$local8"
domain8=$(printf 'bob@b\303\274cher.test')
u_label() { one '' --results -f a@x.test "$domain8" | cut -f2,3; }
is 'a U-label goes as A-label, and the result has it as it was' "$domain8${TAB}delivered" u_label
like 'in RCPT' '^RCPT <bob@xn--bcher-kva.test> 250$' cat "$log"

perl -e 'print "S: x\n\n"; printf "line %07d\n.%s\n", $_, "x" x ($_ % 60) for 1 .. 25000' >"$tmp/big"
ok 'over 1 MB from a file' wire "$tmp/big"
piped() { perl -pe 1 "$tmp/big" | sent "--maildir=$tmp/p" -f a@x.test b@y.test; }
ok 'and from a pipe' piped
sed 1,2d "$tmp"/w/new/* >"$tmp/w1"
sed 1,2d "$tmp"/p/new/* >"$tmp/p1"
same 'whole' "$tmp/big" "$tmp/w1"
same 'both' "$tmp/big" "$tmp/p1"
from_middle() { { read -r _; read -r _; sent "--maildir=$tmp/m" -f a@x.test b@y.test; } <"$tmp/t1" && sed 1,2d "$tmp"/m/new/*; }
is 'a file is read from where it stands' "$(sed 1,2d "$tmp/t1")" from_middle

# ---- peers

is 'an fd' delivered perl -e '
	use Socket; use Fcntl;
	socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0 or die;
	if (!fork) {
		close $a;
		open STDIN, "<&", $b; open STDOUT, ">&", $b;
		exec "sink", "--stdio";
	}
	close $b;
	fcntl $a, F_SETFD, 0;
	my $n = fileno $a;
	open STDIN, "<", $ARGV[0];
	exec "sh", "-c", "smtp-send --results -s fd:$n -f a\@x.test b\@y.test | cut -f3"' "$msg"
exits 'a descriptor that is none' 64 smtp-send -s fd:77 -f a@x.test b@y.test <"$msg"

perl -e '
	use IO::Socket::UNIX;
	my $l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die;
	my $c = $l->accept;
	open STDIN, "<&", $c; open STDOUT, ">&", $c;
	exec "sink", "--stdio", "--log=$ARGV[1]"' "$tmp/s" "$tmp/unix.log" &
unix=$!
wait_for listens "$tmp/s"
ok 'a UNIX socket' smtp-send -s "unix:$tmp/s" -f a@x.test b@y.test <"$msg"
wait $unix
like 'it was there' '^DATA 250' cat "$tmp/unix.log"

sink --port-file="$tmp/port" >"$tmp/sink.out" 2>&1 &
sink=$!
trap 'kill $sink 2>/dev/null; rm -rf "$tmp"' EXIT
wait_for test -s "$tmp/port"
port=$(cat "$tmp/port")
is 'TCP, and who said it' "[127.0.0.1]:$port: 250 2.0.0 kept" \
	sh -c 'smtp-send --results -s "127.0.0.1:$1" -f a@x.test b@y.test | cut -f5' - "$port" <"$msg"
is 'the second server when the first is away' delivered sh -c \
	'smtp-send --results -s "unix:$2" -p "$1" -s 127.0.0.1 -f a@x.test b@y.test | cut -f3' - "$port" "$tmp/no" <"$msg"
exits '--bind' 0 smtp-send -s "127.0.0.1:$port" --bind=127.0.0.1 -4 -f a@x.test b@y.test <"$msg"
exits 'no address of this family' 64 smtp-send -s "127.0.0.1:$port" --bind=::1 -f a@x.test b@y.test <"$msg"

# a free port: nobody listens there
free=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1")->sockport')
exits '75: refused connection' 75 smtp-send -s "127.0.0.1:$free" -f a@x.test b@y.test <"$msg"

# ---- what is wrong
exits 'results that cannot be written' 74 sh -c '"$@" >/dev/full' - \
	smtp-send --results -s 'exec:sink --stdio' -f a@x.test b@y.test <"$msg"

# ---- records

q=$tmp/q
mkdir -p "$q/new" "$q/cur" "$q/tmp"
# mail NAME SENDER RECIPIENT...: a message, and its record
mail() {
	n=$1 s=$2
	shift 2
	{
		echo "Return-Path: <$s>"
		for r; do echo "Delivered-To: $r"; done
		printf 'Subject: %s\n\nhi\n' "$n"
	} >"$q/new/$n"
	record "$n" "$s" "$@"
}
record() {
	printf '%s/new/%s\t%s' "$q" "$1" "${2:-<>}"
	shift 2
	for r; do printf '\t%s' "$r"; done
	echo
}
# records SINK-OPTIONS [OPTION...] <RECORDS: results without directory and text
records() {
	sent "$@" --records >"$tmp/r.out" 2>"$tmp/r.err"
	code=$?
	sed "s,$q/new/,," "$tmp/r.out" | cut -f1-4
	return $code
}
results() { printf '%s\n' "$@" | tr ' ' '\t'; }
with() { file=$1; shift; "$@" <"$file"; }

{ mail m1 a@x.test b@y.test c@y.test; mail m2 '' d@y.test; mail m3 a@x.test e@y.test; } >"$tmp/rec"
is 'three records, one connection' "$(results 'm1 b@y.test delivered 2.0.0' 'm1 c@y.test delivered 2.0.0' \
	'm2 d@y.test delivered 2.0.0' 'm3 e@y.test delivered 2.0.0')" with "$tmp/rec" records "--maildir=$tmp/r1"
is 'EHLO once' 1 grep -c EHLO "$log"
is 'RSET in between' 2 grep -c '^RSET 250' "$log"
is 'one QUIT' 1 grep -c QUIT "$log"
is 'the null sender' 1 grep -c '^MAIL <> 250' "$log"

record m1 a@x.test c@y.test >"$tmp/rec"
is 'a record restricts' "$(results 'm1 c@y.test delivered 2.0.0')" with "$tmp/rec" records ''
is 'to one' 1 grep -c RCPT "$log"
echo "$q/new/m1" >"$tmp/rec"
is 'REF alone is everybody' "$(results 'm1 b@y.test delivered 2.0.0' 'm1 c@y.test delivered 2.0.0')" \
	with "$tmp/rec" records ''
is 'no records, no connection' '' with /dev/null records ''
ok 'none at all' test ! -e "$log"

{
	record m1 a@x.test b@y.test
	echo 'nonsense'
	record gone a@x.test b@y.test
	record m1 other@x.test b@y.test
	record m1 a@x.test stranger@y.test
	printf '%s\t%s\n' "$q/new/m1" a@x.test
	record m1 a@x.test 'b c@y.test'
	echo
	echo /etc/passwd
	record m3 a@x.test e@y.test
} >"$tmp/rec"
exits 'bad ones among good ones: 75' 75 with "$tmp/rec" records ''
with "$tmp/rec" records '' >"$tmp/o"
is 'the good ones are sent' "$(results 'm1 b@y.test delivered 2.0.0' 'm3 e@y.test delivered 2.0.0')" grep delivered "$tmp/o"
is 'each of the others is deferred' "$(results 'nonsense * deferred 4.3.0' 'gone b@y.test deferred 4.3.0' \
	'm1 b@y.test deferred 4.3.0' 'm1 stranger@y.test deferred 4.3.0' '/etc/passwd * deferred 4.3.0')" \
	grep deferred "$tmp/o"
like 'gone' "gone${TAB}b@y.test${TAB}deferred${TAB}4.3.0${TAB}no longer in the queue" cat "$tmp/r.out"
like 'changed' "stranger@y.test${TAB}deferred${TAB}4.3.0${TAB}the queue has another message" cat "$tmp/r.out"
echo nonsense >"$tmp/rec"
exits 'a line that is no record' 65 with "$tmp/rec" records ''
printf '%s\t%s\n' "$q/new/m1" a@x.test >"$tmp/rec"
exits 'a sender and nobody to send to' 65 with "$tmp/rec" records ''

{ record m1 a@x.test b@y.test; printf '!\t77\tqueue-list: %s\n' 'may not look'; } >"$tmp/rec"
exits 'trouble upstream' 77 with "$tmp/rec" records ''
like 'is passed on' "^!${TAB}77${TAB}queue-list: may not look$" cat "$tmp/r.out"
like 'after what went before' "delivered" cat "$tmp/r.out"

mail minus a@x.test -x@y.test >"$tmp/rec"
is '-x@y in a record is mail' "$(results 'minus -x@y.test delivered 2.0.0')" with "$tmp/rec" records ''
mail quoted '"a b"@x.test' '"john doe"@y.test' >"$tmp/rec"
is 'quoted local parts with blanks' "$(results 'quoted "john doe"@y.test delivered 2.0.0' | sed 's/john\t/john /')" \
	with "$tmp/rec" records ''
like 'as they must be quoted' '^RCPT <"john doe"@y.test> 250$' cat "$log"
mail twice a@x.test b@y.test b@y.test >"$tmp/rec"
is 'twice in the record, once in the queue: once' "$(results 'twice b@y.test delivered 2.0.0')" \
	with "$tmp/rec" records ''
mail refused a@x.test b@y.test nobody@y.test >"$tmp/rec"
mail after a@x.test later@y.test never@y.test >>"$tmp/rec"
exits 'refusals' 75 with "$tmp/rec" records "$refusals"
sed "s,$q/new/,," "$tmp/r.out" >"$tmp/o"
is 'recipient by recipient' "$(results 'refused b@y.test delivered 2.0.0' 'refused nobody@y.test failed 5.1.1' \
	'after later@y.test deferred 4.2.0' 'after never@y.test failed 5.7.1')" cut -f1-4 "$tmp/o"
nul_rec() { record m1 a@x.test b@y.test | tr '\n' '\0'; record m3 a@x.test e@y.test | tr '\n' '\0'; }
nul_out() { nul_rec | sent '' --records -0 | tr '\0' '\n' | sed "s,$q/new/,," | cut -f1-3; }
is 'NUL for the end of a line' "$(results 'm1 b@y.test delivered' 'm3 e@y.test delivered')" nul_out
exits 'recipients beside records' 64 sent '' --records b@y.test </dev/null
exits '-f beside records' 64 sent '' --records -f a@x.test </dev/null

# ---- connections that end

for i in 1 2 3 4 5; do mail "d$i" a@x.test "b$i@y.test"; done >"$tmp/rec"
# answers EHLO, and hangs up
exits 'a server that always hangs up' 75 with "$tmp/rec" records --drop-after=1
is 'is left alone after two connections' 2 grep -c CONNECT "$log"
is 'everybody is told' 5 grep -c deferred "$tmp/r.out"
like 'who it was' "deferred${TAB}4.4.2${TAB}exec:sink .*: the server closed the connection" cat "$tmp/r.out"
exits 'a greeting that refuses' 75 with "$tmp/rec" records "'--banner=421 no'"
is 'is heard once' 1 grep -c CONNECT "$log"
exits 'the text is lost' 75 with "$tmp/rec" records --drop-at=DOT
like 'nobody knows' "^[^ ]*d1${TAB}b1@y.test${TAB}deferred${TAB}4.4.2${TAB}possible duplicate: exec:sink" cat "$tmp/r.out"

cat >"$tmp/one.talk" <<'E2'
S: 220 mx.test
C: EHLO client.test
S: 250-mx.test
S: 250 PIPELINING
C: MAIL FROM:<a@x.test>
C~ ^RCPT TO:<b.@y.test>$
C: DATA
S: 250 ok
S: 250 ok
S: 354 go ahead
C~ ^Subject:
C~ ^$
C~ ^hi$
C: .
S: 250 ok
X
E2
cat >"$tmp/mta" <<'E2'
#!/bin/sh
trap '' TERM	# which comes as soon as the connection is seen closed
talk "$1/one.talk"
exec <&- >&-
echo closed >>"$1/closed"
E2
chmod +x "$tmp/mta"
: >"$tmp/closed"
closed() { [ "$(wc -l <"$tmp/closed")" -ge "$1" ]; }
slowly() {
	{
		sed -n 1p "$tmp/rec"
		wait_for closed 1
		sed -n 2p "$tmp/rec"
		wait_for closed 2
		sed -n 3p "$tmp/rec"
	} | smtp-send --helo=client.test -s "exec:$tmp/mta $tmp" --records | sed "s,$q/new/,," | cut -f1-3
}
is 'a server that hangs up between records: the next has a new connection' \
	"$(results 'd1 b1@y.test delivered' 'd2 b2@y.test delivered' 'd3 b3@y.test delivered')" slowly

# The second connection fails at once, while a message already waits for it.
cat >"$tmp/once" <<'E2'
use IO::Socket::UNIX;
my $l = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5) or die;
my $c = $l->accept;
close $l;
unlink $ARGV[0];
print $c "220 mx\r\n";
while (<$c>) {
	print $c "250 ok\r\n" if /^(EHLO|MAIL|RCPT|RSET)/;
	next unless /^DATA/;
	print $c "421 enough\r\n" if $n++;
	last if $n > 1;
	print $c "354 go\r\n";
	while (<$c>) { last if $_ eq ".\r\n" }
	print $c "250 kept\r\n";
}
E2
perl "$tmp/once" "$tmp/once.socket" &
once=$!
wait_for listens "$tmp/once.socket"
is 'no second connection to be had: the rest is told' \
	"$(results 'd1 b1@y.test delivered' 'd2 b2@y.test deferred' 'd3 b3@y.test deferred' \
	'd4 b4@y.test deferred' 'd5 b5@y.test deferred')" \
	sh -c 'timeout 60 smtp-send -q -s "unix:$1" --records <"$2" | sed "s,$3/new/,," | cut -f1-3' - \
	"$tmp/once.socket" "$tmp/rec" "$q"
wait $once

done_testing
