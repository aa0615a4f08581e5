#!/bin/sh
# Queue files that were made to fill our memory or to stop us.
. "$(dirname "$0")/lib.sh"

most=250000
# tells KIND FILE: a crowd is told by the file's name, and nothing of it is shown
tells() {
	exits "$1: 65" 65 queue-list --spool="$1:$tmp/$1" --ids
	queue-list --spool="$1:$tmp/$1" --ids 2>"$tmp/err" >"$tmp/out"
	ok "$1: the file is named" grep -qF "$2: more than $most recipients" "$tmp/err"
	ok "$1: nothing is shown" sh -c '! grep -v "^!" "$1"' - "$tmp/out"
}

mkdir -p "$tmp/nullmailer/queue" "$tmp/nullmailer/tmp"
perl -e 'print "s\@x.test\n", "a\n" x (shift() + 1), "\nx\n"' $most >"$tmp/nullmailer/queue/1700000000.1"
tells nullmailer "$tmp/nullmailer/queue/1700000000.1"
perl -e 'print "s\@x.test\n", "a\n" x shift, "\nx\n"' $most >"$tmp/nullmailer/queue/1700000000.1"
is 'as many as that are shown' $most sh -c \
	'queue-list --spool="nullmailer:$1" -F %r | wc -w | tr -d " "' - "$tmp/nullmailer"

mkdir -p "$tmp/sendmail"
perl -e 'print "V8\nT1700000000\nK0\nN0\nP1\nS<s\@x.test>\n", "R<a>\n" x (shift() + 1), ".\n"' \
	$most >"$tmp/sendmail/qf6AQLYwBR000067"
: >"$tmp/sendmail/df6AQLYwBR000067"
tells sendmail "$tmp/sendmail/qf6AQLYwBR000067"

mkdir -p "$tmp/courier/msgs/1" "$tmp/courier/msgq/1"
perl -e 'print "ss\@x.test\nM0000000000000001.0000000000000002.00000001\n", "ra\n" x (shift() + 1)' \
	$most >"$tmp/courier/msgs/1/C4711"
: >"$tmp/courier/msgs/1/D4711"
ln "$tmp/courier/msgs/1/C4711" "$tmp/courier/msgq/1/C4711.1700000000"
tells courier "$tmp/courier/msgs/1/C4711"

for dir in mess/1 info/1 remote/1 local todo intd bounce; do mkdir -p "$tmp/qmail/$dir"; done
: >"$tmp/qmail/mess/1/1"
printf 'Fs@x.test\0' >"$tmp/qmail/info/1/1"
perl -e 'print "Ta\0" x (shift() + 1)' $most >"$tmp/qmail/remote/1/1"
tells qmail "$tmp/qmail/mess/1/1"

for dir in incoming active deferred hold maildrop defer corrupt; do mkdir -p "$tmp/postfix/$dir"; done
perl -e 'print "C", chr 95, sprintf("%15d " x 5 . "%15d", 5, 0, 1, 0, 5, 0),
	"T\014", "1700000000 0", "S\010s\@x.test", "R\001a" x (shift() + 1),
	"M\0N\001xX\0E\0"' $most >"$tmp/postfix/deferred/ABCDE12345"
chmod 700 "$tmp/postfix/deferred/ABCDE12345"
tells postfix "$tmp/postfix/deferred/ABCDE12345"

# ---- a Maildir, where one address is one recipient

mkdir -p "$tmp/maildir/new" "$tmp/maildir/cur" "$tmp/maildir/tmp" "$tmp/maildir/tidegate.claimed"
perl -e 'print "Return-Path: <s\@x.test>\n"; printf "Delivered-To:%x\@y\n", $_ for 0 .. 99999, 5, 5;
	print "\nx\n"' >"$tmp/maildir/new/1700000000.1.x"
is 'maildir: each once' 100000 sh -c \
	'queue-list --spool="maildir:$1" -F %r | wc -w | tr -d " "' - "$tmp/maildir"
mv "$tmp/maildir/new/1700000000.1.x" "$tmp/maildir/tidegate.claimed"
perl -e 'printf "%x\@y\n", $_ for 1 .. 99999; print "0\@"' >"$tmp/maildir/tidegate.claimed/.1700000000.1.x.done"
is 'maildir: who is done' 0@y queue-list --spool="maildir:$tmp/maildir" -F %r
rm "$tmp/maildir/tidegate.claimed/.1700000000.1.x.done"
mkfifo "$tmp/maildir/tidegate.claimed/.1700000000.1.x.done"
exits 'maildir: a pipe in place of who is done is not waited for' 65 \
	queue-list --spool="maildir:$tmp/maildir" -F %r
done_testing
