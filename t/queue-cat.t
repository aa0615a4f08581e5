#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# queue-cat: a message as it goes on the wire, from a Maildir.
. "${0%/*}/lib.sh"

md=$tmp/md
mkdir -p "$md/new" "$md/cur"
printf 'Return-Path: <ann@here.test>\nDelivered-To: bob@there.test\nDelivered-To: carl@there.test\nReceived: from x\nSubject: hi\n\n.dot\nlast' >"$md/new/1"
printf 'Received: from x\r\nSubject: hi\r\n\r\n.dot\r\nlast\r\n' >"$tmp/wire"
printf 'Received: from x\r\nSubject: hi\r\n' >"$tmp/wire.headers"
printf '.dot\r\nlast\r\n' >"$tmp/wire.body"
qc() { queue-cat --spool=maildir:"$md" "$@"; }
put() { "$@" >"$tmp/got"; }

put qc 1
same 'as it goes on the wire, without the lines of the envelope' "$tmp/wire" "$tmp/got"
put queue-cat "$md/new/1"
same 'by its ref' "$tmp/wire" "$tmp/got"
put qc --headers 1
same 'the header' "$tmp/wire.headers" "$tmp/got"
put qc --body 1
same 'the body' "$tmp/wire.body" "$tmp/got"
mv "$md/new/1" "$md/cur/1:2,RS"
put queue-cat "$md/new/1"
same 'moved meanwhile' "$tmp/wire" "$tmp/got"
is 'the envelope' 'MAIL FROM:<ann@here.test> SIZE=45
RCPT TO:<bob@there.test>
RCPT TO:<carl@there.test>' qc --envelope 1

printf 'Delivered-To: b@y.test\r\nSubject: crlf\r\n\r\nx\r\n' >"$md/new/crlf"
printf 'Subject: crlf\r\n\r\nx\r\n' >"$tmp/wire"
put qc crlf
same 'a file that has CRLF already' "$tmp/wire" "$tmp/got"
is 'its recipient has no CR' 'MAIL FROM:<> SIZE=20
RCPT TO:<b@y.test>' qc --envelope crlf

printf 'Delivered-To: b@y.test\n\nno header\n' >"$md/new/headless"
is 'no header' '' qc --headers headless
is 'only a body' 'no header' sh -c 'queue-cat --spool=maildir:"$1" --body headless | tr -d "\r"' - "$md"
printf 'Delivered-To: b@y.test\nSubject: no body\n' >"$md/new/bodiless"
is 'only a header' 'Subject: no body' sh -c 'queue-cat --spool=maildir:"$1" --headers bodiless | tr -d "\r"' - "$md"
is 'no body' '' qc --body bodiless
: >"$md/new/empty"
is 'nothing at all' '' qc empty

# a large one: the empty line may fall anywhere between two pieces
for n in 65533 65534 65535 65536 65537; do
	{
		printf 'X: '
		head -c "$n" /dev/zero | tr '\0' x
		printf '\n\nbody\n'
	} >"$md/new/large"
	is "header and body are the whole: $n" "X: x$n body" sh -c '
		h=$(queue-cat --spool=maildir:"$1" --headers large | tr -d "\r" | wc -c)
		b=$(queue-cat --spool=maildir:"$1" --body large | tr -d "\r")
		echo "X: x$((h - 4)) $b"' - "$md"
done

exits 'several: the rest is printed, the status is of the one that failed' 69 sh -c \
    'queue-cat --spool=maildir:"$1" crlf gone bodiless >"$2"' - "$md" "$tmp/several"
is 'the rest' 'Subject: crlf
Subject: no body' sh -c 'grep -a Subject "$1" | tr -d "\r"' - "$tmp/several"
like 'which one' 'queue-cat: gone: no such message' qc gone
exits 'gone by its ref' 69 queue-cat "$md/new/gone"
exits 'a ref in no queue' 65 queue-cat /etc/passwd
exits 'no operand' 64 qc
exits 'two parts' 64 qc --headers --body crlf
exits 'no such directory' 74 queue-cat --spool=maildir:"$tmp/none" x
mkdir -p "$tmp/other/new" && cp "$md/new/crlf" "$tmp/other/new/crlf"
exits 'an ID in two queues' 65 queue-cat --spool=maildir:"$md" --spool=maildir:"$tmp/other" crlf
like 'it says which' "$md and $tmp/other" queue-cat --spool=maildir:"$md" --spool=maildir:"$tmp/other" crlf
exits 'a path for an ID' 69 qc ..
[ ! -w /dev/full ] || exits 'a full disk' 74 sh -c 'queue-cat --spool=maildir:"$1" crlf >/dev/full' - "$md"

printf 'Delivered-To: b@y.test\nSubject: \033[2J\233\351\r\n\tfolded\n\nb\\\303\266\n' >"$md/new/odd"
cat >"$tmp/terminal.py" <<'END'
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
END
if python3 -c 'import os, pty; os.close(pty.openpty()[0])' 2>/dev/null; then
	is 'nothing raw reaches a terminal' "$(printf 'Subject: \\x1B[2J\\x9B\\xE9\n\tfolded\n\nb\\\303\266')" sh -c \
	    'python3 "$1" queue-cat --spool=maildir:"$2" odd </dev/null | tr -d "\r"' - "$tmp/terminal.py" "$md"
fi
is 'a pipe gets every octet' "$(printf 'Subject: \033[2J\233\351')" sh -c \
    'queue-cat --spool=maildir:"$1" odd | head -1 | tr -d "\r"' - "$md"

done_testing
