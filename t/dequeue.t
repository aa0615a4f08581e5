#!/bin/sh
# dequeue over Maildirs: what a COMMAND may do and what becomes of the mail.
# shellcheck disable=SC2016,SC2030,SC2031
. "${0%/*}/lib.sh"

TAB=$(printf '\t')
export TAB tmp

# letter NAME SENDER RCPT...: into the queue $tmp/md
letter() {
	mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp"
	letter_f=$tmp/md/new/$1
	printf 'Return-Path: <%s>\n' "$2" >"$letter_f"
	letter_n=$1
	shift 2
	for letter_r; do printf 'Delivered-To: %s\n' "$letter_r" >>"$letter_f"; done
	printf 'Subject: %s\n\nhello\n' "$letter_n" >>"$letter_f"
}

# queue N: a fresh queue of N messages with one recipient each
queue() {
	rm -rf "$tmp/md"
	queue_i=0
	while [ $queue_i -lt "$1" ]; do
		queue_i=$((queue_i + 1))
		letter "100$queue_i.m.host" s@x.test "r$queue_i@y.test"
	done
}

pending() { queue-list --spool=maildir:"$tmp/md" --records | cut -f3- | tr '\t' '\n' | sort; }
dq() { dequeue --spool=maildir:"$tmp/md" "$@"; }
last() { "$@" 2>&1 >/dev/null | tail -n 1; }
status_of() { "$@" >/dev/null 2>&1; echo $?; }

# command NAME: a script from stdin
command_() { { echo '#!/bin/sh'; cat; } >"$tmp/$1"; chmod +x "$tmp/$1"; }

command_ all <<'EOT'
while IFS=$TAB read -r ref sender rcpts; do
	set -f; IFS=$TAB
	for r in $rcpts; do
		printf '%s\n' "$r" >>"$tmp/sink"
		printf '%s\t%s\tdelivered\t2.0.0\tok\n' "$ref" "$r"
	done
done
EOT
command_ mixed <<'EOT'
while IFS=$TAB read -r ref sender rcpts; do
	set -f; IFS=$TAB
	for r in $rcpts; do
		case $r in
		good*) f=delivered s=2.0.0 t='250 ok' ;;
		slow*) f=deferred s=4.2.0 t='451 later' ;;
		bad*) f=failed s=5.1.1 t='550 no such user' ;;
		*) continue ;;
		esac
		printf '%s\t%s\t%s\t%s\tmx.test: %s\n' "$ref" "$r" $f $s "$t"
	done
done
EOT
command_ last <<'EOT'
all=$(cat)
[ -n "$all" ] || exit 0
echo x >>"$tmp/started"
printf '%s\n' "$all" | "$tmp/all"
EOT
command_ dies <<'EOT'
exit 3
EOT
# it has two in hand when it goes, so that one has no answer
command_ half <<'EOT'
IFS=$TAB read -r ref sender rcpts
read -r another
printf '%s\t*\tdelivered\t2.0.0\tok\n' "$ref"
exit 1
EOT
mkfifo "$tmp/never"
command_ hangs <<'EOT'
echo $$ >"$tmp/pid"
read -r line
exec cat "$tmp/never"
EOT
command_ babbles <<'EOT'
exec yes nonsense
EOT
command_ nonsense <<'EOT'
echo 'hello, world'
printf 'REF\tr@y.test\tdelivered\n'
head -c 200000 /dev/zero | tr '\0' x; echo
printf '/etc/passwd\tr1@y.test\tdelivered\t2.0.0\tok\n'
while IFS=$TAB read -r ref sender rcpts; do
	printf '%s\tnobody@z.test\tdelivered\t2.0.0\tok\n' "$ref"
	printf '%s\t%s\tdeferred\t4.0.0\tthe first counts\n' "$ref" "$rcpts"
	printf '%s\t%s\tdelivered\t2.0.0\ttwice\n' "$ref" "$rcpts"
done
EOT
command_ star <<'EOT'
while IFS=$TAB read -r ref sender first rest; do
	printf '%s\t%s\tfailed\t5.0.0\tno\n' "$ref" "$first"
	printf '%s\t*\tdelivered\t2.0.0\tyes\n' "$ref"
done
EOT
command_ mute <<'EOT'
exec >&-
cat >/dev/null
EOT
command_ trouble <<'EOT'
"$tmp/all"
printf '!\t76\tmx.test: the line dropped\n'
EOT
command_ starts <<'EOT'
echo x >>"$tmp/started"
cat >"$tmp/got"
exit "${1:-0}"
EOT

