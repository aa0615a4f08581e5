#!/bin/sh
# gateway-dial --due and its notices: when a session is due, and who hears of it.
# shellcheck source=t/lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/gateways.sh"
. "$top/t/gateways.due.sh"

### EVERY
works
conf EVERY=1h
is 'never yet: due' 1 due $T0
is 'then not' 0 due $((T0 + 60))
is 'nor a second before' 0 due $((T0 + 3599))
is 'but after an hour' 1 due $((T0 + 3600))
exits 'by hand at any time' 0 at $((T0 + 3601))
is 'which counts' 0 due $((T0 + 7200))
is 'a clock that was set back is no reason to wait' 1 due $((T0 - 86400))

### WHEN_QUEUED, URGENT
conf WHEN_QUEUED=3,2h URGENT=10m RETRY=1h
waits
is 'nothing waits' 0 due $T0
waits 5 6
is 'two are not three' 0 due $T0
waits 5 6 7
is 'three are' 1 due $T0
waits 600
is 'what that session has left behind is no reason' 0 due $((T0 + 10))
waits 1200 600
is 'what came later and waits long is' 1 due $((T0 + 700))
waits 1900 1900 1900
is 'left behind again' 0 due $((T0 + 700 + 1200))
waits 4299 4299
is 'until RETRY is over' 0 due $((T0 + 700 + 3599))
is 'then one is urgent again' 1 due $((T0 + 700 + 3600))
conf WHEN_QUEUED=3,2h
waits 7199
is 'one waits for long' 0 due $T0
waits 7200
is 'for too long' 1 due $T0
echo 'echo no >&2; exit 77' >"$tmp/do/queue-list"
is 'could not look is not empty' 'no
0' due $((T0 + 10)) 77
like 'what was looked at' 'queue-list --spool=postfix --state=incoming,active,deferred -F %a' cat "$tmp/calls"
conf
is 'no key: cron says when' 1 due $T0

### RETRY, MAX_CALLS
fails
conf EVERY=1h RETRY=10m MAX_CALLS=4
is 'a failure' 1 last due $T0 75
is 'is not tried again at once' 0 due $((T0 + 599))
is 'but after RETRY' 1 last due $((T0 + 600)) 75
works
is 'and again' 1 due $((T0 + 1200))
is 'when it works EVERY counts' 0 due $((T0 + 1800))
is 'until then' 1 due $((T0 + 4800))
is 'no more than MAX_CALLS' 0 due $((T0 + 8400))
is 'on the next day again' 1 due $((T0 + 86400))
cp "$tmp/state/isp.state" "$tmp/good"
echo 'last=x calls=9999 day=' >"$tmp/state/isp.state"
is 'a state that is none' 1 due $((T0 + 90000))

conf MAX_CALLS=2
sed -i '/^DIAL/d' "$tmp/c/isp.conf"
sessions() {
	for second in 0 60 120 180; do at $((T0 + second)) --due; done
	grep -c ' link=isp ' "$tmp/sessions.log"
}
rm "$tmp/sessions.log"
is 'where nothing dials, a session is a call' 2 sessions
conf CHECK=true MAX_CALLS=2
rm "$tmp/sessions.log"
is 'where the link was up already it is none' 4 sessions
is 'and nothing was dialled' 0 dials

# cron FROM MINUTES: by cron, a line each few minutes
step=${GATEWAY_SH:+10}
cron() {
	: >"$tmp/calls"
	minute=0
	while [ $minute -lt "$2" ]; do
		TIDEGATE_NOW=$(($1 + minute * 60)) gateway-dial "--config=$tmp/c/isp.conf" --due isp
		minute=$((minute + ${step:-5}))
	done >"$tmp/cron.out" 2>&1
	dials
}
midnight=$((T0 - T0 % 86400))
: >"$tmp/letters"
fails
conf EVERY=30m RETRY=20m MAX_CALLS=30 NOTIFY_FAILURE=3,ann@here.test
is 'a day of failures: no more calls than MAX_CALLS' 30 cron $midnight 1440
is 'and not a word' '' cat "$tmp/cron.out"
is 'one notice' 1 grep -c '^Subject: ' "$tmp/letters"
like 'to whom it was asked for' '^To: ann@here.test$' cat "$tmp/letters"
like 'that says so' '^Subject: .*: link isp has failed 3 times$' cat "$tmp/letters"
like 'why' '^Why: dequeue: 192.0.2.1:25: connect: Connection timed out$' cat "$tmp/letters"
like 'with the log' 'link=isp status=75 link=ok' cat "$tmp/letters"
is 'on the next day: no more calls than RETRY allows' 6 cron $((midnight + 86400)) 120
is 'still one notice' 1 grep -c '^Subject: ' "$tmp/letters"
is 'and still not a word' '' cat "$tmp/cron.out"
works
is 'it works again' 1 due $((midnight + 86400 + 9000))
like 'and a notice says that' 'link isp works again' cat "$tmp/letters"
is 'one' 2 grep -c '^Subject: ' "$tmp/letters"


# who hears what is wrong
said="gateway-dial: DIAL failed with status 3"
hears() { { at $((T0 + $1)) "$2" >/dev/null; } 2>&1; :; }
conf EVERY=1h 'NOTIFY_FAILURE=9'
sed -i 's/^DIAL=.*/DIAL=echo no carrier; exit 3/' "$tmp/c/isp.conf"
is 'cron hears nothing where notices are asked for' '' hears 0 --due
is 'by hand all is said' "no carrier
$said" hears 10 -q
JOURNAL_STREAM=8:1
export JOURNAL_STREAM
is 'and to a journal' "no carrier
$said" hears 4000 --due
unset JOURNAL_STREAM
sed -i /^NOTIFY/d "$tmp/c/isp.conf"
is 'cron hears all where none are asked for' "no carrier
$said" hears 8000 --due

conf EVERY=1h 'NOTIFY_FAILURE=9'
mkfifo "$tmp/hold"
sed -i 's/^DIAL=.*/DIAL=cat "$T\/hold" \&/' "$tmp/c/isp.conf"
exits 'nor has cron to wait for what DIAL leaves running' 0 \
	timeout 60 sh -c 'TIDEGATE_NOW=$1 gateway-dial --due --config="$T/c/isp.conf" isp 2>&1 | cat' - $T0
: >"$tmp/hold"
done_testing
