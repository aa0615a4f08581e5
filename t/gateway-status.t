#!/bin/sh
# gateway-dial --status and --check: did it work, on one screen.
# shellcheck source=t/lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/gateways.sh"
. "$top/t/gateways.due.sh"

# fits FILE: a terminal's 24 lines of 80 columns
fits() {
	[ "$(wc -l <"$1")" -le 24 ] || wc -l "$1"
	awk 'length > 80' "$1"
}

### One link
conf EVERY=1h MAX_CALLS=24
is 'before anything' "isp: no session yet
calls       0 today              of 24 (MAX_CALLS)
next        now                  EVERY" at $T0 --status
works
at $T0 >/dev/null
told() { at "$@" --status | sed '/^$/,$d'; }
is 'one went well' 'isp: the last session went well
went well   2026-11-25 09:46:40  60s ago
calls       1 today              of 24 (MAX_CALLS)
next        2026-11-25 10:46:40  EVERY' told $((T0 + 60))
is '--status dials nothing' 0 dials
fails
at $((T0 + 3600)) >"$tmp/said" 2>&1
is 'one did not' 'isp: failed, 1 time since it went well' sh -c 'head -n 1 "$1"' - \
	"$(told $((T0 + 3700)) >"$tmp/once"; echo "$tmp/once")"
at $((T0 + 4200)) >"$tmp/said" 2>&1
is 'two did not' 'isp: failed, 2 times since it went well
went well   2026-11-25 09:46:40  73m ago
failed      2026-11-25 10:56:40  3m ago: status 75, try later
            dequeue: 192.0.2.1:25: connect: Connection timed out
calls       3 today              of 24 (MAX_CALLS)
next        2026-11-25 11:06:40  RETRY after a failure' told $((T0 + 4380))
is 'overdue' 'next        now                  RETRY after a failure' last told $((T0 + 9999))
table() { at $((T0 + 4380)) --status | sed -n '/^ENDED/,$p' | sed 's/^20[-0-9T:]*Z/DATE/; s/ [0-9]*s$/ TIME/; s/  */ /g'; }
is 'the last sessions' 'ENDED (UTC) STATUS LINK SEND FETCH HANGUP SENT STAY RECV BYTES UP
DATE 0 ok 0 - none 1 0 - - TIME
DATE 75 ok 75 - none - - - - TIME
DATE 75 ok 75 - none - - - - TIME' table
works
at $((T0 + 5000)) >/dev/null
is 'it works again; what was wrong is still told' 'isp: the last session went well
went well   2026-11-25 11:10:00  0s ago
failed      2026-11-25 10:56:40  13m ago: status 75, try later
            dequeue: 192.0.2.1:25: connect: Connection timed out
calls       4 today              of 24 (MAX_CALLS)
next        2026-11-25 12:10:00  EVERY' told $((T0 + 5000))
is 'on another day there were no calls' 'calls       0 today              of 24 (MAX_CALLS)' \
	sh -c 'grep ^calls "$0"' "$(told $((T0 + 86400)) >"$tmp/tomorrow"; echo "$tmp/tomorrow")"
conf MAX_CALLS=1
at $T0 >/dev/null
is 'enough for today' 'next        2026-11-26 00:00:00  MAX_CALLS=1 for today' last told $((T0 + 60))
conf EVERY=1h URGENT=10m
echo 'exit 77' >"$tmp/do/queue-list"
at $T0 >/dev/null
exits 'could not look' 77 at $((T0 + 60)) --status
is 'is not "nothing waits"' 'next        cannot be told' last told $((T0 + 60))
waits
is 'what waits for more' 'next        when more waits      nothing waits long enough' \
	sh -c 'sed "/^EVERY/d" "$1" >"$2" && TIDEGATE_NOW=$3 gateway-dial --status --config="$2" isp | grep ^next' - \
	"$tmp/c/isp.conf" "$tmp/c/other.conf" $((T0 + 60))

### Why: whatever it was that failed
why() { at $T0 "$@" >/dev/null 2>&1; at $T0 --status | sed -n '/^failed/{n;s/^ *//p;}'; }
conf
sed -i 's/^DIAL=.*/DIAL=exit 3/' "$tmp/c/isp.conf"
is 'DIAL' 'DIAL failed with status 3' why
sed -i 's/^DIAL=.*/DIAL=true/' "$tmp/c/isp.conf"
printf '%s\n' 'echo " <- 451 later" >&2' 'echo "dequeue: mx: 451 later" >&2' 'echo "released 0" >&2' 'exit 75' >"$tmp/do/dequeue"
is 'the words of a program, not what was said to it' 'dequeue: mx: 451 later' why -v
cat >"$tmp/do/dequeue" <<'END'
echo "dequeue: 1A: bob@x.test: deferred: mx: 451 later
dequeue: 2B: ann@x.test: delivered: mx: 250 ok
dequeue: 3C: ann@x.test: relayed: mx: 250 ok
dequeue: 4D: released
dequeue: 4D: left" >&2
exit 75
END
is 'not what went well' 'dequeue: 1A: bob@x.test: deferred: mx: 451 later' why -v
echo 'exit 76' >"$tmp/do/dequeue"
is 'a program without words' 'gateway-flush: status 76' why
echo 'exec tail -f /dev/null' >"$tmp/do/dequeue"
printf '%s\n' MAX_SESSION=3s >>"$tmp/c/isp.conf"
is 'time' 'gateway-flush: dequeue: was ended: MAX_SESSION is over' why
conf
printf '%s\n' 'CHECK=false' DIAL_TIMEOUT=1 >>"$tmp/c/isp.conf"
is 'a link that does not come up' 'the link did not come up' why
fails
conf HANGUP=false
is 'the first thing counts' 'dequeue: 192.0.2.1:25: connect: Connection timed out' why

