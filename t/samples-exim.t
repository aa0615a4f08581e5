#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# Real Exim spools (t/samples/README) through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"
. "$top/t/samples/agree.sh"

"$top/t/samples/unpack" "$tmp" exim || exit 1

for layout in default split wireformat; do
	dir=$tmp/exim/$layout
	listing_agrees exim "$dir"
	# bare-lf: Exim's own client doubles a dot behind a bare LF of such a body
	# shellcheck disable=SC2016	# a perl expression
	texts_agree exim "$dir" queue_id \
	    '!$m->{wire_sha256} || ($m->{case} // "") eq "bare-lf" && "'$layout'" eq "wireformat"'
done

dir=$tmp/exim/default/spool
ref=$dir/input/1xVWxJ-0002qn-2a-H
is 'found by its ID' "$ref" queue-list --spool=exim:"$dir" --format='%p' 1xVWxJ-0002qn-2a
mkdir "$dir/input/J"
mv "$dir"/input/1xVWxJ-0002qn-2a-? "$dir/input/J"
is 'and where it moved to' "$dir/input/J/1xVWxJ-0002qn-2a-H" \
    queue-list --format='%p' "$ref"
like 'its text, too' 'Subject: case simple' queue-cat "$ref"
is 'frozen is held' 'hold hold' sh -c \
    'queue-list --spool=exim:"$1" --state=hold -F "%q" | paste -sd" "' - "$dir"
is 'in a queue with a name' "$tmp/exim/split/spool/slowq/input/e/1xVWxe-0003AP-1D-H" \
    queue-list --spool=exim:"$tmp/exim/split/spool" -F '%p' 1xVWxe-0003AP-1D
is 'whose spool is the one above' slow@origin.example sh -c \
    'queue-list -F "%f" "$1"' - "$dir/input/1xVWxS-0002xu-0h-H"

: >"$dir/input/1xVWxJ-0002qn-2b-H"
exits 'a damaged one is said' 65 queue-list --spool=exim:"$dir" -l
like 'by name' '2b-H: damaged' queue-list --spool=exim:"$dir" -l
rm "$dir/input/1xVWxJ-0002qn-2b-H"
mv "$dir/input/1xVWxK-0002qv-01-D" "$tmp"
like 'one without its body, too' '1xVWxK-0002qv-01-H: its body is not there' \
    queue-list --spool=exim:"$dir" -l
mv "$tmp/1xVWxK-0002qv-01-D" "$dir/input"
cp "$dir/input/1xVWxK-0002qv-01-D" "$dir/input/1xVWxK-0002qv-99-D"
is 'a body alone is no message' '' queue-list --spool=exim:"$dir" 1xVWxK-0002qv-99
rm "$dir/input/1xVWxK-0002qv-99-D"

. "$top/t/samples/hostile.sh"
hostile exim "$dir" input 1xVWxJ-0002qn-zz-H
exits 'what is no spool is said' 74 queue-list --spool=exim:"$tmp"
done_testing