# ---- what is asked ----
queue 2
exits 'nothing selected' 64 dq
exits 'nothing selected for a COMMAND' 64 dq -- "$tmp/all"
like 'says how to take everything' 'everything is --all' dq
like '-d with an address has a hint' "write -r 'a@b.test'" dq -d a@b.test
exits 'and is a mistake' 64 dq -d a@b.test -- "$tmp/all"
exits 'an empty COMMAND' 64 dq --all --
exits 'a COMMAND without a name, as of a variable that is not set' 64 dq --all -- ''
exits '--wait is not for a COMMAND' 64 dq --all --wait=1s -- "$tmp/all"
exits '--results needs a COMMAND' 64 dq --all --results
exits 'a number that is none' 64 dq --all --in-hand=0 -- "$tmp/all"
exits 'a time that is none' 64 dq --all --timeout=soon -- "$tmp/all"
exits 'a Maildir has nobody to release to' 69 dq --all
exits 'no such COMMAND' 69 dq --all -- "$tmp/not-there"
exits 'no such COMMAND on PATH' 69 dq --all -- not-there-at-all
echo >"$tmp/plain"
exits 'a COMMAND that may not be run' 77 dq --all -- "$tmp/plain"
exits 'no such ID' 69 dq 1234.nobody.host -- "$tmp/all"
is 'nothing was touched' "r1@y.test
r2@y.test" pending
is '--dry-run shows' "take${TAB}$tmp/md/new/1001.m.host${TAB}s@x.test${TAB}r1@y.test" \
	dq -r 'r1@*' --dry-run -- "$tmp/all"
ok 'and delivers nothing' [ ! -e "$tmp/sink" ]

# ---- a COMMAND that does its work ----
queue 12
is 'delivers all' 'released 0, delivered 12, deferred 0, failed 0, busy 0, changed 0' \
	last dq --all -v -- "$tmp/all"
is 'the queue is empty' '' pending
is 'each once' 12 sh -c 'sort -u "$tmp/sink" | grep -c .'
queue 3
is 'silent, and 0' '' dq --all -- "$tmp/all"
queue 3
is '--first' "r3@y.test" sh -c 'dequeue --spool=maildir:"$tmp/md" --first=2 -- "$tmp/all"
	queue-list --spool=maildir:"$tmp/md" --records | cut -f3 | sed s/r[0-9]/r3/'
queue 5
is '--in-hand=1' 'released 0, delivered 5, deferred 0, failed 0, busy 0, changed 0' \
	last dq --all --in-hand=1 -v -- "$tmp/all"

mixed_queue() {
	rm -rf "$tmp/md"
	letter 1.a.h s@x.test good1@y.test slow1@y.test bad1@y.test
	letter 2.b.h '' good2@y.test mute2@y.test
	letter 3.c.h s@x.test good3@z.test bad3@z.test
}
mixed_queue
is 'mixed fates are counted' 'released 0, delivered 3, deferred 2, failed 2, busy 0, changed 0' \
	last dq --all -v -- "$tmp/mixed"
is 'only what was delivered has gone' "bad1@y.test
bad3@z.test
mute2@y.test
slow1@y.test" pending
mixed_queue
is 'deferred outranks failed' 75 status_of dq --all -- "$tmp/mixed"
mixed_queue
like 'a failure is told with ID, recipient and text' \
	'^dequeue: 3.c.h: bad3@z.test: failed: mx.test: 550 no such user' dq -d z.test -- "$tmp/mixed"
mixed_queue
is 'only failures: 69' 69 status_of dq -d z.test -- "$tmp/mixed"
is '-d touches only those recipients' "bad1@y.test
bad3@z.test
good1@y.test
good2@y.test
mute2@y.test
slow1@y.test" pending
mixed_queue
dq -r 'good1@*' --results -- "$tmp/mixed" >"$tmp/out"
printf '%s\tgood1@y.test\tdelivered\t2.0.0\tmx.test: 250 ok\n' "$tmp/md/new/1.a.h" >"$tmp/want"
same '--results' "$tmp/want" "$tmp/out"
mixed_queue
ok '-j is JSON' sh -c 'dequeue --spool=maildir:"$tmp/md" -r "good1@*" -j -- "$tmp/mixed" |
	perl -ne "exit !/^\{.*\"recipient\": ?\"good1\@y.test\".*\"fate\": ?\"delivered\".*\}$/"'
