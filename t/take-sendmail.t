#!/bin/sh
# dequeue on a copied Sendmail queue: what becomes of its files.
# shellcheck disable=SC2154,SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/take.sh"

"$top/t/samples/unpack" "$tmp/samples" sendmail || exit 1
take_kind=sendmail take_from=$tmp/samples/sendmail/groups/spool
takes_by_domain later.example
take_from=$tmp/samples/sendmail/default/spool
takes_by_domain later.example

# ---- what Sendmail finds ----
take_fresh
id=$(queue-list --spool=sendmail:"$take_dir" -j | perl -MJSON::PP -ne '
	$m = decode_json($_); print "$m->{queue_id}\n" if @{$m->{recipients}} > 3' | head -1)
qf=$(find "$take_dir" -name "qf$id")
cp "$qf" "$tmp/was"
chmod 640 "$qf"
perl -ne 'print "$1\n" if /^R[^:]*:<(.*)>/' "$tmp/was" >"$tmp/rcpts"
first=$(head -n 1 "$tmp/rcpts")
exits 'one of several' 0 dequeue --spool=sendmail:"$take_dir" "$id" -r "$first" -- sh -c '
	while read -r ref rest; do printf "%s\t*\tdelivered\t2.0.0\tok\n" "$ref"; done'
perl -ne '$s ||= /^S/; if ($s && /^[MCQr]/) { $g .= $_ } elsif ($s && /^R/) { print "$g$_" if $n++; $g = "" }
	else { print $g, $_; $g = "" }' "$tmp/was" >"$tmp/want"
same 'its lines are gone, all others are as they were' "$tmp/want" "$qf"
is 'so is the mode' 640 stat -c %a "$qf"
exits 'the next one is put off' 75 dequeue --spool=sendmail:"$take_dir" "$id" \
	-r "$(sed -n 2p "$tmp/rcpts")" -- sh -c '
	while read -r ref rest; do printf "%s\t*\tdeferred\t4.2.1\tmx.test: 451 4.2.1 come\\\\x0aR:<evil@x>\n" "$ref"; done'
like 'his reason is a line' '^MDeferred: mx.test: 451 4.2.1 come R:<evil@x>$' cat "$qf"
is 'nobody came by it' "$(($(wc -l <"$tmp/rcpts") - 1))" grep -c '^R' "$qf"
was=$(sed -n 's/^N//p' "$tmp/was")
is 'one try more' "N$((was + 1))" grep '^N' "$qf"
like 'and it is listed' 'come R:' queue-list --spool=sendmail:"$take_dir" "$id" -F %R
exits 'the rest' 0 dequeue --spool=sendmail:"$take_dir" "$id" -- sh -c '
	while read -r ref rest; do printf "%s\t*\tdelivered\t2.0.0\tok\n" "$ref"; done'
is 'takes the message with it' '' find "$take_dir" -name "*$id"

# ---- somebody else has it ----
take_fresh
qf=$(find "$take_dir" -name "qf$id")
python3 - "$qf" "$tmp/locked" "$tmp/done" <<'END' &
import fcntl, os, sys, time
fcntl.lockf(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX)
open(sys.argv[2], "w").close()
while not os.path.exists(sys.argv[3]):
    time.sleep(.02)
END
wait_for test -e "$tmp/locked"
like 'a lock of fcntl: busy' 'busy 1' dequeue --spool=sendmail:"$take_dir" "$id" -v -- true
: >"$tmp/done"
wait
like 'a lock of flock: busy' 'busy 1' flock "$qf" "$tap_built/bin/dequeue" \
	--spool=sendmail:"$take_dir" "$id" -v -- true
: >"$(dirname "$qf")/tidegate.qf$id"
: >"$(dirname "$qf")/tidegate.qf6AN0000000000001"
exits 'a half-written file that a crash left' 0 dequeue --spool=sendmail:"$take_dir" "$id" -- sh -c '
	while read -r ref rest; do printf "%s\t*\tdelivered\t2.0.0\tok\n" "$ref"; done'
is 'does no harm' '' find "$take_dir" -name "*$id"
is 'nor does that of a message that has gone' '' find "$take_dir" -name 'tidegate*'

# ---- what cannot be marked at once ----
take_fresh
qf=$(find "$take_dir" -name "qf$id")
mkdir "$(dirname "$qf")/tidegate.qf$id"
exits 'no new qf can be written: told' 74 dequeue --spool=sendmail:"$take_dir" "$id" -- sh -c '
	while read -r ref rest; do printf "%s\t*\tdelivered\t2.0.0\tok\n" "$ref"; done'
is 'but who has it is not asked again: all have it, it goes' '' find "$take_dir" -name "[qd]f$id"
take_fresh
mkdir "$(dirname "$qf")/tidegate.qf$id"
exits 'the last one is put off, and the file can be written then' 75 dequeue --timeout=20s --spool=sendmail:"$take_dir" "$id" -- sh -c '
	IFS=$take_tab read -r ref sender rcpts
	set -f; IFS=$take_tab; set -- $rcpts
	while [ $# -gt 1 ]; do printf "%s\t%s\tdelivered\t2.0.0\tok\n" "$ref" "$1"; shift; done
	until grep -q "not marked" "$0"; do :; done
	rmdir "${ref%/*}/tidegate.${ref##*/}"
	printf "%s\t%s\tdeferred\t4.2.1\t451 later\n" "$ref" "$1"' "$tmp/.err"
is 'he alone waits' "$(tail -n 1 "$tmp/rcpts")" sh -c \
	'queue-list --spool=sendmail:"$take_dir" "$1" --records | cut -f3- | tr "\t" "\n"' - "$id"
exits 'its MTA is not here' 69 dequeue --spool=sendmail:"$take_dir" --hold --all
done_testing
