#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# A real dma queue (t/samples/README) through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"
. "$top/t/samples/agree.sh"

"$top/t/samples/unpack" "$tmp" dma || exit 1
dir=$tmp/dma/default
listing_agrees dma "$dir"
# shellcheck disable=SC2016	# a perl expression
texts_agree dma "$dir" queue_id '!$m->{wire_sha256}'

dir=$dir/spool
q=$dir/Q294e98.556d247bbff0
is 'found by its ID' "$q" queue-list --spool=dma:"$dir" -F %p 294e98.556d247bbff0
is 'and by its file' 294e98.556d247bbff0 queue-list -F %i "$q"
mv "$dir/M294e98.556d247bbff0" "$tmp"
is 'without its text it is no message' '' queue-list --spool=dma:"$dir" 294e98.556d247bbff0
mv "$tmp/M294e98.556d247bbff0" "$dir"
: >"$dir/M1.2"
: >"$dir/Q1.2"
ok 'one that was just begun is none' queue-list --spool=dma:"$dir" --count
printf 'ID: 1.2\nSender: \nRecipient: b@y.test\n' >"$dir/Q1.2"
is 'an empty sender is the null sender' '<>' queue-list --spool=dma:"$dir" -F %f 1.2
for sender in '<>@mx.test' @mx.test '<>'; do
	printf 'ID: 1.2\nSender: %s\nRecipient: b@y.test\n' "$sender" >"$dir/Q1.2"
	is "and so is what dma makes of it: $sender" '<>' queue-list --spool=dma:"$dir" -F %f 1.2
done
for sender in @route.test:ann@x.test '"<>"@x.test' '<>ann@x.test'; do
	printf 'ID: 1.2\nSender: %s\nRecipient: b@y.test\n' "$sender" >"$dir/Q1.2"
	is "but not $sender" "$sender" queue-list --spool=dma:"$dir" -F %f 1.2
done
printf 'ID: 1.2\nRecipient: b@y.test\n' >"$dir/Q1.2"
exits 'a damaged one is said' 65 queue-list --spool=dma:"$dir" -l
like 'by name' 'Q1.2: damaged' queue-list --spool=dma:"$dir" -l
rm "$dir/Q1.2" "$dir/M1.2"
. "$top/t/samples/hostile.sh"
hostile dma "$dir" . Q294e98.5
exits 'a directory that is not there is said' 74 queue-list --spool=dma:"$tmp/none"
mkdir "$tmp/none"
is 'an empty one has no mail' 0 queue-list --spool=dma:"$tmp/none" --count
: >"$tmp/none/1700000000.1"
exits 'one with something else in it is no queue of dma' 74 queue-list --spool=dma:"$tmp/none" --count
done_testing