mixed_queue
is 'a result for *' 'released 0, delivered 4, deferred 0, failed 3, busy 0, changed 0' \
	last dq --all -v -- "$tmp/star"
is 'is for all without one' "bad3@z.test
good1@y.test
good2@y.test" sh -c 'queue-list --spool=maildir:"$tmp/md" --records | cut -f3- | tr "\t" "\n" |
	sed s/good3@z/bad3@z/ | sort'

# ---- one that reads all before it answers ----
queue 7
rm -f "$tmp/started"
is 'reads all first' 'released 0, delivered 7, deferred 0, failed 0, busy 0, changed 0' \
	last dq --all -v -- "$tmp/last"
queue 7
rm -f "$tmp/started"
is 'in a small window it is started again' \
	'released 0, delivered 7, deferred 0, failed 0, busy 0, changed 0' \
	last env TIDEGATE_FEED_IDLE=50 dequeue --spool=maildir:"$tmp/md" --all --in-hand=3 -v -- "$tmp/last"
is 'three times' 3 sh -c 'grep -c x "$tmp/started"'

# ---- those that fail ----
queue 4
is 'dies at once' 75 status_of dq --all -- "$tmp/dies"
is 'nothing is lost' 4 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
like 'it is told' 'dies exited with status 3; recipients without an answer: [1-4]' dq --all -- "$tmp/dies"
queue 9
is 'one that dies is not started for the rest' 75 \
	status_of dq --all --in-hand=2 -- "$tmp/dies"
queue 4
like 'dies in the middle' 'released 0, delivered 1, deferred [1-3], failed 0, busy 0, changed 0' \
	dq --all -v -- "$tmp/half"
is 'what it delivered has gone' 3 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
queue 4
like 'the text says so' 'deferred.4.3.0.*half exited with status 1 before it answered' \
	dq --all --results -- "$tmp/half"
is 'a second run completes it' 0 status_of dq --all -- "$tmp/all"
is 'with nothing left' '' pending
queue 2
is 'hangs' 75 status_of dq --all --timeout=1s -- "$tmp/hangs"
is 'both are back' 2 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
ok 'it was ended' sh -c '! kill -0 "$(cat "$tmp/pid")"'
is 'a deadline' 75 status_of dq --all --deadline=1s -- "$tmp/hangs"
is 'both are back again' 2 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
is 'one that never stops talking, and answers nothing, hangs, too' 75 \
	status_of timeout 60 "$tap_built/bin/dequeue" --spool=maildir:"$tmp/md" --all --timeout=1s -- "$tmp/babbles"
is 'it has a deadline' 75 \
	status_of timeout 60 "$tap_built/bin/dequeue" --spool=maildir:"$tmp/md" --all --deadline=1s -- "$tmp/babbles"
is 'and both are back' 2 sh -c 'queue-list --spool=maildir:"$tmp/md" --state=deferred | grep -c "/new/"'
queue 2
is 'nonsense, foreign refs, two answers' \
	'released 0, delivered 0, deferred 2, failed 0, busy 0, changed 0' \
	last dq --all -v -- "$tmp/nonsense"
is 'the first answer counts' 2 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
is 'closes its stdout' 75 status_of dq --all -- "$tmp/mute"
is 'nothing is lost by that' 2 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
is 'trouble in its output' 76 status_of dq --all -- "$tmp/trouble"
is 'what it delivered counts' '' pending
queue 1
is 'results that cannot be written' 74 sh -c 'dequeue --spool=maildir:"$tmp/md" --all --results -- "$tmp/all" >/dev/full 2>"$tmp/err"; echo $?'
is 'are marked all the same' '' pending
printf 'Return-Path: <s@x.test>\nDelivered-To: one@y.test\nDelivered-To: two@z.test\n\nhi\n' >"$tmp/md/new/1001.m.host"
exits 'no file may grow (ulimit -f): told, not killed' 74 sh -c 'ulimit -f 0
	exec dequeue --spool=maildir:"$tmp/md" -d y.test -- sh -c "while IFS=\"$TAB\" read -r ref rest; do
		printf \"%s\\t*\\tdelivered\\t2.0.0\\tok\\n\" \"\$ref\"; done"'
is 'and the other one waits' two@z.test sh -c 'queue-list --spool=maildir:"$tmp/md" -F %r | grep -o two@z.test'

