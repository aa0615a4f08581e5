#!/bin/sh
# turn-client: mail fetched on the connection that it made, from scripted providers.
# shellcheck shell=sh source=t/lib.sh disable=SC2016,SC2154
. "$(dirname "$0")/lib.sh"

TALK_LOG=$tmp/talk.log
export TALK_LOG
md=$tmp/md

# fetch SCRIPT OPTION...: the script must have been followed to its end
fetch() {
	: >"$TALK_LOG"
	script=$1
	shift
	case " $*" in *' -o '*) ;; *) set -- -o "maildir:$md" "$@" ;; esac
	timeout 60 turn-client --helo=gw.customer.test -s "exec:talk $script" "$@"
	fetch_code=$?
	cat "$TALK_LOG" >&2
	[ ! -s "$TALK_LOG" ] || return 99
	return $fetch_code
}
# says NAME LINE...: the provider's side of ATRN, from its greeting on
says() {
	{
		printf '%s\n' 'S: 220 isp.test ESMTP' 'C: EHLO gw.customer.test' \
			'S: 250-isp.test' 'S: 250 ATRN'
		shift
		printf '%s\n' "$@"
	} >"$tmp/says.talk"
}
files() { find "$md/new" -type f 2>/dev/null | wc -l; }
# answered REPLY [OPTION...]: to ATRN
answered() {
	says - 'C: ATRN y.test' "S: $1" 'C: QUIT' 'S: 221 bye'
	shift
	fetch "$tmp/says.talk" "$@" y.test
}

exits 'mail is fetched' 0 fetch "$top/t/talk/turn/fetch.talk" --results y.test z.test
cp "$tmp/.out" "$tmp/o"
like 'who was not asked for is refused' 'c@other.test	failed	5\.7\.1	550 ' cat "$tmp/o"
like 'who was is delivered to' '^-	b@y.test	delivered	2\.0\.0	250 ' cat "$tmp/o"
is 'one message is there' 1 files
is 'with its envelope' "Return-Path: <a@x.test>
Delivered-To: b@y.test
Delivered-To: d@z.test" sh -c 'head -3 "$1"/new/*' - "$md"
is 'and its text' 'Subject: x

hi' sh -c 'tail -n +6 "$1"/new/*' - "$md"
is 'nothing is left in tmp' '' ls "$md/tmp"

# helo NAME: the Received line of what somebody of that name brings
helo() {
	rm -rf "$tmp/helo"
	sed "s/^S: EHLO isp.test/S: EHLO $1/" "$top/t/talk/turn/fetch.talk" >"$tmp/helo.talk"
	fetch "$tmp/helo.talk" -o "maildir:$tmp/helo" y.test z.test >/dev/null 2>&1
	sed -n 's/ with .*//; /^Received:/,/by/p' "$tmp"/helo/new/*
}
is 'it tells who brought it' 'Received: from isp.test
	by gw.customer.test' helo isp.test
is 'by an address' 'Received: from [192.0.2.1]
	by gw.customer.test' helo '[192.0.2.1]'
is 'and not what is no name: it would pass for ours' 'Received: from unknown
	by gw.customer.test' helo 'x (by [192.0.2.9]); Thu'

exits '453: no mail' 0 answered '453 you have no mail'
exits '450: not yours' 77 answered '450 not yours'
exits '530: who are you' 77 answered '530 5.7.0 log in'
exits '451: not now' 75 answered '451 later'
exits '502: not done' 69 answered '502 no'
exits '503' 76 answered '503 no'
exits '3xx' 76 answered '350 what'
like 'what it said is told' 'exec:talk .*: ATRN: 450 not yours$' answered '450 not yours'

printf '%s\n' 'S: 220 isp.test ESMTP' 'C: EHLO gw.customer.test' 'S: 250 isp.test' \
	'C: QUIT' 'S: 221 bye' >"$tmp/says.talk"
exits 'not offered' 69 fetch "$tmp/says.talk" y.test
exits 'TURN needs to be known' 64 fetch "$tmp/says.talk" --turn --accept=y.test
says - 'C: TURN' 'S: 250 ok' 'C: 220 gw.customer.test ESMTP' 'S: QUIT' 'C: 221 2.0.0 bye'
exits 'unless that is meant' 0 fetch "$tmp/says.talk" --turn --turn-unauthenticated \
	--accept=@y.test
