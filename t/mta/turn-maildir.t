#!/bin/sh
# turn-server beside a Maildir into which a real Postfix delivers the mail of all customers:
# any MTA can keep mail so, without its queue being touched.
# shellcheck disable=SC2034,SC2154
chroots=postfix-auth
. "$(dirname "$0")/lib.sh"
. "$mta/../tls.sh"
. "$mta/isp.sh"
. "$mta/turning.sh"

kind=maildir root=$tmp/postfix spool=/var/vmail/all there=maildir:/var/vmail/all takes='127.0.0.1 25'
root_of postfix postfix-auth
install_into "$root"
customers
cat >"$tmp/printed" <<-'END'
virtual_mailbox_domains = one.test two.test three.test four.test
virtual_mailbox_base = /var/vmail
virtual_mailbox_maps = inline:{ {@one.test = all/} {@two.test = all/} {@three.test = all/} {@four.test = all/} }
virtual_uid_maps = static:1000
virtual_gid_maps = static:1000
# master.cf
END
mkdir -p "$root/var/vmail"
chown 1000:1000 "$root/var/vmail"
isp_postfix
# what the customer is refused is told by Postfix
reports() { queue-list --spool="postfix:$root/var/spool/postfix" "$@"; }
reported() { [ "$(reports -j | mail waiting | cut -d' ' -f2)" = l5@sender.test ] && waiting "$others"; }
final_recipients() {
	reports -r l5@sender.test | xargs queue-cat --spool="postfix:$root/var/spool/postfix" | tr -d '\r' |
		sed -n 's/^Final-Recipient: rfc822; */Final-Recipient: rfc822;/Ip'
}
empty_queue() { rm -rf "$root$spool"/new/* "$root$spool"/cur/*; }

server 366 --drain
turns --drain
stays --drain
gives_back --drain
say_why
chroot "$root" postfix stop >/dev/null 2>&1
done_testing
