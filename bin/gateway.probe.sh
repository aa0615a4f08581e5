# gateway-dial --probe: looks at each part of a link and says what would make a session
# fail, and what mends it; sourced by it after gateway.sh.
#
# A finding is a line: ok, bad (a session would fail), note (it works, but somebody will
# wonder) or unseen (could not be looked at), the part, and what was found.  Under it, further
# in, what mends it: `run:' a command, or the file and the line that belongs into it.
#
# Nothing is dialled and no mail is moved.  Servers are asked only while the link is up.
# shellcheck shell=sh disable=SC1090,SC2034,SC2154,SC2317

bad=0 unseen=''
. "${lib%.sh}.probe.mta.sh"

# found WORD PART TEXT
found() {
	[ "$1" != unseen ] || unseen=yes
	found_part=$2
	if [ -n "$json" ]; then
		printf '{"finding": "%s", "part": "%s", "text": "%s"}\n' "$1" "$2" "$(json_text "$3")"
	else
		printf '%-6s %s: %s\n' "$1" "$2" "$(printable "$3")"
	fi
}

# mend WHERE TEXT: of what was found last; WHERE is `run' or a file
mend() {
	if [ -n "$json" ]; then
		printf '{"mend": "%s", "part": "%s", "text": "%s"}\n' "$(json_text "$1")" "$found_part" "$(json_text "$2")"
	else
		printf '         %s: %s\n' "$1" "$(printable "$2")"
	fi
}

json_text() { printable "$1" | sed 's/[\\"]/\\&/g'; }

# found_bad CLASS PART TEXT: the first of them is what we end with
found_bad() {
	[ "$bad" -ne 0 ] || bad=$1
	found bad "$2" "$3"
}

# probe_run COMMAND...: its output in $work/probe; sets $class and $words, what went
# wrong
probe_run() {
	# shellcheck disable=SC2016
	run 300 sh -c 'out=$1; shift; exec "$@" >"$out" 2>"$out.err"' - "$work/probe" "$@"
	class "$?"
	[ -z "$late" ] || echo "$1: no answer within 30 seconds" >"$work/probe.err"
	words=$(sed -n 's/^[a-z-]*: //; /./{p;q;}' "$work/probe.err")
	# where smtp-send --probe has it
	[ -n "$words" ] || words=$(sed -n 's/^  failed *\(.*\) ([0-9.]* s)$/\1/p' "$work/probe" | head -n 1)
	return "$class"
}

### What is on this host

# A command for `sh -c': known where it begins with a plain word.
probe_command() {
	[ -n "$2" ] || return 0
	word=${2%%[ 	]*}
	case $word in
	*[!A-Za-z0-9_./+-]*) return ;;
	esac
	command -v "$word" >/dev/null || {
		found_bad 69 "$1" "$word: there is no such program"
		return
	}
	found ok "$1" "$2"
}

# A file with a password: smtp-send refuses it when others can read it.
probe_secret() {
	[ -n "$2" ] || return 0
	if [ ! -e "$2" ]; then
		found_bad 74 "$1" "$2: no such file"
	elif [ ! -r "$2" ]; then
		found_bad 77 "$1" "$2: may not be read"
	else
		# shellcheck disable=SC2012
		case $(ls -ldL -- "$2") in
		-???------*) found ok "$1" "$2" ;;
		*)
			found_bad 78 "$1" "$2: others can read it"
			mend run "chmod 600 $2" ;;
		esac
	fi
}

probe_files() {
	probe_command DIAL "$dial"
	probe_command HANGUP "$hangup"
	[ -z "$dial" ] || [ -n "$hangup" ] || {
		found note HANGUP 'none: what DIAL raised stays up'
	}
	probe_command CHECK "$check"
	probe_command KEEPALIVE "$keepalive"
	[ "$retrieve" != command ] || probe_command RETRIEVE_COMMAND "$retrieve_command"
	[ -z "$notify" ] || probe_command NOTIFY_FAILURE sendmail
	probe_secret PASSWORD_FILE "$password_file"
	probe_secret RETRIEVE_PASSWORD_FILE "$retrieve_password_file"
	[ -z "$limits" ] || [ -r "$limits" ] || found_bad 74 LIMITS "$limits: cannot be read"
}

