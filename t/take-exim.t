#!/bin/sh
# dequeue on a copied Exim queue: what becomes of its files.
# shellcheck disable=SC2154,SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/take.sh"

"$top/t/samples/unpack" "$tmp/samples" exim || exit 1
take_kind=exim take_from=$tmp/samples/exim/split/spool
takes_by_domain later.example
take_from=$tmp/samples/exim/default/spool
takes_by_domain later.example

# The names of a message's files that are there.
parts() {
	(cd "$take_dir" && find . -name "*$1*" | sort)
}
ours() { find "$take_dir" -name 'tidegate*'; }
is 'nothing of ours is left' '' ours
is 'what nobody waits for has gone' '' parts 1xVWxJ-0002qn-2a
like 'why one waits' '451 4.2.1 later' take_list -F %R -r bob@later.example

# ---- what Exim finds ----
take_fresh
id=1xVWxP-0002wZ-06
cp "$take_dir/input/$id-H" "$tmp/want"
chmod 600 "$take_dir/input/$id-D"
cp "$take_dir/msglog/$id" "$tmp/log"
exits 'one of several' 0 take_drain "$id" -r 'UPPER*'
is 'its journal has the domain in lower case' 'UPPER.Case@later.example' cat "$take_dir/input/$id-J"
is 'and the mode of the others' 600 stat -c %a "$take_dir/input/$id-J"
exits 'another one' 75 take_drain "$id" -r '#*' -r 'bob*'
is 'is written behind it' 'UPPER.Case@later.example
#hash/slash@later.example' cat "$take_dir/input/$id-J"
same 'the envelope is as it was' "$tmp/want" "$take_dir/input/$id-H"
ok 'the log goes on' sh -c 'head -c "$(wc -c <"$1")" "$2" | cmp - "$1"' - "$tmp/log" "$take_dir/msglog/$id"
tail -c +"$(($(wc -c <"$tmp/log") + 1))" "$take_dir/msglog/$id" |
	sed 's/^[-0-9]* [:0-9]* [-+][0-9]* /TIME /' >"$tmp/added"
is 'with a line about who waits' 'TIME bob=40x@later.example T=dequeue defer (0): 451 4.2.1 later' cat "$tmp/added"
is 'which is listed' '451 4.2.1 later' take_list -F %R "$id" -r 'bob*'
is 'as one attempt more' 2 sh -c 'queue-list --spool="$1" -j "$2" | grep -o "\"attempts\":[^,}]*" |
	grep -o "[0-9]*"' - "exim:$take_dir" "$id"
take_drain "$id" -r 'f+*' -r '+*' -r "o'*" >/dev/null 2>&1
is 'the others wait' 'bob=40x@later.example' take_list -F %r "$id"
sed -i 's/^bob=40x/ann=40x/' "$take_dir/input/$id-H"
exits 'the last one' 0 take_drain "$id"
is 'takes the message with it' '' parts "$id"

take_fresh
id=1xVWxQ-0002wz-0E
exits 'who is there twice' 0 take_drain "$id" -d later.example
is 'has one line' ann@later.example cat "$take_dir/input/$id-J"
is 'and is done' ann@eu.later.example take_list -F %r "$id"

# half a line is what a crash left of one
take_fresh
id=1xVWxO-0002wG-1F
{ grep -v '^$' "$take_dir/input/$id-J" 2>/dev/null; printf 'dmitri@later.exam'; } >"$tmp/half"
cp "$tmp/half" "$take_dir/input/$id-J"
exits 'behind half a line' 0 take_drain "$id" -r 'ann*'
is 'which is cut off' 'ann@later.example' tail -n 1 "$take_dir/input/$id-J"
like 'nobody else is done' 'dmitri' take_list -F %r "$id"

# ---- whose it is ----
two=1xVWxM-0002tC-0t
take_twins "$two"
take_killed "$two"
take_fresh
cat >"$tmp/hold.py" <<'END'
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, int(sys.argv[2]))
open(sys.argv[3], "w").write("locked\n")
open(sys.argv[4]).read()
END
mkfifo "$tmp/hold.fifo"
python3 "$tmp/hold.py" "$take_dir/input/$two-D" 19 "$tmp/held" "$tmp/hold.fifo" &
wait_for [ -s "$tmp/held" ]
like 'what Exim has in hand is busy' ' busy 1,' take_drain "$two" -v
echo >"$tmp/hold.fifo"
wait
is 'and was not delivered' '' cat "$take_sink"
take_start "$two"
exits 'and Exim finds ours locked' 1 python3 "$tmp/hold.py" "$take_dir/input/$two-D" 19 "$tmp/none" /dev/null
rm "$take_dir/input/$two-D"
take_end
like 'taken away meanwhile: told' 'taken away' cat "$tmp/take.err"
is 'with 75' 75 cat "$tmp/take.done"
ok 'and no journal is made for it' [ ! -e "$take_dir/input/$two-J" ]

# ---- the longer IDs of 4.97, whose lock is longer, too ----
take_fresh
new=1xVWxM-00000000abc-0001
for part in H D; do
	sed "1s/.*/$new-$part/" "$take_dir/input/$two-$part" >"$take_dir/input/$new-$part"
done
rm -f "$tmp/held"
python3 - "$take_dir/input/$new-D" "$tmp/held" "$tmp/hold.fifo" <<'END' &
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 25)
open(sys.argv[2], "w").write("locked\n")
open(sys.argv[3]).read()
END
wait_for [ -s "$tmp/held" ]
like 'a longer ID has a longer lock' ' busy 1,' take_drain "$new" -v
echo >"$tmp/hold.fifo"
wait
exits 'it is taken' 0 take_drain "$new"
is 'and gone' '' parts "$new"

