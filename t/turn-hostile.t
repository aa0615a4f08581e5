#!/bin/sh
# Peers of turn-server and of turn-client who mean no good: what they hear, what it costs,
# when it is over, and that no mail goes where it should not.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"
command -v python3 >/dev/null || skip_all 'no python3'
case ${BUILD:-build} in *asan*) HEAVY=1; export HEAVY ;; esac
export TIDEGATE_RUN="$tmp/run" PYTHONDONTWRITEBYTECODE=1

{
	printf 'alice: one.test'
	for i in 0 1 2 3 4 5 6 7 8; do printf ' d%d.test' $i; done
	printf '\nbob: other.test\n'
} >"$tmp/customers"
printf 'alice:{PLAIN}secret\nbob:{PLAIN}other\n' >"$tmp/users"
echo secret >"$tmp/pass"
chmod 600 "$tmp/users" "$tmp/pass"

# meets WHO CASE: in a fresh world
meets() {
	rm -rf "$tmp/md" "$tmp/run" "$tmp/dest"
	mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp" "$tmp/run"
	printf 'Return-Path: <a@x.test>\nDelivered-To: b@one.test\nSubject: x\n\nhi\n' >"$tmp/md/new/m1"
	printf 'Return-Path: <a@x.test>\nDelivered-To: b@other.test\nSubject: x\n\nhi\n' >"$tmp/md/new/m2"
	timeout 100 "$top/t/tool/bad_$1.py" "$tmp" "$2"
}
turns='250 2.0.0 OK now reversing the connection'
kept='waits: m1 m2'

# ---- customers ----
is 'all that comes after the turn stands behind ATRN' "503 5.5.0 something was said behind it
status 75
$kept" meets customer glued
is 'replies before they are asked for: no mail goes' "$turns
status 75
$kept" meets customer ahead
is 'orders instead of a greeting: nothing is relayed' "$turns
status 75
$kept" meets customer commands
is 'commands in the clear behind STARTTLS' '554 5.7.0 something was said behind STARTTLS
status 76' meets customer plain_in_tls
is 'commands in the clear for a handshake' '220 2.0.0 go on
status 75' meets customer babble_in_tls
is 'a line without an end' '500 5.5.2 the line is too long
status 76' meets customer endless
is 'AUTH without an end' '500 5.5.2 the line is too long
status 76' meets customer endless_auth
is 'an answer in AUTH without an end' '334 
500 5.5.2 the line is too long
status 76' meets customer endless_answer
is 'a greeting without an end' "$turns
status 75
$kept" meets customer endless_greeting
is 'BDAT of 2^64+1: no mail is taken' '502 5.5.1 that is not done here
502 5.5.1 that is not done here
502 5.5.1 that is not done here
502 5.5.1 that is not done here
221 2.0.0 bye
status 0' meets customer bdat
is 'ten thousand RCPTs: ten are answered' "$(for i in 0 1 2 3 4 5 6 7 8 9; do echo 502 5.5.1 that is not done here; done)
421 4.7.0 too many bad commands
status 76" meets customer rcpts
is 'no reply is ever read' 'status 75' meets customer deaf
is 'an octet at a time: before AUTH' '421 4.3.2 it takes too long
status 75' meets customer slow_login
is 'an octet at a time: in the handshake' '220 2.0.0 go on
status 75' meets customer slow_handshake
is 'an octet at a time: a command' '421 4.3.2 nothing was said for too long
status 75' meets customer slow_command
is 'an octet at a time: the greeting after the turn' "$turns
status 75
$kept" meets customer slow_greeting
is 'an octet at a time: the verdict' "$turns
EHLO isp.test
status 75
$kept" meets customer slow_verdict
is 'a foreign domain among ten, and one that there is not' "$(for i in 0 1 2 3 4 5; do echo 450 4.7.1 request refused; done)
221 2.0.0 bye
status 0
$kept" meets customer ten
is 'four hundred domains, four thousand' '501 5.5.4 it is ATRN domain,domain
500 5.5.2 the line is too long
None
status 76' meets customer many_domains
is 'what is no command' '500 5.5.2 a line ends in CRLF, and holds no other CR, LF or NUL
500 5.5.2 that command is not known here
500 5.5.2 a line ends in CRLF, and holds no other CR, LF or NUL
500 5.5.2 a line ends in CRLF, and holds no other CR, LF or NUL
250 2.0.0 ok
500 5.5.2 that command is not known here
500 5.5.2 that command is not known here
501 5.5.4 who are you?  EHLO name
status 76' meets customer odd
is 'forty guess at once: twenty are listened to, and then nobody' '20 guesses
454 4.7.0 not now
221 2.0.0 bye
status 0' meets customer guess

