#!/bin/sh
# turn-client's target fails, or turn-client is killed, at each step: never a 250 without a
# whole message, never half a message, and what has no 250 comes again.
# shellcheck shell=sh disable=SC2154
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all 'no python3'
STEPS=$tap_built/t/steps.so
export STEPS

fails() { "$top/t/tool/deliverfails.py" "$tmp" "$@"; }
# at_most N COMMAND...: its first line, the second one is empty
at_most() {
	most=$1
	shift
	"$@" >"$tmp/n"
	[ "$(sed -n 1p "$tmp/n")" -le "$most" ] && [ "$(sed 1d "$tmp/n")" = '' ]
}

is 'a Maildir, pipelined' '' fails maildir pipelined
is 'a Maildir, in lock step' '' fails maildir lockstep
is 'a Maildir, without syncfs and renameat2' '' fails maildir pipelined syncfs,renameat2
for kind in smtp lmtp; do
	is "a program that speaks $kind, pipelined" '' fails server pipelined $kind
	is "a program that speaks $kind, in lock step" '' fails server lockstep $kind
done

# Where one sync is relied on for many (src/session/deliver_sync.c), and elsewhere
case $(stat -f -c %t "$tmp" 2>/dev/null) in
ef53|58465342|9123683e|f2f52010|1021994) most=30 ;;
*) most=105 ;;
esac
ok 'a hundred in one piece share their syncs' at_most $most fails syncs pipelined 100
ok 'in lock step each has its own two' at_most 20 fails syncs lockstep 10
done_testing
