# When a session is due, and how the last ones went: gateway-dial's memory of a link,
# sourced by it after gateway.sh.
#
# The state of link NAME is two lines, written anew after each session:
#
#	last=SECONDS status=N good=SECONDS failures=N day=YYYY-MM-DD calls=N told=N failed=SECONDS code=N
#	what the last failure was, in words
#
# last: when the last session ended; good: the last one that went well, 0 none;
# failures: sessions since then; calls: on that day; told: a notice was sent;
# failed: the last one that did not go well, and its status.
#
# $TIDEGATE_NOW, for the tests, is the time of day in seconds since the epoch.
# shellcheck shell=sh disable=SC2034,SC2154

state_dir=${TIDEGATE_STATE:-/var/lib/tidegate} now_s=''

# date_of SECONDS FORMAT
date_of() { date -d "@$1" "$2" 2>/dev/null || date -r "$1" "$2"; }

# Sets $now_s and $today.
seconds() {
	now_s=${TIDEGATE_NOW:-}
	if [ -n "$now_s" ]; then
		today=$(date_of "$now_s" +%Y-%m-%d)
	else
		today=$(date '+%s %Y-%m-%d')
		now_s=${today% *} today=${today#* }
	fi
}

# A state that is no state counts as none: better one call too many than none for ever.
remember() {
	[ -n "$now_s" ] || seconds
	last=0 last_status=0 good=0 failures=0 day='' calls=0 told=0 failed=0 failed_code=0 failed_why=''
	state=$state_dir/$link_name.state
	[ -r "$state" ] || return 0
	{ read -r line && read -r failed_why; } <"$state" || [ -n "$line" ] || return 0
	for word in $line; do
		case $word in
		day=[0-9]*-*) day=${word#*=} ;;
		*=*[!0-9]* | *=) ;;
		last=*) last=${word#*=} ;;
		status=*) last_status=${word#*=} ;;
		good=*) good=${word#*=} ;;
		failures=*) failures=${word#*=} ;;
		calls=*) calls=${word#*=} ;;
		told=*) told=${word#*=} ;;
		failed=*) failed=${word#*=} ;;
		code=*) failed_code=${word#*=} ;;
		esac
	done
	# a clock that was set back would have us wait
	[ "$last" -le "$now_s" ] || last=0
	[ "$day" = "$today" ] || calls=0
}

# note_session STATUS CALLED WHY: after it
note_session() {
	now_s=
	remember
	last=$now_s
	[ -z "$2" ] || calls=$((calls + 1))
	if [ "$1" -eq 0 ]; then
		good=$now_s failures=0
		[ "$told" = 0 ] || notice well
		told=0
	else
		failures=$((failures + 1)) failed=$now_s failed_code=$1
		failed_why=$(printable "$3" | cut -c 1-500)
		if [ -n "$notify" ] && [ "$failures" -ge "$notify" ] && [ "$told" = 0 ]; then
			notice "$1" && told=1
		fi
	fi
	line="last=$last status=$1 good=$good failures=$failures day=$today calls=$calls told=$told failed=$failed code=$failed_code"
	mkdir -p -- "$state_dir" 2>/dev/null
	{ printf '%s\n' "$line" "$failed_why" >"$state.$$" && mv -f -- "$state.$$" "$state"; } 2>/dev/null || {
		rm -f -- "$state.$$" 2>/dev/null
		say "$state: the session could not be remembered"
		[ "$code" -ne 0 ] || code=74
	}
}

# By the local MTA, which is there when the link is not.
notice() {
	if [ "$1" = well ]; then
		subject="link $link_name works again"
	else
		subject="link $link_name has failed $failures times"
	fi
	{
		printf 'To: %s\nSubject: %s: %s\nAuto-Submitted: auto-generated\n\n' "$notify_to" "$(uname -n)" "$subject"
		[ "$1" = well ] || printf 'Why: %s\n\n' "$failed_why"
		printf 'The last sessions:\n\n'
		sessions 10
	} >"$work/notice"
	# shellcheck disable=SC2016
	run 300 sh -c 'exec sendmail -i -- "$1" <"$2"' - "$notify_to" "$work/notice" || {
		say "the notice to $notify_to could not be sent"
		return 1
	}
}

# sessions N: the last lines of the log about this link
sessions() {
	[ -r "$log" ] && grep -F " link=$link_name " "$log" 2>/dev/null | tail -n "$1"
}

# Sets $waiting, how many messages, and $oldest, seconds; status as of queue-list.
# What the last session has left behind is no reason for another one before RETRY.
look_queue() {
	waiting=0 oldest=0 younger=$((now_s - last))
	[ "$younger" -lt $((retry / 10)) ] || younger=
	ages=$(queue-list ${spool:+"--spool=$spool"} --state=incoming,active,deferred -F '%a')
	class "$?"
	[ "$class" -eq 0 ] || return "$class"
	for age in $ages; do
		case $age in *[!0-9]*) continue ;; esac
		[ -z "$younger" ] || [ "$age" -lt "$younger" ] || continue
		waiting=$((waiting + 1))
		[ "$age" -le "$oldest" ] || oldest=$age
	done
}

# What the state alone says.  Sets $next, seconds since the epoch or one of
#	0	now
#	never	not before something comes into the queue
#	tomorrow
#	ask	the queue has to say
# and $reason, why.
by_state() {
	remember
	next=0 reason='nothing says how often'
	if [ -n "$max_calls" ] && [ "$calls" -ge "$max_calls" ]; then
		next=tomorrow reason="MAX_CALLS=$max_calls for today"
		return
	fi
	if [ "$failures" -gt 0 ]; then
		next=$((last + retry / 10)) reason='RETRY after a failure'
		return
	fi
	[ -n "$every$when_queued$urgent" ] || return 0
	next=never reason='nothing waits long enough'
	if [ -n "$every" ]; then
		next=$((last + every / 10)) reason='EVERY'
		[ "$last" -ne 0 ] || next=0
		[ "$next" -gt "$now_s" ] || return 0
	fi
	[ -z "$when_queued$urgent" ] || later=$next next=ask
}

# Sets $next and $reason as by_state does, but not to `ask'.
when_due() {
	by_state
	[ "$next" = ask ] || return 0
	look_queue || return "$class"
	next=$later
	if [ -n "$when_queued" ] && [ "$waiting" -ge "$when_queued" ]; then
		next=0 reason="WHEN_QUEUED: $waiting wait"
	elif [ -n "$queued_time" ] && [ "$waiting" -gt 0 ] && [ "$oldest" -ge $((queued_time / 10)) ]; then
		next=0 reason="WHEN_QUEUED: one waits for ${oldest}s"
	elif [ -n "$urgent" ] && [ "$waiting" -gt 0 ] && [ "$oldest" -ge $((urgent / 10)) ]; then
		next=0 reason="URGENT: one waits for ${oldest}s"
	fi
}

has_come() {
	case $next in
	never | tomorrow) return 1 ;;
	esac
	[ "$next" -le "$now_s" ]
}

# may_be_due: no, says the state, which is one line to read and one look at the clock
may_be_due() {
	by_state
	[ "$next" = ask ] || has_come
}

# is_due: 0 go; 1 not yet; else it could not be told
is_due() {
	when_due || return "$class"
	has_come
}
