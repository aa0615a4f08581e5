#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# queue-list: what waits, in every form, from Maildir queues.
. "${0%/*}/lib.sh"

TAB=$(printf '\t')
md=$tmp/md
mkdir -p "$md/new" "$md/cur" "$md/tmp"
# letter NAME SENDER RECIPIENT...: a message in new/
letter() {
	letter_name=$1 letter_from=$2
	shift 2
	{
		printf 'Return-Path: <%s>\n' "$letter_from"
		for to; do printf 'Delivered-To: %s\n' "$to"; done
		printf 'Received: from x by y; today\nDelivered-To: hop@before.test\n'
		printf 'Subject: a letter\n\nhello\n'
	} >"$md/new/$letter_name"
}
ql() { queue-list --spool=maildir:"$md" "$@"; }
sorted() { "$@" | sort; }

is 'an empty queue prints nothing' '' ql
is 'and counts as none' 0 ql --count
is 'and is said in a table' 'no messages' ql -l

now=$(date +%s)
letter "$((now - 7200)).M1.mx" ann@here.test bob@there.test
letter "$((now - 3600)).M2.mx" '' bob@there.test carl@sub.there.test dora@else.test
letter "$((now - 60)).M3.mx" eve@here.test dora@else.test
mv "$md/new/$((now - 60)).M3.mx" "$md/cur/$((now - 60)).M3.mx:2,S"
one=$((now - 7200)).M1.mx two=$((now - 3600)).M2.mx three=$((now - 60)).M3.mx
letter "$((now - 50)).M4.mx" trash@here.test gone@there.test
mv "$md/new/$((now - 50)).M4.mx" "$md/cur/$((now - 50)).M4.mx:2,ST"
echo half >"$md/tmp/half"
echo hidden >"$md/new/.hidden"
mkdir "$md/new/directory"
mkfifo "$md/new/fifo"
ln -s /etc/passwd "$md/new/link"

is 'in a pipe: a ref a line' "$md/cur/$three:2,S
$md/new/$one
$md/new/$two" sh -c 'queue-list --spool=maildir:"$1" | sort' - "$md"
is 'IDs have no flags' "$one
$two
$three" sorted ql --ids
is 'sorted by age: oldest first' "$one
$two
$three" ql --ids --sort=age
is 'sorted by size: largest first' "$two" ql --ids --sort=size --first=1
is 'sorted by ID' "$one" ql --ids --sort=id --first=1
is 'the number of messages' 3 ql --count
is 'records: ref, sender, recipients' \
    "$md/new/$one${TAB}ann@here.test${TAB}bob@there.test" ql --records "$one"
is 'the null sender is <>' \
    "$md/new/$two${TAB}<>${TAB}bob@there.test${TAB}carl@sub.there.test${TAB}dora@else.test" \
    ql --records "$two"
ok 'with -0 NUL ends a line' sh -c \
    'test "$(queue-list --spool=maildir:"$1" -0 | tr -cd "\000" | wc -c)" -eq 3' - "$md"
is 'a format' "$two|<>|bob@there.test carl@sub.there.test dora@else.test|deferred|-|$md/new/$two|100%$TAB\\." \
    ql -F '%i|%f|%r|%q|%R|%p|100%%\t\\.' "$two"
like 'age in seconds' '^72[0-9][0-9] [0-9]+$' ql -F '%a %s' "$one"
exits 'no such letter' 64 ql -F '%z'
exits 'a format that ends too early' 64 ql -F '%'

# the table
like 'a table has titles' '^ID +STATE +AGE +SIZE +SENDER +RECIPIENT$' ql -l
like 'a row says how many recipients more' "^$two +deferred +60m +[0-9]+ +<> +bob@there.test \\+2\$" ql -l
like 'its last line counts' '^3 messages, [0-9]+$' ql -l

# selection: -d and -r mean recipients
is '-d means one domain' "$one
$two" sorted ql --ids -d there.test
is '-d @ means subdomains too' "$md/new/$two${TAB}<>${TAB}bob@there.test${TAB}carl@sub.there.test" \
    ql --records -d @there.test "$two"
is 'only the selected recipients are listed' "$md/new/$two${TAB}<>${TAB}dora@else.test" \
    ql --records -d ELSE.test "$two"
is 'in JSON too' '[{"address": "dora@else.test"}]' sh -c \
    'queue-list --spool=maildir:"$1" -j -d else.test "$2" | python3 -c "
