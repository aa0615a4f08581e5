#!/bin/sh
# `make demo LINK=slow' says what t/demo/expected-slow says, times and figures aside, and
# leaves nothing behind.  Who is heard first where both sides speak differs from run to
# run: there the lines are sorted.
# shellcheck shell=sh
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all 'root is needed'
[ -c /dev/net/tun ] || skip_all '/dev/net/tun is needed'

TMPDIR=$tmp
export TMPDIR
unset NO_COLOR

sorted() { awk '/^  TIME s  / { fflush(); print | "sort"; next } { close("sort"); print }'; }
exits 'the demo' 0 make -s -C "$top" demo LINK=slow
cp "$tmp/.out" "$tmp/raw"
"$top/t/demo/plain" "$tmp/raw" | sorted >"$tmp/said"
same 'says what it should' "$top/t/demo/expected-slow" "$tmp/said"
exits 'fits a terminal' 1 grep -E '^.{80}' "$tmp/raw"

# left: directories, and processes that know of them
left() {
	find "$tmp" -name 'tidegate-demo.*'
	grep -ls "$tmp/tidegate-demo" /proc/[0-9]*/cmdline /proc/[0-9]*/environ
	for host in gateway provider; do
		[ ! -e "/run/netns/$host" ] || echo "$host"
	done
}
is 'leaves nothing behind' '' left

# A server that does not start: the demo must not call that a success.
mkdir -p "$tmp/build/t"
ln -s "$(dirname "$(command -v queue-list)")" "$tmp/build/bin"
ln -s "$(command -v certs)" "$tmp/build/t/certs"
printf '#!/bin/sh\nexit 1\n' >"$tmp/build/t/sink"
chmod +x "$tmp/build/t/sink"
exits 'a server that does not start is a failure' 1 env BUILD="$tmp/build" "$top/t/demo/slow"
is 'which leaves nothing behind' '' left

# interrupted when the line is up
mkfifo "$tmp/fifo"
perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$top/t/demo/slow" >"$tmp/fifo" 2>&1 &
demo=$!
killed=
while read -r line; do
	case $line in *'somebody calls'*) [ "$killed" ] || { kill -INT "$demo"; killed=1; } ;; esac
done <"$tmp/fifo"
wait "$demo"
is 'interrupted in the middle' '130 1' echo $? $killed
none_left() { [ -z "$(left)" ]; }
ok 'it leaves nothing behind' wait_for none_left
done_testing
