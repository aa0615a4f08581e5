#!/bin/sh
# What dequeue throws away or returns: --remove, --bounce, --bounce-failed, and the
# report that a sender gets.
# shellcheck disable=SC2016
. "${0%/*}/lib.sh"

export tmp
mkdir -p "$tmp/bin"
PATH=$tmp/bin:$PATH

# The local sendmail: keeps what it is given, as $tmp/sent.ADDRESS, and refuses
# if told to.
cat >"$tmp/bin/sendmail" <<'END'
#!/bin/sh
[ ! -e "$tmp/refuse" ] || { echo 'queue full' >&2; exit 75; }
for to; do :; done
printf '%s\n' "$@" >"$tmp/args.$to"
cat >"$tmp/sent.$to"
END
chmod +x "$tmp/bin/sendmail"

# letter NAME SENDER RCPT...
letter() {
	mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp"
	f=$tmp/md/new/$1
	printf 'Return-Path: <%s>\n' "$2" >"$f"
	name=$1
	shift 2
	for r; do printf 'Delivered-To: %s\n' "$r" >>"$f"; done
	printf 'Subject: %s\nX-Long: %s\n\nhello\n' "$name" "$name" >>"$f"
}
fresh() {
	rm -rf "$tmp/md" "$tmp"/sent.* "$tmp"/args.* "$tmp/refuse"
	letter 1001.m.host ann@x.test bob@y.test carla@z.test
	letter 1002.m.host '' bob@y.test
	letter 1003.m.host '"odd one"@x.test' eve@y.test
}
dq() { dequeue --spool=maildir:"$tmp/md" "$@"; }
pending() { queue-list --spool=maildir:"$tmp/md" --records | cut -f3- | tr '\t' '\n' | sort; }
last() { "$@" 2>&1 >/dev/null | tail -n 1; }
sent() { find "$tmp" -name 'sent.*' | wc -l; }

# report ADDRESS: what Python's email parser makes of it
report() {
	python3 - "$tmp/sent.$1" <<'END'
import email, email.policy, sys
m = email.message_from_file(open(sys.argv[1]), policy=email.policy.default)
print(m.get_content_type(), m.get_param("report-type"), m["To"], m["Auto-Submitted"])
people, status, original = m.iter_parts()
print(people.get_content_type(), status.get_content_type(), original.get_content_type())
for block in status.get_payload():
    for name, value in block.items():
        if name not in ("Reporting-MTA", "Arrival-Date"):
            print(f"{name}: {value}")
inner = original.get_payload()
print("subject", inner[0]["Subject"] if isinstance(inner, list) else
      email.message_from_string(inner)["Subject"])
bad = [l for l in open(sys.argv[1], newline="").read().split("\n")
       if len(l) > 998 or "\r" in l]
print("bad lines", len(bad), "defects", m.defects + status.defects)
END
}

# --- remove

fresh
exits 'remove: only whole messages' 75 dq -d y.test --remove -y
is 'one has another recipient' 'bob@y.test
carla@z.test' pending
is 'nobody is told' 0 sent
exits 'remove --whole' 0 dq -d y.test --remove --whole
is 'it is gone' '' pending
fresh
is '--dry-run says so' "remove	$tmp/md/new/1002.m.host	<>	bob@y.test" \
	dq --remove -n 1002.m.host
like 'the total' 'removed 1, busy 0, changed 0' dq --remove -v 1002.m.host
exits 'a Maildir knows no hold' 69 dq --hold --all
exits 'two verbs' 64 dq --hold --remove --all
exits 'nothing selected' 64 dq --remove
exits '--remove and a COMMAND' 64 dq --all --remove -- true
exits '--whole and --bounce' 64 dq --all --bounce --whole
exits '--bounce-text without --bounce' 64 dq --all --bounce-text=x
exits '--bounce-failed without COMMAND' 64 dq --all --bounce-failed
exits '--bounce-text: a status that is none of failure' 64 dq --all --bounce --bounce-text='4.3.0 later'

# --- asked on a terminal