# ---- held, and what only Exim can do ----
take_fresh
exits 'frozen: not unasked' 75 take_drain 1xVWxQ-0002xb-2F
exits 'frozen: if it is asked for' 0 take_drain --state=hold 1xVWxQ-0002xb-2F
is 'it has gone' '' parts 1xVWxQ-0002xb-2F
sed -i 's/^-received_protocol/-N\n&/; s/^--received_protocol/-N\n&/' "$take_dir/input/$two-H"
exits 'never to be delivered: left to Exim' 69 take_drain "$two"
like 'by name' "$two: left to Exim" take_drain "$two"
take_fresh
sed -i 's/^hans@later.example.*/hans@later.example owner@lists.example 19,-1#1/' "$take_dir/input/$two-H"
exits 'another sender for one: left to Exim' 69 take_drain "$two"

# ---- what a killed run leaves is swept by the next one ----
take_fresh
mv "$take_dir/input/$two-H" "$take_dir/input/tidegate.$two-H"
printf 'hans@later' >"$take_dir/input/tidegate.$new-J"
is 'what was set aside is no message' '' take_list -F %r "$two"
exits 'the next run' 0 take_drain 1xVWxJ-0002qn-2a
is 'removes the rest of it' '' parts "$two"
is 'and all that was ours' '' ours

# ---- a journal that cannot be written at first ----
cat >"$tmp/repair" <<'END'
#!/bin/sh
IFS=$take_tab read -r ref rest
printf '%s\t%s\tdelivered\t2.0.0\tok\n' "$ref" "$(printf '%s' "$rest" | tr '\t' '\n' | grep UPPER)"
until grep -q 'not marked' "$tmp/err"; do perl -e 'select undef, undef, undef, .05'; done
rm "${ref%-H}-J"
printf '%s\t*\tdeferred\t4.2.1\tlater\n' "$ref"
END
chmod +x "$tmp/repair"
take_fresh
id=1xVWxP-0002wZ-06
: >"$tmp/target"
ln "$tmp/target" "$take_dir/input/$id-J"
timeout 60 dequeue --spool=exim:"$take_dir" "$id" -r 'UPPER*' -r 'bob*' -- "$tmp/repair" 2>"$tmp/err"
is 'what was not marked at first is marked in the end' UPPER.Case@later.example \
	cat "$take_dir/input/$id-J"
is 'in no file of anybody else' '' cat "$tmp/target"
ok 'and he does not wait' sh -c '! queue-list --spool="exim:$1" -F %r "$2" | grep -q UPPER' - "$take_dir" "$id"

# ---- hostile neighbours ----
take_fresh
: >"$tmp/target"
ln -s "$tmp/target" "$take_dir/input/$two-J"
exits 'a journal that is a link' 74 take_drain "$two" -r 'hans*'
rm "$take_dir/input/$two-J"
ln "$tmp/target" "$take_dir/input/$two-J"
exits 'or has two names' 65 take_drain "$two" -r 'hans*'
rm "$take_dir/input/$two-J"
mv "$take_dir/input/$two-D" "$tmp/data"
ln -s "$tmp/data" "$take_dir/input/$two-D"
is 'a body that is a link' '' take_drain "$two"
rm "$take_dir/input/$two-D"
mkfifo "$take_dir/input/$two-D"
exits 'or a pipe' 0 take_drain "$two"
is 'and nothing was written there' '' cat "$tmp/target"
cat >"$tmp/nasty" <<'END'
#!/bin/sh
IFS=$take_tab read -r ref rest
printf '%s\t*\tdeferred\t4.0.0\tno\\x0A2026-01-01 00:00:00 x@y.test: %s\n' "$ref" "$(head -c 3000 /dev/zero | tr '\0' x)"
END
chmod +x "$tmp/nasty"
take_fresh
id=1xVWxJ-0002qn-2a
lines=$(wc -l <"$take_dir/msglog/$id")
exits 'a reason with an LF in it, and too long' 75 dequeue --spool=exim:"$take_dir" $id -- "$tmp/nasty"
is 'is one line' "$((lines + 1))" sh -c 'wc -l <"$1"' - "$take_dir/msglog/$id"
rm "$take_dir/msglog/$id"
exits 'without a log' 75 dequeue --spool=exim:"$take_dir" $id -- "$tmp/nasty"
ok 'none is made' [ ! -e "$take_dir/msglog/$id" ]

exits 'release of a copy: 69' 69 dequeue --spool=exim:"$take_dir" --all
exits 'hold of a copy: 69' 69 dequeue --spool=exim:"$take_dir" --hold $id
exits 'unhold, too' 69 dequeue --spool=exim:"$take_dir" --unhold --state=deferred,hold $id
exits 'and remove' 69 dequeue --spool=exim:"$take_dir" --remove -y $id
: 7<>"$tmp/take.fifo"

# ---- nothing can be written: that nobody can be told why they wait ends nothing ----
take_fresh
all=$(queue-list --spool=exim:"$take_dir" --state=deferred --count)
ok 'there are more than a few' test "$all" -gt 3
(ulimit -f 0; dequeue --spool=exim:"$take_dir" --all --results --in-hand=1 -- sh -c '
	while read -r ref rest; do printf "%s\t*\tdeferred\t4.2.1\tlater\n" "$ref"; done') 2>&1 |
	cat >"$tmp/told"
like 'it is told' 'deferred, but not marked' cat "$tmp/told"
is 'and each is given' "$all" sh -c 'grep "deferred.4.2.1" "$1" | cut -f1 | sort -u | grep -c .' - "$tmp/told"
done_testing
