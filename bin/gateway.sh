# What gateway-dial, gateway-flush and gateway-etrn share; sourced by them.
#
# A script sets $prog and $about, defines finish() and sources this file, which
# reads the options and the phone book's file and leaves the keys' values in
# variables named like them in small letters ($dial, $send_options ...).
#
# Times inside are tenths of a second by the machine's monotonic clock: the first
# thing that happens on many a line is that the wall clock is set.
#
# Not for users, but commented here: $TIDEGATE_PROC and $TIDEGATE_SYS stand for
# /proc and /sys in the tests; $TIDEGATE_SESSION is how gateway-dial tells the
# other two that they are part of a session, and when (on the clock) it ends.
# shellcheck shell=sh disable=SC2034,SC2154

version=0.1
proc=${TIDEGATE_PROC:-/proc}
sys=${TIDEGATE_SYS:-/sys}
run_dir=${TIDEGATE_RUN:-/run/tidegate}
LC_ALL=C
export LC_ALL
# cron's PATH knows neither our own directory nor where pon and ip live.
PATH=$PATH:$here:/usr/local/sbin:/usr/sbin:/sbin
export PATH
set -f
umask 022

nl='
'
tab='	'
cr=$(printf '\r')
blanks=" $tab$nl"
code=0 work='' why='' child='' outer=''
links_dir=${TIDEGATE_LINKS:-/etc/tidegate/links}
verbose='' quiet='' dry='' strict='' conf_file='' link_name=''

### Saying things

say() { printf '%s: %s\n' "$prog" "$*" >&2; }
note() { [ -n "$quiet" ] || say "$@"; }
tell() { [ -z "$verbose" ] || say "$@"; }

die() {
	die_code=$1
	shift
	say "$@"
	exit "$die_code"
}

printable() { printf '%s' "$1" | tr -c '[:print:]' '?'; }

# would COMMAND...: shows it as a shell would have to be given it
would() {
	would_line=
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:=@%+,-]* | '')
			word=\'$(printf '%s' "$word" | sed "s/'/'\\\\''/g")\' ;;
		esac
		would_line="$would_line $word"
	done
	printf 'would run:%s\n' "$would_line"
}

### The command line

usage() { echo "Usage: $prog [-vqn] [--strict] [--config=FILE] NAME"; }

help() {
	usage
	cat <<-END
	$about

	  --config=FILE   read FILE instead of /etc/tidegate/links/NAME.conf
	  -v, --verbose   say what is done, and print the counts
	  -q, --quiet     say only what failed
	  -n, --dry-run   print what would be run, and run nothing
	  --strict        a message left waiting is a failure (75)
	END
	[ "$prog" != gateway-dial ] || cat <<-END
	  --due           for cron: only if a session is due
	  --status        the last sessions, and when the next is due; without NAME
	                  a line for each link
	  --check         is it long since one went well?  A monitoring plug-in
	  --warn=TIME     since when that is 1
	  --critical=TIME since when it is 2
	  --probe         what would make a session fail, and what mends it
	  -j, --json      of these, as JSON
	END
	cat <<-END
	  --help          this text
	  --usage         the first line of it
	  --version       which version this is
	END
}

misuse() {
	say "$(printable "$1")"
	usage >&2
	exit 64
}

option() {
	case $1 in
	--verbose | -v) verbose=-v ;;
	--quiet | -q) quiet=-q ;;
	--dry-run | -n) dry=-n ;;
	--strict) strict=--strict ;;
	--config=?*) conf_file=${1#*=} ;;
	--config=) misuse '--config: needs a value' ;;
	--help | -h) help; exit 0 ;;
	--usage) usage; exit 0 ;;
	--version) echo "$prog (Tidegate) $version"; exit 0 ;;
	--due | --status | --check | --probe | --json | -j | --warn=?* | --critical=?*)
		[ "$prog" = gateway-dial ] || misuse "unknown option: $1"
		dial_option "$1" ;;
	--*) misuse "unknown option: $1" ;;
	-?) misuse "unknown option: $1" ;;
	-*)	# several letters behind one dash
		option "${1%"${1#-?}"}"
		option "-${1#-?}" ;;
	esac
}

