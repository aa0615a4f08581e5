#!/bin/sh
# A stock OpenSMTPD becomes a gateway by what gateway-dial --probe prints, on a link that is
# up already as on one that is raised.
# shellcheck disable=SC2034,SC2154
chroots='postfix opensmtpd'
. "$(dirname "$0")/lib.sh"
. "$mta/probing.sh"

spool=opensmtpd
probing opensmtpd
settled() { wait_for in_chroot gw "$gw" smtpctl show status >/dev/null 2>&1; }
in_mailbox() { grep -q "^Subject: $3\$" "$tmp/$1/var/mail/$2"; }
has() {
	case $1 in
	gw) grep -rq "^Subject: $3\$" "$gw/home/$2/Maildir/new" ;;
	*) in_mailbox "$@" ;;
	esac
}
in_chroot gw "$gw" service opensmtpd start >"$tmp/start" 2>&1 </dev/null || diag <"$tmp/start"
settled
paused() { in_chroot gw "$gw" smtpctl show status | grep -c '^MTA paused'; }
conf
exits 'a stock OpenSMTPD: a session would fail' 78 probe
like 'it asks DNS where the world is' '^bad +MTA: OpenSMTPD has no relay host' cat "$tmp/said"
like 'nobody outside can reach it' '^bad +LISTEN_PORT' cat "$tmp/said"
like 'it tries by itself' '^note +MTA: OpenSMTPD tries by itself' cat "$tmp/said"
mend_all 'a stock OpenSMTPD'
is 'it sends by itself no more' 1 paused
session 'stock' 2
is 'and it is so again behind the session' 1 paused

# --- another host, and times that are too short and too long
in_chroot gw "$gw" sed -i -e 's/^\(action.* host smtp:..\)[^ ]*/\110.99.0.9/' -e 's/^queue ttl.*/queue ttl 1d/' /etc/smtpd.conf
probe
like 'another host' '^note +MTA: OpenSMTPD sends to smtp://10.99.0.9, and SMARTHOST is 10.99.0.1' cat "$tmp/said"
mend_all 'the wrong ones'
session 'mended' 1

# --- dequeue alone lifts no pause
write gw bob@mx.test 'kept back'
ok 'one more waits' waits_at gw 1
exits 'it is not released' 75 in_chroot gw "$gw" dequeue --all -v --wait=5m
cp "$tmp/.err" "$tmp/words"
like 'it says what lifts the pause' '^dequeue: smtpd sends nothing out .*`smtpctl resume mta' cat "$tmp/words"
like 'and does not wait for it' '^released 0, left 0, stayed 0' cat "$tmp/words"
[ $tap_bad = 0 ] || in_chroot gw "$gw" smtpctl show queue | diag
done_testing
