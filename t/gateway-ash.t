#!/bin/sh
# The gateway's scripts by busybox's shell.
. "$(dirname "$0")/lib.sh"
. "$top/t/shells.sh"
under 'gateway-due gateway-status gateway-probe' busybox ash
