#!/bin/sh
# Every option of --help stands in the program's page, and every page is there.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"

options() {
	"$1" --help | sed -n 's/^  *\(-[^ ,]*, \)*\(--[a-z0-9-]*\).*/\2/p' | sort -u
}
# An option that begins another one's name has to stand there by itself.
missing() {
	mandoc -T ascii "$top/man/$1.1" | perl -pe 's/.\010//g' >"$tmp/page"
	options "$1" | while read -r o; do
		grep -Eq -e "(^|[^a-z-])$o([^a-z-]|\$)" "$tmp/page" || echo "$o"
	done
}
for tool in queue-list queue-cat smtp-send etrn-request dequeue msg-sizecheck turn-client turn-server gateway-dial \
	gateway-flush gateway-etrn; do
	is "$tool: its page tells all options" '' missing $tool
	like "$tool --help names its operands" "^Usage: $tool " $tool --help
	is "$tool --version" "$tool (Tidegate) 0.1" $tool --version
	like "$tool: exit statuses" 'EXIT STATUS' cat "$tmp/page"
done
for page in gateway.conf.5 tidegate-records.5 tidegate.7 tidegate-setup.7; do
	ok "$page is well formed" mandoc -T lint -W warning "$top/man/$page"
done
done_testing
