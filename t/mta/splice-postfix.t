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

# twenty HOW: wait, and go
twenty() {
	chroot "$root" sh -c 'postsuper -d ALL; postfix reload' >"$tmp/reload" 2>&1
	want=
	for i in 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29; do
		submit ann@x.test "u$i@customer.test"
		want="$want${want:+ }u$i@customer.test"
	done
	ok 'twenty wait' wait_for waits_is "$want"
	carry -- --ext=8BITMIME,PIPELINING,CHUNKING
	is "$1: he gets them over one connection, though Postfix opened many" "$want" got
	is "$1: each once" 20 texts
	is "$1: one" 1 connections
	like "$1: in several sessions" 'sessions ([2-9]|[1-9][0-9]) messages 20' cat "$tmp/splice.out"
	ok "$1: none is left" wait_for waits_is ''
}
twenty LMTP
like 'that it was' 'postfix/lmtp.*to=<u29@customer.test>.*status=sent' cat "$root/var/log/postfix.log"
# an administrator who has it speak SMTP
chroot "$root" postconf -F tidegate-splice/unix/command=smtp
chroot "$root" postconf -e smtp_connection_cache_on_demand=no
twenty SMTP
like 'that it was' 'postfix/smtp.*to=<u29@customer.test>.*status=sent' cat "$root/var/log/postfix.log"
diag <"$tmp/splice.err"
done_testing
