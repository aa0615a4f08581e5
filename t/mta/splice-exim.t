#!/bin/sh
# A real Exim with exactly what --print-config printed, spliced to a customer.
# shellcheck disable=SC2034
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/isp.sh"

kind=exim spool=/var/spool/exim4 other_splice=127.0.0.1:626
list_root
. "$mta/splice.sh"
isp_exim
is 'Exim finds nothing wrong' '' sh -c 'chroot "$0" exim4 -bV 2>&1 >/dev/null' "$root"
run_queue() { chroot "$root" exim4 -q; }
splice_tests
empty() { queue-list --spool="exim:$root$spool" --ids | xargs -r chroot "$root" exim4 -Mrm; }
twenty LMTP
like 'that it was' '=> u29@customer.test .*T=tidegate_splice ' cat "$root/var/log/exim4/mainlog"
diag <"$tmp/splice.err"
done_testing
