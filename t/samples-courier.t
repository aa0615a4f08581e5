#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# A real Courier queue (t/samples/README) through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"
. "$top/t/samples/agree.sh"

"$top/t/samples/unpack" "$tmp" courier || exit 1
dir=$tmp/courier/default
listing_agrees courier "$dir"
# shellcheck disable=SC2016	# a perl expression
texts_agree courier "$dir" queue_id '!$m->{wire_sha256}'

dir=$dir/spool
id=0000000000262988.000000006B0469FA.000017B9
is 'found by the ID that mailq prints' "$dir/msgs/0/C2501000" \
    queue-list --spool=courier:"$dir" -F %p $id
is 'which is not that of another message with its inode' '' \
    queue-list --spool=courier:"$dir" 0000000000262988.000000006B0469FB.000017B9
is 'and by its file' $id queue-list -F %i "$dir/msgs/0/C2501000"
is 'why, and when next' '452 4.2.2 mailbox full; "quota" exceeded = 100%	1795451446' sh -c \
    'queue-list -j "$1" | perl -MJSON::PP -ne '\''$m = decode_json($_);
    print "$m->{recipients}[0]{delay_reason}\t$m->{next_attempt}\n"'\' - "$dir/msgs/0/C2501000"
printf 'I0 R 452 4.2.2 half a li' >>"$dir/msgs/0/C2501000"
is 'a line that is being added does not count' '452 4.2.2 mailbox full; "quota" exceeded = 100%' \
    queue-list -F %R "$dir/msgs/0/C2501000"
printf 'ne\nS0 1795451500\n' >>"$dir/msgs/0/C2501000"
is 'one that is delivered is done' 'done -' queue-list -F '%q %r' "$dir/msgs/0/C2501000"
printf 'sx\n' >"$dir/msgs/0/C7700"
exits 'a damaged one is said' 65 queue-list --spool=courier:"$dir" -l
like 'by name' 'C7700: damaged' queue-list --spool=courier:"$dir" -l
rm "$dir/msgs/0/C7700"
. "$top/t/samples/hostile.sh"
hostile courier "$dir" msgs/0 C7700
exits 'what is no queue is said' 74 queue-list --spool=courier:"$tmp"
done_testing