exits 'nobody says whose mail' 64 fetch "$tmp/says.talk" --spool="maildir:$md"
exits 'a node is no domain' 64 fetch "$tmp/says.talk" @y.test
exits 'TURN has no domain' 64 fetch "$tmp/says.talk" --turn y.test
exits 'a target that is none' 74 fetch "$tmp/says.talk" -o "maildir:$tmp/no/where" y.test

says - 'C: ATRN y.test' 'S: 250 ok' 'C: 220 gw.customer.test ESMTP' 'S: HELO isp.test' \
	'C: 250 gw.customer.test' X
exits 'hung up without QUIT' 75 fetch "$tmp/says.talk" y.test
says - 'C: ATRN y.test' 'S: 250 ok' 'C: 220 gw.customer.test ESMTP' 'S: HELO isp.test' \
	'S: MAIL FROM:<a@x.test>' 'S: RCPT TO:<b@y.test>' 'S: DATA' \
	'C: 250 gw.customer.test' 'C: 250 2.1.0 ok' 'C: 250 2.1.5 ok' \
	'C: 354 go on, and end it with a dot' 'S: half' X
exits 'hung up in the middle' 75 fetch "$tmp/says.talk" y.test
is 'nothing of it is kept' 1 files
is 'nor in tmp' '' ls "$md/tmp"

### Ours first
mkdir -p "$tmp/q/new" "$tmp/q/cur" "$tmp/q/tmp"
for n in 1 2; do
	printf 'Return-Path: <me@y.test>\nDelivered-To: %s@x.test\nSubject: ours\n\nhi\n' \
		"$([ $n = 1 ] && echo far || echo no)" >"$tmp/q/new/o$n"
done
records() {
	printf '%s\tme@y.test\t%s\n' "$tmp/q/new/o1" far@x.test "$tmp/q/new/o2" no@x.test |
		fetch "$top/t/talk/turn/records.talk" --records y.test
}
rm -rf "$md"
exits 'records, then the turn: what was refused for good counts' 67 records
cp "$tmp/.out" "$tmp/o"
is 'each of ours is told' "$tmp/q/new/o1	far@x.test	delivered
$tmp/q/new/o2	no@x.test	failed" cut -f1-3 "$tmp/o"
is 'and theirs has come' 1 files

### What a target says
# target LINE...: what it says to the whole text
target() {
	{
		printf '%s\n' 'S: 220 mta.test ESMTP' 'C: EHLO gw.customer.test' 'S: 250 mta.test' \
			'C: MAIL FROM:<a@x.test>' 'S: 250 2.1.0 ok' 'C: RCPT TO:<b@y.test>' 'S: 250 2.1.5 ok' \
			'C: DATA' 'S: 354 go' 'B: Subject: x' 'C: .' "$@"
	} >"$tmp/target.talk"
}
# one VERDICT: a message for that target, and what the provider is to hear
one() {
	sed "s/^C~ VERDICT/C~ $1/" "$top/t/talk/turn/one.talk" >"$tmp/one.talk"
	fetch "$tmp/one.talk" --results -o "exec:talk $tmp/target.talk" y.test
}
target 'S: 250 2.0.0 kept' 'S: 421 4.3.2 going down'
exits 'a target that goes down behind its 250 has it' 0 one '^250 2\.0\.0 kept$'
target 'S: 550 5.7.1 no' 'S: 421 4.3.2 going down'
exits 'or has it not' 0 one '^550 5\.7\.1 no$'
target 'S: 250 2.0.0 kept' X
exits 'or closes' 0 one '^250 2\.0\.0 kept$'
target 'S: 421 4.3.2 going down'
exits 'nobody knows: it comes again' 75 one '^451 4\.'
target X
exits 'nor when it says nothing' 75 one '^451 4\.4\.0 it cannot be taken now$'
cp "$tmp/.out" "$tmp/o"
like 'the provider does not read how our mail goes on, we do' \
	'	b@y.test	deferred	4\.4\.0	451 exec:talk .*closed the connection' cat "$tmp/o"
