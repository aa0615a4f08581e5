# Time, and commands that end within it, or with us; sourced by gateway.sh.
# shellcheck shell=sh disable=SC2034,SC2154

# Sets $now.
clock() {
	if read -r now _ 2>/dev/null </proc/uptime; then
		now=${now%?}
		now=${now%.*}${now#*.}
	else
		now=$(date +%s)0
	fi
}

# The first ones are short: most of what we run is over soon.  No lock outlives us in it.
nap() {
	sleep "$pause" 9>&- 6>&-
	case $pause in
	0.02) pause=0.05 ;;
	0.05) pause=0.1 ;;
	*) pause=$long_nap ;;
	esac
}

# A script may do something at every look at the clock.
tick() { :; }

# group SIGNAL PROCESS
# shellcheck disable=SC2086	# nothing, in some shells
group() { kill "-$1" $dashes "-$2" 2>/dev/null || kill "-$1" "$2" 2>/dev/null; }

# reap PROCESS: its status.  posh's wait looks for options where the last command that had
# some stopped looking; unset sets that back.
reap() {
	unset nothing
	wait "$1"
}

# run TENTHS COMMAND...: in a session of its own, so that all of it can be ended
# when its time is over ($late, 75) or ours is.  The locks, descriptors 9 and 6, are not
# passed on: what DIAL leaves running must not hold them, nor 7, which cron reads.
run() {
	clock
	run_end=$((now + $1))
	shift
	late='' pause=$short_nap
	# exec: some shells make a process of their own for it, whose group it is not
	{ exec setsid "$@" </dev/null 9>&- 8<&- 7>&- 6>&-; } &
	child=$!
	while kill -0 "$child" 2>/dev/null; do
		tick
		[ -n "$child" ] || return 75	# it was ended by tick()
		clock
		if [ "$now" -ge "$run_end" ]; then
			stop_one "$child"
			child='' late=yes status=75
			return 75
		fi
		nap
	done
	reap "$child"
	status=$?
	child=
	return "$status"
}

# run_beside TENTHS COMMAND...: for tick(), while run() waits for another
run_beside() {
	[ -z "$outer" ] || return 0
	outer=$child outer_end=$run_end
	run "$@"
	child=$outer run_end=$outer_end late='' outer=''
}

# Ends what run() started, wherever run() was interrupted.
stop() {
	stop_one "$child"
	stop_one "$outer"
	child='' outer=''
}

# stop_one PROCESS: TERM, then KILL
stop_one() {
	[ -n "$1" ] || return 0
	for signal in TERM KILL; do
		group $signal "$1"
		clock
		stop_end=$((now + grace)) pause=$short_nap
		while group 0 "$1"; do
			clock
			[ "$now" -lt "$stop_end" ] || continue 2
			nap
		done
		reap "$1" 2>/dev/null
		break
	done
}

# What is known as a class passes; a command's own numbers, signals and
# "not found" become one.
class() {
	[ "$1" -lt 384 ] || set -- $(($1 - 256))	# yash counts signals from there
	case $1 in
	0 | 6[4-9] | 7[0-8]) class=$1 ;;
	12[67]) class=69 ;;
	139 | 134 | 13[0-689]) class=70 ;;
	*) class=75 ;;
	esac
}

# Every way out but KILL leads through finish().  TERM here would only disturb it.
guard() {
	for signal in HUP INT QUIT TERM ALRM USR1 USR2; do
		# shellcheck disable=SC2064
		trap "interrupted $signal" $signal
	done
	trap : PIPE
	trap leave EXIT
}

deaf() {
	trap - EXIT
	trap : HUP INT QUIT TERM ALRM USR1 USR2 PIPE
}

interrupted() {
	deaf
	say "ended by SIG$1"
	why=${why:-ended by SIG$1}
	code=75
	leave
}

# A shell that stopped at an error of ours has a status of its own.
leave() {
	ended=$?
	[ "$code" -ne 0 ] || [ "$ended" -eq 0 ] || code=70
	deaf
	stop
	finish
	[ -z "$work" ] || rm -rf -- "$work"
	exit "$code"
}

# The process that $TIDEGATE_SESSION makes part of a session ends before it.
deadline() {
	clock
	until=$((now + max_session))
	case ${TIDEGATE_SESSION:-x} in
	*[!0-9]*) ;;
	*) [ "$TIDEGATE_SESSION" -ge "$until" ] || until=$TIDEGATE_SESSION ;;
	esac
}

# Sets $left, at least 1.
left() {
	clock
	left=$((until - now))
	[ "$left" -gt 0 ] || left=1
}
