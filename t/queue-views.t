#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# queue-list's other ways to look: --summary, --summary-by, --check, --prometheus, --why
. "$(dirname "$0")/lib.sh"

now=$(date +%s)
md=$tmp/md
mkdir -p "$md/new" "$md/cur"
# letter AGE SENDER RECIPIENT...: a message that came so many seconds ago
letter() {
	letter_age=$1 letter_from=$2
	shift 2
	n=$((${n-0} + 1))
	{
		printf 'Return-Path: <%s>\n' "$letter_from"
		printf 'Delivered-To: %s\n' "$@"
		printf 'Subject: %s\n\nhello\n' "$n"
	} >"$md/new/$((now - letter_age)).$n.here"
}
letter 60 ann@x.test bob@a.test
letter 60 ann@x.test bob@A.test carla@a.test dan@b.test
letter 4000 '' eve@b.test
letter 90000 ann@x.test 'bad\x@c.test'
ql() { queue-list --spool=maildir:"$md" "$@"; }

like 'summary: totals' '^4 messages for 6 recipients, .* the oldest 25h$' ql --summary
like 'summary: each queue' "^ +4 +[0-9.k]+ +25h  deferred \(maildir $md\)$" ql --summary
like 'summary: ages with bars' '^up to 5 minutes +2 #{40}$' ql --summary
like 'summary: domains' '^ +3 +[0-9]+[sm]  a.test$' ql --summary
like 'summary: of nothing' '^0 messages' ql --summary -d none.test
# 500 domains, every age, four other queues with long names and long reasons
"$top/t/samples/unpack" "$tmp" postfix exim || exit 1
pf=$tmp/postfix/default/spool
many=$tmp/$(printf '%080d' 0)
mkdir -p "$many/new"
i=0
while [ $i -lt 500 ]; do
	printf 'Delivered-To: bob@%s%d.test\n\nhello\n' "$(printf "%$((i % 60))s" '' | tr ' ' x)" $i \
		>"$many/new/$((now - i * i / 2)).$i.here"
	i=$((i + 1))
done
screen() {
	python3 "$top/t/tool/terminal.py" 80 queue-list --spool=maildir:"$many" --spool=postfix:"$pf" \
		--spool=exim:"$tmp/exim/default/spool" --summary
}
screen >"$tmp/screen"
is 'summary: a screen has 24 lines' yes sh -c '[ "$(wc -l <"$1")" -le 23 ] && echo yes' - "$tmp/screen"
is 'summary: of 80 columns' '' awk 'length > 80' "$tmp/screen"
like 'summary: how many wait there' '^[5-9][0-9][0-9] messages for [5-9][0-9][0-9] recipients, .* the oldest [0-9]+d$' cat "$tmp/screen"
like 'summary: the largest queue' '^ +500 .* deferred \(maildir .*\.\.\.$' cat "$tmp/screen"
like 'summary: queues that had no room' '^and [0-9] more queues$' cat "$tmp/screen"
like 'summary: fewer spans of age' '^up to 640 +[0-9]+ #+$' cat "$tmp/screen"
like 'summary: which domain most of all, how long, and why' \
    '^ +[0-9]+ +[0-9]+d  later.example  +451 4.7.1 try again later:.*\.\.\.$' cat "$tmp/screen"
like 'summary: why, where no server has said anything' ' down.example +connect to \* Connection refused$' \
    python3 "$top/t/tool/terminal.py" 80 queue-list --spool=postfix:"$pf" --summary
like 'summary: how many domains more' '^and 50[0-9] more domains \(--summary-by=domain\)$' cat "$tmp/screen"
is 'summary: all of a reason in a pipe' 1 sh -c \
    'queue-list --spool=postfix:"$1" --summary | grep -c "^ *[0-9]*  *[0-9]*d  later.example .*in reply to RCPT TO command)$"' - "$pf"