# ---- providers ----
hello='ATRN one.test
220 gw.test ESMTP
250 LIMITS RCPTMAX=1000
221 2.0.0 bye
status 0'
is 'EHLO glued to the 250 is heard' "$hello" meets provider glued_ehlo
is 'in TLS, too' "$hello" meets provider glued_ehlo_tls
is 'what else is glued to it is no mail' 'ATRN one.test
220 gw.test ESMTP
500 5.5.2 that command is not known here
503 5.5.1 EHLO comes first
502 5.5.1 that is not done here
status 76
came: 0' meets provider glued_junk
is 'all replies before anything was asked' 'no password was said
status 76
came: 0' meets provider ahead
is 'replies in the clear behind STARTTLS' 'STARTTLS
status 75' meets provider plain_in_tls
is 'a reply without an end' 'status 76' meets provider endless_reply
is 'a reply of endless lines' 'status 76' meets provider endless_lines
is 'a command without an end' '500 5.5.2 the line is too long
status 76' meets provider endless_command
is 'a line of 64 MB is more than may come' '354 go on, and end it with a dot
552 5.3.4 larger than is taken here
221 2.0.0 bye
status 0
came: 0
in tmp: ' meets provider endless_text
is 'BDAT of 2^64+1: what is behind it is no command' '501 5.5.4 it is BDAT octets [LAST]
status 76
came: 0' meets provider bdat
is 'BDAT of 2^63-1 takes no room' 'status 75
came: 0' meets provider bdat_large
no='550 5.7.1 no mail for that domain was asked for'
none="553 5.1.3 the recipient's address is none"
is 'nothing for anybody else' "b@elsewhere.test: $no
b@one.test.elsewhere.test: $no
b@notone.test: $no
b@sub.one.test: $no
\"b@one.test\"@elsewhere.test: $no
b@one.test@elsewhere.test: $none
@one.test:b@elsewhere.test: $no
b@[127.0.0.1]: $no
b: $none
postmaster: $no
b@one.test\\: $none
b@one.test>,<c@elsewhere.test: 501 5.5.4 it is RCPT TO:<address>
b@ONE.test: 250 2.1.5 ok
221 2.0.0 bye
status 0
came: 0" meets provider foreign
is 'no service but mail' 'STARTTLS: 502 5.5.1 that is not done here
AUTH PLAIN: 502 5.5.1 that is not done here
ETRN one.test: 502 5.5.1 that is not done here
ATRN one.test: 502 5.5.1 that is not done here
TURN: 502 5.5.1 that is not done here
EXPN x: 500 5.5.2 that command is not known here
VRFY root: 252 2.5.0 send it and see
status 76' meets provider verbs
tricks='../../../../tmp/evil: 553
/etc/passwd: 250
|touch${IFS}evil: 250
$(touch${IFS}evil): 553
`touch${IFS}evil`: 250
-oQ/tmp: 250
"; touch evil; ": 250
"a b": 250
.: 553
..: 553
new/x: 250
a%00b: 250
b\.: 553
221 2.0.0 bye
status 0'
is 'local parts that would be paths or commands: they are names, in a Maildir' "$tricks
came: 8
Delivered-To: /etc/passwd@one.test
Delivered-To: |touch\${IFS}evil@one.test
Delivered-To: \`touch\${IFS}evil\`@one.test
Delivered-To: -oQ/tmp@one.test
Delivered-To: \"; touch evil; \"@one.test
Delivered-To: \"a b\"@one.test
Delivered-To: new/x@one.test
Delivered-To: a%00b@one.test
made: 
in dest: cur new tmp" meets provider tricks
is 'and to a program' "$tricks
made: sink.log" meets provider tricks_exec
is 'ten thousand RCPTs: a thousand are taken' '1000 250 2.1.5
9000 452 4.5.3
221 2.0.0 bye
status 0' meets provider rcpts
is 'ten thousand transactions of nothing' '221 2.0.0 bye
status 0
came: 0' meets provider transactions
is 'no reply of ours is ever read' 'status 75' meets provider deaf
is 'an octet at a time: the greeting' 'status 75' meets provider slow_greeting
is 'an octet at a time: the reply to ATRN' 'ATRN one.test
status 75' meets provider slow_turn
is 'an octet at a time: a command' '421 4.3.2 nothing was said for too long
status 75' meets provider slow_command
is 'an octet at a time: a text' '354 go on, and end it with a dot
421 4.3.2 nothing was said for too long
status 75
came: 0' meets provider slow_text
is 'but a line that is just slow is no offence' '354 go on, and end it with a dot
250 2.0.0
221 2.0.0 bye
status 0
came: 1' meets provider slow_line
is 'busy to no end: there is one' '421 4.3.2 the deadline is over
status 75' meets provider deadline
is 'its words are no orders to a terminal' 'status 75
printable' meets provider terminal
is 'ends of a text that are none' "$(for i in 0 1 2 3; do printf '550 5.5.2 a CR or LF that is not CRLF\nstatus 76\n'; done)
came: 0" meets provider smuggle
done_testing
