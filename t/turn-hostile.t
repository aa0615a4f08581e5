#!/bin/sh
# Customers of turn-server who mean no good: what they hear, what it costs, when it is
# over, and that no mail goes where it should not.  t/turn-client-hostile.t is the other end.
# shellcheck shell=sh source=t/lib.sh disable=SC2034
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"
command -v python3 >/dev/null || skip_all 'no python3'
case ${BUILD:-build} in *asan*) HEAVY=1; export HEAVY ;; esac
# where the MTA would bring mail for this customer; no other test has that address
address=127.$(($$ % 250 + 1)).$(($$ / 250 % 250 + 1)).9
spliced=$address:$(python3 -c 'import socket, sys
s = socket.socket(); s.bind((sys.argv[1], 0)); print(s.getsockname()[1])' "$address")
export PYTHONDONTWRITEBYTECODE=1
# shellcheck source=t/hostile.sh
. "$(dirname "$0")/hostile.sh"
hostile=bad_customer.py

{
	printf 'alice: splice=%s one.test' "$spliced"
	for i in 0 1 2 3 4 5 6 7 8; do printf ' d%d.test' $i; done
	printf '\nbob: other.test\n'
} >"$tmp/customers"
printf 'alice:{PLAIN}secret\nbob:{PLAIN}other\n' >"$tmp/users"
chmod 600 "$tmp/users"

world() {
	mkdir -p "$1/md/new" "$1/md/cur" "$1/md/tmp" "$1/run"
	case $1 in */world.splice*) rm -f "$tmp/sp/code" ;; esac
	cp -p "$tmp/customers" "$tmp/users" "$1"
	ln -s "$tmp/pki" "$tmp/sp" "$1"
	printf 'Return-Path: <a@x.test>\nDelivered-To: b@one.test\nSubject: x\n\nhi\n' >"$1/md/new/m1"
	printf 'Return-Path: <a@x.test>\nDelivered-To: b@other.test\nSubject: x\n\nhi\n' >"$1/md/new/m2"
}

# programs of the same name beside it stand in for the MTA
mkdir "$tmp/sp"
cp "$(command -v turn-server)" "$tmp/sp"
printf '#!/bin/sh\necho 1\n' >"$tmp/sp/queue-list"
cat >"$tmp/sp/dequeue" <<-END
#!/bin/sh
{
	smtp-send -q -s $spliced -f a@x.test b@one.test <"$msg" 2>"$tmp/sp/said"
	echo \$? >"$tmp/sp/code.new"
	mv "$tmp/sp/code.new" "$tmp/sp/code"
} >/dev/null 2>&1 &
END
chmod +x "$tmp/sp/queue-list" "$tmp/sp/dequeue"
turns='250 2.0.0 OK now reversing the connection'
kept='waits: m1 m2'
begin deaf slow_login slow_handshake slow_command slow_greeting slow_verdict

is 'all that comes after the turn stands behind ATRN' "503 5.5.0 something was said behind it
status 75
$kept" meets glued
is 'replies before they are asked for: no mail goes' "$turns
status 75
$kept" meets ahead
is 'orders instead of a greeting: nothing is relayed' "$turns
status 75
$kept" meets commands
is 'commands in the clear behind STARTTLS' '554 5.7.0 something was said behind STARTTLS
status 76' meets plain_in_tls
is 'commands in the clear for a handshake' '220 2.0.0 go on
status 75' meets babble_in_tls
is 'a line without an end' '500 5.5.2 the line is too long
status 76' meets endless
is 'AUTH without an end' '500 5.5.2 the line is too long
status 76' meets endless_auth
is 'an answer in AUTH without an end' '334 
500 5.5.2 the line is too long
status 76' meets endless_answer
is 'a greeting without an end' "$turns
status 75
$kept" meets endless_greeting
is 'BDAT of 2^64+1: no mail is taken' '502 5.5.1 that is not done here
502 5.5.1 that is not done here
502 5.5.1 that is not done here
502 5.5.1 that is not done here
221 2.0.0 bye
status 0' meets bdat
is 'ten thousand RCPTs: ten are answered' "$(for i in 0 1 2 3 4 5 6 7 8 9; do echo '502 5.5.1 that is not done here'; done)
421 4.7.0 too many bad commands
status 76" meets rcpts
is 'no reply is ever read: nor are commands, soon' 'status 76' meets deaf
is 'an octet at a time: before AUTH' '421 4.3.2 it takes too long
status 75' meets slow_login
is 'an octet at a time: in the handshake' '220 2.0.0 go on
status 75' meets slow_handshake
is 'an octet at a time: a command' '421 4.3.2 nothing was said for too long
status 75' meets slow_command
is 'an octet at a time: the greeting after the turn' "$turns
status 75
$kept" meets slow_greeting
is 'an octet at a time: the verdict' "$turns
EHLO isp.test
status 75
$kept" meets slow_verdict
is 'a foreign domain among ten, and one that there is not' "$(for i in 0 1 2 3 4 5; do echo '450 4.7.1 request refused'; done)
221 2.0.0 bye
status 0
$kept" meets ten
is 'four hundred domains, four thousand' '501 5.5.4 it is ATRN domain,domain
500 5.5.2 the line is too long
None
status 76' meets many_domains
is 'what is no command' '500 5.5.2 a line ends in CRLF, and holds no other CR, LF or NUL
500 5.5.2 that command is not known here
500 5.5.2 a line ends in CRLF, and holds no other CR, LF or NUL
500 5.5.2 a line ends in CRLF, and holds no other CR, LF or NUL
250 2.0.0 ok
500 5.5.2 that command is not known here
500 5.5.2 that command is not known here
501 5.5.4 who are you?  EHLO name
status 76' meets odd
is 'forty guess at once: twenty are listened to, and then nobody' '20 guesses
454 4.7.0 not now
221 2.0.0 bye
status 0' meets guess

is 'the MTA is carried: replies before they are asked for' "$turns
status 76
the MTA: 75" meets splice_ahead
is 'the MTA is carried: a verdict before the text' "$turns
status 76
the MTA: 75" meets splice_ahead_of_text
is 'the MTA is carried: a reply without an end' "$turns
status 76
the MTA: 75" meets splice_endless
is 'the MTA is carried: an octet at a time' "$turns
status 75
the MTA: 75" meets splice_slow
done_testing
