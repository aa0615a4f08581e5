#!/bin/sh
# dequeue on a copied nullmailer queue: what becomes of its files.
# shellcheck disable=SC2154,SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/take.sh"

"$top/t/samples/unpack" "$tmp/samples" nullmailer || exit 1
take_kind=nullmailer take_from=$tmp/samples/nullmailer/default/spool
places() { (cd "$take_dir" && find . -mindepth 1 -maxdepth 1 | sort | paste -sd ' '); }

takes_by_domain later.example
is 'nothing of ours is left' './failed ./queue ./tmp' places
take_twins 1795450564.7281
is 'nothing of ours is left then' './failed ./queue ./tmp' places
take_killed 1795450564.7281
is 'nothing of ours is left after a kill' './failed ./queue ./tmp' places

# ---- one file, as nullmailer-queue would have written it ----
take_fresh
f=$take_dir/queue/1795450564.7281
touch -d @1795450600 "$f"
chmod 640 "$f"
sed '/^ann@later/d' "$f" >"$tmp/want"
stat -c '%a %Y' "$f" >"$tmp/stat"
take_drain 1795450564.7281 -r 'ann*' 2>/dev/null
same 'who has it is no longer in the file' "$tmp/want" "$f"
is 'mode and age are the old ones' "$(cat "$tmp/stat")" stat -c '%a %Y' "$f"
cp "$f" "$tmp/want"
ino=$(stat -c %i "$f")
exits 'one that is put off: 75' 75 take_drain 1795450564.7281 -r 'bob*'
same 'is as it was' "$tmp/want" "$f"
is 'the same file' "$ino" stat -c %i "$f"

# ---- held is what is in failed ----
failed=1795450564.7291
failed=1795450564.7291
take_drain --all >/dev/null 2>&1
ok 'failed is not touched by --all' [ -e "$take_dir/failed/$failed" ]
take_list --state=hold --records >"$tmp/held"
sed -i 's/^hans.*/bob@later.example/' "$take_dir/failed/$failed"
take_drain "$failed" --state=hold >/dev/null 2>&1
is 'put off, it is back in failed' "$failed" ls "$take_dir/failed"

# ---- a run that was killed between two recipients ----
take_fresh
mkdir "$take_dir/queue.tidegate"
f=$take_dir/queue.tidegate/1795450564.7281
perl -pe 's/^(ann\@later.example)\n/$1\0/' "$take_dir/queue/1795450564.7281" >"$f"
rm "$take_dir/queue/1795450564.7281"
is 'its mark is read' 'bob@eu.later.example carla@deep.eu.later.example' \
	take_list -F '%r' 1795450564.7281
like 'its text, too' '^Subject: ' queue-cat --spool=nullmailer:"$take_dir" 1795450564.7281
exits 'the next run takes it up' 75 take_drain 1795450564.7281 -r 'bob*'
ok 'and puts it back' [ -f "$take_dir/queue/1795450564.7281" ]
ok 'without the one who has it' sh -c '! grep -q "^ann@later" "$1"' - "$take_dir/queue/1795450564.7281"
exits 'remove, in a copy' 0 dequeue --spool=nullmailer:"$take_dir" --remove -y 1795450564.7281
ok 'removes the file' [ ! -e "$take_dir/queue/1795450564.7281" ]

# ---- gone meanwhile ----
take_fresh
take_start 1795450564.7281
rm "$take_dir/queue.tidegate/1795450564.7281"
take_end
like 'taken away meanwhile: told' 'taken away' cat "$tmp/take.err"
is 'with 75' 75 cat "$tmp/take.done"

# ---- other mail in a file that was met before ----
# a free inode is soon that of the next message: here it is so by a rename
take_fresh
met=$take_dir/queue/1795450564.7281 new=$take_dir/queue/1795459999.1
from=$(take_list -F %f 1795450564.7281)
is_back() { [ -s "$tmp/told" ] && [ -f "$met" ]; }
{
	printf '%s\t%s\tbob@eu.later.example\n' "$met" "$from"
	wait_for is_back
	mv "$met" "$new"
	printf '%s\t%s\tann@later.example\n' "$new" "$from"
} | dequeue - --results --in-hand=1 -- "$tmp/take.answer" >"$tmp/told" 2>"$tmp/err"
is 'a new message is taken, whose inode was met as that of another' ann@later.example \
	cut -f2 "$take_sink"
is 'and he is done' 'bob@eu.later.example carla@deep.eu.later.example' take_list -F %r 1795459999.1

# ---- orders that need nullmailer ----
take_fresh
exits 'release of a copy: 69' 69 dequeue --spool=nullmailer:"$take_dir" --all
like 'because its MTA is not here' 'a copied queue' dequeue --spool=nullmailer:"$take_dir" --all
exits 'release of one message: 69' 69 dequeue --spool=nullmailer:"$take_dir" 1795450564.7281
like 'it has no such command' 'can only be told to deliver everything' \
	dequeue --spool=nullmailer:"$take_dir" -d later.example
exits 'by its ref, too' 69 dequeue "$take_dir/queue/1795450564.7281"
exits 'hold of a copy: 69' 69 dequeue --spool=nullmailer:"$take_dir" --hold 1795450564.7281
: 7<>"$tmp/take.fifo"
done_testing
