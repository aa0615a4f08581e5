#!/bin/sh
# A real Postfix with exactly what --print-config printed, spliced to a customer.
# shellcheck disable=SC2034
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/isp.sh"

kind=postfix spool=/var/spool/postfix other_splice=127.0.0.1:626
list_root
. "$mta/splice.sh"
isp_postfix
is 'Postfix finds nothing wrong' '' chroot "$root" sh -c 'postconf 2>&1 >/dev/null; postfix check 2>&1'
# as qmgr's timer does it
run_queue() {
	chroot "$root" perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new("/var/spool/postfix/public/qmgr") or die; print $s "D"'
}
splice_tests

empty() { chroot "$root" sh -c 'postsuper -d ALL; postfix reload'; }
twenty LMTP
like 'that it was' 'postfix/lmtp.*to=<u29@customer.test>.*status=sent' cat "$root/var/log/postfix.log"
# an administrator who has it speak SMTP
chroot "$root" postconf -F tidegate-splice/unix/command=smtp
chroot "$root" postconf -e smtp_connection_cache_on_demand=no
twenty SMTP
like 'that it was' 'postfix/smtp.*to=<u29@customer.test>.*status=sent' cat "$root/var/log/postfix.log"
diag <"$tmp/splice.err"
done_testing
