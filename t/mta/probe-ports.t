#!/bin/sh
# Sendmail becomes a gateway of a provider who listens, and whom it has to listen for, at
# other ports than 25, by what gateway-dial --probe prints: a stock one, and one that is set
# up by tidegate-setup(7).
# shellcheck disable=SC2016,SC2034,SC2154
chroots='postfix sendmail'
. "$(dirname "$0")/lib.sh"
. "$mta/probing.sh"

spool=sendmail ours=2526
probing sendmail
# its restart takes its time, and again if it is restarted meanwhile
settled() { wait_for ip netns exec gw smtp-send -s "10.99.0.2:$ours" --quit-after=ehlo; }
# Debian's local mailer, which this copy does not have; and there is no DNS
printf '#!/bin/sh\ncat >>"/var/mail/$2"\n' >"$gw/usr/sbin/sensible-mda"
chmod 755 "$gw/usr/sbin/sensible-mda"
printf 'hosts files\naliases files\n' >"$gw/etc/mail/service.switch"
chroot "$isp" sh -c 'postconf -MX smtp/inet; postconf -M 2525/inet="2525 inet n - n - - smtpd"
	postconf -e "transport_maps = inline:{ {customer.test = tidegate:[10.99.0.2]:2526} }"
	postfix reload' >"$tmp/provider" 2>&1
conf PORT=2525 RETRIEVE_PORT=2525 LISTEN_PORT=2526
exits 'a stock Sendmail: a session would fail' 78 probe
like 'nobody listens there' '^bad +LISTEN_PORT: nobody listens on port 2526' cat "$tmp/said"
mend_all 'other ports'
session 'other ports' 2

# --- one that has two ports for this host alone
ours=587
conf PORT=2525 RETRIEVE_PORT=2525 LISTEN_PORT=587 RETRIEVE_OPTIONS=
probe
like 'submission is 587' '^ +run: sed .*Port=submission' cat "$tmp/said"
mended
settled
probe
like 'it is open to others' 'DOMAINS: .* Authentication required|LISTEN_PORT: port 587 answers' cat "$tmp/said"

# --- that of the page: its one line has no port
ours=25
page gw 'Sendmail, the gateway' >"$tmp/page.said" 2>&1 || diag <"$tmp/page.said"
settled
ours=2526
conf PORT=2525 RETRIEVE_PORT=2525 LISTEN_PORT=2526
exits 'that of the page' 69 probe
like 'does not listen there' '^bad +LISTEN_PORT: nobody listens on port 2526' cat "$tmp/said"
mend_all 'that of the page'
[ "$tap_bad" = 0 ] || tail -n 30 "$gw/var/log/mail.log" | diag
done_testing