is 'by domain: recipients, and the columns of age' 'a.test 3 3 0 0 0 0 0 0 0 0 0
b.test 2 1 0 0 0 1 0 0 0 0 0
c.test 1 0 0 0 0 0 0 0 0 0 1' sh -c \
    'queue-list --spool=maildir:"$1" --summary-by=domain | sed 1d | awk "{\$1 = \$1; print}"' - "$md"
is 'by sender' '<> 1|ann@x.test 3' sh -c \
    'queue-list --spool=maildir:"$1" --summary-by=sender | sed 1d | awk "{print \$1, \$2}" | sort | paste -sd"|"' - "$md"
like 'by age' '^up to 80 +1 #{20}$' ql --summary-by=age
is 'as JSON, an object a group' 'a.test 2 3|b.test 2 2|c.test 1 1' sh -c \
    'queue-list --spool=maildir:"$1" --summary-by=domain -j | perl -MJSON::PP -ne '\''$m = decode_json($_);
    print "$m->{domain} $m->{messages} $m->{recipients}\n"'\'' | paste -sd"|"' - "$md"
is 'only what is selected counts' 1 sh -c \
    'queue-list --spool=maildir:"$1" --summary-by=domain -j -d b.test --newer=5m | perl -MJSON::PP -ne '\''
    print decode_json($_)->{recipients}, "\n"'\' - "$md"

is 'by reason: what differs in addresses only is one' 2 sh -c \
    'queue-list --spool=exim:"$1" --summary-by=reason -r "!*ann bob*" -d later.example -d full.example | grep -c "451 4.7.1\|452 4.2.2"' - "$tmp/exim/default/spool"

is 'check: all is well' "QUEUE OK - 4 messages wait, the oldest 25h" sh -c \
    'queue-list --spool=maildir:"$1" --check --warn=5 --critical=10,2d | sed "s/ |.*//"' - "$md"
exits 'check: well is 0' 0 ql --check --warn=5,2d
exits 'check: from N messages on it warns' 1 ql --check --warn=4
exits 'check: or for the age of one' 1 ql --check --warn=,1h
exits 'check: critical is 2' 2 ql --check --warn=1 --critical=3
like 'check: figures for graphs' ' \| messages=4;5;10;0 oldest=9[0-9]{4}s;;172800;0 size=[0-9]+B;;;0 held=0;;;0$' \
    ql --check --warn=5 --critical=10,2d
like 'check: held mail is told apart' 'QUEUE OK - .*, 2 held' \
    queue-list --spool=postfix:"$pf" --check --warn=1000
exits 'check: could not look is 3' 3 queue-list --spool=maildir:"$tmp/none" --check
like 'check: and says so' '^QUEUE UNKNOWN - .*none' queue-list --spool=maildir:"$tmp/none" --check
exits 'check: also of one queue among others' 3 \
    queue-list --spool=maildir:"$md" --spool=maildir:"$tmp/none" --check --warn=100
exits 'check: a wrong number' 3 ql --check --warn=many

like 'prometheus: counts by queue and state' \
    "^tidegate_queue_messages\{mta=\"maildir\",spool=\"$md\",state=\"deferred\"\} 4$" ql --prometheus
like 'prometheus: noughts too' 'state="hold"\} 0$' ql --prometheus
like 'prometheus: when the oldest came' "oldest_timestamp_seconds\{.*\} $((now - 90000))$" ql --prometheus
like 'prometheus: ages add up' 'age_seconds_bucket\{.*,le="\+Inf"\} 4$' ql --prometheus
is 'prometheus: each metric is described once' '' sh -c \
    'queue-list --spool=maildir:"$1" --prometheus | grep "^# TYPE" | sort | uniq -d' - "$md"
