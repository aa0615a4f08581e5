#!/bin/sh
# What waits in a real Postfix, beside postqueue -j, at rest and while mail moves.
# shellcheck disable=SC2034
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=postfix spool=/var/spool/postfix
list_root
cat >"$root/etc/postfix/main.cf" <<-END
compatibility_level = 3.6
maillog_file = /var/log/postfix.log
myhostname = mx.test
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
relayhost = [127.0.0.1]:2599
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
smtp_connection_reuse_time_limit = 1s
END
told() {
	chroot "$root" postqueue -j | perl -MJSON::PP -ne '$m = decode_json($_);
		$s = $m->{sender} eq "MAILER-DAEMON" ? "-" : $m->{sender};
		print "$m->{queue_id} $s $_->{address}\n" for @{ $m->{recipients} }' | sort
}
run() { chroot "$root" postqueue -f; }
chroot "$root" postfix start >"$tmp/start" 2>&1 || { diag <"$tmp/start"; bail 'no Postfix'; }

submit ann@x.test bob@later.test carla@later.test
submit '"odd sender"@x.test' '"a b"@later.test'
submit '' dan@other.test
submit eve@x.test held@later.test
wait_for many 4
chroot "$root" postsuper -h "$(ours | awk '/held@/ { print $1 }')" 2>/dev/null
at_rest 4
is 'postfix: held is held' hold sh -c \
    'queue-list --spool=postfix:"$1$2" -r held@later.test -F %q' - "$root" "$spool"
unprivileged listed
untouched
chroot "$root" postsuper -H ALL 2>/dev/null
come_and_go 500
chroot "$root" postfix stop 2>/dev/null
done_testing
