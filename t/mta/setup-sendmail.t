#!/bin/sh
# Sendmail at both ends by what tidegate-setup(7) says and nothing else: ETRN.
# shellcheck disable=SC2034,SC2154
chroots=sendmail
. "$(dirname "$0")/lib.sh"
. "$mta/setup.sh"

two_hosts sendmail sendmail
# Debian's local mailer, which these copies do not have
for host in "$isp" "$gw"; do
	printf '#!/bin/sh\ncat >>"/var/mail/$2"\n' >"$host/usr/sbin/sensible-mda"
	chmod 755 "$host/usr/sbin/sensible-mda"
done
# a provider has DNS; this one has a file
printf 'hosts files\naliases files\n' >"$isp/etc/mail/service.switch"
exits 'the provider' 0 page isp 'Sendmail, the provider'
ok 'it waits at isp' waits_at isp 1
exits 'the gateway' 0 page gw 'Sendmail, the gateway'
ok 'it waits at gw' waits_at gw 1
exits 'ETRN' 0 page gw 'The phone book for ETRN'
is 'ETRN: --probe finds nothing wrong' '' wrong
like 'one went' 'status=0 link=(ok|up) send=0 retrieve=0 .*sent=1 deferred=0 ' cat "$tmp/said"
ok 'what was written outside is here' wait_for has gw ann in
ok 'what was written inside is there' wait_for has isp bob out
is 'nothing waits at the provider' 0 deferred_at isp
is 'nor at the gateway' 0 deferred_at gw
done_testing
