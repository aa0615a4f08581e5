#!/bin/sh
# Exim at both ends by what tidegate-setup(7) says and nothing else: ETRN.
# shellcheck disable=SC2034,SC2154
chroots=exim
. "$(dirname "$0")/lib.sh"
. "$mta/setup.sh"

two_hosts exim exim
exits 'the provider' 0 page isp 'Exim, the provider'
ok 'it waits at isp' waits_at isp 1
exits 'the gateway' 0 page gw 'Exim, the gateway'
ok 'it waits at gw' waits_at gw 1
like 'it is said why it waits' 'hold_domains' why_at gw
exits 'ETRN' 0 page gw 'The phone book for ETRN'
is 'ETRN: --probe finds nothing wrong' '' wrong
like 'one went' 'status=0 link=(ok|up) send=0 retrieve=0 .*sent=1 deferred=0 ' cat "$tmp/said"
ok 'what was written outside is here' wait_for has gw ann in
ok 'what was written inside is there' wait_for has isp bob out
is 'nothing waits at the provider' 0 deferred_at isp
is 'nor at the gateway' 0 deferred_at gw
[ $tap_bad = 0 ] || tail -n 20 "$gw/var/log/exim4/mainlog" "$isp/var/log/exim4/mainlog" | diag
done_testing
