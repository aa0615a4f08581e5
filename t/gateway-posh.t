#!/bin/sh
# The gateway's scripts by posh.
. "$(dirname "$0")/lib.sh"
. "$top/t/shells.sh"
under gateway posh
