#!/bin/sh
# A stock Sendmail becomes a gateway by what gateway-dial --probe prints.
# shellcheck disable=SC2034,SC2154
chroots='postfix sendmail'
. "$(dirname "$0")/lib.sh"
. "$mta/probing.sh"

spool=sendmail
probing sendmail
# its restart takes its time, and again if it is restarted meanwhile
settled() { wait_for ip netns exec gw smtp-send -s 10.99.0.2 --quit-after=ehlo; }
# Debian's local mailer, which this copy does not have; and there is no DNS
printf '#!/bin/sh\ncat >>"/var/mail/$2"\n' >"$gw/usr/sbin/sensible-mda"
chmod 755 "$gw/usr/sbin/sensible-mda"
printf 'hosts files\naliases files\n' >"$gw/etc/mail/service.switch"
conf
exits 'a stock Sendmail: a session would fail' 78 probe
like 'it sends to anybody' '^bad +MTA: Sendmail knows no SMART_HOST' cat "$tmp/said"
like 'it tries by itself' '^note +MTA: Sendmail tries by itself' cat "$tmp/said"
like 'nobody listens' '^bad +LISTEN_PORT: nobody listens' cat "$tmp/said"
mend_all 'a stock Sendmail'
session 'stock' 2
[ $tap_bad = 0 ] || tail -n 30 "$gw/var/log/mail.log" | diag
done_testing
