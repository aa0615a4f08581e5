#!/bin/sh
# msg-sizecheck: sizes as they are sent, limits from everywhere, the filter, --ndr.
# shellcheck shell=sh
# shellcheck disable=SC2016
. "${0%/*}/lib.sh"

TAB=$(printf '\t')
LF='
'
check() { msg-sizecheck "$@"; }
from() { f=$1; shift; check "$@" <"$f"; }	# from FILE ARG...

# letter NAME SENDER RCPT...: one in a Maildir; what follows the envelope is on stdin
md=$tmp/md
mkdir -p "$md/new" "$md/cur" "$md/tmp"
letter() {
	f=$md/new/$1
	printf 'Return-Path: <%s>\n' "$2" >"$f"
	shift 2
	for r; do printf 'Delivered-To: %s\n' "$r" >>"$f"; done
	cat >>"$f"
}
small=$md/new/1001.m.host
big=$md/new/1002.m.host
printf 'Subject: small\n\nhello\n' | letter 1001.m.host ann@x.test bob@y.test carla@z.test
{ printf 'Subject: big\n\n'; yes 'a line of the body' | head -n 100; } |
	letter 1002.m.host ann@x.test bob@y.test carla@low.z.test
size_small=25 size_big=2016

# --- the size, as smtp-send says it

