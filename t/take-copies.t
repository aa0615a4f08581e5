#!/bin/sh
# dequeue on copied queues of MTAs that offer no safe way while they run: dma, Courier,
# qmail.
# shellcheck disable=SC2154,SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/take.sh"

"$top/t/samples/unpack" "$tmp/samples" dma courier || exit 1

# ---- dma: a recipient is a pair of files ----
take_kind=dma take_from=$tmp/samples/dma/default/spool
# dma's own mistake: a bounce from `@mx.test', which is left alone
rm "$take_from"/[QM]294e71.*
takes_by_domain later.example
pairs() { (cd "$take_dir" && ls | sed -n 's/^[QM]//p' | sort | uniq -c | awk '$1 != 2'); }
is 'dma: no half of a pair is left' '' pairs
id=$(queue-list --spool=dma:"$take_from" --ids -r 'ann@*' | head -n 1)
take_twins "$id"
take_killed "$id"
take_fresh
take_start "$id"
rm "$take_dir/Q$id"
take_end
like 'dma: taken away meanwhile: told' 'taken away' cat "$tmp/take.err"
take_fresh
f=$take_dir/Q$(queue-list --spool=dma:"$take_from" --ids -r 'bob@*' | head -n 1)
touch -d @1795450600 "$f"
cp "$f" "$tmp/want"
exits 'dma: put off: 75' 75 take_drain "${f##*/Q}"
same 'dma: as it was' "$tmp/want" "$f"
is 'dma: and as old' 1795450600 stat -c %Y "$f"
exits 'dma: release of a copy: 69' 69 dequeue --spool=dma:"$take_dir" --all
like 'dma: single ones it cannot release' 'can only be told to deliver everything' \
	dequeue --spool=dma:"$take_dir" "${f##*/Q}"
exits 'dma: it knows no hold: 69' 69 dequeue --spool=dma:"$take_dir" --hold --all

# ---- Courier: lines are added to the control file ----
take_kind=courier take_from=$tmp/samples/courier/default/spool
takes_by_domain later.example
ref=$(queue-list --spool=courier:"$take_from" -j | perl -MJSON::PP -ne '$m = decode_json($_);
	@r = map { $_->{address} } @{$m->{recipients}};
	print "$m->{ref}\n" if @r == 3 && grep(/^bob/, @r)' | head -n 1)
f=$take_dir${ref#"$take_from"}
id=$(queue-list -F %i "$ref")
take_twins "$id"
take_killed "$id"
take_fresh
cp "$f" "$tmp/before"
take_drain "$id" 2>/dev/null
ok 'courier: what was there stays' sh -c 'head -c "$(wc -c <"$1")" "$2" | cmp - "$1"' - "$tmp/before" "$f"
tail -c +"$(($(wc -c <"$tmp/before") + 1))" "$f" | sed 's/ [0-9]\{10,\}$/ TIME/' >"$tmp/added"
like 'courier: who has it is S' '^S[0-9]+ TIME$' cat "$tmp/added"
like 'courier: who waits is D' '^D[0-9]+ TIME$' cat "$tmp/added"
like 'courier: with the reply' '^I[0-9]+ R 451 4.2.1 later$' cat "$tmp/added"
like 'courier: which is listed' '451 4.2.1 later' take_list -F %R "$id"
printf 'S1' >>"$f"
take_rows "$id" >"$tmp/rows"
take_drain "$id" -r 'bob*' 2>/dev/null
take_rows "$id" >"$tmp/rows2"
same 'courier: half a line marks nobody' "$tmp/rows" "$tmp/rows2"
ok 'courier: and is cut off' sh -c '! grep -Eq "^S1[DI]|^S1$" "$1"' - "$f"
dequeue --spool=courier:"$take_dir" --remove -y "$id"
data=${f%/*}/D${f##*/C}
ok 'courier: nothing is left of what is removed' sh -c '! [ -e "$1" ] && ! [ -e "$2" ] &&
	! find "$3/msgq" -name "${1##*/}.*" | grep .' - "$f" "$data" "$take_dir"
exits 'courier: release of a copy: 69' 69 dequeue --spool=courier:"$take_dir" --all
exits 'courier: it knows no hold: 69' 69 dequeue --spool=courier:"$take_dir" --hold --all

# ---- qmail: one octet a recipient ----
take_kind=qmail take_from=$tmp/qmail
for n in 26 49 72; do
	mkdir -p "$tmp/qmail/mess/3" "$tmp/qmail/info/3" "$tmp/qmail/local/3" \
		"$tmp/qmail/remote/3" "$tmp/qmail/todo" "$tmp/qmail/lock"
	printf 'Subject: x\n\nhi\n' >"$tmp/qmail/mess/3/$n"
	printf 'Fann@x.test\0' >"$tmp/qmail/info/3/$n"
	printf 'Tann%s@y.test\0Dcara@y.test\0Tbob@y.test\0Tother@z.test\0' $n >"$tmp/qmail/remote/3/$n"
	printf 'Tcarla@y.test\0Tdan@y.test\0' >"$tmp/qmail/local/3/$n"
done
printf 'Tann72@y.test\0' >"$tmp/qmail/remote/3/72"
rm "$tmp/qmail/local/3/72"
printf 'Subject: y\n\nho\n' >"$tmp/qmail/mess/3/95"
printf 'u1000\0p77\0F\0Tone@y.test\0' >"$tmp/qmail/todo/95"
: >"$tmp/qmail/lock/sendmutex"
takes_by_domain y.test
is 'qmail: T became D, and nothing else' 'Dann26@y.test|Dcara@y.test|Tbob@y.test|Tother@z.test|' \
	sh -c 'tr "\0" "|" <"$take_dir/remote/3/26"; echo'
is 'qmail: in the other list, too' 'Tcarla@y.test|Ddan@y.test|' \
	sh -c 'tr "\0" "|" <"$take_dir/local/3/26"; echo'
is 'qmail: nothing is left of what is done' '' find "$take_dir" -name 72
ok 'qmail: what is not sorted yet is not touched' cmp "$take_from/todo/95" "$take_dir/todo/95"
take_twins 26
take_killed 26
take_fresh
exits 'qmail: while qmail-send is at work: 69' 69 flock "$take_dir/lock/sendmutex" \
	dequeue --spool=qmail:"$take_dir" 26 -- "$tmp/take.answer"
take_waiting >"$tmp/rows2"
same 'qmail: nothing was touched' "$tmp/.before" "$tmp/rows2"
exits 'qmail: release of a copy: 69' 69 dequeue --spool=qmail:"$take_dir" --all
: 7<>"$tmp/take.fifo"
done_testing
