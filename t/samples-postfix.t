#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# Real Postfix queues (t/samples/README) through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"

. "$top/t/samples/agree.sh"

"$top/t/samples/unpack" "$tmp" postfix || exit 1

for layout in default hashed; do
	dir=$tmp/postfix/$layout
	listing_agrees postfix "$dir"
	is "$layout: as many as Postfix lists" "$(wc -l <"$dir/postqueue.jsonl" | tr -d ' ')" \
	    queue-list --spool=postfix:"$dir/spool" --count
	# shellcheck disable=SC2016	# a perl expression
	texts_agree postfix "$dir" queue_id '$m->{state} eq "maildrop"'
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
exits 'a damaged one is said' 65 queue-list --spool=postfix:"$dir" -l
like 'by name' 'deferred/C/ABCDEF: damaged at octet 0' \
    queue-list --spool=postfix:"$dir" -l
: >"$dir/deferred/C/ABCDEF"
ok 'an empty one is none' queue-list --spool=postfix:"$dir" -l
is 'names alone are counted without opening them' 41 queue-list --spool=postfix:"$dir" --count
rm "$dir/deferred/C/ABCDEF"

. "$top/t/samples/hostile.sh"
hostile postfix "$dir" deferred ABCDEF

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
