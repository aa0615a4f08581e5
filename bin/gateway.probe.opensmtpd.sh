# OpenSMTPD, for gateway-dial --probe; see gateway.probe.mta.sh.
# shellcheck shell=sh disable=SC2154,SC2317

# Not `restart': without systemd that finds the old one "already running", which then ends.
find_opensmtpd() {
	smtpd_conf=/etc/smtpd.conf smtpd_anew='smtpd -n && service opensmtpd stop && sleep 2 && service opensmtpd start'
	for word in /etc/mail/smtpd.conf /etc/opensmtpd/smtpd.conf; do
		[ -e "$smtpd_conf" ] || smtpd_conf=$word
	done
}

mend_smtpd() { mend run "sed -i.old $1 $smtpd_conf"; anew "$smtpd_anew"; }

probe_opensmtpd() {
	[ -r "$smtpd_conf" ] || { found unseen MTA "$smtpd_conf: cannot be read"; return; }
	# no pause outlives a restart
	! smtpd_pauses ||
		smtpd_anew="$smtpd_anew && sleep 1 && smtpctl pause mta"
	smtpd_route
	smtpd_holds
	smtpd_times
}

smtpd_route() {
	wants_route || return 0
	smart_address
	at=$host
	case $host in *:*) at=[$host] ;; esac
	at=smtp://$at${number:+:$number}
	hop=$(sed -n 's/^action .* relay .*host "\{0,1\}\([^ "]*\).*/\1/p' "$smtpd_conf" | head -n 1)
	if [ -z "$hop" ]; then
		found_bad 78 MTA "OpenSMTPD has no relay host: mail goes to its own MX hosts, not to $smarthost"
		mend_smtpd "'s|^\\(action .* relay\\)\\(.*\\)|\\1 host $at\\2|'"
		return
	fi
	wants=$hop hop=${hop#*://}
	host_port "${hop#*@}"
	if other_host "$host" "$number"; then
		found note MTA "OpenSMTPD sends to $wants, and SMARTHOST is $smarthost${port:+, port $port}"
		mend_smtpd "'s|^\\(action .* relay .*host \\)$wants|\\1$at|'"
	else
		found ok MTA "OpenSMTPD sends to $wants"
	fi
}

# Sending is paused as a whole; gateway-flush lifts that for a session.
smtpd_pauses() { [ "$send" = release ] && [ -n "$dial" ]; }

smtpd_holds() {
	[ "$send" = release ] || return 0
	probe_run smtpctl show status || {
		found_bad 75 MTA "OpenSMTPD does not run, or does not answer: $words"
		anew 'service opensmtpd restart'
		return
	}
	if grep -q '^MTA paused' "$work/probe"; then
		found ok MTA 'OpenSMTPD sends only in a session (smtpctl pause mta)'
	elif smtpd_pauses || was_left; then
		found note MTA 'OpenSMTPD tries by itself while the link is down, too'
		mend run 'smtpctl pause mta'
	fi
}

smtpd_times() {
	life=$(sed -n 's/^queue ttl *//p' "$smtpd_conf" | tail -n 1)
	warning=$(sed -n 's/^bounce warn-interval *//p' "$smtpd_conf" | tail -n 1)
	life=${life:-4d}
	seconds_of "$life" s || return 0
	if note_lifetime "$seconds_of"; then
		life=${days}d
		mend_queue ttl "$life"
		seconds_of "$life" s
	fi
	lasts=$seconds_of
	for word in $(echo "${warning:-4h}" | tr ',' ' '); do
		! seconds_of "$word" s || [ "$seconds_of" -gt "$lasts" ] || {
			note_warning "$word"
			mend_queue warn-interval "$((lasts / 86400 + 1))d"
			return
		}
	done
}

# mend_queue ttl|warn-interval TIME
mend_queue() {
	case $1 in
	ttl) name='queue ttl' ;;
	*) name='bounce warn-interval' ;;
	esac
	if grep -q "^$name" "$smtpd_conf"; then
		mend_smtpd "'s/^$name .*/$name $2/'"
	else
		mend run "$(first_line "$name $2" "$smtpd_conf")"; anew "$smtpd_anew"
	fi
}

# Its name in the file, or in one that a table is read from.
takes_opensmtpd() {
	[ -r "$smtpd_conf" ] || return 2
	! sed 's/#.*//' "$smtpd_conf" | tr '"{}, \t' '[\n*]' | grep -iFqx -- "$1" || return 0
	! grep -q '^table .*\(db\|sqlite\|postgres\|mysql\|ldap\):' "$smtpd_conf" || return 2
	sed -n 's/^table .*file:"\{0,1\}\([^ "]*\).*/\1/p' "$smtpd_conf" | {
		while read -r word; do
			! grep -iFqx -- "$1" "$word" 2>/dev/null || exit 0
		done
		exit 1
	}
}

# Before all others: the first that fits is taken.
mend_domain_opensmtpd() {
	by=$(sed -n 's/^action "\{0,1\}\([^ "]*\)"\{0,1\} *\(mbox\|maildir\|lmtp\|mda\).*/\1/p' "$smtpd_conf" | head -n 1)
	[ -n "$by" ] || return 0
	mend_smtpd "-e '/^action \"*$by\"* /a\\' -e 'match from any for domain \"$1\" action \"$by\"'"
}

mend_listen_opensmtpd() {
	[ -r "$smtpd_conf" ] || return 0
	at=
	[ "$listen_port" = 25 ] || at=" port $listen_port"
	if grep -q '^listen on \(localhost\|lo\|127\.0\.0\.1\)$' "$smtpd_conf" && [ -z "$at" ]; then
		mend_smtpd "'s/^listen on \\(localhost\\|lo\\|127\\.0\\.0\\.1\\)\$/listen on 0.0.0.0/'"
	elif grep -q "^listen on 0\\.0\\.0\\.0$at" "$smtpd_conf"; then
		anew "$smtpd_anew"
	else
		mend run "$(first_line "listen on 0.0.0.0$at" "$smtpd_conf")"; anew "$smtpd_anew"
	fi
}