answer() { # ANSWER COMMAND: on a terminal of its own
	python3 - "$@" <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", sys.argv[2]])
seen = b""
while b"[y/N]" not in seen:
    seen += os.read(fd, 4096)
os.write(fd, sys.argv[1].encode() + b"\n")
try:
    while True:
        seen += os.read(fd, 4096)
except OSError:
    pass
print(seen.decode().splitlines()[0].split("?")[0], os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
}
fresh
like 'on a terminal it asks' '^remove 3 messages \([0-9]+ octets\) for 4 recipients 75$' \
	answer n "dequeue --spool=maildir:$tmp/md --all --remove"
like 'about what would go, not about what is left for its other recipients' \
	'^remove 2 messages \([0-9]+ octets\) for 2 recipients, and leave 1 with other recipients too 75$' \
	answer n "dequeue --spool=maildir:$tmp/md -d y.test --remove"
like 'with --whole about that, too' '^remove 3 messages \([0-9]+ octets\) for 4 recipients 75$' \
	answer n "dequeue --spool=maildir:$tmp/md -d y.test --remove --whole"
# messages of one second in one file
for r in ann bob carla; do
	printf 'From a@x.test Thu Nov 26 10:00:00 2026\nDelivered-To: %s@y.test\n\nhi\n\n' $r
done >"$tmp/box"
like 'in an mbox each is one' '^bounce 3 messages \([0-9]+ octets\) for 3 recipients 75$' \
	answer n "dequeue --spool=mbox:$tmp/box --all --bounce"
typed() { # COMMAND: on a terminal, where a ref is typed and all is agreed to
	python3 - "$tmp/md/new/1.a.h" "$@" <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", sys.argv[2]])
os.write(fd, sys.argv[1].encode() + b"\n\x04y\n")
try:
    while os.read(fd, 4096):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
}
exits 'what was typed is spent when it was counted: 64' 64 typed 'dequeue - --remove'
pending >"$tmp/left"
is 'no: nothing was done' 4 grep -c . "$tmp/left"
like 'yes' '^remove 3 messages .* 0$' answer y "dequeue --spool=maildir:$tmp/md --all --remove"
is 'yes: they are gone' '' pending

# --- bounce

fresh
exits 'bounce' 0 dq -d y.test --bounce --bounce-text='5.3.4 message exceeds 10 MB'
is 'only the selected recipients' carla@z.test pending
is 'a report each, but none for <>' 2 sent
is 'to the sender' '-i
-f
<>
--
ann@x.test' cat "$tmp/args.ann@x.test"
is 'a report as it should be' 'multipart/report delivery-status ann@x.test auto-replied
text/plain message/delivery-status message/rfc822
Final-Recipient: rfc822; bob@y.test
Action: failed
Status: 5.3.4
Diagnostic-Code: x-tidegate; 5.3.4 message exceeds 10 MB
subject 1001.m.host
bad lines 0 defects []' report ann@x.test
like 'a sender in quotes' '^To: "odd one"@x.test$' cat "$tmp/sent."'"odd one"@x.test'

fresh
: >"$tmp/refuse"
exits 'sendmail does not take it: 75' 75 dq 1001.m.host --bounce
like 'and says why' 'not returned to <ann@x.test>: sendmail: queue full' dq 1001.m.host --bounce
pending >"$tmp/left"
is 'then all of it stays' 4 grep -c . "$tmp/left"
rm "$tmp/refuse"
fresh
letter 1009.m.host "j$(printf '\303\266')@x.test" "m$(printf '\303\274')@y.test" eve@y.test
exits 'addresses beyond ASCII, and nobody has noted that they need SMTPUTF8' 0 \
	dq 1009.m.host --bounce -r 'm*'
like 'are reported as they are' "^Final-Recipient: utf-8; m$(printf '\303\274')@y.test\$" \
	cat "$tmp/sent.j$(printf '\303\266')@x.test"
like 'in the form for them' '^Content-Type: message/global-delivery-status$' \
	cat "$tmp/sent.j$(printf '\303\266')@x.test"
fresh
mkdir -p "$tmp/nm/queue" "$tmp/nm/failed" "$tmp/nm/tmp"
printf 'ann@x.test, eve@z.test\nbob@y.test\n\nSubject: x\n\nhi\n' >"$tmp/nm/queue/1795450564.1"
exits 'a sender who would be two: 65' 65 dequeue --spool=nullmailer:"$tmp/nm" --all --bounce
is 'nobody is told' 0 sent
ok 'and it stays' test -e "$tmp/nm/queue/1795450564.1"
mv "$tmp/bin/sendmail" "$tmp/sendmail"
# one that takes its time
printf '#!/bin/sh\n: >"$tmp/hangs"\nexec sleep 1000\n' >"$tmp/bin/sendmail"
chmod +x "$tmp/bin/sendmail"
fresh
printf '#!/bin/sh\nwhile IFS= read -r line; do printf "%%s\\t*\\tfailed\\t5.1.1\\tno\\n" "${line%%%%\t*}"; done\n' >"$tmp/fails"
chmod +x "$tmp/fails"
exits 'sendmail hangs: --deadline is for it, too' 75 timeout 30 "$tap_built/bin/dequeue" \
	--spool=maildir:"$tmp/md" --all --deadline=1s --bounce-failed -- "$tmp/fails"
is 'and all of it stays, but for what was from <>' 3 sh -c 'queue-list --spool=maildir:"$tmp/md" -F %r | wc -w'
rm "$tmp/hangs"
timeout -k 30 90 "$tap_built/bin/dequeue" --spool=maildir:"$tmp/md" --all --bounce 2>/dev/null &
returning=$!
wait_for test -e "$tmp/hangs"
kill $returning
exits 'a signal ends it' 75 wait $returning
is 'with nobody taken out' 3 sh -c 'queue-list --spool=maildir:"$tmp/md" -F %r | wc -w'
rm "$tmp/bin/sendmail"
command -v sendmail >/dev/null || exits 'no sendmail: 69' 69 dq 1001.m.host --bounce
mv "$tmp/sendmail" "$tmp/bin/sendmail"
# dma's null sender
mkdir "$tmp/dma"
for n in 1 2 3; do
	case $n in 1) from='<>@mx.test' ;; 2) from=@mx.test ;; *) from=ann@x.test ;; esac
	printf 'ID: 1.%s\nSender: %s\nRecipient: bob@y.test\n' $n "$from" >"$tmp/dma/Q1.$n"
	printf 'Subject: x\n\nhi\n' >"$tmp/dma/M1.$n"