# what is refused here, without asking the target
refused() {
	sed "s/^C~ VERDICT/C~ $1/" "$top/t/talk/turn/one.talk" >"$tmp/one.talk"
	shift
	fetch "$tmp/one.talk" --results "$@" y.test
}
exits 'too large: the server reports it' 0 refused '^552 5\.3\.4 ' --max-size=5 -v
cp "$tmp/.out" "$tmp/o" && cp "$tmp/.err" "$tmp/e"
is 'and it is told' '-	b@y.test	failed	5.3.4	552 larger than is taken here' cat "$tmp/o"
like 'to people, too' '^turn-client: <b@y.test>: failed: 552 larger' cat "$tmp/e"
like 'and counted' 'received 0, refused 1, ' cat "$tmp/e"
says - 'C: ATRN y.test' 'S: 250 ok' 'C: 220 gw.customer.test ESMTP' 'S: EHLO isp.test' \
	'C~ ^250-gw.customer.test$' 'C: 250-PIPELINING' 'C: 250-8BITMIME' 'C: 250-SMTPUTF8' \
	'C: 250-CHUNKING' 'C: 250-DSN' 'C: 250-ENHANCEDSTATUSCODES' 'C: 250-SIZE 5' \
	'C: 250 LIMITS RCPTMAX=1000' 'S: MAIL FROM:<a@x.test> SIZE=6' \
	'C: 552 5.3.4 larger than is taken here' 'S: QUIT' 'C: 221 2.0.0 bye'
is 'or not let in: nobody knows for whom it was' '-	*	failed	5.3.4	552 larger than is taken here' \
	fetch "$tmp/says.talk" --results --max-size=5 y.test
# greets LINE...: no size, and then these
greets() {
	says - 'C: ATRN y.test' 'S: 250 ok' 'C: 220 gw.customer.test ESMTP' 'S: EHLO isp.test' \
		'C~ ^250-gw.customer.test$' 'C: 250-PIPELINING' 'C: 250-8BITMIME' 'C: 250-SMTPUTF8' \
		'C: 250-CHUNKING' 'C: 250-DSN' 'C: 250-ENHANCEDSTATUSCODES' 'C: 250-SIZE 0' \
		'C: 250 LIMITS RCPTMAX=1000' "$@" 'S: QUIT' 'C: 221 2.0.0 bye'
}
soon='501 5.5.4 NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY'
greets 'S: MAIL FROM:<a>' "C: 553 5.1.7 the sender's address is none" \
	'S: MAIL FROM:<a@x.test>' 'C~ ^250' 'S: RCPT TO:<b>' "C: 553 5.1.3 the recipient's address is none" \
	'S: RCPT TO:<c@y.test> NOTIFY=SOON' "C: $soon"
is 'what is no address, or wrong behind one, is told' "-	*	failed	5.1.7	553 the sender's address is none
-	TO:<b>	failed	5.1.3	553 the recipient's address is none
-	c@y.test	failed	5.5.4	501 NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY" \
	fetch "$tmp/says.talk" --results y.test
# seven bits only
eight() {
	eight_option=${3-}
	sed 's/^S: 250 OK/&\nS: EHLO isp.test/; /^S: HELO/d; s/^C: 250 gw.customer.test/C: 250-gw.customer.test\nC: 250-PIPELINING\nC: 250-8BITMIME\nC: 250-SMTPUTF8\nC: 250-CHUNKING\nC: 250-DSN\nC: 250-ENHANCEDSTATUSCODES\nC: 250-SIZE 0\nC: 250 LIMITS RCPTMAX=1000/
		s/^S: MAIL FROM:<a@x.test>/& BODY=8BITMIME/; s/^S: Subject: x/'"$2"'/; s/^C~ VERDICT/C~ '"$1"'/' \
		"$top/t/talk/turn/one.talk" >"$tmp/one.talk"
	# shellcheck disable=SC2086
	fetch "$tmp/one.talk" $eight_option -o "exec:talk $tmp/target.talk" y.test
}
target 'S: 250 2.0.0 kept'
exits '8BITMIME to one that has it not: 7 bits go' 0 eight '^250 2\.0\.0 kept$' 'S: Subject: x'
# there it hangs up in the middle of the text, which the target's script does not expect
eight '^554 5\.6\.3 ' 'S: Subject: \\xe9' --results >"$tmp/o" 2>"$tmp/e"
like '8 bits do not' '	b@y.test	failed	5\.6\.3	554 ' cat "$tmp/o"
exits 'which the provider hears' 1 grep one.talk "$tmp/e"
done_testing
