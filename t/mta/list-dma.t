#!/bin/sh
# What waits in a real dma, beside dma -bp, at rest and while mail moves.
# shellcheck disable=SC2034
chroots=dma
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=dma spool=/var/spool/dma
list_root
printf 'SMARTHOST 127.0.0.1\nPORT 2599\nMAILNAME mx.test\n' >"$root/etc/dma/dma.conf"
told() {
	chroot "$root" dma -bp | perl -ne '
		$id = $1 if /^ID\s*: (.*)$/;
		$from = $1 eq "" ? "-" : $1 if /^From\s*: (.*)$/;
		print "$id $from $1\n" if /^To\s*: (.*)$/' | sort
}
run() { :; }

submit ann@x.test bob@later.test carla@later.test
submit eve@x.test held@later.test
wait_for many 3
at_rest 3
unprivileged listed
# `dma -bp' says nothing of sizes and times: what needs them is not to be had
nobody() {
	in_chroot - "$root" setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
nobody_lists() {
	nobody queue-list -j "$@" >"$tmp/.json" || return
	python3 "$mta/list.py" lines <"$tmp/.json"
}
ours >"$tmp/.ours"
nobody_lists >"$tmp/.theirs"
same 'dma: without rights: the same' "$tmp/.ours" "$tmp/.theirs"
hides() { ! grep -E 'arrival_time|message_size' "$tmp/.json"; }
ok 'dma: without rights: what is not known is left out' hides
ours_refs() { queue-list --spool="$kind:$root$spool" | sed "s,^$root,," | sort; }
ours_refs >"$tmp/.refs"
nobody queue-list | sort >"$tmp/.theirs"
same 'dma: without rights: the same refs' "$tmp/.refs" "$tmp/.theirs"
is 'dma: without rights: a count' 3 nobody queue-list --count
id=$(awk '/held@/ { print $1 }' "$tmp/.ours")
is 'dma: without rights: one by its ID' held@later.test nobody queue-list -F %r "$id"
is 'dma: without rights: one by its ref' held@later.test \
	nobody queue-list -F %r "$spool/Q$id"
is 'dma: without rights: no size, no age' '- - held@later.test' \
	nobody queue-list -r 'held@*' -F '%s %a %r'
like 'dma: without rights: a table without a sum' '^3 messages$' nobody queue-list -l
for list_how in --summary --summary-by=domain --sort=age --sort=size --older=1s \
	--newer=1d --larger=1 --smaller=1M --why; do
	exits "dma: without rights: $list_how cannot be told" 77 nobody queue-list $list_how
done
exits 'dma: without rights: --check cannot be told' 3 nobody queue-list --check --warn=1
untouched
# whoever was put off sleeps for five minutes: these are taken away by hand
pkill -x dma
find "$root$spool" -type f -delete
is 'dma: without rights: nothing waits' 0 nobody queue-list --count
open_hop
churn 500
drained 500
close_hop
done_testing
