#!/bin/sh
# Providers of turn-client who mean no good: what they hear, what it costs, when it is over,
# and that no mail is taken which should not be.
# shellcheck shell=sh source=t/lib.sh disable=SC2016,SC2034
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"
command -v python3 >/dev/null || skip_all 'no python3'
case ${BUILD:-build} in *asan*) HEAVY=1; export HEAVY ;; esac
export PYTHONDONTWRITEBYTECODE=1
echo secret >"$tmp/pass"
chmod 600 "$tmp/pass"

# shellcheck source=t/hostile.sh
. "$(dirname "$0")/hostile.sh"
hostile=bad_provider.py
world() {
	cp -p "$tmp/pass" "$1"
	ln -s "$tmp/pki" "$1"
}
begin deaf slow_greeting slow_turn slow_command slow_text slow_line deadline flood
hello='ATRN one.test
220 gw.test ESMTP
250 LIMITS RCPTMAX=1000
221 2.0.0 bye
status 0'
is 'EHLO glued to the 250 is heard' "$hello" meets glued_ehlo
is 'in TLS, too' "$hello" meets glued_ehlo_tls
is 'what else is glued to it is no mail' 'ATRN one.test
220 gw.test ESMTP
500 5.5.2 that command is not known here
503 5.5.1 EHLO comes first
502 5.5.1 that is not done here
status 76
came: 0' meets glued_junk
is 'all replies before anything was asked' 'no password was said
status 76
came: 0' meets ahead
is 'replies in the clear behind STARTTLS' 'STARTTLS
status 75' meets plain_in_tls
is 'a reply without an end' 'status 76' meets endless_reply
is 'a reply of endless lines' 'status 76' meets endless_lines
is 'a command without an end' '500 5.5.2 the line is too long
status 76' meets endless_command
is 'a line of 64 MB is more than may come' '354 go on, and end it with a dot
552 5.3.4 larger than is taken here
221 2.0.0 bye
status 0
came: 0
in tmp: ' meets endless_text
is 'BDAT of 2^64+1: what is behind it is no command' '501 5.5.4 it is BDAT octets [LAST]
status 76
came: 0' meets bdat
is 'BDAT of 2^63-1 takes no room' 'status 75
came: 0' meets bdat_large
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
came: 0" meets foreign
is 'no service but mail' 'STARTTLS: 502 5.5.1 that is not done here
AUTH PLAIN: 502 5.5.1 that is not done here
ETRN one.test: 502 5.5.1 that is not done here
ATRN one.test: 502 5.5.1 that is not done here
TURN: 502 5.5.1 that is not done here
EXPN x: 500 5.5.2 that command is not known here
VRFY root: 252 2.5.0 send it and see
status 76' meets verbs
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
in dest: cur new tmp" meets tricks
is 'and to a program' "$tricks
made: sink.log" meets tricks_exec
is 'ten thousand RCPTs: a thousand are taken' '1000 250 2.1.5
9000 452 4.5.3
221 2.0.0 bye
status 0' meets rcpts
is 'ten thousand transactions of nothing' '221 2.0.0 bye
status 0
came: 0' meets transactions
is 'no reply of ours is ever read' 'status 75' meets deaf
is 'an octet at a time: the greeting' 'status 75' meets slow_greeting
is 'an octet at a time: the reply to ATRN' 'ATRN one.test
status 75' meets slow_turn
is 'an octet at a time: a command' '421 4.3.2 nothing was said for too long
status 75' meets slow_command
is 'an octet at a time: a text' '354 go on, and end it with a dot
421 4.3.2 nothing was said for too long
status 75
came: 0' meets slow_text
is 'but a line that is just slow is no offence' '354 go on, and end it with a dot
250 2.0.0
221 2.0.0 bye
status 0
came: 1' meets slow_line
is 'busy to no end: there is one' '421 4.3.2 the deadline is over
status 75' meets deadline
is 'and when it never stops for a reply' '421 4.3.2 the deadline is over
status 75' meets flood
is 'commands that bring no message, to no end' 'bounded
421 4.7.0 too many commands without a message
status 76' meets idle
is 'its words are no orders to a terminal' 'status 75
printable' meets terminal
is 'ends of a text that are none' "$(for i in 0 1 2 3; do printf '550 5.5.2 a CR or LF that is not CRLF\nstatus 76\n'; done)
came: 0" meets smuggle
done_testing
