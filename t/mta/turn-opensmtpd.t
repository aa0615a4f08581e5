#!/bin/sh
# turn-server beside a real OpenSMTPD, which can be drained while it works.
# shellcheck disable=SC2034,SC2154
chroots=opensmtpd
. "$(dirname "$0")/lib.sh"
. "$mta/../tls.sh"
. "$mta/turning.sh"

kind=opensmtpd root=$tmp/opensmtpd spool=/var/spool/smtpd takes='127.0.0.1 2598'
root_of opensmtpd opensmtpd
install_into "$root"
customers
# the customers are away
cat >"$root/etc/smtpd.conf" <<-END
listen on lo port 2598
action out relay host smtp://127.0.0.1:2599 helo mx.test
match from any for any action out
END
mkdir -p "$root/etc/ssl/certs"
cp "$ca" "$root/etc/ssl/certs/ca-certificates.crt"
chroot "$root" smtpd -d >"$tmp/smtpd.log" 2>&1 </dev/null &
wait_for smtp-send -s 127.0.0.1:2598 --quit-after=ehlo 2>/dev/null
# ten seconds after the connection was refused
nothing_in_hand() { ! chroot "$root" smtpctl show queue | grep -q '|inflight|'; }
server 366 --drain
turns --drain
stays --drain
gives_back --drain
say_why
done_testing