ok 'prometheus: into a file' ql --prometheus --output="$tmp/queue.prom"
like 'prometheus: which is whole and readable' '^-rw-r--r--' ls -l "$tmp/queue.prom"
exits 'prometheus: what cannot be made is said' 74 ql --prometheus --output="$tmp/none/x"
mkdir "$tmp/taken" "$tmp/taken/queue.prom"
exits 'prometheus: what cannot be replaced, too' 74 ql --prometheus --output="$tmp/taken/queue.prom"
is 'prometheus: and nothing is left beside it' queue.prom ls "$tmp/taken"
like 'prometheus: a queue that was not to be found is down' '^tidegate_queue_up\{mta="-",spool="-"\} 0$' \
	queue-list --spool=maildir:"$md" --spool=maildir:"$tmp/none" --prometheus
mkdir "$tmp/wide" "$tmp/wide/new"
printf 'Delivered-To: a@b\303\274cher.test\n\nx\n' >"$tmp/wide/new/1"
like 'summary-by: columns are counted in characters' '^ {21}bücher.test {7}1 ' queue-list --spool=maildir:"$tmp/wide" --summary-by=domain
mkdir "$tmp/sm"
printf 'V8\nT1600000000\nS<s@x.test>\nRPFD:<b@y.test>\nH??Subject: x\n.\n' >"$tmp/sm/qfuAR5kBsw001001"
echo hi | tee "$tmp/sm/dfuAR5kBsw001001" >"$tmp/sm/dfuAR5kBsw001002"
sed s/^T.*/Tx/ "$tmp/sm/qfuAR5kBsw001001" >"$tmp/sm/qfuAR5kBsw001002"
is 'prometheus: a damaged message does not take its queue down' "1
1" sh -c 'queue-list --spool=sendmail:"$1" --prometheus 2>/dev/null |
	sed -n "s/^tidegate_queue_up.* //p;s/^tidegate_queue_messages.*deferred.* //p"' - "$tmp/sm"
exits '... and is told' 65 queue-list --spool=sendmail:"$tmp/sm" --prometheus
mkfifo "$tmp/pipe"
exits 'prometheus: a device or a pipe is not replaced by a file' 74 ql --prometheus --output="$tmp/pipe"
ok '... it is still there' test -p "$tmp/pipe"
octet=$(printf 'md\377')
mkdir "$tmp/$octet" "$tmp/$octet/new"
like 'prometheus: a directory whose name is no UTF-8 spoils no file' 'queue_up\{.*spool=".*md\\\\xFF"\} 1$' \
	queue-list --spool=maildir:"$tmp/$octet" --prometheus
is 'a queue that is named twice is one' 4 \
	queue-list --spool=maildir:"$md" --spool=maildir:"$md/." --count
if [ -w /dev/full ]; then
	exits 'a full disk' 74 sh -c 'queue-list --spool=maildir:"$1" --summary >/dev/full' - "$md"
fi

like 'why: where it is' "is in deferred \(maildir," ql --why -r bob@a.test --first=1
like 'why: of a copied queue the reason' '^    farid@down.example: connect to .*Connection refused' \
    queue-list --spool=postfix:"$pf" --why -d down.example
is 'why: and that nobody here works on it' 1 sh -c \
    'queue-list --spool=postfix:"$1" --why -d down.example | paste -sd" " | grep -c "no MTA of this host works on"' - "$pf"
like 'why: nothing is said' '^no mail for nobody@a.test in any queue$' ql --why -r nobody@a.test
is 'why: a paragraph a message' 3 sh -c \
    'queue-list --spool=maildir:"$1" --why | grep -c "^$"' - "$md"
exits 'two views' 64 ql --why --summary
exits 'no such grouping' 64 ql --summary-by=colour
exits '--warn alone' 64 ql --warn=3
exits '--output alone' 64 ql --output="$tmp/x"
exits 'a view and another form' 64 ql --summary --ids

chmod 000 "$md/new"
if [ "$(id -u)" != 0 ]; then
	exits 'a summary of what could not be looked at is no empty one' 77 ql --summary
	like 'prometheus: a queue that is down' 'tidegate_queue_up\{.*\} 0$' ql --prometheus
fi
chmod 755 "$md/new"
done_testing
