#!/bin/sh
# gateway.t once more, by busybox's shell.
if ! busybox ash -c : 2>/dev/null; then
	echo '1..0 # SKIP busybox is not here'
	exit 0
fi
GATEWAY_SH="$(command -v busybox) ash"
export GATEWAY_SH
exec busybox ash "$(dirname "$0")/gateway.t"
