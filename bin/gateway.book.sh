# The phone book: a link's file, read and never run; sourced by gateway.sh.
# shellcheck shell=sh disable=SC2034,SC2154

wrong() { die 78 "$conf_file:$line_no: $(printable "$1")"; }

# owned_well PATH: by root or us, and nobody else may write it
owned_well() {
	# shellcheck disable=SC2046
	set -- "$1" $(ls -ldLn -- "$1" 2>/dev/null)
	[ $# -gt 4 ] || die 74 "$1: cannot be looked at"
	case $4 in
	0 | "$(id -u)") ;;
	*) die 78 "$1: belongs to user $4, not to root or you" ;;
	esac
	case $2 in
	?????w* | ????????w*) die 78 "$1: others may write it ($2)" ;;
	esac
}

# One look for what mostly is so, because cron has us look each minute.
owned_by_root() {
	[ -z "$(find -L "$@" -prune \( ! -user 0 -o -perm -020 -o -perm -002 \) -print 2>&1)" ]
}

# Its commands are run, so whoever can write it can be us.  Where it is a
# symbolic link, the place it lies in counts as much as the place it points to.
conf_open() {
	conf_real=$conf_file
	[ ! -h "$conf_file" ] ||
		conf_real=$(readlink -f -- "$conf_file" 2>/dev/null) || conf_real=$conf_file
	if [ ! -e "$conf_file" ]; then
		[ -x "${conf_file%/*}" ] || [ ! -d "${conf_file%/*}" ] ||
			die 77 "$conf_file: permission denied"
		die 74 "$conf_file: no such file"
	fi
	[ -f "$conf_file" ] || die 74 "$conf_file: not a file"
	[ -r "$conf_file" ] || die 77 "$conf_file: permission denied"
	! owned_by_root "${conf_file%/*}/" "${conf_real%/*}/" "$conf_real" || return 0
	owned_well "${conf_file%/*}/"
	owned_well "${conf_real%/*}/"
	owned_well "$conf_real"
}

conf_read() {
	line_no=0 keys=' '
	while IFS= read -r line || [ -n "$line" ]; do
		line_no=$((line_no + 1))
		case $line in
		'' | '#'*) continue ;;
		*"$cr") wrong 'ends in a carriage return' ;;
		*=*) ;;
		*[!"$tab "]*) wrong "no KEY=value: $line" ;;
		*) continue ;;
		esac
		key=${line%%=*}
		case $keys in
		*" $key "*) wrong "$key: here for the second time" ;;
		esac
		keys="$keys$key "
		conf_key "$key" "${line#*=}"
	done <"$conf_real"
}

