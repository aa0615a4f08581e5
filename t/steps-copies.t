#!/bin/sh
# Drains of copied dma, Courier and qmail queues and of an mbox, killed and failing at
# each of their steps.
# shellcheck disable=SC2034
. "${0%/*}/lib.sh"
. "${0%/*}/steps.sh"

"$top/t/samples/unpack" "$tmp/samples" dma courier
# ids KIND N: messages with so many recipients at least
ids() {
	queue-list --spool="$1:$steps_from" -j --state=deferred | perl -MJSON::PP -ne '
		BEGIN { $n = shift } $m = decode_json($_);
		print "$m->{ref}\n" if @{$m->{recipients}} >= $n' "$2" | sort | head -n 3 |
		sed 's,.*/Q*,,' | paste -sd ' '
}

steps_every=3
steps_kind=dma steps_from=$tmp/samples/dma/default/spool
steps_ids="$(ids dma 1) 294e60.55a14374e1f0"
at_each_step dma

steps_kind=courier steps_from=$tmp/samples/courier/default/spool
steps_ids=$(ids courier 3)
at_each_step courier

steps_kind=qmail steps_from=$tmp/qmail
for n in 26 49 72 95; do
	for what in mess info local remote; do mkdir -p "$tmp/qmail/$what/3"; done
	printf 'Subject: x\n\nhi\n' >"$tmp/qmail/mess/3/$n"
	printf 'Fann@x.test\0' >"$tmp/qmail/info/3/$n"
	printf 'Tann@y.test\0Tcarla@y.test\0' >"$tmp/qmail/remote/3/$n"
	printf 'Tdaniel@here.test\0' >"$tmp/qmail/local/3/$n"
done
printf 'Tbob@late.test\0' >>"$tmp/qmail/remote/3/49"
printf 'Tdaniella@here.test\0' >>"$tmp/qmail/local/3/72"
steps_ids='26 49 72'
at_each_step qmail

mkdir "$tmp/mbox"
for rcpts in 'ann@y.test carla@y.test' 'dan@y.test daniel@here.test bob@late.test daniella@here.test' \
	'dana@y.test'; do
	printf 'From ann@x.test Thu Nov 26 10:00:00 2026\nReturn-Path: <ann@x.test>\n'
	printf 'Delivered-To: %s\n' $rcpts
	printf 'Subject: x\n\nhi\n\n'
done >"$tmp/mbox/box"
steps_kind=mbox steps_from=$tmp/mbox steps_file=/box steps_ids=--all steps_every=1
at_each_step mbox
done_testing
