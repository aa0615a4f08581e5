#!/bin/sh
# dequeue on copied queues of MTAs that offer no safe way while they run: dma, Courier,
# qmail, and on an mbox.
# shellcheck disable=SC2154,SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/take.sh"

"$top/t/samples/unpack" "$tmp/samples" dma courier || exit 1

# ---- dma: a recipient is a pair of files ----
take_kind=dma take_from=$tmp/samples/dma/default/spool
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

# ---- an mbox: one file, written anew ----
letter() {
	printf 'From ann@x.test Thu Nov 26 10:00:00 2026\nReturn-Path: <ann@x.test>\n'
	printf 'Delivered-To: %s\n' "$@"
	printf 'Subject: to %s\n\n>From here\nhi\n\n' "$1"
}
take_kind=mbox take_from=$tmp/box
{
	letter ann@y.test
	letter ann2@y.test carla@y.test bob@y.test other@z.test
	letter dan@y.test 'a b"@y.test' '"a\"b"@y.test'
	letter other2@z.test
	printf 'From ann@x.test Thu Nov 26 10:00:00 2026\nSubject: to nobody\n\nhi\n\n'
	letter ann@y.test
} >"$take_from"
chmod 640 "$take_from"
touch -d @1795450600 "$take_from"
takes_by_domain y.test
{
	letter carla@y.test bob@y.test other@z.test | sed 's/^Subject: .*/Subject: to ann2@y.test/'
	letter other2@z.test
	printf 'From ann@x.test Thu Nov 26 10:00:00 2026\nSubject: to nobody\n\nhi\n\n'
} >"$tmp/want"
same 'mbox: what is left, octet by octet' "$tmp/want" "$take_dir"
is 'mbox: mode and time are its own' '640 1795450600' stat -c '%a %Y' "$take_dir"
beside() { (cd "$tmp" && echo take.tidegate*); }
is 'mbox: nothing lies beside it' 'take.tidegate*' beside
exits 'mbox: release: 69' 69 dequeue --spool=mbox:"$take_dir" --all
like 'mbox: with what to do' 'give a COMMAND behind --' dequeue --spool=mbox:"$take_dir" --all
take_twins 0
take_killed 0
ok 'mbox: kill -9: what it left is gone' test "$(beside)" = 'take.tidegate*'

# a run that is killed when one recipient is done
take_fresh
id=$(queue-list --spool=mbox:"$take_dir" --ids -r ann2@y.test)
cat >"$tmp/first" <<'END'
#!/bin/sh
IFS=$(printf '\t') read -r ref sender first rest
echo "$PPID" >"$tmp/boss"
printf '%s\t%s\tdelivered\t2.0.0\tok\n' "$ref" "$first"
cat "$tmp/take.fifo" >/dev/null
END
chmod +x "$tmp/first"
told() { [ "$(wc -l <"$tmp/said")" = "$1" ]; }
half() { # half N: a drain that has N answers; then it is killed
	: >"$tmp/said"
	dequeue --spool=mbox:"$take_dir" "$id" --results -- "$tmp/first" >"$tmp/said" 2>/dev/null &
	half_pid=$!
	wait_for told "$1"
	kill -9 "$(cat "$tmp/boss")"
	wait $half_pid 2>/dev/null
	echo go >"$tmp/take.fifo"
}
half 1
is 'mbox: kill -9: who is done is done' 'carla@y.test bob@y.test other@z.test' take_list -F %r "$id"
cp -a "$take_dir" "$tmp/moved"
cp "$take_dir.tidegate" "$tmp/moved.tidegate"
is 'mbox: not in another file' 4 sh -c 'queue-list --spool=mbox:"$1" -F %r "$2" | wc -w' - "$tmp/moved" "$id"
letter late@z.test >>"$take_dir"
is 'mbox: nor when it was written to' 4 sh -c 'queue-list --spool=mbox:"$1" -F %r "$2" | wc -w' - "$take_dir" "$id"
take_fresh
half 1
printf '%s\tcarla@y.te' "$id" >>"$take_dir.tidegate"
is 'mbox: half a line marks nobody' 'carla@y.test bob@y.test other@z.test' take_list -F %r "$id"
take_drain "$id" -d z.test
ok 'mbox: the next run goes on from there' test "$(cat "$take_sink")" = "take${take_tab}other@z.test"
is 'mbox: and writes the file' 'Delivered-To: carla@y.test
Delivered-To: bob@y.test' sed -n '/^Delivered-To: carla/,/^Subject/{/^Del/p;}' "$take_dir"

