# Sample queues through queue-list and queue-cat; sourced after lib.sh.
#
#	listing_agrees KIND DIR		every member of DIR/expected.jsonl, by KIND.pl
#	texts_agree KIND DIR KEY SKIP	every text is what went over the wire; KEY is
#					the member that is the queue_id, SKIP a perl
#					expression on the object $m: no text to compare
#
# DIR holds spool/ and expected.jsonl.
# shellcheck shell=sh

listing_agrees() {
	queue-list --spool="$1:$2/spool" -j >"$tmp/.list"
	is "$1 ${2##*/}: every member as the MTA says" '' \
	    "$top/t/samples/compare" "$1" "$2/expected.jsonl" "$tmp/.list"
}

# `ID SHA256` of every text
sums_wanted() {
	# shellcheck disable=SC2016
	perl -MJSON::PP -ne 'my $m = decode_json($_);
	    print "$m->{'"$2"'} $m->{wire_sha256}\n" if !('"$3"')' "$1" | sort
}

texts_agree() {
	sums_wanted "$2/expected.jsonl" "$3" "$4" >"$tmp/.want-sums"
	while read -r agree_id agree_sum; do
		# shellcheck disable=SC2046
		set -- "$1" "$2" "$3" "$4" $(queue-cat --spool="$1:$2/spool" \
		    "$agree_id" | sha256sum)
		echo "$agree_id $5"
	done <"$tmp/.want-sums" >"$tmp/.got-sums"
	same "$1 ${2##*/}: every text as it went over the wire" \
	    "$tmp/.want-sums" "$tmp/.got-sums"
	ok "$1 ${2##*/}: and there are some" test -s "$tmp/.want-sums"
}
