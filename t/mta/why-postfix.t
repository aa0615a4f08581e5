#!/bin/sh
# queue-list --why on a real Postfix: it names the true cause, and what it advises works.
# shellcheck disable=SC2034
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/why.sh"

kind=postfix spool=/var/spool/postfix
list_root
cat >"$root/etc/postfix/main.cf" <<-END
compatibility_level = 3.6
maillog_file = /var/log/postfix.log
myhostname = mx.test
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
smtp_tls_security_level = none
minimal_backoff_time = 20m
maximal_backoff_time = 40m
queue_run_delay = 20m
# without a unit it is days
maximal_queue_lifetime = 4
bounce_queue_lifetime = 12h
transport_maps = texthash:/etc/postfix/transport
sender_dependent_relayhost_maps = inline:{{fay@branch.test = [127.0.0.1]:2597}}
relay_domains = etrn.test
defer_transports = etrn
fast_flush_domains = etrn.test
END
cat >"$root/etc/postfix/transport" <<-END
refused.test	smtp:[127.0.0.1]:2599
later.test	smtp:[127.0.0.1]:2599
held.test	smtp:[127.0.0.1]:2599
etrn.test	etrn:[127.0.0.1]:2599
dns.test	smtp:smart.test:2599
END
chroot "$root" postconf -F '*/*/chroot = n'
echo 'etrn unix - - n - - smtp' >>"$root/etc/postfix/master.cf"
echo 'smart.test SERVFAIL' >"$tmp/zone"
names "$tmp/zone"
chroot "$root" postfix start >"$tmp/start" 2>&1 || { diag <"$tmp/start"; bail 'no Postfix'; }
nothing

# waits ADDRESS [STATE]: it does, and has been tried
waits() {
	[ "$(queue-list --spool="postfix:$root$spool" -r "$1" --state="${2-deferred}" --count)" = 1 ]
}

submit ann@x.test bob@refused.test
wait_for waits bob@refused.test
says 'refused' bob@refused.test 'is in deferred \(postfix, /var/spool/postfix\), from ann@x.test' \
    'bob@refused.test: connect to 127.0.0.1\[127.0.0.1\]:2599: Connection refused' \
    'goes by transport smtp, next hop \[127.0.0.1\]:2599' 'next in (19|20)m' 'is given up in 4d'
cat $tmp/why
ls -la $root/var/spool/postfix/pid $root/var/spool/postfix/private
submit ann@x.test bob@dns.test
wait_for waits bob@dns.test
why bob@dns.test; cat $tmp/why
submit ann@x.test bob@etrn.test
wait_for waits bob@etrn.test
why bob@etrn.test; cat $tmp/why
submit ann@x.test second@refused.test
wait_for waits second@refused.test
why second@refused.test; cat $tmp/why
submit ann@x.test bob@held.test
wait_for waits bob@held.test
submit fay@branch.test else@branch.test
wait_for waits else@branch.test
why else@branch.test; cat $tmp/why
open_hop
advice second@refused.test
follow throttled second@refused.test; cat $tmp/followed
delivered throttled second@refused.test
follow etrn bob@etrn.test; cat $tmp/followed
delivered etrn bob@etrn.test
tail -20 $root/var/log/postfix.log
chroot "$root" postqueue -i 4gABCDzzzzzz; echo "rc $?"
chroot "$root" postfix stop 2>/dev/null
why bob@held.test; cat $tmp/why
done_testing
