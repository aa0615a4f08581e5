#!/bin/sh
# gateway-dial --due, --status, --check and its notices: what it remembers of a link.
# Its clock is ours; the programs it runs are fakes.
# shellcheck source=t/lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/gateways.sh"
umask 022
mkdir "$tmp/fake" "$tmp/do" "$tmp/c"
T=$tmp
PATH=$tmp/fake:$gateways:$PATH
TIDEGATE_RUN=$tmp/run TIDEGATE_STATE=$tmp/state TIDEGATE_LOG=$tmp/sessions.log TZ=UTC
export T PATH TIDEGATE_RUN TIDEGATE_STATE TIDEGATE_LOG TZ
for fake in dequeue queue-list sendmail; do
	cat >"$tmp/fake/$fake" <<-'END'
	#!/bin/sh
	name=${0##*/}
	echo "$name $*" >>"$T/calls"
	[ "$name" != sendmail ] || cat >>"$T/letters"
	[ ! -e "$T/do/$name" ] || . "$T/do/$name"
	END
	chmod +x "$tmp/fake/$fake"
done
conf() {
	printf '%s\n' "DIAL=echo dial >>$tmp/calls" SEND=release RETRIEVE=none SPOOL=postfix "$@" >"$tmp/c/isp.conf"
	rm -rf "$tmp/state"
}
waits() { printf '%s\n' "$@" >"$tmp/ages"; echo 'cat "$T/ages"' >"$tmp/do/queue-list"; }
works() { echo 'echo "released 1, left 1, stayed 0, busy 0, changed 0" >&2' >"$tmp/do/dequeue"; }
fails() { echo 'exit 75' >"$tmp/do/dequeue"; }
# at SECONDS OPTION...: gateway-dial by that clock; said: how often it dialled
at() {
	TIDEGATE_NOW=$1
	export TIDEGATE_NOW
	shift
	: >"$tmp/calls"
	gateway-dial "--config=$tmp/c/isp.conf" "$@" isp
}
# due SECONDS: dials, or not, and says nothing
due() {
	at "$1" --due >"$tmp/said" 2>&1
	due_code=$?
	cat "$tmp/said"
	[ $due_code -eq "${2:-0}" ] || echo "status $due_code"
	dials
}
dials() { grep -c '^dial$' "$tmp/calls" || :; }
# last COMMAND...: the last line of what it says
last() { "$@" 2>/dev/null | tail -n 1; }
T0=1795600000	# Wed Nov 25 09:46:40 UTC 2026

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
conf WHEN_QUEUED=3,2h URGENT=10m
waits
is 'nothing waits' 0 due $T0
waits 5 6
is 'two are not three' 0 due $T0
waits 5 6 7
is 'three are' 1 due $T0
waits 600
is 'one is urgent' 1 due $((T0 + 10))
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

# a day by cron, a line each minute, and nobody answers
fails
conf EVERY=30m RETRY=20m MAX_CALLS=30 NOTIFY_FAILURE=3,ann@here.test
: >"$tmp/letters"
day() {
	minute=0 dials=0
	while [ $minute -lt 1440 ]; do
		# the state alone decides most of them: these are not worth a process
		at $((midnight + minute * 60)) --due >>"$tmp/day.out" 2>>"$tmp/day.err"
		dials=$((dials + $(dials)))
		minute=$((minute + 5))
	done
	echo $dials
}
midnight=$((T0 - T0 % 86400))
is 'a day of failures: no more calls than MAX_CALLS' 30 day
is 'nothing on stdout' '' cat "$tmp/day.out"
is 'one notice' 1 grep -c '^Subject: ' "$tmp/letters"
like 'to whom it was asked for' '^To: ann@here.test$' cat "$tmp/letters"
like 'that says so' '^Subject: .*: link isp has failed 3 times$' cat "$tmp/letters"
like 'with the log' 'link=isp status=75 link=ok' cat "$tmp/letters"
works
is 'it works again' 1 due $((midnight + 86400 + 3600))
like 'and a notice says that' 'link isp works again' cat "$tmp/letters"
is 'one' 2 grep -c '^Subject: ' "$tmp/letters"

### Whoever asks
conf EVERY=1h
exits '--status before anything' 0 at $T0 --status
like 'says so' 'no session yet' at $T0 --status
works
at $T0 >/dev/null
told() { at $((T0 + 60)) --status | tail -n 2; }
is '--status' "the last went well, at 2026-11-25 09:46:40
the next is due at 2026-11-25 10:46:40: EVERY" told
is '--status dials nothing' 0 sh -c 'grep -c dial "$T/calls"; :'
is '--json' "{\"link\": \"isp\", \"last\": $T0, \"status\": 0, \"good\": $T0, \"failures\": 0, \"calls\": 1, \"due\": $((T0 + 3600)), \"reason\": \"EVERY\"}" \
	at $((T0 + 60)) --status --json
exits '--check: good' 0 at $((T0 + 60)) --check --warn=1h --critical=2h
is 'in one line' "LINK isp OK: the last session that went well ended 60s ago | age=60s;3600;7200 failures=0" \
	at $((T0 + 60)) --check --warn=1h --critical 2h
exits '--check: old' 1 at $((T0 + 3600)) --check --warn=1h --critical=2h
exits '--check: too old' 2 at $((T0 + 7200)) --check --warn=1h --critical=2h
conf
exits '--check: nobody knows' 3 at $T0 --check
exits '--warn: no time' 64 at $T0 --check --warn=soon
done_testing