import json, sys
print(json.dumps(json.load(sys.stdin)[\"recipients\"]))"' - "$md" "$two"
is '-d ! excludes' "$md/new/$two${TAB}<>${TAB}dora@else.test" \
    ql --records -d '!@there.test' "$two"
is 'several -d: any of them' 3 ql --count -d there.test -d else.test
is '-r is a glob' "$md/new/$two${TAB}<>${TAB}carl@sub.there.test" ql --records -r 'CARL@*'
is '-r and -d must both hold' 0 ql --count -r 'carl@*' -d else.test
is '-f means the sender' "$one" ql --ids -f 'ann@*'
is '-f <> is the null sender' "$two" ql --ids -f '<>'
is '-f ! excludes' "$one
$three" sorted ql --ids -f '!<>'
is '--older' "$one
$two" sorted ql --ids --older=10m
is '--newer' "$three" ql --ids --newer=10m
is '--older and --newer' "$two" ql --ids --older=10m --newer=100m
is '--larger' 3 ql --count --larger=50
is '--smaller' 0 ql --count --smaller=50
is '--first' 2 ql --count --first=2
is '--state' 3 ql --count --state=deferred
is 'a Maildir has no held mail' 0 ql --count --state=hold,active
is '--state with !' 0 ql --count --state='!deferred'
is '--reason' 0 ql --count --reason=greylisted
is '--reason with !' 3 ql --count --reason='!greylisted'
is 'an ID with flags of earlier' "$three" ql --ids "$three:2,"
is 'a ref needs no --spool' "$one" queue-list --ids "$md/new/$one"
is 'a ref that moved is found' "$three" queue-list --ids "$md/new/$three"
is 'a relative path is a ref' "$one" sh -c 'cd "$1" && queue-list --ids new/"$2"' - "$md" "$one"
is 'an ID that is gone is nothing' '' ql 12345.gone
exits 'a ref in no queue' 65 queue-list /etc/passwd
exits 'a ref with .. in it' 65 queue-list "$md/nowhere/../new/$one"

# stdin
is 'refs on stdin' "$one" sh -c \
    'echo "$1/new/$2" | queue-list --ids -' - "$md" "$one"
is 'a record restricts' "$md/new/$two${TAB}<>${TAB}dora@else.test" sh -c \
    'printf "%s\t<>\tdora@else.test\n" "$1" | queue-list --records -' - "$md/new/$two"
is 'the selection holds as well' '' sh -c \
    'printf "%s\t<>\tdora@else.test\n" "$1" | queue-list --records -d there.test -' - "$md/new/$two"
is 'another sender: another message' '' sh -c \
    'printf "%s\tx@y.test\tdora@else.test\n" "$1" | queue-list -' - "$md/new/$two"
is 'another recipient: another message' '' sh -c \
    'printf "%s\t<>\tnobody@else.test\n" "$1" | queue-list -' - "$md/new/$two"
is 'NUL on both sides' "$md/new/$one" sh -c \
    'printf "%s\000" "$1" | queue-list -0 - | tr "\000" "\n"' - "$md/new/$one"
exits 'trouble upstream is passed on' 77 sh -c \
    'printf "%s\n!\t77\tmay not look\n" "$1" | queue-list - >"$2"' - "$md/new/$one" "$tmp/passed"
is 'as the last line' "$md/new/$one
!${TAB}77${TAB}may not look" cat "$tmp/passed"
exits 'nonsense on stdin' 65 sh -c 'printf "a\\\\q\n" | queue-list -'
exits 'a message that came and went' 0 sh -c \
    'echo "$1/new/gone" | queue-list -' - "$md"

# bytes
odd=$(printf '1234567890.odd\nname\033[2J\134')
letter "$odd" "$(printf '\351t\351@latin.test')" '"q\"uo te"@there.test' 'böb@there.test' 'x@y z'
like 'a name of several lines is one line' \
    '^/.*/new/1234567890\.odd\\x0Aname\\x1B\[2J\\x5C$' ql -f '*latin.test'
is 'its ref comes back' 1 sh -c \
    'queue-list --spool=maildir:"$1" -f "*latin.test" | queue-list --count -' - "$md"
cat >"$tmp/odd.py" <<'END'
import json, sys
m = json.load(sys.stdin)
assert m["sender"] == "\ufffdt\ufffd@latin.test", m["sender"]
assert bytes.fromhex(m["sender_hex"]) == b"\xe9t\xe9@latin.test"
assert [r["address"] for r in m["recipients"]] == [
    '"q\\"uo te"@there.test', "b\u00f6b@there.test", "x@y z"]
assert m["mta"] == "maildir" and m["queue_name"] == "deferred"
assert "smtputf8" not in m and "done" not in m
print(m["queue_id"])
END
is 'JSON is JSON' "$odd" sh -c \
    'queue-list --spool=maildir:"$1" -j -f "*latin.test" | python3 "$2"' - "$md" "$tmp/odd.py"
ok 'every line of JSON by itself' sh -c \
    'queue-list --spool=maildir:"$1" -j | python3 -m json.tool --json-lines' - "$md"
ok 'nothing raw in a table' sh -c \
    '! queue-list --spool=maildir:"$1" -l | tr -d "\n" | grep -aq "[[:cntrl:]]" &&
    ! queue-list --spool=maildir:"$1" -l | LC_ALL=C grep -aq "$(printf "\351")"' - "$md"
exits 'no record of what is no address' 65 ql --records "$odd"
like 'it is named' 'queue-list: .*is no address' ql --records "$odd"
cat >"$tmp/terminal.py" <<'END'
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
END
on_terminal() { python3 "$tmp/terminal.py" "$@" </dev/null | tr -d '\r'; }
if python3 -c 'import os, pty; os.close(pty.openpty()[0])' 2>/dev/null; then
	like 'on a terminal: a table' '^ID +STATE' on_terminal queue-list --spool=maildir:"$md"
	for o in -l --records -j --ids '-F%f %i %p'; do
		on_terminal queue-list --spool=maildir:"$md" "$o" >"$tmp/raw"
		ok "nothing raw reaches a terminal: $o" python3 -c '
import sys
text = open(sys.argv[1], "rb").read().decode()
assert text and text.replace("\n", "").replace("\t", "").isprintable()' "$tmp/raw"
	done
fi
rm "$md/new/$odd"

# envelopes
printf 'X-Original-To: alias@there.test\nReturn-Path: <a@b.test>\n\nhi\n' >"$md/new/orig"
is 'X-Original-To, where there is no Delivered-To' \
    "$md/new/orig${TAB}a@b.test${TAB}alias@there.test" ql --records orig
printf 'X-Original-To: alias@there.test\nDelivered-To: real@there.test\nDelivered-To:\n real@there.test\n\nhi\n' >"$md/new/orig"
is 'Delivered-To otherwise, each once, no Return-Path: <>' \
    "$md/new/orig${TAB}<>${TAB}real@there.test" ql --records orig
printf 'Subject: x\nDelivered-To: b@y.test\n\nhi\n' >"$md/new/orig"
is 'only what stands in front counts' '{"n": 0}' sh -c 'queue-list --spool=maildir:"$1" -j orig | python3 -c "
import json, sys
print(json.dumps({\"n\": len(json.load(sys.stdin)[\"recipients\"])}))"' - "$md"
is 'without recipients there is no record' '' ql --records orig
printf 'Delivered-To: b@y.test\000c\n\nhi\n' >"$md/new/orig"
exits 'a NUL in the envelope' 65 ql orig
like 'the file is named' "queue-list: $md/new/orig: a NUL" ql orig
printf 'Delivered-To: b@y.te' >"$md/new/orig"
exits 'an envelope cut short' 65 ql
is 'the others are listed' 3 sh -c 'queue-list --spool=maildir:"$1" --ids 2>/dev/null | wc -l | tr -d " "' - "$md"
is 'a pipe ends in a ! line' "!${TAB}65" sh -c 'queue-list --spool=maildir:"$1" --records 2>/dev/null | tail -1 | cut -f1,2' - "$md"
: >"$md/new/orig"
is 'an empty file is a message without recipients' 4 ql --count
rm "$md/new/orig"
is 'names come and go: the arrival is the file'"'"'s then' 1 sh -c '
	printf "Delivered-To: b@y.test\n\n" >"$1/new/short" && touch -d "@1000000000" "$1/new/short"
	queue-list --spool=maildir:"$1" -j short | grep -c "\"arrival_time\": 1000000000,"
	rm "$1/new/short"' - "$md"

# what a crashed run left behind is in sight, and what was done is not pending
mkdir "$md/tidegate.claimed"
mv "$md/new/$two" "$md/tidegate.claimed/$two"
printf 'bob@there.test\ncarl@sub.there.te' >"$md/tidegate.claimed/.$two.done"
is 'claimed mail is shown' \
    "$md/tidegate.claimed/$two${TAB}<>${TAB}carl@sub.there.test${TAB}dora@else.test" \
    queue-list --records "$md/new/$two"
is 'with those that are done' '[{"address": "bob@there.test"}]' sh -c 'queue-list --spool=maildir:"$1" -j "$2" | python3 -c "
import json, sys
print(json.dumps(json.load(sys.stdin)[\"done\"]))"' - "$md" "$two"
ok 'but nothing of the others with -d' sh -c \
    '! queue-list --spool=maildir:"$1" -d else.test -j "$2" | grep -q done' - "$md" "$two"
printf 'bob@there.test\ncarl@sub.there.test\ndora@else.test\n' >"$md/tidegate.claimed/.$two.done"
is 'all done: said' "done${TAB}-" ql -F '%q\t%r' "$two"
is 'a state of its own' "$two" ql --ids --state=done
mv "$md/tidegate.claimed/$two" "$md/new/$two"
rm -r "$md/tidegate.claimed"

# trouble
exits 'no such kind' 64 queue-list --spool=pigeon
command -v exim4 >/dev/null || command -v exim >/dev/null ||
	exits 'a kind that has no queue here' 74 queue-list --spool=exim
exits 'no such directory' 74 queue-list --spool=maildir:"$tmp/none"
exits 'no Maildir' 74 queue-list --spool=maildir:/
is 'a pipe hears of it' "!${TAB}74" sh -c 'queue-list --spool=maildir:/nowhere --records 2>/dev/null | cut -f1,2'
exits 'no such state' 64 ql --state=frozen
exits 'no time' 64 ql --older=soon
exits 'no size' 64 ql --larger=-1
exits 'no number' 64 ql --first=x
exits 'none at all' 64 ql --first=0
exits 'no domain' 64 ql -d 'a b'
exits 'no regular expression' 64 ql --reason='('
like '-d with an address: a hint' "write -r 'bob@there.test'" ql -d bob@there.test
exits 'and 64' 64 ql -d bob@there.test
like '-d with an ID: a hint' 'queue ID' ql -d 4F2A01BA095
exits 'a leading dash in -r' 64 ql -r -x@y.test
exits 'CR or LF in -r' 64 ql -r "$(printf 'a\rb@y.test')"
mkdir -p "$tmp/literal/new"
for a in '[192.0.2.1]' '[192.0.2.10]' '[IPv6:2001:db8::1]' 192.0.2.1; do
	printf 'Delivered-To: a@%s\n\nx\n' "$a" >"$tmp/literal/new/$a"
done
is '-d with an address literal' 'a@[192.0.2.1]' queue-list --spool=maildir:"$tmp/literal" -d '[192.0.2.1]' -F %r
is '-d with one of IPv6' 'a@[IPv6:2001:db8::1]' queue-list --spool=maildir:"$tmp/literal" -d '[ipv6:2001:DB8::1]' -F %r
exits '-d with half of one' 64 queue-list --spool=maildir:"$tmp/literal" -d '[192.0.2' -F %r
for q in b a c; do
	mkdir -p "$tmp/twin/$q/new"
	printf 'Delivered-To: a@%s.test\n\nx\n' $q >"$tmp/twin/$q/new/1700000000.1.x"
done
for o in id age size; do
	is "--sort=$o: what is alike has an order" 'a@a.test
a@b.test
a@c.test' sh -c 'cd "$1" && queue-list --spool=maildir:c --spool=maildir:a --spool=maildir:b \
		--sort="$2" -F %r' - "$tmp/twin" $o
done
exits 'an empty -f' 64 ql -f ''
exits 'two forms' 64 ql -j -l
exits 'no such order' 64 ql --sort=colour
exits 'no such option' 64 ql --pretty
if [ -w /dev/full ]; then
	for o in -l --records -j --count --ids; do
		exits "$o: a full disk" 74 sh -c 'queue-list --spool=maildir:"$1" "$2" >/dev/full' - "$md" "$o"
	done
fi
if ! command -v postconf >/dev/null 2>&1; then
	exits 'no queue found: said, not empty' 69 queue-list
	like 'with what to do' 'name one with --spool=KIND:DIR' queue-list
fi
HOME=$tmp/home
export HOME
mkdir -p "$HOME/Maildir/new"
is 'Maildir at home by default' 0 queue-list --spool=maildir --count

# may not look
mkdir -p "$tmp/shut/new"
printf 'Delivered-To: a@b.test\n\nx\n' >"$tmp/shut/new/1"
chmod 755 "$tmp"
chmod 000 "$tmp/shut/new"
cp "$(command -v queue-list)" "$tmp/queue-list" && chmod 755 "$tmp/queue-list"
if as_other sh -c 'test -x "$1" && ! test -r "$2"' - "$tmp/queue-list" "$tmp/shut/new" 2>/dev/null; then
	exits 'a queue that may not be read' 77 as_other "$tmp/queue-list" --spool=maildir:"$tmp/shut"
	like 'it says what to do' 'run queue-list as root or as the owner' as_other "$tmp/queue-list" --spool=maildir:"$tmp/shut"
	is 'no count of what was not seen' '' as_other sh -c \
	    '"$1" --spool=maildir:"$2" --count 2>/dev/null; test $? -eq 77' - "$tmp/queue-list" "$tmp/shut"
	is 'a pipe hears of it too' "!${TAB}77" as_other sh -c \
	    '"$1" --spool=maildir:"$2" 2>/dev/null | cut -f1,2' - "$tmp/queue-list" "$tmp/shut"
	mkdir -p "$tmp/open/new" && printf 'Delivered-To: a@b.test\n\nx\n' >"$tmp/open/new/2"
	chmod 755 "$tmp/open" "$tmp/open/new" && chmod 644 "$tmp/open/new/2"
	is 'of two the one that can be read is listed' 2 as_other sh -c \
	    '"$1" --spool=maildir:"$2" --spool=maildir:"$3" --ids 2>/dev/null; test $? -eq 77' - "$tmp/queue-list" "$tmp/shut" "$tmp/open"
fi
chmod 700 "$tmp/shut/new"

# a Postfix that may not be read: its own listing, here by stand-ins for its programs
mkdir "$tmp/fake" "$tmp/etc" && chmod 755 "$tmp/fake" "$tmp/etc"
"$top/t/samples/unpack" "$tmp/samples"
q=$tmp/samples/postfix/default
cat >"$tmp/fake/postconf" <<END
#!/bin/sh
echo 'queue_directory = $q/spool'
echo 'config_directory = $tmp/etc'
END
cat >"$tmp/fake/postqueue" <<END
#!/bin/sh
cat '$tmp/postqueue.jsonl'
END
cp "$q/postqueue.jsonl" "$tmp" && chmod 644 "$tmp/postqueue.jsonl"
chmod 755 "$tmp/samples" "$tmp/samples/postfix" "$q" "$q/spool" "$tmp/fake/postconf" "$tmp/fake/postqueue"
is 'the queue of the running Postfix is found, and read where one may' "$(wc -l <"$q/expected.jsonl" | tr -d ' ')" \
    env PATH="$tmp/fake:$PATH" queue-list --count --state=incoming,active,deferred,hold,maildrop,done
chmod 000 "$q"/spool/*
if as_other sh -c 'test -x "$1" && ! test -r "$2"' - "$tmp/queue-list" "$q/spool/deferred" 2>/dev/null; then
	ask() { as_other env PATH="$tmp/fake:$PATH" "$tmp/queue-list" "$@"; }
	is 'without permission Postfix is asked' "$(wc -l <"$q/postqueue.jsonl" | tr -d ' ')" ask --count
	is 'the selection holds' "$(grep -c '"queue_name": "hold"' "$q/postqueue.jsonl")" ask --count --state=hold
	is 'an ID' 'E55911BA672 deferred farid@down.example' ask -F '%i %q %r' E55911BA672
	is 'a ref' E55911BA672 ask --ids "$q/spool/deferred/E/E55911BA672"
	is 'an ID that is nowhere' '' ask --ids 0123456789A
	exits 'corrupt files are not in its listing' 77 ask --state=corrupt
	chmod 000 "$q"
	is 'so it is where even its place is hidden' "$(wc -l <"$tmp/postqueue.jsonl" | tr -d ' ')" ask --count
	chmod 755 "$q"
	printf '#!/bin/sh\necho "postqueue: fatal: Queue report unavailable - mail system is down" >&2\nexit 69\n' >"$tmp/fake/postqueue"
	exits 'no answer is no empty queue' 75 ask --count
	like 'it is told' 'mail system is down' ask
	exits 'a copy that may not be read' 77 as_other env PATH=/usr/bin:/bin "$tmp/queue-list" --spool=postfix:"$q/spool"
fi
chmod 700 "$q"/spool/*

done_testing
