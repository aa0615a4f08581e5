#!/bin/sh
# A stock Exim, as Debian makes its configuration, becomes a gateway by what gateway-dial
# --probe prints; so does one whose file somebody has written.
# shellcheck disable=SC2034,SC2154
chroots='postfix exim'
. "$(dirname "$0")/lib.sh"
. "$mta/probing.sh"

spool=exim
probing exim
conf
exits 'a stock Exim: a session would fail' 78 probe
like 'it does not send to the world' '^bad +MTA: Exim takes no mail for the world' cat "$tmp/said"
like 'it tries by itself' '^note +MTA: Exim tries by itself' cat "$tmp/said"
like 'nobody listens' '^bad +LISTEN_PORT: nobody listens' cat "$tmp/said"
mend_all 'a stock Exim'
session 'stock' 2

# --- a file of its own, in which all is wrong that can be
cat >"$gw/etc/exim4/exim4.conf" <<'END'
queue_only
local_interfaces = 127.0.0.1
primary_hostname = gw.customer.test
domainlist local_domains = elsewhere.test : localhost
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
tls_advertise_hosts =
host_lookup =
keep_environment =
begin acl
acl_data:
  accept
acl_rcpt:
  accept domains = +local_domains
  accept hosts = : 127.0.0.1
  deny   message = relay not permitted
begin routers
world:
  driver = dnslookup
  domains = ! +local_domains
  transport = smtp
  no_more
users:
  driver = accept
  check_local_user
  transport = mailbox
begin transports
smtp:
  driver = smtp
mailbox:
  driver = appendfile
  file = /var/mail/$local_part_data
  group = mail
  mode = 0660
END
chroot "$gw" sh -c 'chown root:Debian-exim /etc/exim4/exim4.conf; chmod 640 /etc/exim4/exim4.conf; exim4 -bV' >"$tmp/bV" 2>&1 || diag <"$tmp/bV"
conf
exits 'a bad file' 78 probe
like 'it asks DNS where the world is' '^bad +MTA: Exim has no route to a smart host' cat "$tmp/said"
like 'its queue is run' '^note +MTA: Exim tries .*queue_only keeps mail only until the next queue run' cat "$tmp/said"
like 'and only then is what comes delivered' '^note +MTA: what comes .*queue_only' cat "$tmp/said"
like 'it returns at once' '^bad +MTA: Exim has no retry rule' cat "$tmp/said"
like 'what is frozen stays so' '^note +MTA: .*timeout_frozen_after' cat "$tmp/said"
mend_all 'a bad file'
sed -i 's/^hold_domains.*/hold_domains = customer.test/' "$gw/etc/exim4/exim4.conf"
exits 'one that holds the wrong domains' 78 probe
like 'ours' '^bad +MTA: hold_domains has customer.test, too' cat "$tmp/said"
like 'and not the others' '^note +MTA: .*hold_domains does not have the rest of the world' cat "$tmp/said"
sed -i 's/^\( *route_list\) = .*/\1 = * 10.99.0.9/' "$gw/etc/exim4/exim4.conf"
probe
like 'another host' '^note +MTA: Exim sends to 10.99.0.9, and SMARTHOST is 10.99.0.1' cat "$tmp/said"
mend_all 'the wrong ones'
session 'mended' 1
[ $tap_bad = 0 ] || tail -n 12 "$gw/var/log/exim4/mainlog" | diag
done_testing
