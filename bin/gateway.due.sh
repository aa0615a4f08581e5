# When a session is due, and how the last ones went: gateway-dial's memory of a link,
# sourced by it after gateway.sh.
#
# The state of link NAME is one line, written anew after each session:
#
#	last=SECONDS status=N good=SECONDS failures=N day=YYYY-MM-DD calls=N told=N
#
# last: when the last session ended; good: the last one that went well, 0 none;
# failures: sessions since then; calls: on that day; told: a notice was sent.
#
# $TIDEGATE_NOW, for the tests, is the time of day in seconds since the epoch.
# shellcheck shell=sh disable=SC2034,SC2154

state_dir=${TIDEGATE_STATE:-/var/lib/tidegate}

seconds() { now_s=${TIDEGATE_NOW:-$(date +%s)}; }
day_of() { date -d "@$1" +%Y-%m-%d 2>/dev/null || date -r "$1" +%Y-%m-%d; }

# A state that is no state counts as none: better one call too many than none for ever.
remember() {
	last=0 last_status=0 good=0 failures=0 day='' calls=0 told=0
	state=$state_dir/$link_name.state
	[ -r "$state" ] || return 0
	read -r line <"$state" || return 0
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
		esac
	done
	seconds
	# a clock that was set back would have us wait
	[ "$last" -le "$now_s" ] || last=0
	[ "$day" = "$(day_of "$now_s")" ] || calls=0
}

# note_session STATUS CALLED: after it
note_session() {
	remember
	seconds
	last=$now_s
	[ -z "$2" ] || calls=$((calls + 1))
	if [ "$1" -eq 0 ]; then
		good=$now_s failures=0
		[ "$told" = 0 ] || notice well
		told=0
	else
		failures=$((failures + 1))
		if [ -n "$notify" ] && [ "$failures" -ge "$notify" ] && [ "$told" = 0 ]; then
			notice "$1" && told=1
		fi
	fi
	line="last=$last status=$1 good=$good failures=$failures day=$(day_of "$now_s") calls=$calls told=$told"
	mkdir -p -- "$state_dir" 2>/dev/null
	{ echo "$line" >"$state.$$" && mv -f -- "$state.$$" "$state"; } 2>/dev/null || {
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
look_queue() {
	waiting=0 oldest=0
	ages=$(queue-list ${spool:+"--spool=$spool"} --state=incoming,active,deferred -F '%a')
	class "$?"
	[ "$class" -eq 0 ] || return "$class"
	# shellcheck disable=SC2046
	set -- $(printf '%s\n' "$ages" | awk '
		/^[0-9]+$/ { n++; if ($1 > most) most = $1 }
		END { print n + 0, most + 0 }')
	waiting=$1 oldest=$2
}

# Sets $next, seconds since the epoch, 0 now; $reason says why; 1: not before something
# comes into the queue.  The queue is looked at only where a key asks for it.
when_due() {
	remember
	seconds
	next=0 reason='nothing says how often'
	if [ -n "$max_calls" ] && [ "$calls" -ge "$max_calls" ]; then
		next=$(($(date -d "$(day_of "$now_s") +1 day" +%s 2>/dev/null || echo $((now_s + 86400)))))
		reason="MAX_CALLS=$max_calls for today"
		return
	fi
	if [ "$failures" -gt 0 ]; then
		next=$((last + retry / 10)) reason='RETRY after a failure'
		return
	fi
	[ -n "$every$when_queued$urgent" ] || return 0
	next=1 reason='nothing waits long enough'
	if [ -n "$every" ]; then
		next=$((last + every / 10)) reason='EVERY'
		[ "$last" -ne 0 ] || next=0
		[ "$next" -gt "$now_s" ] || return 0
	fi
	[ -n "$when_queued$urgent" ] || return 0
	look_queue || return "$class"
	if [ -n "$when_queued" ] && [ "$waiting" -ge "$when_queued" ]; then
		next=0 reason="WHEN_QUEUED: $waiting wait"
	elif [ -n "$queued_time" ] && [ "$waiting" -gt 0 ] && [ "$oldest" -ge $((queued_time / 10)) ]; then
		next=0 reason="WHEN_QUEUED: one waits for ${oldest}s"
	elif [ -n "$urgent" ] && [ "$waiting" -gt 0 ] && [ "$oldest" -ge $((urgent / 10)) ]; then
		next=0 reason="URGENT: one waits for ${oldest}s"
	fi
}

# is_due: 0 go; 1 not yet; else it could not be told
is_due() {
	when_due || return "$class"
	case $next in
	0) return 0 ;;
	1) return 1 ;;
	esac
	[ "$next" -le "$now_s" ] || return 1
}

### For people, and for those who watch

at() { date -d "@$1" '+%F %T' 2>/dev/null || date -r "$1" '+%F %T'; }

show_status() {
	when_due
	told_due=$?
	if [ -n "$json" ]; then
		printf '{"link": "%s", "last": %s, "status": %s, "good": %s, "failures": %s, "calls": %s, "due": ' \
			"$link_name" "$last" "$last_status" "$good" "$failures" "$calls"
		case $told_due$next in
		01) printf 'null' ;;
		0*) printf '%s' "$next" ;;
		*) printf 'null' ;;
		esac
		printf ', "reason": "%s"}\n' "$reason"
		return "$told_due"
	fi
	sessions 5
	if [ "$last" -eq 0 ]; then
		echo 'no session yet'
	elif [ "$good" -eq 0 ]; then
		echo "none of $failures went well; the last ended at $(at "$last") with status $last_status"
	elif [ "$failures" -eq 0 ]; then
		echo "the last went well, at $(at "$good")"
	else
		echo "failed $failures times since $(at "$good"); last status $last_status at $(at "$last")"
	fi
	[ "$told_due" -eq 0 ] || { echo 'when the next is due cannot be told'; return "$told_due"; }
	case $next in
	0) echo "the next is due now: $reason" ;;
	1) echo "the next is due when more waits: $reason" ;;
	*) if [ "$next" -le "$now_s" ]; then
		echo "the next is due now: $reason"
	else
		echo "the next is due at $(at "$next"): $reason"
	fi ;;
	esac
}

# A monitoring plug-in: 0, 1 (--warn), 2 (--critical), 3 cannot tell.
show_check() {
	remember
	seconds
	[ "$good" -ne 0 ] || {
		echo "LINK $link_name UNKNOWN: no session went well yet | age=U"
		return 3
	}
	age=$((now_s - good)) word=OK level=0
	if [ -n "$critical" ] && [ "$age" -ge $((critical / 10)) ]; then
		word=CRITICAL level=2
	elif [ -n "$warn" ] && [ "$age" -ge $((warn / 10)) ]; then
		word=WARNING level=1
	fi
	limits="${warn:+$((warn / 10))};${critical:+$((critical / 10))}"
	echo "LINK $link_name $word: the last session that went well ended ${age}s ago | age=${age}s;$limits failures=$failures"
	return "$level"
}
