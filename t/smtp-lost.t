#!/bin/sh
# smtp-send against servers that die behind every 7th octet of what they say or
# hear (SOAK=1: behind each), or refuse at each stage: what was told is what they have.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || skip_all 'no python3'
step=7
[ -z "${SOAK:-}" ] || step=1

lost() { python3 "$top/t/tool/lost.py" "$tmp/q" "$@"; }
mkdir "$tmp/q"
ok 'two servers, refusals at each stage, crowds' lost stages
ok 'a message of several chunks' lost big
for way in bdat data lockstep lmtp refusing worn several; do
	for cut in said heard; do
		ok "$way: dies behind what it $cut" lost "$way $cut" $step
	done
done
done_testing
