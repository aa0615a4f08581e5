# OpenSMTPD keeps mail for a link by a pause of all its sending (smtpctl pause mta), which
# gateway-flush lifts while it sends; sourced by it, and by gateway-dial where $lifted is
# not empty.
#
# That file has something in it for so long, and each that sends holds a shared lock on it.
# What one that was killed has left behind is thus seen, and put right by who comes next.
# It stays, as gateway-dial's lock does.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

paused=''

# smtpctl says "command succeeded", on stdout
smtpctl_mta() { run "$1" sh -c 'exec smtpctl "$1" mta >/dev/null 2>&1' - "$2"; }
mta_is() { run "$1" sh -c 'smtpctl show status 2>&1 | grep -q "^MTA $1"' - "$2"; }

# hold LOCK...: of $lifted, as descriptor 6.  Who has it for himself pauses just now.
hold() {
	command -v flock >/dev/null || return 0
	[ -d "$run_dir" ] || mkdir -p -- "$run_dir" 2>/dev/null
	{ true >>"$lifted"; } 2>/dev/null || return 0	# without a place for it a kill is not seen
	exec 6>>"$lifted"
	pause=$short_nap
	until flock -n "$@" 6; do
		clock
		[ "$now" -lt "$until" ] || return
		nap
	done
}

# Whether the link was raised or up already.
lift_pause() {
	case $spool in '' | opensmtpd | opensmtpd:*) ;; *) return 0 ;; esac
	command -v smtpctl >/dev/null || return 0
	killed=
	[ -n "$dry" ] || { ! was_left || killed=yes; hold -s; }
	left
	mta_is "$left" paused || {
		[ -n "$dry" ] || [ ! -s "$lifted" ] || paused=yes	# by another, or one that was killed
		[ -z "$killed" ] || note 'a session was killed, and OpenSMTPD has tried by itself since'
		return 0
	}
	[ -z "$dry" ] || { would smtpctl resume mta; return; }
	paused=yes
	{ echo $$ >"$lifted"; } 2>/dev/null
	left
	smtpctl_mta "$left" resume || say '`smtpctl resume mta'"' failed: OpenSMTPD sends nothing"
}

# The last of those that send sets it again.
pause_again() {
	[ -n "$paused" ] || return 0
	[ ! -s "$lifted" ] || ! command -v flock >/dev/null || flock -n 6 || return 0
	# what is paused already cannot be paused
	smtpctl_mta 100 pause || mta_is 100 paused || {
		say '`smtpctl pause mta'"' failed: OpenSMTPD tries by itself now"
		code=75
		return
	}
	[ ! -s "$lifted" ] || : >"$lifted"
}

# An smtpd that does not run, or may not be asked, is left to another time.
pause_left() {
	was_left && { true >>"$lifted"; } 2>/dev/null || return 0
	exec 6>>"$lifted"
	flock -n 6 || return 0
	if mta_is 100 running; then
		paused=yes
		pause_again
		[ -s "$lifted" ] || note 'a session was killed, and OpenSMTPD has tried by itself since: it is paused again'
	elif mta_is 100 paused; then
		: >"$lifted"
	fi
	exec 6>&-
}