# sizes FILE: by smtp-send's MAIL, from a file, stdin, and a pipe
announced() {
	rm -f "$tmp/log"
	smtp-send -q -s "exec:sink --stdio --log=$tmp/log" -f a@x.test b@y.test <"$1" &&
		sed -n 's/^MAIL .* SIZE=\([0-9]*\).*/\1/p' "$tmp/log"
}
third() { cut -f3; }
agree() { # NAME FORMAT
	printf "$2" >"$tmp/text"
	want=$(announced "$tmp/text")
	[ "$want" ] || want=none
	is "$1: stdin" "$want" sh -c 'msg-sizecheck -l <"$1" | cut -f3' - "$tmp/text"
	is "$1: a pipe" "$want" sh -c 'cat "$1" | msg-sizecheck -l | cut -f3' - "$tmp/text"
	is "$1: a file" "$want" sh -c 'msg-sizecheck -l "$1" | cut -f3' - "$tmp/text"
}
agree 'LF' 'Subject: x\n\none\ntwo\n'
agree 'CRLF' 'Subject: x\r\n\r\none\r\ntwo\r\n'
agree 'both' 'Subject: x\r\n\r\none\ntwo\r\n'
agree 'no last line end' 'Subject: x\n\none\ntwo'
agree 'dots' 'Subject: x\n\n.\n..\n.a\n'
agree 'no body' 'Subject: x\n'
printf '' >"$tmp/empty"
is 'nothing has no octets' "-${TAB}-${TAB}0${TAB}-${TAB}fits" from "$tmp/empty" -l
printf 'a: b\n\nx\r' >"$tmp/text"
is 'a CR that ends nothing is text' "-${TAB}-${TAB}12${TAB}-${TAB}fits" from "$tmp/text" -l
queued() { # FILE: of a queue, what smtp-send --records says
	rm -f "$tmp/log"
	queue-list --spool=maildir:"$md" --records "$1" |
		smtp-send --records -s "exec:sink --stdio --log=$tmp/log" >/dev/null
	sed -n 's/^MAIL .* SIZE=\([0-9]*\).*/\1/p' "$tmp/log"
}
is 'a queued one, without its envelope' "$size_small" queued "$small"
is '... and by us' "$size_small" sh -c 'msg-sizecheck -l "$1" | cut -f3 | uniq' - "$small"
is 'a larger one' "$size_big" queued "$big"
is '... and by us' "$size_big" sh -c 'msg-sizecheck -l "$1" | cut -f3 | uniq' - "$big"
"$top/t/samples/unpack" "$tmp/q" postfix exim sendmail nullmailer dma courier opensmtpd
same_sizes() { # KIND DIR: against the octets of queue-cat
	queue-list --spool="$1:$2" --state='!hold' | while read -r ref; do
		printf '%s\t%s\n' "$ref" "$(queue-cat "$ref" 2>/dev/null | wc -c)"
	done | sort -u >"$tmp/cat"
	queue-list --spool="$1:$2" --state='!hold' | msg-sizecheck -l - | cut -f1,3 | sort -u >"$tmp/ours"
	test -s "$tmp/ours"
	tap_ours=$?
	same "$1: $2" "$tmp/cat" "$tmp/ours"
	[ $tap_ours = 0 ] || ok "$1: something was looked at" false
}
for dir in "$tmp"/q/*/*/; do
	kind=${dir#"$tmp/q/"} kind=${kind%%/*} dir=${dir%/}
	[ ! -d "$dir/spool" ] || dir=$dir/spool
	n=$(queue-list --spool="$kind:$dir" --count 2>/dev/null) || continue
	[ "$n" -gt 0 ] && same_sizes "$kind" "$dir"
done

# --- the limit

printf 'a: b\n\nxy\n' >"$tmp/ten"		# 12 octets
exits 'it fits' 0 from "$tmp/ten" -m 12
exits 'it does not' 1 from "$tmp/ten" -m 11
is 'silent' '' sh -c 'msg-sizecheck -m 11 <"$1" 2>&1; :' - "$tmp/ten"
exits 'of files one is over' 1 check -m 12 "$tmp/ten" "$top/README"
exits '0 is no limit' 0 from "$tmp/ten" -m 0
exits '1k' 0 check -m 2k "$big"
exits '2015' 1 check -m 2015 "$big"
is '-l' "$tmp/ten${TAB}-${TAB}12${TAB}11${TAB}over" sh -c 'msg-sizecheck -l -m 11 "$1"; :' - "$tmp/ten"
is '-l: by recipient' "$big${TAB}bob@y.test${TAB}2016${TAB}2048${TAB}fits
$big${TAB}carla@low.z.test${TAB}2016${TAB}2048${TAB}fits" check -l -m 2k "$big"
is '-j' "{\"ref\": \"$tmp/ten\", \"size\": 12, \"limit\": 11, \"fits\": false}" \
	sh -c 'msg-sizecheck -j -m 11 "$1"; :' - "$tmp/ten"
is '-j: by recipient, no limit' "{\"ref\": \"$small\", \"recipient\": \"bob@y.test\", \"size\": 25, \"fits\": true}" \
	sh -c 'msg-sizecheck -j "$1" | head -n 1' - "$small"

cat >"$tmp/limits" <<'END_LIMITS'
# by recipient
*         1M
y.test    1k
@z.test   30
END_LIMITS
verdicts() { check -l "$@" | cut -f2,4,5; }
is '--limits' "bob@y.test${TAB}1024${TAB}over
carla@low.z.test${TAB}30${TAB}over" verdicts --limits="$tmp/limits" "$big"
is '--limits: the small one' "bob@y.test${TAB}1024${TAB}fits
carla@z.test${TAB}30${TAB}fits" verdicts --limits="$tmp/limits" "$small"
is 'for nobody in particular it is *' "-${TAB}1048576${TAB}fits" verdicts --limits="$tmp/limits" "$tmp/ten"
is 'the lowest of all limits holds' "bob@y.test${TAB}1000${TAB}over
carla@low.z.test${TAB}30${TAB}over" verdicts -m 1000 --limits="$tmp/limits" "$big"
exits 'one recipient of two: over' 1 check --limits="$tmp/limits" "$big"
echo 'y.test much' >"$tmp/bad"
exits 'a line that is none: 78' 78 check --limits="$tmp/bad" "$small"
like 'and says which' "bad: line 1: size: .much. is no size" check --limits="$tmp/bad" "$small"
exits 'no such file: 74' 74 check --limits="$tmp/none" "$small"

# --- a server's

server() { echo "exec:sink --stdio --log=$tmp/log --ext=$1"; }
exits 'as announced: it fits' 0 from "$tmp/ten" -s "$(server '"SIZE 12"')"
exits 'as announced: it does not' 1 from "$tmp/ten" -s "$(server '"SIZE 11"')"
is 'nothing was sent' "CONNECT${LF}EHLO x.test 250${LF}QUIT 221" sh -c '
	rm "$1"; msg-sizecheck --helo=x.test -s "$2" <"$3"; cat "$1"' - "$tmp/log" "$(server '"SIZE 12"')" "$tmp/ten"
exits 'none announced' 0 from "$tmp/ten" -s "$(server SIZE)"
exits '0 announced' 0 from "$tmp/ten" -s "$(server '"SIZE 0"')"
exits 'no SIZE' 0 from "$tmp/ten" -s "$(server PIPELINING)"
is 'the lowest of several' "-${TAB}-${TAB}12${TAB}5${TAB}over" sh -c '
	msg-sizecheck -l -m 100 -s "$1" -s "$2" -s "$3" <"$4"; :' - "$(server '"SIZE 12"')" \
	"$(server '"SIZE 5"')" "$(server SIZE)" "$tmp/ten"
exits 'it refuses us: 75' 75 from "$tmp/ten" -s "exec:sink --stdio --banner=no" -s "exec:false"
is 'then nothing is passed' "!${TAB}75" sh -c '
	echo "$1" | msg-sizecheck -s exec:false --pass - 2>"$2" | cut -f1,2' - "$small" "$tmp/err"

# --- the filter

records() { queue-list --spool=maildir:"$md" --sort=id --records; }
records >"$tmp/records"
filter() { check "$@" - <"$tmp/records"; }
is 'pass: everybody' "$(cat "$tmp/records")" filter -m 1M --pass
is 'pass: nobody' '' filter -m 10 --pass
is 'over: everybody' "$(cat "$tmp/records")" filter -m 10 --over
exits 'over, and yet 0' 0 filter -m 10 --over
is 'pass: the small one' "$small${TAB}ann@x.test${TAB}bob@y.test${TAB}carla@z.test" filter -m 1k --pass
is 'over: the big one' "$big${TAB}ann@x.test${TAB}bob@y.test${TAB}carla@low.z.test" filter -m 1k --over
cat >"$tmp/limits" <<'END_LIMITS'
y.test 20
@z.test 30
END_LIMITS
is 'pass: by recipient' "$small${TAB}ann@x.test${TAB}carla@z.test" filter --limits="$tmp/limits" --pass
is 'over: the others' "$small${TAB}ann@x.test${TAB}bob@y.test
$big${TAB}ann@x.test${TAB}bob@y.test${TAB}carla@low.z.test" filter --limits="$tmp/limits" --over
echo "$small" >"$tmp/records"
is 'a ref alone stays one' "$small" filter -m 1k --pass
is 'a ref alone, narrowed' "$small${TAB}ann@x.test${TAB}carla@z.test" filter --limits="$tmp/limits" --pass
is 'a ref as an operand' "$small${TAB}ann@x.test${TAB}bob@y.test" check --limits="$tmp/limits" --over "$small"
printf '%s\tann@x.test\tcarla@z.test\n' "$small" >"$tmp/records"
is 'only whom the record names' '' filter --limits="$tmp/limits" --over
printf '%s\teve@x.test\tcarla@z.test\n' "$small" >"$tmp/records"
is 'another message by now: nothing' '' filter -m 1M --pass
printf '%s\n%s\n' "$md/new/gone.m.host" "$small" >"$tmp/records"
is 'one that is gone: the others' "$small" filter -m 1M --pass
printf '%s\0%s\0' "$small" "$big" >"$tmp/records"
is '-0' "$small" sh -c 'msg-sizecheck -m 1k -0 --pass - <"$1" | tr "\0" "\n"' - "$tmp/records"
printf '%s\n!\t77\tqueue: not allowed\n' "$small" >"$tmp/records"
exits 'trouble upstream is ours' 77 filter -m 1k --pass
is 'and is passed on' "$(cat "$tmp/records")" sh -c 'msg-sizecheck -m 1k --pass - <"$1" || :' - "$tmp/records"
exits 'also without a filter' 77 filter -m 1k
printf '%s\n' "$small" "$tmp/ten" >"$tmp/records"
is 'trouble of ours comes last' "$small${LF}!${TAB}65" \
	sh -c 'msg-sizecheck -m 1k --pass - <"$1" 2>"$2" | cut -f1,2' - "$tmp/records" "$tmp/err"
like 'and is told' "ten: lies in no queue" cat "$tmp/err"
printf '%s' "$small" >"$tmp/records"
exits 'a last line that was cut off: 65' 65 filter -m 1k --pass
is '... and is not used' '' sh -c 'msg-sizecheck -m 1k --pass - <"$1" 2>"$2" | grep -v "^!" || :' - "$tmp/records" "$tmp/err"

# as in the manual, but for the server
is 'what passes is sent' "$small bob@y.test delivered" sh -c '
	queue-list --spool=maildir:"$1" --records -d y.test | msg-sizecheck -m 1k --pass - |
	smtp-send --records -s "exec:sink --stdio" | cut -f1-3 | tr "\t" " "' - "$md"
mkdir "$tmp/bin"
cat >"$tmp/bin/sendmail" <<'END_SENDMAIL'
#!/bin/sh
for to; do :; done
cat >"$tmp/sent.$to"
END_SENDMAIL
chmod +x "$tmp/bin/sendmail"
export tmp
PATH=$tmp/bin:$PATH
ok 'what is over goes back' sh -c '
	queue-list --spool=maildir:"$1" --records -d y.test | msg-sizecheck -m 1k --over - |
	dequeue --spool=maildir:"$1" - --bounce -y --bounce-text="5.3.4 message exceeds 1 kB"' - "$md"
like 'with a report' '^Diagnostic-Code: x-tidegate; 5.3.4 message exceeds 1 kB' cat "$tmp/sent.ann@x.test"
is 'and of the other nothing happened' "$big${TAB}ann@x.test${TAB}carla@low.z.test
$small${TAB}ann@x.test${TAB}bob@y.test${TAB}carla@z.test" sh -c '
	queue-list --spool=maildir:"$1" --records | sort -r' - "$md"

# --- the report

parsed() { # what Python's email parser makes of it
	python3 - "$1" <<'END_PYTHON'
import email, email.policy, sys
with open(sys.argv[1], "rb") as f:
    octets = f.read()
m = email.message_from_bytes(octets, policy=email.policy.default)
print(m.get_content_type(), m.get_param("report-type"), m["To"], m["Auto-Submitted"])
people, status, original = m.iter_parts()
print(people.get_content_type(), status.get_content_type(), original.get_content_type())
blocks = status.get_payload()
if status.get_content_type() != "message/delivery-status":  # it knows the other no better
    text = octets.decode().split("Content-Type: message/global-delivery-status", 1)[1]
    text = text.split("\n\n", 1)[1].split("\n--", 1)[0]
    blocks = [email.message_from_string(b) for b in text.split("\n\n") if b.strip()]
for block in blocks:
    for name, value in block.items():
        if name not in ("Reporting-MTA", "Arrival-Date"):
            print(f"{name}: {value}")
inner = original.get_payload()
if original.get_content_type().startswith("text/"):
    inner = [email.message_from_string(inner)]
elif isinstance(inner, str):
    inner = [email.message_from_bytes(original.get_payload(decode=True))]
print("subject", inner[0]["Subject"], len(inner[0].get_payload()))
lines = octets.split(b"\n")
print("bad", sum(len(l) > 998 or b"\r" in l for l in lines), m.defects + status.defects)
END_PYTHON
}
ndr() { # FILE ARG...: the report is in $tmp/ndr
	f=$1
	shift
	check --ndr "$@" <"$f" >"$tmp/ndr"
}
{ printf 'Subject: hello\nX: \r\n\n'; yes 'a line' | head -n 100; } >"$tmp/letter"
exits 'over: 1' 1 ndr "$tmp/letter" -m 300 -f ann@x.test -V EN1 bob@y.test carla@z.test
is 'the report' 'multipart/report delivery-status ann@x.test auto-replied
text/plain message/delivery-status message/rfc822
Original-Envelope-Id: EN1
Final-Recipient: rfc822; bob@y.test
Action: failed
Status: 5.3.4
Diagnostic-Code: x-tidegate; the message has 823 octets; the limit is 300
Final-Recipient: rfc822; carla@z.test
Action: failed
Status: 5.3.4
Diagnostic-Code: x-tidegate; the message has 823 octets; the limit is 300
subject hello 700
bad 0 []' parsed "$tmp/ndr"
exits 'a pipe' 1 sh -c 'cat "$1" | msg-sizecheck --ndr -m 300 -f ann@x.test b@y.test >"$2"' - "$tmp/letter" "$tmp/ndr2"
like 'is the same' 'has 823 octets' cat "$tmp/ndr2"
exits 'it fits: 0' 0 ndr "$tmp/letter" -m 10k -f ann@x.test bob@y.test
is 'and nobody is told' '' cat "$tmp/ndr"
echo 'y.test 100' >"$tmp/limits"
exits 'over for one of two' 1 ndr "$tmp/letter" --limits="$tmp/limits" -f ann@x.test bob@y.test carla@z.test
parsed "$tmp/ndr" >"$tmp/parsed"
is 'only that one is in it' 'Final-Recipient: rfc822; bob@y.test' grep ^Final "$tmp/parsed"
exits 'the null sender: 1' 1 ndr "$tmp/letter" -m 300 -f '<>' bob@y.test
is 'gets no report' '' cat "$tmp/ndr"
exits 'NOTIFY=NEVER: 1' 1 ndr "$tmp/letter" -m 300 -f ann@x.test -N never bob@y.test
is 'gets none' '' cat "$tmp/ndr"
for value in auto-replied ' Auto-Generated (by cron)' 'auto-notified; x=y'; do
	{ printf 'AUTO-submitted:%s\n' "$value"; cat "$tmp/letter"; } >"$tmp/auto"
	ndr "$tmp/auto" -m 300 -f ann@x.test bob@y.test
	is "Auto-Submitted:$value: none" '' cat "$tmp/ndr"
done
{ printf 'Auto-Submitted: no (I typed it)\n'; cat "$tmp/letter"; } >"$tmp/auto"
ndr "$tmp/auto" -m 300 -f ann@x.test bob@y.test
ok 'Auto-Submitted: no' test -s "$tmp/ndr"
ndr "$tmp/letter" -m 300 -R hdrs -f ann@x.test --orcpt='rfc822;robert@first.test' bob@y.test
is 'RET=HDRS, ORCPT' 'multipart/report delivery-status ann@x.test auto-replied
text/plain message/delivery-status text/rfc822-headers
Original-Recipient: rfc822;robert@first.test
Final-Recipient: rfc822; bob@y.test
Action: failed
Status: 5.3.4
Diagnostic-Code: x-tidegate; the message has 823 octets; the limit is 300
subject hello 0
bad 0 []' parsed "$tmp/ndr"
{ printf 'Subject: hello\n\n'; yes 'a line' | head -n 20000; } >"$tmp/long"
ndr "$tmp/long" -m 300 -R full -f ann@x.test bob@y.test
parsed "$tmp/ndr" >"$tmp/parsed"
like 'a long one: its header' '^text/plain message/delivery-status text/rfc822-headers' cat "$tmp/parsed"
like 'and no defects' '^bad 0 \[\]' cat "$tmp/parsed"
{ printf 'Subject: hello\n\n--=_report_0\n.\nFrom x\na\rb\0c \033[31m\n'; head -c 5000 /dev/zero | tr '\0' x; } >"$tmp/odd"
ndr "$tmp/odd" -m 300 -f ann@x.test bob@y.test
parsed "$tmp/ndr" >"$tmp/parsed"
like 'odd lines' '^bad 0 \[\]' cat "$tmp/parsed"
printf 'Subject: gr\303\274n\n\nx\n' >"$tmp/utf8"
ndr "$tmp/utf8" -m 3 -f "j$(printf '\303\266')@x.test" "m$(printf '\303\274')@y.test"
is 'SMTPUTF8' "multipart/report delivery-status j$(printf '\303\266')@x.test auto-replied
text/plain message/global-delivery-status message/global
Final-Recipient: utf-8; m$(printf '\303\274')@y.test
Action: failed
Status: 5.3.4
Diagnostic-Code: x-tidegate; the message has 21 octets; the limit is 3
subject gr$(printf '\303\274')n 2
bad 0 []" parsed "$tmp/ndr"

# --- what is wrong

exits 'no limit' 64 from "$tmp/ten"
exits 'a size that is none' 64 from "$tmp/ten" -m 10Q
exits '--pass and --over' 64 check -m 1 --pass --over -
exits '--pass of a file on stdin' 64 from "$tmp/ten" -m 1 --pass
exits '--pass and -l' 64 check -m 1 --pass -l -
exits '--ndr without a sender' 64 from "$tmp/ten" -m 1 --ndr b@y.test
exits '--ndr without a recipient' 64 from "$tmp/ten" -m 1 --ndr -f a@x.test
exits '--ndr and --over' 64 from "$tmp/ten" -m 1 --ndr --over -f a@x.test b@y.test
exits '-f without --ndr' 64 from "$tmp/ten" -m 1 -f a@x.test
is 'the next program in a pipe is told' "!${TAB}64" \
	sh -c 'msg-sizecheck --pass - 2>"$1" | cut -f1,2' - "$tmp/err"
is '... of a spool, too' "!${TAB}64" \
	sh -c 'msg-sizecheck -m 1 --spool=pigeon --pass - 2>"$1" | cut -f1,2' - "$tmp/err"
is '... of the limits' "!${TAB}74" \
	sh -c 'msg-sizecheck --limits=/nowhere --pass - 2>"$1" | cut -f1,2' - "$tmp/err"
exits 'no such spool' 64 check -m 1 --spool=pigeon -
exits 'no such file' 74 check -m 1 "$tmp/nothing"
exits 'a directory' 74 check -m 1 "$tmp"
exits 'trouble outranks over' 74 check -m 1 "$tmp/ten" "$tmp/nothing"
exits '... in any order' 74 check -m 1 "$tmp/nothing" "$tmp/ten"
exits 'no such message in the queue: 69' 69 check -m 1 "$md/new/9.m.host"
exits 'stdout is full: 74' 74 sh -c 'msg-sizecheck -l <"$1" >/dev/full' - "$tmp/ten"
done_testing
