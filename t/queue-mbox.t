#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# mbox files through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"

box=$tmp/box
{
	printf 'From ann@x.test Thu Nov 26 10:00:00 2026\n'
	printf 'Return-Path: <ann@x.test>\nDelivered-To: bob@y.test\nX-Original-To: b@y.test\n'
	printf 'Subject: one\n\nhello\nFrom here on\n\nFrom now it is text\n>From there\n\n'
	printf 'From MAILER-DAEMON Thu Nov 26 10:00:01 2026\n'
	printf 'X-Original-To: carla@y.test\nSubject: two\n\nlast'
} >"$box"
two=$(grep -abo '^From MAILER' "$box" | cut -d: -f1)

is 'each message once, by the place of its From line' "$box#0
$box#$two" queue-list --spool=mbox:"$box"
is 'sender and recipients' 'ann@x.test bob@y.test
<> carla@y.test' queue-list --spool=mbox:"$box" -F '%f %r'
is 'a line without a time of day is text' 'Subject: one

hello
From here on

From now it is text
>From there' sh -c 'queue-cat "$1#0" | tr -d "\r"' - "$box"
is 'the last line gets its end' 'Subject: two

last' sh -c 'queue-cat "$1#$2" | tr -d "\r"' - "$box" "$two"
is 'by the ID' "$box#$two" queue-list --spool=mbox:"$box" -F %p "$two"
is 'by a relative ref' "$two" sh -c 'cd "$1" && queue-list -F %i "./box#$2"' - "$tmp" "$two"
is 'an ID in the middle is none' '' queue-list --spool=mbox:"$box" 7
printf 'From a@x.test Thu Nov 26 10:00:00 2026\nDelivered-To: b@y.test\n\nhi\nFrom c@x.test Thu Nov 26 10:00:00 2026\n' >"$tmp/inner"
is 'a From line behind a line that is not empty begins none' 0 queue-list --spool=mbox:"$tmp/inner" 66 --count
is 'the date is that of the From line' 1 sh -c \
    'queue-list --spool=mbox:"$1" -j | perl -MJSON::PP -ne '\''
    $m = decode_json($_); $n{$m->{arrival_time}}++;
    END { @t = sort keys %n; print $t[1] - $t[0], "\n" }'\' - "$box"
printf 'Subject: no box\n' >"$tmp/none"
exits 'what is no mbox is said' 74 queue-list --spool=mbox:"$tmp/none"
printf 'From here to there\n\nFrom a@x.test Thu Nov 26 10:00:00 2026\n\nhi\n' >"$tmp/prose"
exits 'nor is what begins with From for another reason' 74 queue-list --spool=mbox:"$tmp/prose"
: >"$tmp/empty"
is 'an empty one is empty' 0 queue-list --spool=mbox:"$tmp/empty" --count
ln -s "$box" "$tmp/link"
is 'the file may be named by a link' 2 queue-list --spool=mbox:"$tmp/link" --count
perl -e 'for (1 .. 3000) { print "From a\@x.test Thu Nov 26 10:00:00 2026\nDelivered-To: b$_\@y.test\n\n",
    "x" x ($_ * 37 % 5000), "\n\n" }' >"$tmp/many"
is 'messages across the pieces that are read' 3000 queue-list --spool=mbox:"$tmp/many" --count
is "and the text of one of them" "$(perl -e 'print "x" x (2999 * 37 % 5000)')" sh -c \
    'queue-cat "$(queue-list --spool=mbox:"$1" -r b2999@y.test)" | tail -1 | tr -d "\r"' - "$tmp/many"

# ---- nothing is taken out of where mail is delivered ----
cp "$box" "$tmp/before"
MAIL=$box
export MAIL
for verb in '-- cat' '--bounce -y' '--remove -y'; do
	# shellcheck disable=SC2086
	exits "69: $verb" 69 dequeue --spool=mbox:"$box" --all $verb
	# shellcheck disable=SC2086
	exits "69, by ref: $verb" 69 dequeue "$box#0" $verb
done
like 'with what to do' 'mail is delivered into it.*smtp-send --records' dequeue --spool=mbox:"$box" --all -- cat
exits 'no advice that leads there' 1 sh -c 'dequeue --spool=mbox:"$1" --all 2>&1 | grep COMMAND' - "$box"
same 'it is as it was' "$tmp/before" "$box"
sink --listen=127.0.0.1:0 --maildir="$tmp/got" --port-file="$tmp/port" &
sink_pid=$!
wait_for test -s "$tmp/port"
is 'that does send it' 'bob@y.test carla@y.test' sh -c 'queue-list --spool=mbox:"$1" --records |
	smtp-send --records -s 127.0.0.1:"$2" | grep delivered | cut -f2 | sort | paste -sd " "' - "$box" "$(cat "$tmp/port")"
same '... and it stays' "$tmp/before" "$box"
kill $sink_pid
wait $sink_pid 2>/dev/null
done_testing
