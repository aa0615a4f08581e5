#!/bin/sh
# What is too large for a line, with a real Postfix: msg-sizecheck(1)'s two pipes, the
# report read by a mail program, and delivered to the sender.
# shellcheck disable=SC2034,SC2154
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/postfix.sh"

postfix_root <<-END
$to_hop
$for_senders
message_size_limit = 50000000
mailbox_size_limit = 0
virtual_mailbox_limit = 0
queue_run_delay = 1h
END
postfix_starts
stop() { chroot "$root" postfix stop >/dev/null 2>&1; }

at() { queue-list --spool=postfix:"$root$spool" -F '%r' "$@" | sort; }
is_at() { [ "$(at)" = "$1" ]; }
# large LINES SENDER RECIPIENT...: into Postfix's queue
large() {
	large_lines=$1 large_from=$2
	shift 2
	{
		printf 'From: %s\nSubject: %s lines\n\n' "$large_from" "$large_lines"
		yes 'a line of a letter that is as long as letters have them, seventy or so' | head -n "$large_lines"
	} | in_chroot - "$root" sendmail -i -f "$large_from" "$@"
}
large 10 ann@sender.test bob@customer.test
large 170000 ann@sender.test carla@customer.test dora@other.test
large 170000 ann@sender.test eve@other.test
all='bob@customer.test
carla@customer.test dora@other.test
eve@other.test'
wait_for is_at "$all"

# the next hop is 192.0.2.7 in the manual
ip addr add 192.0.2.7/32 dev lo
mkdir -p "$tmp/far"
sink --listen=192.0.2.7:25 --maildir="$tmp/far" --port-file="$tmp/far.port" >/dev/null 2>&1 &
far=$!
wait_for test -s "$tmp/far.port"
pass='queue-list --records -d customer.test | msg-sizecheck -m 10M --pass - | dequeue - -- smtp-send --records -s 192.0.2.7'
over="queue-list --records -d customer.test | msg-sizecheck -m 10M --over - | dequeue - --bounce --bounce-text='5.3.4 message exceeds 10 MB'"
exits 'what fits is sent' 0 in_chroot - "$root" sh -c "$pass"
is 'and has arrived' 'Delivered-To: bob@customer.test' sh -c 'grep -h ^Delivered-To: "$1"/new/*' - "$tmp/far"
is 'the others wait' 'carla@customer.test dora@other.test
eve@other.test' at
exits 'what does not is returned' 0 in_chroot - "$root" sh -c "$over"
is 'for that recipient only' 'dora@other.test
eve@other.test' at
returned() { [ "$(find "$root/var/mail/all/new" -type f | wc -l)" -ge 1 ]; }
open_hop
exits 'the rest goes' 0 in_chroot - "$root" dequeue --spool=postfix --all --wait=60s
wait_for is_at ''
wait_for returned
is 'the report, as a mail program reads it' 'delivery-status text/plain message/delivery-status text/rfc822-headers 0
rfc822; carla@customer.test failed 5.3.4' sh -c 'python3 "$1" "$2"/new/*' - "$mta/report.py" "$root/var/mail/all"
kill $far
stop
done_testing
