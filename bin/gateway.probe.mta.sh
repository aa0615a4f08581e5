# How the MTA is set up for a link, for gateway-dial --probe; sourced by gateway.probe.sh,
# whose words these are written in.  Each MTA has a file, with the functions
#
#	find_MTA		sets what its other functions need; always called
#	probe_MTA		how it sends
#	takes_MTA DOMAIN	does mail for it end here?  0 yes, 1 no, 2 unknown; asks no DNS
#	mend_domain_MTA DOMAIN	what makes it do so
#	mend_listen_MTA		what makes it listen at LISTEN_PORT, for everybody
#
# shellcheck shell=sh disable=SC1090,SC2034,SC2154,SC2317

for word in postfix exim sendmail opensmtpd nullmailer; do
	. "${lib%.sh}.probe.$word.sh"
done

# Nobody's domain, for questions about the rest of the world.
far=far.example
starts_anew=

# Sets $mta: who has the queue, if it is one whose settings are known here.
probe_which() {
	mta=${spool%%:*}
	if [ -n "$mta" ]; then
		:
	elif command -v postconf >/dev/null; then
		mta=postfix
	elif command -v exim4 >/dev/null || command -v exim >/dev/null; then
		mta=exim
	elif [ -e /etc/mail/sendmail.cf ]; then
		mta=sendmail
	elif command -v smtpctl >/dev/null; then
		mta=opensmtpd
	elif [ -d /etc/nullmailer ]; then
		mta=nullmailer
	fi
	case $mta in
	postfix | exim | sendmail | opensmtpd | nullmailer) known=yes; "find_$mta" ;;
	*) known= ;;
	esac
}

probe_mta() {
	[ "$send" != none ] || return 0
	case $mta in
	maildir | mbox) return ;;
	esac
	if [ -n "$known" ]; then
		"probe_$mta"
	else
		found note MTA "the settings of ${mta:-an unknown MTA} are not looked at"
	fi
}

mend_listen() { [ -z "$known" ] || "mend_listen_$mta"; }
mend_domain() { [ -z "$known" ] || "mend_domain_$mta" "$1"; }

# anew COMMAND: what has changed holds after it; the longest of them does for all
anew() {
	[ "${#1}" -le "${#starts_anew}" ] || starts_anew=$1
}

note_anew() {
	[ -n "$starts_anew" ] || return 0
	found note MTA 'it has to start anew, after what is printed above was done'
	mend run "$starts_anew"
}

# A link that costs and an MTA that tries by itself.
note_tries() {
	if [ -n "$dial" ] && [ "$send" = release ]; then
		found note MTA "$1"
	else
		return 1
	fi
}

# note_lifetime SECONDS [WHAT]: mail has to outlive the time between sessions; sets $days,
# how long it should wait
note_lifetime() {
	[ -n "$every" ] && [ "$1" -lt $((every * 3 / 10)) ] || return 1
	days=$(((every * 3 / 10 + 86399) / 86400))
	[ "$days" -ge 5 ] || days=5
	found note MTA "${2:-mail is returned} after $(span "$1"), and EVERY is $(span $((every / 10))): a few sessions that fail lose it"
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

# seconds_of TIME UNIT: 5d 1w3d, and a number alone in this unit; sets $seconds_of
seconds_of() {
	case $1 in *[0-9]) set -- "$1$2" ;; esac
	rest=$1 seconds_of=0
	[ -n "$rest" ] || return 1
	while [ -n "$rest" ]; do
		count=${rest%%[smhdw]*}
		case $count in '' | *[!0-9]*) return 1 ;; esac
		rest=${rest#"$count"}
		case $rest in
		w*) unit=604800 ;; d*) unit=86400 ;; h*) unit=3600 ;; m*) unit=60 ;; *) unit=1 ;;
		esac
		rest=${rest#?} seconds_of=$((seconds_of + count * unit))
	done
}

same_place() {
	[ "$(cd -- "$1" 2>/dev/null && pwd -P)" = "$(cd -- "$2" 2>/dev/null && pwd -P)" ]
}

# host_port HOST: takes apart [host]:port, host:port, an address; sets $host and $number
host_port() {
	host=$1 number=
	case $host in
	'['*']:'*) number=${host##*:} host=${host#?} host=${host%%]*} ;;
	'['*']') host=${host#?} host=${host%?} ;;
	*:*:*) ;;
	*:*) number=${host##*:} host=${host%:*} ;;
	esac
}

# The same of SMARTHOST and PORT.
smart_address() {
	host_port "$smarthost"
	[ -n "$number" ] || number=$port
}

is_address() {
	case $1 in
	*:*) ;;
	'' | *[!0-9.]*) return 1 ;;
	esac
}

# other_host HOST PORT: is that surely not SMARTHOST?  A name and an address may be one.
other_host() {
	smart_address
	[ "${2:-25}" = "${number:-25}" ] || [ "$1" != "$host" ] || return 0
	[ "$1" != "$host" ] || return 1
	if is_address "$1"; then is_address "$host"; else ! is_address "$host"; fi
}

# Does the MTA itself have to know SMARTHOST?
wants_route() {
	[ -n "$smarthost" ] && [ "$send" = release ] || return 1
	case $smarthost in unix:* | exec:* | fd:*) return 1 ;; esac
}

# What a letter of the next session may not have to do without.
note_warning() {
	found note MTA "senders are told of a delay after $1, and mail may wait longer for the link"
}

# A file, for sed(1): all of it is printed, and with -i.old what was is kept.
first_line() { printf "sed -i.old -e '1i%s' -e '%s' %s" \\ "$1" "$2"; }
