#!/bin/sh
# A real Sendmail with exactly what --print-config printed, spliced to a customer.
# shellcheck disable=SC2034
chroots=sendmail
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/isp.sh"

kind=sendmail spool=/var/spool/mqueue other_splice=127.0.0.2:625
list_root
. "$mta/splice.sh"
isp_sendmail
export LIST_SERVER=127.0.0.1:2598
wait_for smtp-send -s $LIST_SERVER --quit-after=ehlo 2>/dev/null
run_queue() { chroot "$root" sendmail -Am -q; }
splice_tests
empty() { in_chroot - "$root" dequeue --remove -y --whole --all; }
twenty LMTP
like 'a few runs share them, and each a session' ' [2-4] messages 20' cat "$tmp/splice.out"
like 'that it was' '^Mdsmtp,.*F=[^,]*z' cat "$root/etc/mail/sendmail.cf"
diag <"$tmp/splice.err"
done_testing
