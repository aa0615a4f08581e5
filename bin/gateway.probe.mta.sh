# How the MTA is set up for a link, for gateway-dial --probe; sourced by gateway.probe.sh,
# whose words these are written in.
# shellcheck shell=sh disable=SC2034,SC2154,SC2317

# Sets $mta: who has the queue, if it is one whose settings are known here; and how its
# Postfix is told something.
probe_which() {
	main_cf=
	case $spool in postfix:?*) [ ! -e "${spool#*:}/main.cf" ] || main_cf=${spool#*:} ;; esac
	set_it="postconf ${main_cf:+-c $main_cf }-e"
	mta=${spool%%:*}
	[ -z "$mta" ] || return 0
	if command -v postconf >/dev/null; then
		mta=postfix
	elif command -v exim4 >/dev/null || command -v exim >/dev/null; then
		mta=exim
	elif [ -e /etc/mail/sendmail.cf ]; then
		mta=sendmail
	fi
}

probe_mta() {
	[ "$send" != none ] || return 0
	case $mta in
	postfix | exim | sendmail | nullmailer) "probe_$mta" ;;
	maildir | mbox) ;;
	*) found note MTA "the settings of ${mta:-an unknown MTA} are not looked at" ;;
	esac
}

# A link that costs and an MTA that tries by itself.
note_tries() {
	if [ -n "$dial" ] && [ "$send" = release ]; then
		found note MTA "$1"
	else
		return 1
	fi
}

# note_lifetime SECONDS: mail has to outlive the time between sessions; sets $days, how long
# it should wait
note_lifetime() {
	[ -n "$every" ] && [ "$1" -lt $((every * 3 / 10)) ] || return 1
	days=$(((every * 3 / 10 + 86399) / 86400))
	[ "$days" -ge 5 ] || days=5
	found note MTA "mail is returned after $(span "$1"), and EVERY is $(span $((every / 10))): a few sessions that fail lose it"
}

span() {
	if [ "$1" -ge 172800 ]; then
		echo "$(($1 / 86400)) days"
	elif [ "$1" -ge 7200 ]; then
		echo "$(($1 / 3600)) hours"
	else
		echo "$1 seconds"
	fi
}

# seconds_of TIME UNIT: 5d 12h, and a number alone in this unit; sets $seconds_of
seconds_of() {
	case $1 in *[0-9]) set -- "$1$2" ;; esac
	case $1 in
	*w) unit=604800 ;; *d) unit=86400 ;; *h) unit=3600 ;; *m) unit=60 ;; *) unit=1 ;;
	esac
	seconds_of=${1%[smhdw]}
	case $seconds_of in '' | *[!0-9]*) return 1 ;; esac
	seconds_of=$((seconds_of * unit))
}

same_place() {
	[ "$(cd -- "$1" 2>/dev/null && pwd -P)" = "$(cd -- "$2" 2>/dev/null && pwd -P)" ]
}

setting() { postconf ${main_cf:+-c "$main_cf"} -hx "$1" 2>/dev/null; }

probe_postfix() {
	command -v postconf >/dev/null || { found unseen MTA 'postconf: this program is needed to look at Postfix'; return; }
	probe_run postconf ${main_cf:+-c "$main_cf"} -h queue_directory || {
		found_bad "$class" MTA "postconf: $words"
		return
	}
	case $spool in
	postfix:?*)
		[ -n "$main_cf" ] || same_place "${spool#*:}" "$(cat "$work/probe")" || {
			found unseen MTA "${spool#*:} is not the queue of the Postfix that runs here"
			return
		} ;;
	esac
	again="postfix ${main_cf:+-c $main_cf }reload"
	postfix_route
	postfix_times
}

postfix_route() {
	relay=$(setting relayhost)
	case $relay in
	'')
		[ -z "$smarthost" ] || [ "$send" != release ] || {
			found_bad 78 MTA "Postfix knows no relayhost: mail goes to its own MX hosts, not to $smarthost"
			mend run "$set_it 'relayhost=$(postfix_peer)' && $again"
		} ;;
	'['*) found ok MTA "Postfix sends to $relay" ;;
	*)
		found note MTA "Postfix asks DNS for the MX hosts of its relayhost $relay"
		# host:port; the port stays outside, and a list is not taken apart
		case $relay in
		*[\ ,]*) ;;
		*:*) mend run "$set_it 'relayhost=[${relay%%:*}]:${relay#*:}' && $again" ;;
		*) mend run "$set_it 'relayhost=[$relay]' && $again" ;;
		esac ;;
	esac
	transport=$(setting default_transport)
	transport=${transport%%:*}
	case "$(setting defer_transports | tr ',' ' ') " in
	*"$transport "*) found ok MTA "Postfix sends only when it is told (defer_transports)" ;;
	*)
		! note_tries 'Postfix tries by itself while the link is down, too' ||
			mend run "$set_it defer_transports=$transport && $again" ;;
	esac
}

# Sets $host, without brackets, and $number, its port or nothing, of SMARTHOST.
smart_address() {
	host=$smarthost number=$port
	case $host in
	'['*']:'*) number=${host##*:} host=${host#?} host=${host%%]*} ;;
	'['*']') host=${host#?} host=${host%?} ;;
	*:*:*) ;;
	*:*) number=${host##*:} host=${host%:*} ;;
	esac
}

