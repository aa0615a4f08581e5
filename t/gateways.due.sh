# A link whose programs are fakes and whose clock is ours: for gateway-due.t and
# gateway-status.t.  Sourced after gateways.sh.
# shellcheck shell=sh disable=SC2016,SC2154
umask 022
mkdir "$tmp/fake" "$tmp/do" "$tmp/c"
T=$tmp
PATH=$tmp/fake:$gateways:$PATH
TIDEGATE_RUN=$tmp/run TIDEGATE_STATE=$tmp/state TIDEGATE_LOG=$tmp/sessions.log TZ=UTC
export T PATH TIDEGATE_RUN TIDEGATE_STATE TIDEGATE_LOG TZ
for fake in dequeue queue-list sendmail; do
	cat >"$tmp/fake/$fake" <<-'END'
	#!/bin/sh
	name=${0##*/}
	echo "$name $*" >>"$T/calls"
	[ "$name" != sendmail ] || cat >>"$T/letters"
	[ ! -e "$T/do/$name" ] || . "$T/do/$name"
	END
	chmod +x "$tmp/fake/$fake"
done
conf() {
	printf '%s\n' "DIAL=echo dial >>$tmp/calls" SEND=release RETRIEVE=none SPOOL=postfix "$@" >"$tmp/c/isp.conf"
	rm -rf "$tmp/state"
}
waits() { printf '%s\n' "$@" >"$tmp/ages"; echo 'cat "$T/ages"' >"$tmp/do/queue-list"; }
works() { echo 'echo "released 1, left 1, stayed 0, busy 0, changed 0" >&2' >"$tmp/do/dequeue"; }
fails() { printf '%s\n' 'echo "dequeue: 192.0.2.1:25: connect: Connection timed out" >&2' 'exit 75' >"$tmp/do/dequeue"; }
# at SECONDS OPTION...: gateway-dial by that clock; said: how often it dialled
at() {
	TIDEGATE_NOW=$1
	export TIDEGATE_NOW
	shift
	: >"$tmp/calls"
	gateway-dial "--config=$tmp/c/isp.conf" "$@" isp
}
# due SECONDS: dials, or not, and says nothing
due() {
	at "$1" --due >"$tmp/said" 2>&1
	due_code=$?
	cat "$tmp/said"
	[ $due_code -eq "${2:-0}" ] || echo "status $due_code"
	dials
}
dials() { grep -c '^dial$' "$tmp/calls" || :; }
# last COMMAND...: the last line of what it says
last() { "$@" 2>/dev/null | tail -n 1; }
T0=1795600000	# Wed Nov 25 09:46:40 UTC 2026
