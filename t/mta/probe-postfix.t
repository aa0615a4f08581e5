#!/bin/sh
# A stock Postfix becomes a gateway by what gateway-dial --probe prints.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/lib.sh"
. "$mta/probing.sh"

spool=postfix
probing postfix
chroot "$gw" postconf -e maillog_file=/var/log/mail.log
conf
exits 'a stock Postfix: a session would fail' 75 probe
like 'it does not run' '^bad +MTA: Postfix does not run' cat "$tmp/said"
like 'it sends to anybody' '^bad +MTA: Postfix knows no relayhost' cat "$tmp/said"
like 'it tries by itself' '^note +MTA: Postfix tries by itself' cat "$tmp/said"
like 'mail does not wait long enough' '^note +MTA: mail is returned after 5 days' cat "$tmp/said"
like 'nor do reports' '^note +MTA: a report .* is dropped after 5 days' cat "$tmp/said"
like 'nobody listens' '^bad +LISTEN_PORT: nobody listens' cat "$tmp/said"
mend_all 'a stock Postfix'
session 'stock' 2

# --- one that somebody has set up otherwise, and badly
printf '* relay:[10.99.0.9]\n' >"$gw/etc/postfix/transport"
in_chroot gw "$gw" sh -c 'postfix stop; postconf -e inet_interfaces=127.0.0.1,10.99.0.77' >/dev/null 2>&1
exits 'an address that is not there' 78 probe
like 'keeps Postfix from starting' '^bad +MTA: inet_interfaces has 10.99.0.77' cat "$tmp/said"
in_chroot gw "$gw" sh -c 'postconf -e transport_maps=texthash:/etc/postfix/transport mydestination=localhost \
	inet_interfaces=127.0.0.1 delay_warning_time=4h bounce_queue_lifetime=1h; postfix start' >/dev/null 2>&1
exits 'it takes no mail for us' 69 probe
like 'another host' '^note +MTA: Postfix sends to \[10.99.0.9\] \(transport_maps\), and SMARTHOST is 10.99.0.1' cat "$tmp/said"
like 'by what is not deferred' '^note +MTA: .* defer_transports does not have relay' cat "$tmp/said"
like 'notices of delay' '^note +MTA: senders are told of a delay after 4h' cat "$tmp/said"
like 'reports' 'a report .* is dropped after 3600 seconds' cat "$tmp/said"
like 'only from itself' '^bad +LISTEN_PORT: only this host' cat "$tmp/said"
mend_all 'a bad one'
in_chroot gw "$gw" sh -c 'postconf -e mydestination=localhost; postfix reload' >/dev/null 2>&1
exits 'its own host may send through it' 78 probe
like 'and it is said all the same' "^bad +DOMAINS: customer.test is none of the MTA's own" cat "$tmp/said"
mend_all 'not ours'
session 'mended' 1
[ $tap_bad = 0 ] || tail -n 30 "$gw/var/log/mail.log" | diag
done_testing
