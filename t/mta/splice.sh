# What the tests of the splice have in common; sourced after list.sh, with $root and the
# MTA in it, configured with what `turn-server --print-config' prints: $printed.
#
#	carry OPTION... -- SINK-OPTION...	the customer has turned: what waits for
#						him comes into $tmp/md
#	release DOMAIN				the MTA is told, by dequeue; --whole, since each
#						recipient goes his own way
#
# shellcheck shell=sh disable=SC2154

command -v turn-server >/dev/null || skip_all 'turn-server is not there'
cat >"$tmp/customers" <<-END
	cust: customer.test @sub.test splice=127.0.0.1:625 from=192.0.2.7
	other: other.test splice=$other_splice
END
chmod 600 "$tmp/customers"
turn-server --customers="$tmp/customers" --print-config="$kind" >"$tmp/printed" ||
	bail 'nothing was printed'

release() {
	in_chroot - "$root" dequeue --whole -d "$1" >"$tmp/released" 2>&1
}
{
	echo '#!/bin/sh'
	echo "root='$root'; enter='$enter'"
	# shellcheck disable=SC2016
	echo 'for d in customer.test @sub.test; do unshare --mount sh -c "$enter" "$root" dequeue --whole -d $d; done'
} >"$tmp/release"
chmod +x "$tmp/release"

carry() {
	own=
	while [ "$1" != -- ]; do own="$own $1"; shift; done
	shift
	rm -rf "$tmp/md"
	: >"$tmp/log"
	# what is being tried just then is not released
	wait_for in_peace "$kind:$root$spool"
	# shellcheck disable=SC2086
	timeout 120 splice --first=30000 --quiet=${quiet:-9000} --deadline=100000 $own \
		--release="$tmp/release" --listen=127.0.0.1:625 \
		--domains='customer.test @sub.test' \
		sink --stdio --log="$tmp/log" --maildir="$tmp/md" "$@" \
		>"$tmp/splice.out" 2>"$tmp/splice.err"
}
got() { awk '$1 == "RCPT" { print $2 }' "$tmp/log" | tr -d "<>" | sort | paste -sd ' ' -; }
texts() { find "$tmp/md/new" -type f | wc -l | tr -d ' '; }
waits() { queue-list --spool="$kind:$root$spool" -F '%r' | tr ' ' '\n' | sort | paste -sd ' ' -; }
waits_is() { [ "$(waits)" = "$1" ]; }
connections() { grep -c '^CONNECT' "$tmp/log"; }

splice_tests() {
	for i in 1 2 3 4 5; do submit ann@x.test "u$i@customer.test"; done
	submit ann@x.test v@deep.sub.test
	submit ann@x.test "both@customer.test" w@other.test
	submit ann@x.test x@other.test
	all='both@customer.test u1@customer.test u2@customer.test u3@customer.test u4@customer.test u5@customer.test v@deep.sub.test w@other.test x@other.test'
	ok 'all of it is queued' wait_for waits_is "$all"
	run_queue
	is 'and stays when the queue is run' "$all" waits

	exits 'the customer turns, a queue run for another meanwhile' 0 meanwhile
	is 'he gets his mail' 'both@customer.test u1@customer.test u2@customer.test u3@customer.test u4@customer.test u5@customer.test v@deep.sub.test' got
	is 'each once' 7 texts
	is 'over one connection' 1 connections
	like 'all of it carried' 'messages 7 refused 0' cat "$tmp/splice.out"
	ok "the other's stays" wait_for waits_is 'w@other.test x@other.test'

	submit ann@x.test no@customer.test
	submit ann@x.test later@customer.test
	submit ann@x.test yes@customer.test
	wait_for waits_is 'later@customer.test no@customer.test w@other.test x@other.test yes@customer.test'
	carry -- --refuse='no@*:550 5.1.1 nobody' --refuse='later@*:451 4.2.1 later'
	is 'one is taken' 1 texts
	ok 'one comes later, one went back' wait_for later_stays

	submit ann@x.test lost@customer.test
	wait_for wait_has lost@customer.test
	carry -- --drop-at=DOT
	like 'he is lost at the end of the text' 'closed the connection|Connection reset' cat "$tmp/splice.err"
	ok 'the MTA keeps it' wait_for wait_has lost@customer.test
	carry --
	like 'and he gets it the next time' 'lost@customer.test' got
}
wait_has() { waits | grep -qw "$1"; }
later_stays() { wait_has later@customer.test && ! wait_has no@customer.test && ! wait_has yes@customer.test; }
meanwhile() {
	carry -- &
	meanwhile_pid=$!
	wait_for grep -q '^MAIL' "$tmp/log"
	release other.test
	run_queue
	wait $meanwhile_pid
}

# twenty HOW: wait, and go; `empty' leaves nothing else in the queue
twenty() {
	empty >"$tmp/emptied" 2>&1
	want=
	for i in 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29; do
		submit ann@x.test "u$i@customer.test"
		want="$want${want:+ }u$i@customer.test"
	done
	ok 'twenty wait' wait_for waits_is "$want"
	carry -- --ext=8BITMIME,PIPELINING,CHUNKING
	is "$1: he gets them over one connection, though the MTA opened many" "$want" got
	is "$1: each once" 20 texts
	is "$1: one" 1 connections
	like "$1: in several sessions" 'sessions ([2-9]|[1-9][0-9]) messages 20' cat "$tmp/splice.out"
	ok "$1: none is left" wait_for waits_is ''
}