### A screen is enough
long=$(printf 'mx.isp.test[192.0.2.1]:25: 451 4.7.1 %0300d and so on' 0 | sed 's/00000/ word/g')
printf '%s\n' "dequeue: $long \"\\" >"$tmp/words"
printf '%s\n' 'cat "$T/words" >&2' 'exit 75' >"$tmp/do/dequeue"
conf EVERY=1h MAX_CALLS=99
for second in 1 2 3 4 5 6 7; do at $((T0 + second)) >/dev/null 2>&1; done
awk '{ sub(/sent=-/, "sent=123456"); sub(/bytes=-/, "bytes=9876543210"); sub(/up=[0-9]*s/, "up=86400s") } 1' \
	"$tmp/sessions.log" >"$tmp/log" && cp "$tmp/log" "$tmp/sessions.log"
at $((T0 + 60)) --status >"$tmp/screen"
is 'much to tell' '' fits "$tmp/screen"
is 'five sessions of it' 5 grep -c '^20.* 120k .* 9419M ' "$tmp/screen"
like 'the beginning of the reason' '^            dequeue: mx.isp.test\[192.0.2.1\]:25: 451 4.7.1' cat "$tmp/screen"
json() { at $((T0 + 60)) --status --json | perl -MJSON::PP -e 'my $j = decode_json(<STDIN>); print join("|", map { $_ // "null" } @$j{@ARGV}), "\n"' "$@"; }
is 'as JSON, with all of its characters' "isp|75|7|7|$((T0 + 7))|$((T0 + 607))|RETRY after a failure|dequeue: $long \"\\" \
	json link status failures calls failed due reason why
conf EVERY=1h
is '--json: nothing yet' 'isp|0|0|0|0|null|0' json link status last good failed why due

### All of them
TIDEGATE_LINKS=$tmp/links
export TIDEGATE_LINKS
mkdir "$tmp/links"
exits '--status without a name: no link' 74 gateway-dial --status
book() { printf '%s\n' DIAL=true RETRIEVE=none SPOOL=postfix "$@" >"$tmp/links/$book.conf"; }
book=isp book EVERY=1h MAX_CALLS=24
book=lte book EVERY=15m
book=night book
book=spare book MAX_CALLS=1
waits
session() { TIDEGATE_NOW=$1 gateway-dial "$2" >/dev/null 2>&1; }
rm -rf "$tmp/state"
works
session $T0 isp
session $((T0 + 600)) lte
session $((T0 + 600)) spare
fails
session $((T0 + 7000)) isp
TIDEGATE_NOW=$((T0 + 7200))
export TIDEGATE_NOW
is '--status without a name: a line each' 'LINK           STATUS ENDED WENT WELL   CALLS  NEXT  WHY
isp                75    3m        2h    2/24    6m  RETRY after a failure
    dequeue: 192.0.2.1:25: connect: Connection timed out
lte                 0  110m      110m       1   now  EVERY
night               -     -         -       0   now  nothing says how often
spare               0  110m      110m     1/1   12h  MAX_CALLS=1 for today' gateway-dial --status
echo 'cat "$T/words" >&2; exit 75' >"$tmp/do/dequeue"
for n in 1 2 3 4 5 6 7 8; do
	book=line$n book EVERY=1h MAX_CALLS=100
	session $((T0 + 7000)) line$n
done
gateway-dial --status >"$tmp/screen"
is 'on one screen' '' fits "$tmp/screen"
is 'of all twelve' 12 grep -c '^[ilns][a-z0-9]*  ' "$tmp/screen"
rm "$tmp/links"/line*
is 'the same as JSON' 'isp 75
lte 0
night 0
spare 0' sh -c 'gateway-dial --status --json | perl -MJSON::PP -ne '\''my $j = decode_json($_); print "$j->{link} $j->{status}\n"'\'
book=lte book EVERY=soon
exits 'one that is wrong' 78 gateway-dial --status
cp "$tmp/.out" "$tmp/screen"
cp "$tmp/.err" "$tmp/said"
like 'is named' 'lte.conf:4: EVERY: not a time: soon' cat "$tmp/said"
is 'and hides no other' 3 grep -c '^[ins]' "$tmp/screen"
exits 'a session goes by the same directory' 78 gateway-dial lte

### A monitoring plug-in
conf EVERY=1h
works
at $T0 >/dev/null
exits '--check: good' 0 at $((T0 + 60)) --check --warn=1h --critical=2h
is 'in one line' "LINK isp OK: the last session that went well ended 60s ago | age=60s;3600;7200 failures=0" \
	at $((T0 + 60)) --check --warn=1h --critical 2h
exits '--check: old' 1 at $((T0 + 3600)) --check --warn=1h --critical=2h
exits '--check: too old' 2 at $((T0 + 7200)) --check --warn=1h --critical=2h
conf
exits '--check: nobody knows' 3 at $T0 --check
exits '--warn: no time' 64 at $T0 --check --warn=soon
done_testing
