# What gateway-dial, gateway-flush and gateway-etrn share; sourced by them.
#
# A script sets $prog and $about, defines finish() and sources this file, which
# reads the options and the phone book's file and leaves the keys' values in
# variables named like them in small letters ($dial, $send_options ...).
#
# Times inside are tenths of a second by the machine's monotonic clock: the first
# thing that happens on many a line is that the wall clock is set.
#
# gateway.book.sh reads the file, gateway.run.sh has what takes time and may hang.
#
# Not for users, but commented here: $TIDEGATE_PROC and $TIDEGATE_SYS stand for
# /proc and /sys in the tests; $TIDEGATE_SESSION is how gateway-dial tells the
# other two that they are part of a session, and when (on the clock) it ends.
# shellcheck shell=sh disable=SC1090,SC2034,SC2154

version=0.1
proc=${TIDEGATE_PROC:-/proc}
sys=${TIDEGATE_SYS:-/sys}
run_dir=${TIDEGATE_RUN:-/run/tidegate}
lifted=$run_dir/opensmtpd.lifted	# see gateway.pause.sh
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

# went_badly FILE: without dialogues, and what dequeue -v says of mail that went well
went_badly() {
	sed -e '/^ *[0-9][0-9]*\.[0-9][0-9]* *[-<~=*]/d' \
	    -e '/^dequeue: .*: delivered: /d; /^dequeue: .*: relayed: /d' \
	    -e '/^dequeue: [^ ]*: left$/d; /^dequeue: [^ ]*: released$/d' "$1"
}

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

# was_left: by a session that was killed?
was_left() { [ -s "$lifted" ] && is_free "$lifted"; }

# is_free FILE: nobody has it locked
is_free() {
	# shellcheck disable=SC2016
	sh -c 'exec 9<"$1" && exec flock -n 9' - "$1" 2>/dev/null
}

. "${lib%.sh}.book.sh"
. "${lib%.sh}.run.sh"

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
