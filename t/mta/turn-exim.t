#!/bin/sh
# turn-server beside a real Exim that was set up with what --print-config printed.
# shellcheck disable=SC2034,SC2154
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/../tls.sh"
. "$mta/isp.sh"
. "$mta/turning.sh"

kind=exim root=$tmp/exim spool=/var/spool/exim4 takes='127.0.0.1 2598'
root_of exim exim
install_into "$root"
customers
in_chroot - "$root" turn-server --customers=/etc/tidegate/customers --print-config=exim >"$tmp/printed" ||
	bail 'no configuration'
isp_exim
chroot "$root" exim4 -bdf -q1h </dev/null >"$tmp/start" 2>&1 &
wait_for smtp-send -s 127.0.0.1:2598 --quit-after=ehlo 2>/dev/null
server 366 --drain
server 367 --splice
for how in --drain --splice; do
	turns $how
	stays $how
	gives_back $how
done
say_why
done_testing
