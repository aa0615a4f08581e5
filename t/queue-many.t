#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# queue-list on queues so long that several threads read them: all of it, in the
# order of the files, whatever is wrong with one of them.
. "${0%/*}/lib.sh"

n=3000
for kind in postfix exim sendmail; do
	q=$tmp/$kind
	mkdir -p "$q"
	[ $kind != postfix ] || mkdir "$q/deferred" "$q/defer" "$q/active" "$q/hold"
	python3 "$top/t/bench/queue.py" $kind "$q" $n
	ql() { queue-list --spool=$kind:"$q" "$@"; }
	ql >"$tmp/refs"
	is "$kind: all are there" $n grep -c . "$tmp/refs"
	is 'and counted' $n ql --count
	ql --records >"$tmp/records"
	cut -f1 "$tmp/records" >"$tmp/of-records"
	same 'records in the order of the files' "$tmp/refs" "$tmp/of-records"
	is 'each with its own recipients' 0 sh -c '
		grep -Evc "sender[0-9]+@sender.test	user[0-9]+@[a-z0-9]+.test	second[0-9]+@other.test$" "$1" || :' - "$tmp/records"
	ql -j >"$tmp/json"
	sed 's/.*"ref": "\([^"]*\)".*/\1/' "$tmp/json" >"$tmp/of-json"
	same 'JSON, too' "$tmp/refs" "$tmp/of-json"
	is 'with both reasons each' $n grep -c 'try again later.*try again later' "$tmp/json"
	ql --records --first=700 >"$tmp/first"
	head -700 "$tmp/records" >"$tmp/head"
	same 'the first 700 of them' "$tmp/head" "$tmp/first"
	is 'ten for one domain' 10 sh -c 'queue-list --spool="$1" -d few.test --records | grep -c "	user[0-9]*@few.test$"' - $kind:"$q"
	is 'as a number' 10 ql --count -d few.test
	is 'in a table' 10 sh -c 'queue-list --spool="$1" -d few.test -l | grep -c @few.test' - $kind:"$q"
	ql -F '%s %p' >"$tmp/sizes"
	size=$(sort -n "$tmp/sizes" | sed -n '1500s/ .*//p')
	awk -v size="$size" '$1 >= size { print $2 }' "$tmp/sizes" >"$tmp/large"
	ql --records --larger=$((size - 1)) | cut -f1 >"$tmp/of-records"
	same 'those of some size, also where it is not shown' "$tmp/large" "$tmp/of-records"
	ql --records --sort=size | cut -f1 >"$tmp/sorted"
	is 'and by size' $n sh -c 'awk "NR == FNR { s[\$2] = \$1; next } { print s[\$1] }" \
		"$1" "$2" >"$3" && sort -nrc "$3" && grep -c . "$3"' - "$tmp/sizes" "$tmp/sorted" "$tmp/in-order"

	bad=$(sed -n 1500p "$tmp/refs")
	case $kind in
	postfix) printf 'C\377\377\377\377\377\377' >"$tmp/damaged" ;;
	exim) sed 's/^<sender/sender/' "$bad" >"$tmp/damaged" ;;
	sendmail) sed 's/^T.*/Tx/' "$bad" >"$tmp/damaged" ;;
	esac
	cat "$tmp/damaged" >"$bad"
	exits 'one is damaged' 65 ql --records
	like 'which is told' "$(basename "$bad")" ql --records
	ql --records 2>/dev/null | cut -f1 | grep -v '^!$' >"$tmp/rest"
	sed 1500d "$tmp/refs" >"$tmp/others"
	same 'all others are listed' "$tmp/others" "$tmp/rest"
	exits 'nobody is there to read it' 74 sh -c 'queue-list --spool="$1" -j 2>/dev/null >/dev/full' - $kind:"$q"
done
done_testing
