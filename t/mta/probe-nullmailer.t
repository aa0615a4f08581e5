#!/bin/sh
# A nullmailer whose settings are all wrong becomes a gateway by what gateway-dial --probe
# prints: one that sends by itself, and one whose queue a session empties.
# shellcheck disable=SC2034,SC2154
chroots='postfix nullmailer'
. "$(dirname "$0")/lib.sh"
. "$mta/probing.sh"

spool=nullmailer
probing nullmailer
install -m 755 "$tmp/systemctl" "$gw/usr/sbin/systemctl"
nm=$gw/etc/nullmailer
book() {
	mkdir -p "$gw/etc/tidegate/links"
	printf '%s\n' SPOOL=nullmailer RETRIEVE=none EVERY=3d "$@" >"$gw/etc/tidegate/links/isp.conf"
}
arrives() {
	ok "$1: it is there" wait_for has isp bob "$1"
	is "$1: and not here" 0 deferred_at gw
}

: >"$nm/remotes"
echo 0 >"$nm/pausetime"
echo 3600 >"$nm/queuelifetime"
book SEND=release SMARTHOST=10.99.0.1
exits 'nothing is right: a session would fail' 78 probe
mend_all 'release'
write gw bob@mx.test 'by itself'
arrives 'by itself'

# --- another host, with what a login needs
echo 'other.test smtp --user=me --port=26 --pass=secret' >"$nm/remotes"
book SEND=release SMARTHOST=mx.test PORT=25
probe
like 'another host' '^note +MTA: nullmailer sends to other.test, and SMARTHOST is mx.test' cat "$tmp/said"
is 'a password is not shown' '' sed -n /secret/p "$tmp/said"
mend_all 'another host'
is 'the login stays' 'mx.test smtp --port=25 --user=me --pass=secret' cat "$nm/remotes"
is 'what was is kept' 'other.test smtp --user=me --port=26 --pass=secret' cat "$nm/remotes.old"
# as the package asks for it
echo mx.test >"$nm/remotes"
probe
like 'a name alone' '^ok +MTA: nullmailer sends to mx.test' cat "$tmp/said"
echo other.test >"$nm/remotes"
mend_all 'another name alone'
write gw bob@mx.test 'to mx.test'
arrives 'to mx.test'

# --- a session sends
book SEND=drain SMARTHOST=10.99.0.1
probe
like 'its sender is in the way' '^note +MTA: nullmailer-send runs' cat "$tmp/said"
mend_all drain
write gw bob@mx.test drained
ok 'drain: it waits' waits_at gw 1
exits 'drain: a session' 0 in_chroot gw "$gw" gateway-dial -v isp
cp "$tmp/.out" "$tmp/line"
like 'drain: it is told' 'status=0 link=up send=0 .* sent=1 deferred=0 ' cat "$tmp/line"
arrives drained
[ "$tap_bad" = 0 ] || in_chroot gw "$gw" ps ax | diag
done_testing