# ---- nothing can be marked: few are given who are given again each time ----
command_ yes <<'EOT'
while IFS=$TAB read -r ref rest; do
	printf '%s\t*\tdelivered\t2.0.0\tok\n' "$ref"
done
EOT
rm -rf "$tmp/md"
for i in 1 2 3 4 5 6 7 8 9; do
	letter "100$i.m.host" s@x.test "r$i@y.test" "r$i@z.test"
done
# through a pipe: no file may grow, not even that of its results
{ (ulimit -f 0; dq -d y.test --results --in-hand=1 -- "$tmp/yes") 2>&1
	echo "status $?"; } | cat >"$tmp/told"
is 'three letters whose marks cannot be written are the last' 3 \
	grep -c delivered.2.0.0 "$tmp/told"
like 'it is told' '^dequeue: 3 messages could not be marked; the rest of the queue was left' \
	grep 'the rest' "$tmp/told"
is '74' 'status 74' tail -n 1 "$tmp/told"
is 'and all of them wait' 9 sh -c 'queue-list --spool=maildir:"$tmp/md" --records -d y.test |
	grep -c y.test'

# ---- --always ----
queue 1
rm -f "$tmp/started"
dq -d nobody.test -- "$tmp/starts"
ok 'nothing selected: COMMAND is not started' [ ! -e "$tmp/started" ]
ok '--always' dq -d nobody.test --always -- "$tmp/starts"
ok 'starts it' [ -e "$tmp/started" ]
ok 'with nothing on stdin' [ ! -s "$tmp/got" ]
exits 'and its status counts' 69 dq -d nobody.test --always -- "$tmp/starts" 69
exits 'one that is no sysexit is 75' 75 dq -d nobody.test --always -- "$tmp/starts" 2

# ---- records on stdin ----
is 'what is no list at all is not read to its end' 20 \
	sh -c 'yes "" | tr "\n" "\0" | head -c 100000 | dequeue --spool=maildir:"$tmp/md" -0 - \
		2>&1 -- "$tmp/all" | grep -c "^dequeue: stdin: line"'
like 'and that is said' 'stdin: line 20: the 20th bad line, the rest is not read: ' \
	sh -c 'yes | timeout 60 dequeue --spool=maildir:"$tmp/md" - -- "$tmp/all"'
mixed_queue
queue-list --spool=maildir:"$tmp/md" --records >"$tmp/records"
cut -f1-3 "$tmp/records" >"$tmp/narrow"
is 'a record restricts' 'released 0, delivered 3, deferred 0, failed 0, busy 0, changed 0' \
	sh -c 'dequeue -v - -- "$tmp/all" <"$tmp/narrow" 2>&1 | tail -n 1'
is 'to its recipients' "bad1@y.test
bad3@z.test
mute2@y.test
slow1@y.test" pending
mixed_queue
is 'REF alone: all pending' 0 sh -c 'cut -f1 "$tmp/records" | dequeue - -- "$tmp/all"; echo $?'
is 'all have gone' '' pending
mixed_queue
sed "s/s@x.test/t@x.test/" "$tmp/records" >"$tmp/other"
is 'another sender: changed, left alone' \
	'released 0, delivered 2, deferred 0, failed 0, busy 0, changed 2' \
	sh -c 'dequeue -v - -- "$tmp/all" <"$tmp/other" 2>&1 | tail -n 1'
mixed_queue
sed "s/slow1@y/fast1@y/" "$tmp/records" >"$tmp/other"
is 'another recipient: changed, 75' 75 sh -c 'dequeue - -- "$tmp/all" <"$tmp/other" 2>/dev/null; echo $?'
is 'that message is whole' 3 sh -c 'queue-list --spool=maildir:"$tmp/md" --records | cut -f3- | tr "\t" "\n" | grep -c .'
mixed_queue
is '! upstream' 77 sh -c '{ cat "$tmp/records"; printf "!\t77\tnot all could be read\n"; } |
	dequeue - -- "$tmp/all" 2>/dev/null; echo $?'
is 'what came before it is done' '' pending
mixed_queue
is 'a line that is no record' 65 sh -c '{ echo "not a ref"; cat "$tmp/records"; } |
	dequeue - -- "$tmp/all" 2>/dev/null; echo $?'
is 'the others are done' '' pending
is 'refs that are gone' 'released 0, delivered 0, deferred 0, failed 0, busy 0, changed 0' \
	sh -c 'dequeue -v - -- "$tmp/all" <"$tmp/records" 2>&1 | tail -n 1'
