#!/bin/sh
# smtp-send against servers, readers and files with bad habits, and against chance
# (SOAK=1: more of it).
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"

command -v python3 >/dev/null || skip_all 'no python3'
faults() { mkdir -p "$tmp/$1" && python3 "$top/t/tool/faults.py" "$tmp/$1" "$@"; }
ok 'more messages under way than files may be open' faults descriptors
ok 'a server that counts our connections' faults counted
ok 'more destinations than connections' faults crowd
ok 'nobody reads the results: a signal and the deadline still end it' faults reader
ok 'a text, a child and a command without end: a signal ends it' faults endless
ok 'a server that stops reading costs one timeout' faults deaf
ok 'a text that changes after it was looked at is not sent' faults changed
ok 'a server that goes on behind a refused RSET gets nothing twice' faults refused_reset
ok 'what one server offers is not asked of another' faults promises
ok '--quit-after=rcpt: one too many is not accepted' faults probed
many='1 2 3 4 5 6 7 8 9 10 11 12'
[ -z "${SOAK:-}" ] || many=$(seq 1 300)
# shellcheck disable=SC2086
ok 'chance' faults soak $many
done_testing
