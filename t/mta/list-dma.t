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
unprivileged told
untouched
# whoever was put off sleeps for five minutes: these are taken away by hand
pkill -x dma
find "$root$spool" -type f -delete
open_hop
churn 500
drained 500
close_hop
done_testing
