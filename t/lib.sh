# The tests' own vocabulary, in TAP: sourced by every t/*.t.
#
#	is NAME WANT COMMAND...		stdout is WANT, exit status 0
#	like NAME ERE COMMAND...	stdout and stderr together match ERE
#	exits NAME STATUS COMMAND...	exit status is STATUS
#	same NAME FILE FILE		the files are alike
#	ok NAME COMMAND...		COMMAND succeeds
#	wait_for COMMAND...		until COMMAND succeeds, at most two minutes
#	listens PATH			somebody does, at the socket PATH; for wait_for
#	as_other COMMAND...		as somebody else, when we are root
#	skip_all WHY			nothing here can run
#
# $tmp is a directory that goes away; the programs are on PATH; $top is the
# project.  A failure shows the command, its status, its output and the
# difference.
# shellcheck shell=sh

set -u
top=$(cd "$(dirname "$0")/.." && while [ ! -d src ]; do cd ..; done; pwd)
case ${BUILD:=build} in /*) tap_built=$BUILD ;; *) tap_built=$top/$BUILD ;; esac
# python3 itself: a version manager's script before it takes longer than most of ours
case $(command -v python3) in
*/shims/*) PATH=$(python3 -c 'import os, sys; print(os.path.dirname(sys.executable))'):$PATH ;;
esac
PATH=$tap_built/bin:$tap_built/t:$top/bin:$PATH
export PATH top LC_ALL=C
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tidegate.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
tap_n=0 tap_bad=0
# `like` and pipelines do not see a sanitizer's exit status; its report is seen.
export ASAN_OPTIONS="log_path=$tmp/.sanitizer${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="log_path=$tmp/.sanitizer:print_stacktrace=1"

tap_ok() { tap_n=$((tap_n + 1)); echo "ok $tap_n - $1"; }

# tap_not NAME: the command's traces lie in $tmp/.out, .err and .diff
tap_not() {
	tap_n=$((tap_n + 1)) tap_bad=$((tap_bad + 1))
	echo "not ok $tap_n - $1"
	shift
	echo "# command: $*"
	echo "# status: $tap_code"
	for tap_f in diff out err; do
		[ ! -s "$tmp/.$tap_f" ] || sed "s/^/# $tap_f: /" "$tmp/.$tap_f" | head -60
	done
	return 0
}

tap_run() {
	: >"$tmp/.diff"
	"$@" >"$tmp/.out" 2>"$tmp/.err"
	tap_code=$?
	return 0
}

is() {
	tap_name=$1 tap_want=$2
	shift 2
	tap_run "$@"
	[ -z "$tap_want" ] && : >"$tmp/.want" || printf '%s\n' "$tap_want" >"$tmp/.want"
	if diff -u "$tmp/.want" "$tmp/.out" >"$tmp/.diff" && [ $tap_code -eq 0 ]
	then tap_ok "$tap_name"; else tap_not "$tap_name" "$@"; fi
}

like() {
	tap_name=$1 tap_want=$2
	shift 2
	tap_run "$@"
	if cat "$tmp/.out" "$tmp/.err" | grep -Eq -e "$tap_want"
	then tap_ok "$tap_name"; else echo "wanted: $tap_want" >"$tmp/.diff"; tap_not "$tap_name" "$@"; fi
}

exits() {
	tap_name=$1 tap_want=$2
	shift 2
	tap_run "$@"
	if [ "$tap_code" = "$tap_want" ]
	then tap_ok "$tap_name"; else echo "wanted status $tap_want" >"$tmp/.diff"; tap_not "$tap_name" "$@"; fi
}

same() {
	tap_code=0
	: >"$tmp/.out"; : >"$tmp/.err"
	if diff -u "$2" "$3" >"$tmp/.diff" 2>&1
	then tap_ok "$1"; else tap_not "$1" diff "$2" "$3"; fi
}

ok() {
	tap_name=$1
	shift
	tap_run "$@"
	if [ $tap_code -eq 0 ]; then tap_ok "$tap_name"; else tap_not "$tap_name" "$@"; fi
}

# A condition, not a nap: looks every 50 ms, and after a while less often, for looking costs
# what is waited for its time.  It gives up by the clock, not by how often it looked, and
# late: who waits so long has failed, however slow the machine.
wait_for() {
	tap_until=$(($(date +%s) + 120)) tap_looks=0
	until "$@" >/dev/null 2>&1; do
		tap_looks=$((tap_looks + 1))
		case $tap_looks in
		? | 1?) sleep .05 ;;
		*0) [ "$(date +%s)" -le $tap_until ] || { echo "# in vain: wait_for $*" >&2; return 1; } ;;
		*) sleep .1 ;;
		esac
	done
}

# Its name comes before: then nobody can connect yet.  Processes in a chroot say theirs.
listens() { grep -q " 00010000 .*$1\$" /proc/net/unix; }

as_other() {
	if [ "$(id -u)" = 0 ]
	then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi
}

skip_all() { echo "1..0 # SKIP $*"; exit 0; }

done_testing() {
	for tap_f in "$tmp"/.sanitizer.*; do
		[ -s "$tap_f" ] || continue
		tap_bad=$((tap_bad + 1))
		sed 's/^/# /' "$tap_f" | head -40
	done
	echo "1..$tap_n"
	[ $tap_bad -eq 0 ]
}