mixed_queue
is 'NUL-ended records' 0 sh -c 'tr "\n" "\0" <"$tmp/records" | dequeue -0 - -- "$tmp/all"; echo $?'
is 'all of them' '' pending
mixed_queue
rm -f "$tmp/sink"
sed p "$tmp/narrow" | dq - -- "$tmp/all" 2>/dev/null
is 'the same REF twice: each recipient once' "good1@y.test
good2@y.test
good3@z.test" sort "$tmp/sink"
mixed_queue
is 'an ID' 0 status_of dq 1.a.h -- "$tmp/all"
is 'only that one' 4 sh -c 'queue-list --spool=maildir:"$tmp/md" --records | cut -f3- | tr "\t" "\n" | grep -c .'
is 'a REF needs no --spool' 0 status_of dequeue "$tmp/md/new/3.c.h" -- "$tmp/all"
is 'that one too' 2 sh -c 'queue-list --spool=maildir:"$tmp/md" --records | cut -f3- | tr "\t" "\n" | grep -c .'

# ---- others at the same queue, and sudden ends ----
mkfifo "$tmp/fifo"
command_ blocked <<'EOT'
echo $$ >"$tmp/pid"
IFS=$TAB read -r ref sender rcpts
echo "$ref" >"$tmp/in-hand"
cat "$tmp/fifo" >/dev/null
printf '%s\t*\tdelivered\t2.0.0\tok\n' "$ref"
"$tmp/all"
EOT
start_blocked() {
	queue 4
	rm -f "$tmp/in-hand" "$tmp/sink" "$tmp/done"
	{ dq --all -v "$@" -- "$tmp/blocked" >"$tmp/out" 2>"$tmp/log"
	  echo $? >"$tmp/done"; } &
	wait_for [ -s "$tmp/in-hand" ]
}
start_blocked --first=1
is 'what another dequeue has in hand is left alone' '3' \
	sh -c 'dequeue --spool=maildir:"$tmp/md" --all -v -- "$tmp/all" 2>&1 |
		sed -n "s/.*delivered \([0-9]*\), deferred 0, failed 0.*/\1/p"'
echo go >"$tmp/fifo"
wait_for [ -s "$tmp/done" ]
is 'and comes to its end' 0 cat "$tmp/done"
is 'nothing is left' '' pending

start_blocked --in-hand=2
kill -9 "$(cat "$tmp/pid")"
wait_for [ -s "$tmp/done" ]
is 'kill -9 of COMMAND' 75 cat "$tmp/done"
is 'loses nothing' 4 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
like 'and says so' 'ended by signal 9' cat "$tmp/log"

command_ victim <<'EOT'
echo $PPID >"$tmp/boss"
exec "$tmp/blocked"
EOT
queue 4
rm -f "$tmp/in-hand" "$tmp/done" "$tmp/sink"
{ dq --all -- "$tmp/victim" >/dev/null 2>&1; echo $? >"$tmp/done"; } 2>/dev/null &
wait_for [ -s "$tmp/in-hand" ]
kill -9 "$(cat "$tmp/boss")"
wait_for [ -s "$tmp/done" ]
is 'kill -9 of dequeue: all are still shown' 4 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
kill -9 "$(cat "$tmp/pid")" 2>/dev/null
is 'a second run takes them all' 'released 0, delivered 4, deferred 0, failed 0, busy 0, changed 0' \
	last dq --all -v -- "$tmp/all"
is 'each once in that run' 4 sh -c 'sort -u "$tmp/sink" | grep -c .'

queue 4
rm -f "$tmp/in-hand" "$tmp/done"
{ dq --all -v --results -- "$tmp/victim" >"$tmp/out" 2>"$tmp/log"; echo $? >"$tmp/done"; } &
wait_for [ -s "$tmp/in-hand" ]
kill -TERM "$(cat "$tmp/boss")"
wait_for [ -s "$tmp/done" ]
is 'SIGTERM: 75' 75 cat "$tmp/done"
is 'all are back' 4 sh -c 'queue-list --spool=maildir:"$tmp/md" | grep -c .'
is 'and reported' 4 grep -c 'interrupted before it answered' "$tmp/out"

rm -f "$tmp/done"
exec 3<>"$tmp/never"
sh -c 'echo $$ >"$tmp/boss"; exec dequeue - -- "$tmp/all"' <&3 &
printf '!\t65\tupstream\n' >&3
wait_for sh -c 'grep -q "^State:.S" "/proc/$(cat "$tmp/boss")/status" || [ ! -d /proc/self ]'
kill -TERM "$(cat "$tmp/boss")"
wait $!
is 'SIGTERM while stdin gives nothing' 75 echo $?
exec 3>&-

