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

# an administrator who left out what is printed about connections
chroot "$root" sh -c 'postconf -e tidegate_destination_concurrency_limit=20 smtp_connection_cache_destinations= smtp_connection_cache_on_demand=no
	postsuper -d ALL; postfix reload' >"$tmp/reload" 2>&1
want=
for i in 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29; do
	submit ann@x.test "u$i@customer.test"
	want="$want${want:+ }u$i@customer.test"
done
ok 'twenty wait' wait_for waits_is "$want"
carry --
is 'he gets them over one connection, though Postfix opened many' "$want" got
is 'each once' 20 texts
is 'one' 1 connections
like 'many sessions' 'sessions 20 messages 20' cat "$tmp/splice.out"
ok 'none is left' wait_for waits_is ''
diag <"$tmp/splice.err"
done_testing
