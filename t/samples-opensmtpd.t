#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# A real OpenSMTPD queue (t/samples/README) through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"
. "$top/t/samples/agree.sh"

"$top/t/samples/unpack" "$tmp" opensmtpd || exit 1
dir=$tmp/opensmtpd/default
listing_agrees opensmtpd "$dir"
# shellcheck disable=SC2016	# a perl expression
texts_agree opensmtpd "$dir" envelope_id '!$m->{wire_sha256}'

dir=$dir/spool
is 'found by the ID of the envelope' "$dir/queue/07/07e48a25/07e48a250247f0c8" \
    queue-list --spool=opensmtpd:"$dir" -F %p 07e48a250247f0c8
is 'all of a message by its ID' '07e48a250247f0c8 07e48a25797e045d' sh -c \
    'queue-list --spool=opensmtpd:"$1" -F %i 07e48a25 | sort | paste -sd" "' - "$dir"
like 'its text, too' 'Subject: case hold-new' queue-cat --spool=opensmtpd:"$dir" 07e48a25

bad=$dir/queue/07/07e48a25/07e48a25ffffffff
: >"$bad"
exits 'a damaged one is said' 65 queue-list --spool=opensmtpd:"$dir" -l
like 'by name' '07e48a25ffffffff: damaged' queue-list --spool=opensmtpd:"$dir" -l
printf 'x' | gzip >"$bad"
exits 'a compressed one is refused' 69 queue-list --spool=opensmtpd:"$dir" -l
like 'with words' 'is compressed' queue-list --spool=opensmtpd:"$dir" -l
printf '\001abc' >"$bad"
like 'an encrypted one, too' 'is encrypted' queue-list --spool=opensmtpd:"$dir" -l
sed 's/version: 3/version: 4/' "$dir/queue/07/07e48a25/07e48a250247f0c8" >"$bad"
like 'and a newer format' 'is version 4' queue-list --spool=opensmtpd:"$dir" -l
rm "$bad"

. "$top/t/samples/hostile.sh"
hostile opensmtpd "$dir" queue/07/07e48a25 07e48a25ffffffff
exits 'what is no queue is said' 74 queue-list --spool=opensmtpd:"$tmp"
done_testing
