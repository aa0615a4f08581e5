#!/bin/sh
# A stock Exim whose configuration Debian makes of many files becomes a gateway by what
# gateway-dial --probe prints.
# shellcheck disable=SC2034,SC2154
chroots='postfix exim'
. "$(dirname "$0")/lib.sh"
. "$mta/probing.sh"

spool=exim
probing exim
sed -i "s|^dc_use_split_config=.*|dc_use_split_config='true'|" "$gw/etc/exim4/update-exim4.conf.conf"
chroot "$gw" update-exim4.conf
conf
exits 'a stock Exim: a session would fail' 78 probe
like 'it does not send to the world' '^bad +MTA: Exim takes no mail for the world' cat "$tmp/said"
like 'it tries by itself' '^note +MTA: Exim tries by itself' cat "$tmp/said"
like 'nobody listens' '^bad +LISTEN_PORT: nobody listens' cat "$tmp/said"
mend_all 'a stock Exim'
ok 'what Exim is told stands in the files that it is made of' grep -q ^hold_domains "$gw/etc/exim4/conf.d/main/000_localmacros"
ok 'so does a retry rule' grep -q '^\* \* F' "$gw/etc/exim4/conf.d/retry/10_tidegate"
session 'stock' 2
[ "$tap_bad" = 0 ] || tail -n 12 "$gw/var/log/exim4/mainlog" | diag
done_testing
