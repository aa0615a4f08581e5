#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# Real queues (t/samples/README) through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"

"$top/t/samples/unpack" "$tmp" || exit 1

# `ID SHA256` of every text as it went over the wire; those in maildrop got
# header fields on their way.
sums() {
	perl -MJSON::PP -ne 'my $m = decode_json($_);
	    print "$m->{queue_id} $m->{wire_sha256}\n" if $m->{state} ne "maildrop"' \
	    "$1" | sort
}

cat_sums() {
	queue-list --spool=postfix:"$1" --state=active,incoming,deferred,hold |
	while read -r ref; do
		set -- "$(queue-cat "$ref" | sha256sum)"
		echo "${ref##*/} ${1%% *}"
	done | sort
}

for layout in default hashed; do
	dir=$tmp/postfix/$layout
	queue-list --spool=postfix:"$dir/spool" -j >"$tmp/list"
	is "$layout: every member as Postfix says" '' \
	    "$top/t/samples/compare" "$dir/expected.jsonl" "$tmp/list"
	is "$layout: as many as Postfix lists" "$(wc -l <"$dir/postqueue.jsonl" | tr -d ' ')" \
	    queue-list --spool=postfix:"$dir/spool" --count
	sums "$dir/expected.jsonl" >"$tmp/want"
	cat_sums "$dir/spool" >"$tmp/got"
	same "$layout: every text as it went over the wire" "$tmp/want" "$tmp/got"
done

dir=$tmp/postfix/default/spool
ref=$dir/deferred/C/C593C1BA3C2
is 'a message that moved is found by its ID' "$ref" sh -c \
    'queue-list --spool=postfix:"$1" "$1/incoming/C593C1BA3C2"' - "$dir"
chmod 600 "$ref"
is 'one that is being written is no message yet' '' \
    queue-list --spool=postfix:"$dir" C593C1BA3C2
chmod 700 "$ref"
printf x >"$dir/deferred/C/ABCDEF"
chmod 700 "$dir/deferred/C/ABCDEF"
exits 'a damaged one is said' 65 queue-list --spool=postfix:"$dir" --count
like 'by name' 'deferred/C/ABCDEF: damaged at octet 0' \
    queue-list --spool=postfix:"$dir" --count
: >"$dir/deferred/C/ABCDEF"
ok 'an empty one is none' queue-list --spool=postfix:"$dir" --count
rm "$dir/deferred/C/ABCDEF"

if [ "$(id -u)" = 0 ]; then
	chmod 755 "$tmp" "$tmp/postfix" "$tmp/postfix/default"
	cp "$(command -v queue-list)" "$tmp/queue-list"
	drop='setpriv --reuid=65534 --regid=65534 --clear-groups --'
	# shellcheck disable=SC2086
	exits 'who may not read it hears so' 77 $drop "$tmp/queue-list" \
	    --spool=postfix:"$dir"
else
	chmod 0 "$dir/deferred"
	exits 'who may not read it hears so' 77 queue-list --spool=postfix:"$dir"
	chmod 700 "$dir/deferred"
fi
done_testing
