#!/bin/sh
# OpenSMTPD as the gateway of an Exim, by what tidegate-setup(7) says and nothing else.
# shellcheck disable=SC2034,SC2154
chroots='exim opensmtpd'
. "$(dirname "$0")/lib.sh"
. "$mta/setup.sh"

two_hosts exim opensmtpd
exits 'the provider' 0 page isp 'Exim, the provider'
ok 'it waits at isp' waits_at isp 1
exits 'the gateway' 0 page gw 'OpenSMTPD, the gateway'
ok 'it waits at gw' waits_at gw 1
exits 'ETRN' 0 page gw 'The phone book for OpenSMTPD'
is 'ETRN: --probe finds nothing wrong' '' wrong
like 'one went' 'status=0 link=[a-z-]+ send=0 retrieve=0 hangup=[a-z-]+ sent=1 deferred=0 ' cat "$tmp/said"
ok 'what was written outside is here' wait_for has gw ann in
ok 'what was written inside is there' wait_for has isp bob out
is 'nothing waits at the provider' 0 deferred_at isp
is 'nor at the gateway' 0 deferred_at gw
write gw bob@mx.test later
ok 'and it is paused again' waits_at gw 1
done_testing
