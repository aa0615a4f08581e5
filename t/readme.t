#!/bin/sh
# The first screen of the README: its commands print what stands below them, the
# age of the messages aside.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"

plain() { sed -E "s/ +[0-9]+[smhd]( )/ AGE\\1/; s|/tmp/q|$tmp/q|g" "$1"; }

# block N: command and output of the Nth command, of those indented behind $
block() {
	awk -v want="$1" '
		/^    \$ / { n++ }
		/^[^ ]/ { n += n > 0 ? 100 : 0 }
		n == want && NF { print substr($0, 5) }' "$top/README"
}
says() {
	block "$1" >"$tmp/block"
	head -n 1 "$tmp/block" | sed "s/^\\\$ //; s|/tmp/q|$tmp/q|g; s|^bin/||" >"$tmp/command"
	sed 1d "$tmp/block" >"$tmp/below"
	(cd "$top" && sh "$tmp/command") >"$tmp/printed" 2>&1
	plain "$tmp/below" >"$tmp/below.plain"
	plain "$tmp/printed" >"$tmp/printed.plain"
	same "$(cat "$tmp/command")" "$tmp/below.plain" "$tmp/printed.plain"
}
is 'the first is make demo' '$ make demo' sh -c 'printf "%s\n" "$1" | head -n 1' - "$(block 1)"
is 'which ends as it says' "$(tail -n 1 "$top/t/demo/expected")" sh -c 'printf "%s\n" "$1" | tail -n 1' - "$(block 1)"
for n in 2 3 4; do says $n; done
ok 'the last one printed something' test -s "$tmp/printed"
done_testing