dial_option() {
	case $1 in
	--due) due=yes ;;
	--status) show=status ;;
	--check) show=check ;;
	--probe) show=probe ;;
	--json | -j) json=yes ;;
	--warn=* | --critical=*)
		key=${1%%=*}
		read_time "${1#*=}" || misuse "$key: not a time: ${1#*=}"
		[ "$key" = --critical ] || warn=$tenths
		[ "$key" = --warn ] || critical=$tenths ;;
	esac
}

good_name() {
	case $1 in
	'' | [.-]* | *[!A-Za-z0-9._-]*) return 1 ;;
	esac
}

options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--) shift; break ;;
		--config | --warn | --critical)
			[ $# -gt 1 ] || misuse "$1: needs a value"
			option "$1=$2"
			shift ;;
		-?*) option "$1" ;;
		*) break ;;
		esac
		shift
	done
	case $show$conf_file$# in
	status0) show=links; return ;;
	esac
	[ $# -gt 0 ] || misuse 'which link?'
	[ $# -eq 1 ] || misuse "one link at a time: $2"
	good_name "$1" || misuse "not a link's name: $1"
	link_name=$1
	[ -n "$conf_file" ] || conf_file=$links_dir/$link_name.conf
	case $conf_file in /*) ;; *) conf_file=./$conf_file ;; esac
}

### The phone book

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
	*) wrong "unknown key: $1" ;;
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

### Time, and commands that end within it

# Sets $now.
clock() {
	if read -r now _ 2>/dev/null </proc/uptime; then
		now=${now%?}
		now=${now%.*}${now#*.}
	else
		now=$(date +%s)0
	fi
}

nap() {
	sleep "$pause"
	pause=$long_nap
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
# when its time is over ($late, 75) or ours is.  The lock, descriptor 9, is not
# passed on: what DIAL leaves running must not hold it, nor 7, which cron reads.
run() {
	clock
	run_end=$((now + $1))
	shift
	late='' pause=$short_nap
	# exec: some shells make a process of their own for it, whose group it is not
	{ exec setsid "$@" </dev/null 9>&- 8<&- 7>&-; } &
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

### The link

# The interface as our own network namespace has it; sets $octets received.
interface_there() {
	[ -r "$proc/net/dev" ] || {
		octets=-
		read -r octets 2>/dev/null <"$sys/class/net/$interface/statistics/rx_bytes"
		[ -e "$sys/class/net/$interface" ]
		return
	}
	while IFS=' :' read -r word octets _; do
		[ "$word" != "$interface" ] || return 0
	done <"$proc/net/dev"
	octets=-
	return 1
}

# TUN and PPP devices call their state "unknown" while they work.
interface_up() {
	interface_there || return 1
	if read -r flags 2>/dev/null <"$sys/class/net/$interface/flags"; then
		[ $((flags & 1)) -eq 1 ] || return 1
	fi
	if read -r word 2>/dev/null <"$sys/class/net/$interface/operstate"; then
		case $word in up | unknown) ;; *) return 1 ;; esac
	fi
	return 0
}

dial='' dial_timeout=600 hangup='' check='' interface='' spool=''
send=release smarthost='' port='' helo='' send_options=''
user='' password_file='' auth='' tls='' tls_name=''
max_size='' limits='' expire=''
retrieve=etrn retrieve_host='' retrieve_port='' retrieve_options=''
retrieve_user='' retrieve_password_file='' retrieve_tls=''
retrieve_command='' domains='' subdomains=no listen_port=25 deliver=''
idle=600 first=1200 max_session=36000
keepalive='' every='' when_queued='' queued_time='' urgent='' retry=6000 max_calls=''
notify='' notify_to=root
due='' show='' json='' warn='' critical=''
grace=30

# begin ARGUMENT...: everything up to the point where something is done
begin() {
	options ${1+"$@"}	# posh takes none for unset
	[ "$show" != links ] || return 0
	conf_open
	conf_read
	conf_judge
	[ -n "$due" ] || ready_to_run
}

# What run() needs; not before it is known that anything is done at all.
ready_to_run() {
	for word in setsid mktemp; do
		command -v $word >/dev/null || die 69 "$word: this program is needed"
	done
	short_nap=0.02 long_nap=0.2
	sleep 0.01 2>/dev/null || short_nap=1 long_nap=1
	# A shell without a kill of its own has that of procps, which takes -1234 for -1, that
	# is everybody, unless `--' is before it; busybox knows no `--'.
	dashes=--
	kill -0 -- $$ 2>/dev/null || dashes=
}