conf_key() {
	case $1 in
	DIAL) dial=$2 ;;
	DIAL_TIMEOUT) key_time "$2"; dial_timeout=$tenths ;;
	HANGUP) hangup=$2 ;;
	CHECK) check=$2 ;;
	INTERFACE) key_interface "$2"; interface=$2 ;;
	SPOOL) spool=$2 ;;
	SEND) key_one_of "$2" 'release drain none'; send=$2 ;;
	SMARTHOST) key_peer "$2"; smarthost=$2 ;;
	PORT) key_port "$2"; port=$2 ;;
	HELO) key_word "$2"; helo=$2 ;;
	SEND_OPTIONS) send_options=$2 ;;
	USER) key_word "$2"; user=$2 ;;
	PASSWORD_FILE) password_file=$2 ;;
	AUTH) key_word "$2"; auth=$2 ;;
	TLS) key_one_of "$2" 'none may encrypt verify dane'; tls=$2 ;;
	TLS_NAME) key_word "$2"; tls_name=$2 ;;
	MAX_SIZE) key_size "$2"; max_size=$2 ;;
	LIMITS) limits=$2 ;;
	EXPIRE) key_time "$2"; expire=$tenths ;;
	RETRIEVE) key_one_of "$2" 'etrn turn atrn command none'; retrieve=$2 ;;
	RETRIEVE_USER) key_word "$2"; retrieve_user=$2 ;;
	RETRIEVE_PASSWORD_FILE) retrieve_password_file=$2 ;;
	RETRIEVE_TLS) key_one_of "$2" 'none may encrypt verify dane'; retrieve_tls=$2 ;;
	RETRIEVE_HOST) key_peer "$2"; retrieve_host=$2 ;;
	RETRIEVE_PORT) key_port "$2"; retrieve_port=$2 ;;
	RETRIEVE_OPTIONS) retrieve_options=$2 ;;
	RETRIEVE_COMMAND) retrieve_command=$2 ;;
	DOMAINS) key_domains "$2"; domains=$2 ;;
	SUBDOMAINS) key_one_of "$2" 'yes no'; subdomains=$2 ;;
	LISTEN_PORT) key_port "$2"; listen_port=$2 ;;
	DELIVER) deliver=$2 ;;
	IDLE) key_time "$2"; idle=$tenths ;;
	FIRST) key_time "$2"; first=$tenths ;;
	MAX_SESSION) key_time "$2"; max_session=$tenths ;;
	KEEPALIVE) keepalive=$2 ;;
	EVERY) key_time "$2"; every=$tenths ;;
	WHEN_QUEUED)
		key_count "${2%%,*}"
		when_queued=${2%%,*}
		case $2 in *,*) key_time "${2#*,}"; queued_time=$tenths ;; esac ;;
	URGENT) key_time "$2"; urgent=$tenths ;;
	RETRY) key_time "$2"; retry=$tenths ;;
	MAX_CALLS) key_count "$2"; max_calls=$2 ;;
	NOTIFY_FAILURE)
		key_count "${2%%,*}"
		notify=${2%%,*}
		case $2 in *,*) key_word "${2#*,}"; notify_to=${2#*,} ;; esac
		[ -n "$notify_to" ] || wrong "$key: to whom? $2" ;;
	*) wrong "unknown key: \`$1'" ;;
	esac
}

key_one_of() {
	case " $2 " in
	*" $1 "*) case $1 in '' | *' '*) ;; *) return ;; esac ;;
	esac
	wrong "$key: is one of: $2"
}

key_port() {
	case $1 in
	'' | *[!0-9]* | 0* | ??????*) wrong "$key: not a port: $1" ;;
	esac
	[ "$1" -le 65535 ] || wrong "$key: not a port: $1"
}

key_interface() {
	case $1 in
	. | .. | *[!A-Za-z0-9._@-]*) wrong "$key: not an interface: $1" ;;
	esac
}

# They become arguments; a dash in front would make them options.
key_domains() {
	for word in $1; do
		case $word in -*) wrong "$key: not a domain: $word" ;; esac
	done
}

# One word that cannot be taken for an option.
key_word() {
	case $1 in
	-* | *[" $tab"]*) wrong "$key: not one word: $1" ;;
	esac
}

# exec:COMMAND has blanks of its own
key_peer() {
	case $1 in exec:*) ;; *) key_word "$1" ;; esac
}

# 90 90s 5m 2h 3d 1w, never 0: sets $tenths
read_time() {
	case $1 in
	*s) unit=1 ;; *m) unit=60 ;; *h) unit=3600 ;;
	*d) unit=86400 ;; *w) unit=604800 ;; *[0-9]) unit=1 ;;
	*) return 1 ;;
	esac
	number=${1%[smhdw]}
	case $number in
	'' | *[!0-9]* | 0* | ???????*) return 1 ;;
	esac
	tenths=$((number * unit * 10))
}

key_time() { read_time "$1" || wrong "$key: not a time: $1"; }

key_count() {
	case $1 in
	'' | *[!0-9]* | 0* | ???????*) wrong "$key: not a number: $1" ;;
	esac
}

# 512 300k 10M 1G, never 0
key_size() {
	case ${1%[kMG]} in
	'' | *[!0-9]* | 0* | ??????????*) wrong "$key: not a size: $1" ;;
	esac
}

# Does the mail that comes go over the connection that takes ours?
turns_after_sending() {
	[ "$send" = drain ] || return 1
	case $retrieve in turn | atrn) ;; *) return 1 ;; esac
	case $retrieve_host in '' | "$smarthost") ;; *) return 1 ;; esac
	case $retrieve_port in '' | "$port") ;; *) return 1 ;; esac
	case $retrieve_user in '' | "$user") return 0 ;; esac
	return 1
}