# [host]:port
postfix_peer() {
	smart_address
	echo "[$host]${number:+:$number}"
}

postfix_times() {
	warning=$(setting delay_warning_time)
	if ! seconds_of "${warning:-0}" h || [ "$seconds_of" -ne 0 ]; then
		found note MTA "senders are told of a delay after $warning"
		mend run "$set_it delay_warning_time=0h && $again"
	fi
	life=$(setting maximal_queue_lifetime)
	! seconds_of "${life:-5d}" d || ! note_lifetime "$seconds_of" ||
		mend run "$set_it maximal_queue_lifetime=${days}d && $again"
}

exim_setting() { "$exim" -bP "$1" 2>/dev/null | sed -n "s/^$1 = *//p; s/^no_$1\$/false/p; s/^$1\$/true/p"; }

probe_exim() {
	exim=$(command -v exim4 || command -v exim) || { found unseen MTA 'exim: this program is needed to look at it'; return; }
	probe_run "$exim" -bV || { found_bad "$class" MTA "$exim: $words"; return; }
	exim_conf=$(sed -n 's/^Configuration file is //p' "$work/probe")
	probe_run "$exim" -bP delay_warning || {
		found unseen MTA "exim -bP: $words"
		return
	}
	held=$(exim_setting hold_domains)$(exim_setting queue_smtp_domains)
	if [ -n "$held" ]; then
		found ok MTA "Exim sends only when it is told (hold_domains)"
		[ -n "$expire" ] || {
			found note EXPIRE 'what Exim holds is never too old for it: undeliverable mail stays for ever'
			mend "$conf_file" 'EXPIRE=5d'
		}
	else
		! note_tries 'Exim tries by itself while the link is down, too' ||
			mend "$exim_conf" 'hold_domains = ! +local_domains'
	fi
	warning=$(exim_setting delay_warning)
	case $warning in
	'' | 0 | 0s) ;;
	*)
		found note MTA "senders are told of a delay after $warning"
		mend "$exim_conf" 'delay_warning =' ;;
	esac
	limit=$(exim_setting smtp_accept_queue_per_connection)
	if [ "$retrieve" != none ] && [ "${limit:-0}" != 0 ]; then
		found note MTA "of what comes over one connection Exim delivers $limit messages at once, and the rest later"
		mend "$exim_conf" 'smtp_accept_queue_per_connection = 0'
	fi
	life=$("$exim" -brt far.example 2>/dev/null | sed -n 's/.*[FG],\([0-9]*[smhdw]\)[^;]*;* *$/\1/p' | tail -n 1)
	[ -n "$held" ] || ! seconds_of "${life:-x}" s || ! note_lifetime "$seconds_of" ||
		mend "$exim_conf" "* * F,2h,15m; F,${days}d,1h"
}

probe_sendmail() {
	cf=/etc/mail/sendmail.cf
	[ -r "$cf" ] || { found unseen MTA "$cf: cannot be read"; return; }
	relay=$(sed -n 's/^DS//p' "$cf" | tail -n 1)
	if [ -n "$relay" ]; then
		found ok MTA "Sendmail sends to $relay"
	elif [ -n "$smarthost" ] && [ "$send" = release ]; then
		found_bad 78 MTA "Sendmail knows no SMART_HOST: mail goes to its own MX hosts, not to $smarthost"
		smart_address
		mend sendmail.mc "define(\`SMART_HOST', \`dsmtp:[$host]')dnl"
		[ -z "$number" ] ||
			mend sendmail.mc "define(\`DSMTP_MAILER_ARGS', \`TCP \$h $number')dnl"
	fi
	if [ "${relay#dsmtp:}" != "$relay" ] || grep -qi '^O *HoldExpensive *= *True' "$cf"; then
		found ok MTA 'Sendmail sends only when it is told'
	else
		! note_tries 'Sendmail tries by itself while the link is down, too' ||
			mend sendmail.mc "define(\`SMART_HOST', \`dsmtp:${relay##*:}')dnl"
	fi
	warning=$(sed -n 's/^O *Timeout\.queuewarn *= *//p' "$cf" | tail -n 1)
	case $warning in
	'' | 0*) ;;
	*)
		found note MTA "senders are told of a delay after $warning"
		mend sendmail.mc "define(\`confTO_QUEUEWARN', \`')dnl" ;;
	esac
	life=$(sed -n 's/^O *Timeout\.queuereturn *= *//p' "$cf" | tail -n 1)
	! seconds_of "${life:-5d}" d || ! note_lifetime "$seconds_of" ||
		mend sendmail.mc "define(\`confTO_QUEUERETURN', \`${days}d')dnl"
}

probe_nullmailer() {
	if [ "$send" = release ] && ! grep -q '^[^#]' /etc/nullmailer/remotes 2>/dev/null; then
		found_bad 78 MTA '/etc/nullmailer/remotes: names no server'
		mend /etc/nullmailer/remotes "${smarthost:-mail.isp.example} smtp${port:+ --port=$port}"
	fi
	read -r life 2>/dev/null </etc/nullmailer/queuelifetime || life=604800
	! seconds_of "${life:-604800}" s || ! note_lifetime "$seconds_of" ||
		mend run "echo $((days * 86400)) >/etc/nullmailer/queuelifetime"
}