# everyone is done, but the file was not written yet
take_fresh
cat >"$tmp/all" <<'END'
#!/bin/sh
IFS=$(printf '\t') read -r ref sender one two three four
echo "$PPID" >"$tmp/boss"
for r in $one $two $three $four; do printf '%s\t%s\tdelivered\t2.0.0\tok\n' "$ref" "$r"; done
cat "$tmp/take.fifo" >/dev/null
END
cp "$tmp/all" "$tmp/first"
half 4
is 'mbox: killed behind the last: nobody waits' '' take_list --state=deferred "$id"
ok 'mbox: though it is there' grep -q 'Delivered-To: ann2@' "$take_dir"
dequeue --spool=mbox:"$take_dir" -d nowhere.test -n -- false
ok 'mbox: a dry run leaves that' grep -q 'Delivered-To: ann2@' "$take_dir"
exits 'mbox: the next run writes the file' 0 dequeue --spool=mbox:"$take_dir" -d nowhere.test -- false
ok 'mbox: it is there no more' sh -c '! grep -q "Delivered-To: ann2@" "$1"' - "$take_dir"
ok 'mbox: nor the journal' test "$(beside)" = 'take.tidegate*'

# plant FILE: a journal that fits, beside it
plant() {
	perl -e '$f = shift; $id = shift; @s = stat $f;
		open P, "-|", "stat", "-c", "%.9Z", $f; chomp($t = <P>);
		open J, ">", "$f.tidegate" or die;
		printf J "mbox 1 %x %d %d %s\n$id\tann2\@y.test\n", @s[0, 1, 7], $t' "$1" "$id"
}

# what is in its way
take_fresh
: >"$take_dir.lock"
exits 'mbox: a lock of others: 75' 75 take_drain --all
rm "$take_dir.lock"
mkfifo "$tmp/locked"
perl -e 'use Fcntl; open F, "+<", $ARGV[0]; $l = pack("s s l! l! i", F_WRLCK, 0, 0, 0, 0); fcntl F, F_SETLK, $l or die;
	open G, ">", $ARGV[1]; print G "x\n"; close G; open H, "<", $ARGV[2]; <H>' "$take_dir" "$tmp/is-locked" "$tmp/locked" &
locker=$!
wait_for test -s "$tmp/is-locked"
exits 'mbox: one by fcntl: 75' 75 take_drain --all
echo go >"$tmp/locked"
wait $locker
is 'mbox: nothing was sent' '' cat "$take_sink"
same 'mbox: nor written' "$take_from" "$take_dir"
ln "$take_dir" "$tmp/second"
exits 'mbox: a file with two names: 65' 65 take_drain --all
rm "$tmp/second"
echo mine >"$tmp/victim"
ln -s "$tmp/victim" "$take_dir.tidegate"
ln -s "$tmp/victim" "$take_dir.tidegate.new"
take_drain --all -d y.test 2>/dev/null
is 'mbox: a link at the place of its journal is not written through' mine cat "$tmp/victim"
take_fresh
ln -s take "$tmp/by-link"
dequeue --spool=mbox:"$tmp/by-link" -r 'ann@*' -- "$tmp/take.answer"
ok 'mbox: named by a link, the file is drained and the link stays' sh -c 'test -L "$1" && ! grep -q "To: ann@y" "$2"' - "$tmp/by-link" "$take_dir"
take_fresh
dequeue --spool=mbox:"$take_dir" --remove -y -r 'other*' --whole
is 'mbox: --remove' 'ann@y.test
dan@y.test "a b\x5C""@y.test "a\x5C"b"@y.test
ann@y.test' take_list -F %r -r '*@y.test'
MAIL=$take_dir
export MAIL
exits 'mbox: what mail is delivered into: 69' 69 take_drain --all
like 'mbox: with what to do' 'a copy of it can be drained' take_drain --all
take_fresh
plant "$take_dir"
exits 'mbox: --remove from it: 69' 69 dequeue --spool=mbox:"$take_dir" --remove -y --all
same 'mbox: a journal beside it changes nothing in it' "$take_from" "$take_dir"
is 'mbox: nor in what waits' 4 sh -c 'queue-list --spool=mbox:"$1" -F %r "$2" | wc -w' - "$take_dir" "$id"
unset MAIL
is 'mbox: it would in a copy' 3 sh -c 'queue-list --spool=mbox:"$1" -F %r "$2" | wc -w' - "$take_dir" "$id"
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$take_dir.tidegate"
	is 'mbox: a journal of another one marks nobody' 4 sh -c '
		queue-list --spool=mbox:"$1" -F %r "$2" | wc -w' - "$take_dir" "$id"