queue 40
rm -f "$tmp/sink" "$tmp/one"
{ dq --all --in-hand=3 -- "$tmp/all" 2>/dev/null; echo $? >"$tmp/one"; } &
dq --all --in-hand=3 -- "$tmp/all" 2>/dev/null
wait_for [ -s "$tmp/one" ]
is 'two at once: nothing is left' '' pending
is 'each recipient once' 40 sh -c 'grep -c . "$tmp/sink"; [ "$(sort -u "$tmp/sink" | grep -c .)" = 40 ]'

# ---- an address that no record can say ----
queue 1
printf 'Return-Path: <a@x.test>\nDelivered-To: b@y.test\nDelivered-To: \351@y.test\n\nhi\n' >"$tmp/md/new/odd"
like 'does not stop the others' 'delivered 2, deferred 0, failed 1,' dq --all -v -- "$tmp/all"
like 'and stays' '^odd$' queue-list --ids --spool=maildir:"$tmp/md"

# ---- the deadline ----
queue 4
command_ slow <<'EOT'
while IFS=$TAB read -r ref rest; do
	printf '%s\t*\tdelivered\t2.0.0\tok\n' "$ref"
	cat "$tmp/never"
done
EOT
exits '--deadline in the middle' 75 dq --all --in-hand=1 --deadline=1 -- "$tmp/slow"
like '... says so' 'the rest of the queue was left' dq --all --in-hand=1 --deadline=1 -- "$tmp/slow"
ok '... and leaves it' test -n "$(queue-list --spool=maildir:"$tmp/md")"

# ---- a copied Postfix queue ----
# shellcheck disable=SC2154
"$top/t/samples/unpack" "$tmp/samples"
pf=$tmp/samples/postfix/default/spool
pf_dq() { dequeue --spool=postfix:"$pf" "$@"; }
held() { queue-list --spool=postfix:"$pf" --state=hold --records; }
held >"$tmp/held"
exits 'its MTA is not here' 69 pf_dq --all
# what is refused is not promised by --dry-run
for dir in "$tmp/samples"/*/default/spool; do
	kind=${dir%/default/spool} kind=${kind##*/}
	for verb in --verbose --hold --unhold; do
		exits "a copied $kind queue: -n $verb" 69 dequeue --spool="$kind:$dir" --all -n $verb
	done
done
exits 'a copied Postfix queue: -n --remove' 69 pf_dq --all -n --remove
like 'a copied Sendmail queue can be emptied' '^remove	' \
	dequeue --spool=sendmail:"$tmp/samples/sendmail/default/spool" --all -n --remove
like 'drained, but for one that only Postfix can deliver' 'DAADD1BA5D2: left to Postfix' \
	pf_dq --all -- "$tmp/all"
held >"$tmp/held2"
same 'held mail is not touched' "$tmp/held" "$tmp/held2"
is 'deferred is empty' 'DAADD1BA5D2' queue-list --spool=postfix:"$pf" --state=deferred --ids
id=$(queue-list --spool=postfix:"$pf" --state=hold --ids | head -n 1)
exits 'a held message by its ID: left behind' 75 pf_dq "$id" -- "$tmp/all"
exits 'from a record: left behind' 75 sh -c 'head -n 1 "$tmp/held" | dequeue - -- "$tmp/all"'
is 'with --state=hold it goes' 0 status_of pf_dq "$id" --state=hold -- "$tmp/all"
like 'what the MTA has in hand is busy' ', busy 1,' pf_dq --state=active -v -- "$tmp/all"

# Without stdout or stderr the next file opened would take their place.
command_ not_now <<'EOT'
while IFS=$TAB read -r ref rest; do printf '%s\t*\tdeferred\t4.0.0\tno\n' "$ref"; done
EOT
first=$(queue-list --spool=postfix:"$pf" --state=hold | head -n 1)
cp "$first" "$tmp/first"
exits 'stdout and stderr are closed' 75 \
	sh -c 'dequeue "$1" --state=hold --results -v -- "$tmp/not_now" >&- 2>&-' - "$first"
ok 'the queue file is as it was' cmp "$first" "$tmp/first"

# those whose shell was killed still wait there
: 7<>"$tmp/fifo"
done_testing