probe_queue() {
	[ "$send" != none ] || return 0
	if probe_run queue-list ${spool:+"--spool=$spool"} --count; then
		found ok SPOOL "$(head -n 1 "$work/probe") wait"
	else
		found_bad "$class" SPOOL "$words"
	fi
}

### The link, and those behind it

# Sets $reachable.
probe_link() {
	reachable=yes
	if visible; then
		link_up && { found ok link 'it is up'; return; }
		reachable=
		found unseen link 'it is down, and not raised for this; nobody behind it is asked'
	elif [ -n "$dial" ]; then
		found note link 'neither CHECK nor INTERFACE: whether it is up cannot be seen'
	fi
}

# ask_server KEY OPTION...: sets $offers
ask_server() {
	key=$1
	shift
	offers=
	probe_run smtp-send --probe --connect-timeout=10s "$@" || {
		found_bad "$class" "$key" "$peer: ${words:-status $class}"
		return 1
	}
	offers=$(sed -n 's/^  offers *//p' "$work/probe" | tail -n 1)
	found ok "$key" "$peer: $(sed -n 's/^  greeting *\(.*\) ([0-9.]* s)$/\1/p' "$work/probe" | head -n 1)"
}

# Those of the options for turn-client or etrn-request that say how to connect.
connection() {
	for word in $1; do
		case $word in
		--tls* | --auth* | --bind=* | -4 | -6 | --ipv[46] | --timeout=* | --connect-timeout=* | --helo=*)
			printf '%s\n' "$word" ;;
		esac
	done
}

probe_smarthost() {
	[ -n "$smarthost" ] && [ "$send" != none ] || return 0
	[ -n "$reachable" ] || return 0
	peer "$smarthost" "$port"
	sending_login
	# with SEND=release it is the MTA who logs in
	[ "$send" = drain ] || login=
	IFS=$nl
	# shellcheck disable=SC2086,SC2046
	set -- "--server=$peer" $login $(connection "$send_options")
	IFS=$blanks
	! turns_after_sending || set -- "$@" --port=366
	ask_server SMARTHOST "$@" ${helo:+"--helo=$helo"} || return 0
	! turns_after_sending || probe_offer SMARTHOST
}

probe_provider() {
	[ -n "$reachable" ] || return 0
	case $retrieve in etrn | turn | atrn) ;; *) return 0 ;; esac
	! turns_after_sending || return 0	# it is the smart host
	if [ "$retrieve" = etrn ]; then
		fetching_peer ''
	else
		fetching_peer "$port"
	fi
	fetching_login
	IFS=$nl
	# shellcheck disable=SC2086,SC2046
	set -- "--server=$peer" $login $(connection "$retrieve_options")
	IFS=$blanks
	[ "$retrieve" = etrn ] || set -- "$@" --port=366
	ask_server RETRIEVE_HOST "$@" ${helo:+"--helo=$helo"} || return 0
	probe_offer RETRIEVE_HOST
}

# What RETRIEVE needs, as EHLO has it in the end.
probe_offer() {
	want=$(printf %s "$retrieve" | tr '[:lower:]' '[:upper:]')
	case ", $offers," in
	*", $want,"* | *", $want "*) found ok RETRIEVE "$want is offered" ;;
	*)
		found_bad 69 RETRIEVE "$want is not offered by $peer"
		for word in ATRN ETRN TURN; do
			case ", $offers," in
			*", $word,"*) mend "$conf_file" "RETRIEVE=$(printf %s "$word" | tr '[:upper:]' '[:lower:]')" ;;
			esac
		done ;;
	esac
}

### Who takes what comes

probe_deliver() {
	case $retrieve in
	etrn | command) probe_port ;;
	turn | atrn)
		case $deliver in
		maildir:*) probe_maildir "${deliver#maildir:}" ;;
		exec:*) probe_command DELIVER "${deliver#exec:}" ;;
		lmtp:*) peer=${deliver#lmtp:}; probe_target --lmtp ;;
		*) peer=${deliver:-127.0.0.1}; probe_target ;;
		esac ;;
	esac
}

probe_maildir() {
	if [ -d "$1" ] && { [ ! -w "$1" ] || { [ -d "$1/new" ] && [ ! -w "$1/new" ]; }; }; then
		found_bad 77 DELIVER "$1: may not be written"
	elif [ -d "$1" ]; then
		found ok DELIVER "maildir:$1"
	elif [ -d "${1%/*}" ] && [ -w "${1%/*}" ]; then
		found ok DELIVER "maildir:$1, which will be made"
	else
		found_bad 74 DELIVER "$1: is not there and cannot be made"
	fi
}

