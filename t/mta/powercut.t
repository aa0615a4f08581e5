#!/bin/sh
# The power goes while turn-client receives into a Maildir: whatever has reached the disk by
# then, what was acknowledged is there, and each file in new is whole.
#
# The disk is a file; a copy of it is what is left, and its journal is replayed.
# shellcheck disable=SC2034,SC2154
chroots=''
. "$(dirname "$0")/lib.sh"

command -v mkfs.ext4 >/dev/null || skip_all 'no mkfs.ext4'
STEPS=$tap_built/t/steps.so
export STEPS
mkdir "$tmp/disk" "$tmp/copy"
truncate -s 24M "$tmp/image"
mkfs.ext4 -q "$tmp/image"
mount -o loop "$tmp/image" "$tmp/disk" 2>"$tmp/why" || skip_all "no loop device: $(cat "$tmp/why")"

cuts() { "$top/t/tool/deliverfails.py" "$tmp" powercut "$1" "$tmp/image" ${2+"$2"}; }
is 'pipelined' '' cuts pipelined
is 'in lock step' '' cuts lockstep
is 'pipelined, where there is no syncfs' '' cuts pipelined syncfs
umount "$tmp/disk"
done_testing
