#!/bin/sh
# The gateway's scripts by yash.
. "$(dirname "$0")/lib.sh"
. "$top/t/shells.sh"
under gateway yash