# probe_target [OPTION]: the MTA that turn-client delivers to, $peer
probe_target() {
	if probe_run smtp-send ${1+"$@"} "--server=$peer" --quit-after=ehlo; then
		found ok DELIVER "$peer answers"
	else
		found_bad "$class" DELIVER "$words"
		return
	fi
	probe_domains DELIVER ${1+"$@"}
}

# A command may fetch the mail otherwise.
port_trouble() {
	if [ "$retrieve" = command ]; then
		found note LISTEN_PORT "$2"
	else
		found_bad "$1" LISTEN_PORT "$2"
	fi
	mend_listen
}

# The provider opens connections to us.  Sets $peer, where we can ask ourselves.
probe_port() {
	hex=$(printf %04X "$listen_port")
	listens=$(cat "$proc/net/tcp" "$proc/net/tcp6" 2>/dev/null |
		awk -v port="$hex" '$4 == "0A" { split($2, a, ":"); if (a[2] == port) print a[1] }' | sort -u)
	if [ -z "$listens" ]; then
		port_trouble 69 "nobody listens on port $listen_port of this host: the provider cannot bring anything"
		return
	fi
	case $nl$listens$nl in
	*"${nl}00000000$nl"* | *"${nl}00000000000000000000000000000000$nl"*) ;;
	*)
		if ! printf '%s\n' "$listens" | grep -qv '^0100007F$\|^7F000001$\|^0\{24\}01000000$\|^0\{31\}1$'; then
			port_trouble 69 "only this host itself reaches port $listen_port: the provider cannot bring anything"
			return
		fi ;;
	esac
	peer=127.0.0.1:$listen_port
	case $nl$listens$nl in
	*"${nl}00000000$nl"* | *"${nl}0100007F$nl"* | *"${nl}7F000001$nl"*) ;;
	*"${nl}00000000000000000000000000000000$nl"*) ;;
	*)
		found ok LISTEN_PORT "somebody listens on port $listen_port of an address that is not asked"
		return ;;
	esac
	if probe_run smtp-send "--server=$peer" --quit-after=ehlo; then
		found ok LISTEN_PORT "port $listen_port answers"
	else
		found_bad "$class" LISTEN_PORT "$words"
		return
	fi
	probe_domains LISTEN_PORT
}

# probe_domains KEY [OPTION]: does who takes mail there take mail for us?  MAIL and RCPT are
# said, and no letter.
probe_domains() {
	key=$1
	shift
	for node in $domains; do
		node=${node#@}
		case $node in '#'*) continue ;; esac
		if probe_run smtp-send ${1+"$@"} "--server=$peer" -f '<>' --quit-after=rcpt "postmaster@$node"; then
			# this host may send through its MTA, so that takes what is for others, too
			if is_foreign "$node"; then
				found_bad 78 DOMAINS "$node is none of the MTA's own domains: what comes for it is refused, or goes out again"
				mend_domain "$node"
			else
				found ok DOMAINS "$peer takes mail for $node"
			fi
		else
			found_bad "$class" DOMAINS "$peer: postmaster@$node: $words"
			! is_foreign "$node" || mend_domain "$node"
		fi
	done
}

# Is it the MTA of this host that is asked, and does it know that mail for that domain is
# for others?
is_foreign() {
	[ -n "$known" ] || return 1
	case $peer in
	127.0.0.1 | 127.0.0.1:25 | localhost | localhost:25 | "127.0.0.1:$listen_port") ;;
	*) return 1 ;;
	esac
	"takes_$mta" "$1"
	[ $? -eq 1 ]
}

show_probe() {
	finish() { :; }
	guard
	work=$(mktemp -d) || die 74 'no place for a temporary file'
	[ -n "$json" ] || echo "link $link_name, $conf_file"
	probe_files
	probe_which
	probe_queue
	probe_mta
	probe_deliver
	note_anew
	probe_link
	probe_smarthost
	probe_provider
	code=$bad
	# what could not be looked at is not well
	[ "$code" -ne 0 ] || [ -z "$unseen" ] || code=75
	exit "$code"
}
