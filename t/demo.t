#!/bin/sh
# `make demo' says what t/demo/expected says, times, names and ports aside, and
# leaves nothing behind.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"

TMPDIR=$tmp
export TMPDIR
unset NO_COLOR

exits 'the demo' 0 "$top/t/demo/session"
cp "$tmp/.out" "$tmp/raw"
"$top/t/demo/plain" "$tmp/raw" >"$tmp/said"
same 'says what it should' "$top/t/demo/expected" "$tmp/said"
exits 'fits a terminal' 1 grep -E '^.{80}' "$tmp/raw"
left() { find "$tmp" -name 'tidegate-demo.*'; }
is 'leaves nothing behind' '' left

# A server that refuses: the demo must not call that a success.
mkdir -p "$tmp/build/t"
real=$(command -v sink)
ln -s "$(dirname "$(command -v queue-list)")" "$tmp/build/bin"
cat >"$tmp/build/t/sink" <<END
#!/bin/sh
exec "$real" '--refuse=bob@*:550 5.1.1 no such user' "\$@"
END
chmod +x "$tmp/build/t/sink"
exits 'a letter that does not arrive is a failure' 1 env BUILD="$tmp/build" "$top/t/demo/session"
is 'which leaves nothing behind' '' left

# ended as soon as it says the word: it must not be over before
mkfifo "$tmp/fifo"
"$top/t/demo/session" >"$tmp/fifo" 2>&1 &
demo=$!
killed=
while read -r line; do
	case $line in *gateway-dial*) [ "$killed" ] || { kill "$demo"; killed=1; } ;; esac
done <"$tmp/fifo"
wait "$demo"
is 'ended in the middle' 143 echo $?
is 'it leaves nothing behind' '' left
done_testing
