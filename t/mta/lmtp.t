#!/bin/sh
# Dovecot's LMTP at a socket: each recipient has an answer of its own, also after
# the text.
chroots='postfix-auth'
. "$(dirname "$0")/lib.sh"
. "$mta/servers.sh"

serve postfix
serve_lmtp
socket=$tmp/postfix/run/dovecot/lmtp
printf 'Subject: one\n\nhello\n.\n..\nend\n' >"$tmp/one"
{ printf 'Subject: two\n\n'; yes 'this is long' | head -300; } >"$tmp/two"

# send TEXT RECIPIENT...: results in $tmp/results
send() {
	text=$tmp/$1
	shift
	smtp-send --lmtp --results -s "unix:$socket" -f me@sender.test "$@" \
		<"$text" >"$tmp/results"
}
fates() { cut -f2-3 "$tmp/results" | tr '\t' ' ' | sort; }
files() { find "$tmp/postfix/var/mail/$1/new" -type f 2>/dev/null; }
count() { files "$1" | wc -l; }

exits 'two take it' 0 send one alice@mail.test bob@mail.test
is 'and each is told' 'alice@mail.test delivered
bob@mail.test delivered' fates
is 'alice has it' 1 count alice
is 'bob has it' 1 count bob
files alice | head -1 | xargs -r sed '1,/^Subject/d' >"$tmp/have"
sed 1d "$tmp/one" >"$tmp/want"
same 'as it was' "$tmp/want" "$tmp/have"

exits 'one is nobody: 67' 67 send one alice@mail.test nobody@mail.test bob@mail.test
is 'and the others have it all the same' 'alice@mail.test delivered
bob@mail.test delivered
nobody@mail.test failed' fates
is 'alice has two' 2 count alice

exits 'all are nobody: 67' 67 send one nobody@mail.test noone@mail.test
is 'each is told' 'nobody@mail.test failed
noone@mail.test failed' fates

# bob, who has a quota, is refused after the text, and only he
exits 'one is over quota after the text: 69' 69 send two alice@mail.test bob@mail.test \
	alice@d1.test
is 'and only he is' 'alice@d1.test delivered
alice@mail.test delivered
bob@mail.test failed' fates
is 'alice has four' 4 count alice
is 'bob still has two' 2 count bob

# records: one connection for several messages
mkdir -p "$tmp/md/new"
for i in 1 2 3; do
	{ printf 'Return-Path: <s%s@sender.test>\nDelivered-To: alice@mail.test\nDelivered-To: nobody@mail.test\n' $i; cat "$tmp/one"; } \
		>"$tmp/md/new/m$i"
	printf '%s\ts%s@sender.test\talice@mail.test\t%s\n' "$tmp/md/new/m$i" $i nobody@mail.test
done >"$tmp/records"
many() { smtp-send --lmtp --records -s "unix:$socket" <"$tmp/records" >"$tmp/results"; }
exits 'a batch: 67' 67 many
is 'a batch: six results' 'm1 alice@mail.test delivered
m1 nobody@mail.test failed
m2 alice@mail.test delivered
m2 nobody@mail.test failed
m3 alice@mail.test delivered
m3 nobody@mail.test failed' sh -c 'sed "s,^.*/new/,," "$1" | cut -f1-3 | tr "\t" " " | sort' \
	- "$tmp/results"
is 'a batch: alice has seven' 7 count alice
done_testing
