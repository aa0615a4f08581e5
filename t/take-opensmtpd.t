#!/bin/sh
# dequeue on a copied OpenSMTPD queue: what becomes of its files.
# shellcheck disable=SC2154,SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/take.sh"

"$top/t/samples/unpack" "$tmp/samples" opensmtpd || exit 1
take_kind=opensmtpd take_from=$tmp/samples/opensmtpd/default/spool
places() { (cd "$take_dir" && find . -mindepth 1 -maxdepth 1 | sort | paste -sd ' '); }
odd() { (cd "$take_dir" && find incoming purge temporary -mindepth 1; find queue -name '*tidegate*'); }
orphans() {
	for message in "$take_dir"/queue/*/*/; do
		[ -n "$(find "$message" -type f ! -name message)" ] || echo "$message"
	done
}

takes_by_domain later.example
is 'nothing of ours is left' "$(cd "$take_from" && find . -mindepth 1 -maxdepth 1 | sort | paste -sd ' ')" places
is 'nor half of anything' '' odd
is 'no text without an envelope' '' orphans
like 'why one waits' '451 4.2.1 later' take_list -F '%R' -r bob@later.example

# two recipients of one message
m=07e48a25 one=07e48a250247f0c8 two=07e48a25797e045d
take_twins $one
take_killed $one
take_fresh
f=$take_dir/queue/07/$m/$two
cp "$f" "$tmp/want"
sed -i 's/^dest: .*/dest: ann@one.example/' "$take_dir/queue/07/$m/$one"
exits 'one recipient is done' 0 take_drain $one
ok 'its envelope is gone' [ ! -e "$take_dir/queue/07/$m/$one" ]
same 'the other one is untouched' "$tmp/want" "$f"
sed -i 's/^dest: .*/dest: ann@one.example/' "$f"
exits 'and the last one' 0 take_drain $two
ok 'takes the message with it' [ ! -e "$take_dir/queue/07/$m" ]
is 'nothing is half there' '' odd
take_fresh
rmdir "$take_dir/purge"
mkdir "$take_dir/corrupt"
exits 'a copy without purge' 0 dequeue --spool=opensmtpd:"$take_dir" --remove -y $one $two
ok 'no file of it is left' [ ! -e "$take_dir/queue/07/$m" ]

# a message ID stands for all its envelopes
take_fresh
is 'a message ID: all its envelopes' "$take_dir/queue/07/$m/$one
$take_dir/queue/07/$m/$two" sh -c 'dequeue --spool=opensmtpd:"$take_dir" -n "$1" -- cat |
	cut -f2 | sort' - $m
exits 'all of it is removed' 0 dequeue --spool=opensmtpd:"$take_dir" --remove -y $m
ok 'no file of it is left' [ ! -e "$take_dir/queue/07/$m" ]
exits 'then it is no more' 69 dequeue --spool=opensmtpd:"$take_dir" --remove -y $m

# put off: as smtpd writes it
take_fresh
late=03991e4bf2bcd8e4
f=$take_dir/queue/03/03991e4b/$late
chmod 640 "$f"
touch -d @1795450600 "$f"
sed 's/^errorline: .*/errorline: 451 4.2.1 later/; s/^retry: 1$/retry: 2/' "$f" >"$tmp/want"
exits 'put off: 75' 75 take_drain $late
same 'the envelope has the reason and one attempt more' "$tmp/want" "$f"
is 'mode and time are the old ones' '640 1795450600' stat -c '%a %Y' "$f"
sed -i '/^errorline/d' "$f"
exits 'without a reason before' 75 take_drain $late
like 'it has one then' '^errorline: 451 4.2.1 later' cat "$f"
like 'where smtpd has it' '^errorline' sh -c 'grep -B1 "^sockaddr" "$1"' - "$f"
cat >"$tmp/nasty" <<'END'
#!/bin/sh
IFS=$take_tab read -r ref rest
printf '%s\t*\tdeferred\t4.0.0\tno\\x0Asender: x@y.test %s\n' "$ref" "$(head -c 3000 /dev/zero | tr '\0' x)"
END
chmod +x "$tmp/nasty"
exits 'a reason with an LF in it, and too long' 75 dequeue --spool=opensmtpd:"$take_dir" $late -- "$tmp/nasty"
is 'makes no other line' 1 grep -c '^sender:' "$f"
ok 'nor one too long for smtpd' sh -c '! grep -q "^.\{2000\}" "$1"' - "$f"

# gone meanwhile
take_fresh
take_start $one
rm "$take_dir/queue/07/$m/$one"
take_end
like 'taken away meanwhile: told' 'taken away' cat "$tmp/take.err"
is 'with 75' 75 cat "$tmp/take.done"

# a file that got the place on disk of one that we had in hand, as files do
take_fresh
cat >"$tmp/reuse" <<'END'
#!/bin/sh
IFS=$take_tab read -r ref rest
cat "$1" >"$ref"
mv "$ref" "$1"
printf '%s\t*\tdelivered\t2.0.0\tok\n' "$ref"
IFS=$take_tab read -r ref rest
printf '%s\n' "${ref##*/}" >>"$take_sink"
printf '%s\t*\tdelivered\t2.0.0\tok\n' "$ref"
END
chmod +x "$tmp/reuse"
dequeue --spool=opensmtpd:"$take_dir" --in-hand=1 $one $two -- \
	"$tmp/reuse" "$take_dir/queue/07/$m/$two" 2>/dev/null
is 'is another one' $two cat "$take_sink"

take_fresh
exits 'release of a copy: 69' 69 dequeue --spool=opensmtpd:"$take_dir" --all
exits 'hold of a copy: 69' 69 dequeue --spool=opensmtpd:"$take_dir" --hold $one
exits 'unhold, too' 69 dequeue --spool=opensmtpd:"$take_dir" --unhold --state=deferred,hold $one
: 7<>"$tmp/take.fifo"
done_testing