done
rm -f "$tmp"/sent.*
exits 'a null sender as dma writes it: no report' 0 dequeue --spool=dma:"$tmp/dma" --bounce -y -f '<>'
is '... to anybody' 0 sent
is '... and it is gone' 1.3 queue-list --spool=dma:"$tmp/dma" --ids

# --- bounce-failed

cat >"$tmp/answer" <<'END'
#!/bin/sh
t=$(printf '\t')
while IFS=$t read -r ref sender rcpts; do
	set -f; IFS=$t
	for r in $rcpts; do
		case $r in
		bob*) said="failed${t}5.1.1${t}mx.y.test[192.0.2.1]:25: 550 5.1.1 no such user $(printf %0600d 0) \\x1b[31m" ;;
		eve*) said="deferred${t}4.2.0${t}mx.y.test: 451 later" ;;
		*) said="delivered${t}2.0.0${t}250 ok" ;;
		esac
		printf '%s\t%s\t%s\n' "$ref" "$r" "$said"
	done
done
END
chmod +x "$tmp/answer"
fresh
dq --all --bounce-failed -v -- "$tmp/answer" >"$tmp/said" 2>&1
like 'the total' 'delivered 1, deferred 1, failed 2, busy 0, changed 0, bounced 2$' cat "$tmp/said"
like 'who is returned' '^dequeue: 1001.m.host: bob@y.test: returned: mx.y.test' cat "$tmp/said"
like 'and who only goes' '^dequeue: 1002.m.host: bob@y.test: taken out, and nobody is to be told: mx' \
	cat "$tmp/said"
is 'only what is deferred waits' eve@y.test pending
is 'one report: the other was from <>' 1 sent
report ann@x.test >"$tmp/report"
like 'whose reply it was' '^Remote-MTA: dns; mx.y.test$' cat "$tmp/report"
like 'its words' '^Diagnostic-Code: smtp; 550 5.1.1 no such user' cat "$tmp/report"
like 'no long line, nothing raw' '^bad lines 0 defects \[\]' cat "$tmp/report"
is 'no escape character' 0 sh -c 'grep -c "$(printf "\033")" "$tmp/sent.ann@x.test" || :'
fresh
: >"$tmp/refuse"
exits 'no report: what failed is kept' 75 dq -f ann@x.test --bounce-failed -- "$tmp/answer"
rm "$tmp/refuse"
pending >"$tmp/left"
is 'in its queue, as is what was not asked about' 'bob@y.test
bob@y.test
eve@y.test' cat "$tmp/left"

cat >"$tmp/vanish" <<'END'
#!/bin/sh
t=$(printf '\t')
while IFS=$t read -r ref rest; do
	rm "$ref"
	printf '%s\t*\tfailed\t5.1.1\t550 no\n' "$ref"
done
END
chmod +x "$tmp/vanish"
fresh
exits 'taken away by another meanwhile: 75' 75 dq 1001.m.host --bounce-failed -- "$tmp/vanish"
is 'no report about what is not there' 0 sent

# --- a copied Postfix queue has more to say

"$top/t/samples/unpack" "$tmp/samples" postfix
copy=$tmp/samples/postfix/default/spool
id=$(queue-list --spool=postfix:"$copy" -j | perl -MJSON::PP -ne '
	$m = decode_json($_); print "$m->{queue_id}\n" if $m->{envid} && $m->{sender} ne ""' | head -1)
rm -f "$tmp"/sent.*
exits 'bounce from a copied queue' 0 dequeue --spool=postfix:"$copy" --bounce --state=deferred,hold "$id"
like 'the envelope ID comes back' '^Original-Envelope-Id: ' cat "$tmp"/sent.*
is 'and it is gone' '' queue-list --spool=postfix:"$copy" "$id" --ids
exits 'but its MTA is not here: hold' 69 dequeue --spool=postfix:"$copy" --hold --all
exits '... remove' 69 dequeue --spool=postfix:"$copy" --remove --all
held=$(queue-list --spool=postfix:"$copy" --state=hold | head -1)
is 'what is held already needs none' '' dequeue --hold "$held"
exits '... but is not released unasked' 75 dequeue "$held"
done_testing
