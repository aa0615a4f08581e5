#!/bin/sh
# turn-server beside a real Sendmail that was set up with what --print-config printed.
# shellcheck disable=SC2034,SC2154
chroots=sendmail
. "$(dirname "$0")/lib.sh"
. "$mta/../tls.sh"
. "$mta/isp.sh"
. "$mta/turning.sh"

kind=sendmail root=$tmp/sendmail spool=/var/spool/mqueue takes='127.0.0.1 2598'
root_of sendmail sendmail
install_into "$root"
customers
in_chroot - "$root" turn-server --customers=/etc/tidegate/customers --print-config=sendmail >"$tmp/printed" ||
	bail 'no configuration'
isp_sendmail
wait_for smtp-send -s 127.0.0.1:2598 --quit-after=ehlo 2>/dev/null
# it folds anew
verdict_l2=refolded verdict_l5=refolded
server 366 --drain
server 367 --splice
for how in --drain --splice; do
	turns $how
	stays $how
	gives_back $how
done
say_why
done_testing