fi
rm "$take_dir.tidegate"
take_fresh
plant "$take_dir"
printf '%s\tann2@y.test\n' $((id + 5)) >>"$take_dir.tidegate"
exits 'mbox: a mark where no message begins says nothing' 0 dequeue --spool=mbox:"$take_dir" -d nowhere.test -- false
ok 'mbox: the others hold' sh -c '! grep -q "Delivered-To: ann2@" "$1" && grep -q "Delivered-To: carla@" "$1"' - "$take_dir"

# told once, not for each message; nothing is sent
take_fresh
mkdir "$take_dir.tidegate"
exits 'mbox: no place for its journal: 74' 74 take_drain --all
is 'mbox: told once' 1 sh -c 'dequeue --spool=mbox:"$1" --all -- "$2" 2>&1 | wc -l' - "$take_dir" "$tmp/take.answer"
is 'mbox: and nothing was sent' '' cat "$take_sink"
rmdir "$take_dir.tidegate"

# messages of one second in one file
take_fresh
dequeue --spool=mbox:"$take_dir" --remove -y -d z.test --whole
is 'mbox: --remove: all of them' '' take_list -F %r -r '*@z.test'

# another run while the first one ends: it has a journal of its own
take_fresh
cat >"$tmp/meanwhile" <<'END'
#!/bin/sh
unset LD_PRELOAD STEPS_AT STEPS_RUN STEPS_LOG
echo x >>"$tmp/meanwhile.ran"
dequeue --spool=mbox:"$take_dir" --all -- "$tmp/take.answer" >/dev/null 2>"$tmp/meanwhile.err"
echo $? >"$tmp/meanwhile.code"
END
chmod +x "$tmp/meanwhile"
ending() { # ending: the drain of one, under the preload
	ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 STEPS_IN=dequeue STEPS_UNDER=$take_dir \
		LD_PRELOAD=$tap_built/t/steps.so dequeue --spool=mbox:"$take_dir" 0 -- "$tmp/take.answer"
}
STEPS_LOG=$tmp/ending.log ending
step=$(awk '/ rename/ { behind = 1 } behind && / unlink/ { print $1; exit }' "$tmp/ending.log")
take_fresh
STEPS_AT=$step STEPS_RUN=$tmp/meanwhile ending
is 'mbox: a run before the journal of another one is gone: busy' 75 cat "$tmp/meanwhile.code"
is 'mbox: it has sent nothing' 'take	ann@y.test' cat "$take_sink"
ok 'mbox: and nothing lies beside it' test "$(beside)" = 'take.tidegate*'
# two that are alike
{ letter ann@y.test; letter ann@y.test; } >"$take_dir"
dequeue --spool=mbox:"$take_dir" 0 -- "$tmp/take.answer"
is 'mbox: of two that are alike one stays' 1 take_list --count
: 7<>"$tmp/take.fifo"
done_testing
