#!/bin/sh
# A real Postfix delivers its whole queue while two dequeues drain it: each recipient
# has it once.  Drains in peace and the kills are in drain.t.
# shellcheck disable=SC2034,SC2154
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/postfix.sh"
. "$mta/takelive.sh"

postfix_root <<-END
$to_hop
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
END
# what qmgr finds locked it puts aside for a minute, by the file's time
run() {
	find "$root$spool/incoming" -type f -exec touch -c {} + 2>/dev/null
	chroot "$root" postqueue -f
}
leftovers() { find "$root$spool" -type f \( -path '*/defer/*' -o -path '*/bounce/*' -o \
	-path '*/trace/*' -o -path '*/corrupt/*' -o -path '*/deferred/*' -o -path '*/incoming/*' \); }
postfix_starts

open_far --refuse='no-*:550 5.1.1 no such user' --refuse='later-*:451 4.2.1 later'
fill "$seed" "$letters" 1
put_off() { [ "$(queue-list --spool=postfix:"$root$spool" --state=deferred --count 2>/dev/null)" = "$letters" ]; }
wait_for put_off
# else qmgr would have had all of it in hand before anybody else looks
chroot "$root" postsuper -h ALL 2>/dev/null
begun() { [ -s "$tmp/once.1" ] && [ -s "$tmp/once.2" ]; }
go() { (wait_for begun; chroot "$root" postsuper -H ALL; run) & }
at_once d1.test -d d2.test -d d3.test --state=deferred,hold --in-hand=4
ok 'postfix: both drains had some' test -s "$tmp/once.1" -a -s "$tmp/once.2"
lets_go
is 'postfix: it has nothing to complain of' '' awk \
	'/ (fatal|panic|error): |corrupt/' "$root/var/log/postfix.log"
close_far
chroot "$root" postfix stop 2>/dev/null
done_testing