# What one key alone cannot tell.
conf_judge() {
	[ "$send" != drain ] || [ -n "$smarthost" ] ||
		die 78 "$conf_file: SEND=drain needs a SMARTHOST"
	[ "$retrieve" != etrn ] || [ -n "$retrieve_host$smarthost" ] ||
		die 78 "$conf_file: RETRIEVE=etrn needs a RETRIEVE_HOST or SMARTHOST"
	case $retrieve in
	turn | atrn)
		[ -n "$retrieve_host$smarthost" ] ||
			die 78 "$conf_file: RETRIEVE=$retrieve needs a RETRIEVE_HOST or SMARTHOST"
		[ "$send" != release ] || [ "$retrieve" != turn ] ||
			die 78 "$conf_file: RETRIEVE=turn: the MTA's own connection (SEND=release) cannot be turned; SEND=drain or none"
		[ "$retrieve" != turn ] || [ -n "$domains" ] ||
			die 78 "$conf_file: RETRIEVE=turn: TURN names no domains; DOMAINS says whose mail is taken" ;;
	esac
	[ "$retrieve" != command ] || [ -n "$retrieve_command" ] ||
		die 78 "$conf_file: RETRIEVE=command needs a RETRIEVE_COMMAND"
	[ -z "$hangup" ] || [ -n "$dial" ] || die 78 "$conf_file: HANGUP without DIAL"
	judge_port SMARTHOST "$smarthost" "$port"
	judge_port RETRIEVE_HOST "$retrieve_host" "$retrieve_port"
}

judge_port() {
	case $2 in
	unix:* | exec:* | fd:*)
		[ -z "$3" ] || die 78 "$conf_file: $1=${2%%:*}: has no port" ;;
	'['*']' | *:*:*) ;;
	*:*)
		[ -z "$3" ] || die 78 "$conf_file: $1=$2: has its port already" ;;
	esac
}

# peer HOST PORT: sets $peer as the programs want it
peer() {
	peer=$1
	[ -n "$2" ] || return 0
	case $peer in
	'['*) ;;
	*:*:*) peer=[$peer] ;;
	esac
	peer=$peer:$2
}

# fetching_peer: who is asked for our mail
fetching_peer() {
	if [ -n "$retrieve_host" ]; then
		peer "$retrieve_host" "$retrieve_port"
	else
		peer "$smarthost" "${retrieve_port:-$1}"
	fi
}

# Sets $login: options, one a line.
sending_login() {
	login="${user:+--user=$user$nl}${password_file:+--password-file=$password_file$nl}"
	login="$login${auth:+--auth=$auth$nl}${tls:+--tls=$tls$nl}${tls_name:+--tls-name=$tls_name$nl}"
}

# Nobody's password goes to another host: those of the smart host only when it is asked.
fetching_login() {
	sending_login
	case $retrieve_host in
	'' | "$smarthost") ;;
	*) login= ;;
	esac
	[ -z "$retrieve_user" ] ||
		login="--user=$retrieve_user$nl${retrieve_password_file:+--password-file=$retrieve_password_file$nl}"
	[ -z "$retrieve_tls" ] || {
		login=$(printf '%s' "$login" | grep -v '^--tls=')
		login="$login$nl--tls=$retrieve_tls"
	}
}

# turn_total FILE: messages and status, as turn-client's last words have them, or `- -'
turn_total() {
	awk '
		/^turn-client: received [0-9]+, refused [0-9]+, [0-9]+ octets, status [0-9]+$/ {
			n = $3 + 0 " " $9
		}
		/^turn-client: no mail was waiting$/ { n = "0 0" }
		END { print n == "" ? "- -" : n }' "$1" 2>/dev/null || echo - -
}

# Sets $turning: turn-client's options for what is fetched, one a line.
turning() {
	turning="${deliver:+--deliver=$deliver$nl}"
	[ "$retrieve" != turn ] || turning="--turn$nl$turning"
	for node in $domains; do
		case $subdomains$node in yes[!@#]*) node=@$node ;; esac
		case $retrieve$node in
		atrn@*) turning="$turning--accept=$node$nl${node#@}$nl" ;;
		atrn*) turning="$turning$node$nl" ;;
		*) turning="$turning--accept=$node$nl" ;;
		esac
	done
}
