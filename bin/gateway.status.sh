# How the last sessions went, for people and for those who watch: sourced by
# gateway-dial for --status and --check, after gateway.due.sh.
# shellcheck shell=sh disable=SC2034,SC2154

at() { date_of "$1" '+%Y-%m-%d %H:%M:%S'; }

# span SECONDS: sets $span, as short as a table wants it
span() {
	if [ "$1" -lt 120 ]; then span=${1}s
	elif [ "$1" -lt 7200 ]; then span=$(($1 / 60))m
	elif [ "$1" -lt 172800 ]; then span=$(($1 / 3600))h
	else span=$(($1 / 86400))d
	fi
}

ago() { span $((now_s - $1)); span="$span ago"; }

# class_words STATUS: sets $words
class_words() {
	case $1 in
	64) words='wrong usage' ;;
	69) words='refused, or not there' ;;
	70) words='a program crashed' ;;
	74) words='a file' ;;
	75) words='try later' ;;
	76) words='the peer broke the protocol' ;;
	77) words='not allowed' ;;
	78) words='a setting is wrong' ;;
	*) words='see tidegate(7)' ;;
	esac
}

# Where when_due says tomorrow: when that begins.
know_tomorrow() {
	[ "$next" = tomorrow ] || return 0
	next=$(date -d "$today +1 day" +%s 2>/dev/null) || next=$((now_s + 86400))
}

### One link

status_json() {
	printf '{"link": "%s", "last": %s, "status": %s, "good": %s, "failures": %s, "calls": %s, ' \
		"$link_name" "$last" "$last_status" "$good" "$failures" "$calls"
	case $failed in
	0) printf '"failed": 0, "why": null, ' ;;
	*) printf '"failed": %s, "why": "%s", ' "$failed" "$(quoted "$failed_why")" ;;
	esac
	case $told_due$next in
	0[0-9]*) printf '"due": %s, ' "$next" ;;
	*) printf '"due": null, ' ;;
	esac
	printf '"reason": "%s"}\n' "$reason"
}

# What is printable already, for JSON.
quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

line_of() {
	if [ -n "$3" ]; then printf '%-11s %-20s %s\n' "$@"; else printf '%-11s %s\n' "$1" "$2"; fi
}

did_it_work() {
	if [ "$last" -eq 0 ]; then
		echo "$link_name: no session yet"
	elif [ "$failures" -eq 0 ]; then
		echo "$link_name: the last session went well"
	elif [ "$good" -eq 0 ]; then
		echo "$link_name: none of $failures went well"
	else
		times=$failures' times'
		[ "$failures" -ne 1 ] || times='1 time'
		echo "$link_name: failed, $times since it went well"
	fi
	[ "$good" -eq 0 ] || { ago "$good"; line_of 'went well' "$(at "$good")" "$span"; }
	[ "$failed" -ne 0 ] || return 0
	class_words "$failed_code"
	ago "$failed"
	line_of failed "$(at "$failed")" "$span: status $failed_code, $words"
	printf '%s\n' "$failed_why" | fold -s -w 68 | sed -n 's/^/            /; s/ *$//; 1,4p'
}

# What a session that was killed has left behind.
what_was_left() {
	dialled=$run_dir/$link_name.dialled
	if [ -e "$dialled" ] && is_free "$run_dir/$link_name.lock"; then
		line_of line 'was left up' 'the next session hangs up'
	fi
	! was_left || line_of OpenSMTPD 'tries by itself' 'a session was killed; the next pauses it'
}

when_next() {
	line_of calls "$calls today" "${max_calls:+of $max_calls (MAX_CALLS)}"
	[ "$told_due" -eq 0 ] || { line_of next 'cannot be told' ''; return; }
	case $next in
	never) line_of next 'when more waits' "$reason" ;;
	*) if [ "$next" -le "$now_s" ]; then
		line_of next now "$reason"
	else
		line_of next "$(at "$next")" "$reason"
	fi ;;
	esac
}

# The last lines of the log, as a table.
show_sessions() {
	sessions 5 | awk '
		function short(n) {
			if (n !~ /^[0-9]+$/ || length(n) < 5) return n
			n += 0
			if (n < 9.5 * 1024 * 1024) return int(n / 1024) "k"
			if (n < 9.5 * 1024 * 1024 * 1024) return int(n / 1024 / 1024) "M"
			return int(n / 1024 / 1024 / 1024) "G"
		}
		NR == 1 {
			form = "\n%-20s %6s %6s %4s %5s %6s %4s %4s %4s %5s %6s\n"
			printf form, "ENDED (UTC)", "STATUS", "LINK", "SEND", "FETCH", "HANGUP",
				"SENT", "STAY", "RECV", "BYTES", "UP"
			sub(/^\n/, "", form)
		}
		{
			split("", is)
			for (i = 2; i <= NF; i++) {
				name = $i
				sub(/=.*/, "", name)
				# link= is there twice: its name, then how it was
				is[name] = substr($i, length(name) + 2)
			}
			printf form, $1, is["status"], is["link"], is["send"], is["retrieve"], is["hangup"],
				short(is["sent"]), short(is["deferred"]), short(is["received"]),
				short(is["bytes"]), is["up"]
		}'
}

show_status() {
	when_due
	told_due=$?
	know_tomorrow
	if [ -n "$json" ]; then
		status_json
	else
		did_it_work
		what_was_left
		when_next
		show_sessions
	fi
	return "$told_due"
}

### All of them

# A line a link, and one more for what failed.
status_row() {
	when_due
	told_due=$?
	know_tomorrow
	[ -z "$json" ] || { status_json; return "$told_due"; }
	state_is=- well=- row_last=- row_next=now
	if [ "$last" -ne 0 ]; then
		state_is=$last_status
		span $((now_s - last))
		row_last=$span
	fi
	[ "$good" -eq 0 ] || { span $((now_s - good)); well=$span; }
	case $told_due$next in
	0never) row_next=- ;;
	0*) [ "$next" -le "$now_s" ] || { span $((next - now_s)); row_next=$span; } ;;
	*) row_next='?' ;;
	esac
	status_line "$link_name" "$state_is" "$row_last" "$well" "$calls${max_calls:+/$max_calls}" "$row_next" "$reason"
	[ "$failures" -eq 0 ] || printf '    %.76s\n' "$failed_why"
	return "$told_due"
}

status_line() {
	printf '%-14s %6s %5s %9s %7s %5s  %.27s\n' "$@"
}

show_links() {
	links_code=0 links=0
	[ -n "$json" ] || status_line LINK STATUS ENDED 'WENT WELL' CALLS NEXT WHY
	set +f
	for conf in "$links_dir"/*.conf; do
		set -f
		[ -e "$conf" ] || continue
		link_name=${conf##*/}
		link_name=${link_name%.conf}
		good_name "$link_name" || { note "$conf: not a link's name"; continue; }
		links=$((links + 1))
		# the keys of one are not to be left to the next
		(conf_file=$conf; conf_open; conf_read; conf_judge; status_row)
		class "$?"
		[ "$links_code" -ne 0 ] || links_code=$class
	done
	set -f
	[ $links -gt 0 ] || die 74 "$links_dir: no link is described there"
	return "$links_code"
}

### A monitoring plug-in: 0, 1 (--warn), 2 (--critical), 3 cannot tell.

show_check() {
	remember
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
