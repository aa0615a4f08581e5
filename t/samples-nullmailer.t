#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# A real nullmailer queue (t/samples/README) through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"
. "$top/t/samples/agree.sh"

"$top/t/samples/unpack" "$tmp" nullmailer || exit 1
dir=$tmp/nullmailer/default
listing_agrees nullmailer "$dir"
# shellcheck disable=SC2016	# a perl expression
texts_agree nullmailer "$dir" queue_id '!$m->{wire_sha256}'

dir=$dir/spool
ref=$dir/queue/1795450564.7259
is 'found by its ID, in failed too' "hold $dir/failed/1795450564.7259" sh -c \
    'mv "$2" "$1/failed" && queue-list -F "%q %p" "$2"' - "$dir" "$ref"
mv "$dir/failed/1795450564.7259" "$ref"
like 'a null sender is an empty line' '^MAIL FROM:<>' sh -c \
    'printf "\nb@y.test\n\nhi\n" >"$1/queue/1.2" && queue-cat --envelope "$1/queue/1.2"' - "$dir"
is 'and its text begins behind the next empty one' "hi$(printf '\r')" queue-cat "$dir/queue/1.2"
printf 'a@x.test\nb@y.test\n' >"$dir/queue/1.2"
exits 'a damaged one is said' 65 queue-list --spool=nullmailer:"$dir" -l
like 'by name' 'queue/1.2: damaged' queue-list --spool=nullmailer:"$dir" -l
rm "$dir/queue/1.2"
# nullmailer-queue links tmp/PID here and unlinks it then: both names are the message's
mkdir -p "$dir/tmp"
printf 'a@x.test\nb@y.test\n\nhi\n' >"$dir/tmp/77"
ln "$dir/tmp/77" "$dir/queue/5.77"
is 'one that has just come has its name in tmp, too' 'deferred b@y.test' \
    queue-list -F '%q %r' "$dir/queue/5.77"
is 'and its text' "hi$(printf '\r')" queue-cat "$dir/queue/5.77"
mv "$dir/tmp/77" "$dir/tmp/78"
exits 'a second name elsewhere is somebody else'\''s' 65 queue-list "$dir/queue/5.77"
rm "$dir/tmp/78" "$dir/queue/5.77"
. "$top/t/samples/hostile.sh"
hostile nullmailer "$dir" queue 1795450564.99999
exits 'what is no queue is said' 74 queue-list --spool=nullmailer:"$tmp"
done_testing
