#!/bin/sh
# queue-list -d DOMAIN by Postfix's fast-flush log, where that names all there is.
# shellcheck disable=SC2034
chroots=postfix
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/postfix.sh"

postfix_root <<-END
$to_hop
fast_flush_domains = etrn.test, parent.test
queue_run_delay = 1h
minimal_backoff_time = 1h
maximal_backoff_time = 2h
END
postfix_starts

# of DOMAIN: who waits; the whole queue was walked, or not
of() {
	strace -f -e trace=openat -o "$tmp/trace" unshare --mount sh -c "$enter" "$root" \
		queue-list -d "$1" --records |
		cut -f3- | tr '\t' '\n' | sort
}
walked() { grep -c 'spool/postfix/deferred", ' "$tmp/trace" || :; }
all_deferred() { [ "$(queue-list --spool=postfix:"$root$spool" --state=deferred --count)" = "$1" ]; }
aged() {
	touch -d '1 day ago' "$root/etc/postfix/main.cf" "$root/etc/postfix/master.cf" \
		"$root$spool/hold" "$root$spool/pid/master.pid"
}

submit ann@x.test bob@etrn.test carla@other.test
submit ann@x.test dora@ETRN.test
submit ann@x.test eve@other.test
submit ann@x.test fay@sub.parent.test
submit ann@x.test held@etrn.test
wait_for all_deferred 5
everyone='bob@etrn.test
dora@ETRN.test
held@etrn.test'

is 'the configuration is new: the whole queue is looked at' "$everyone" of etrn.test
is 'walked' 1 walked
aged
is 'later: by the log' "$everyone" of etrn.test
is 'not walked' 0 walked
mv "$root/etc/postfix/main.cf" "$root/etc/main.cf.real" && ln -s ../main.cf.real "$root/etc/postfix/main.cf"
touch -h -d '1 day ago' "$root/etc/postfix/main.cf"
touch "$root/etc/main.cf.real"
of etrn.test >/dev/null
is 'walked where what the configuration links to is new' 1 walked
aged
of etrn.test >/dev/null
is 'not where that is old' 0 walked
is 'a domain below one that is named' fay@sub.parent.test of sub.parent.test
is 'not walked either' 0 walked
is 'a domain that is not' 'carla@other.test
eve@other.test' of other.test
is 'walked for it' 1 walked

# an ID in the log that is gone, and one of another message
chroot "$root" postsuper -d "$(queue-list --spool=postfix:"$root$spool" --ids -r 'dora@*')" 2>/dev/null
queue-list --spool=postfix:"$root$spool" --ids -r 'eve@*' >>"$root$spool/flush/etrn_test"
is 'stale and wrong IDs do no harm' 'bob@etrn.test
held@etrn.test' of etrn.test
is 'still by the log' 0 walked

# what was held is in no log when it is let go
id=$(queue-list --spool=postfix:"$root$spool" --ids -r 'held@*')
chroot "$root" postsuper -h "$id" 2>/dev/null
grep -v "$id" "$root$spool/flush/etrn_test" >"$tmp/log"
cat "$tmp/log" >"$root$spool/flush/etrn_test"
aged
is 'on hold: shown' 'bob@etrn.test
held@etrn.test' of etrn.test
chroot "$root" postsuper -H "$id" 2>/dev/null
is 'let go a moment ago: shown' 'bob@etrn.test
held@etrn.test' of etrn.test
is 'the whole queue was looked at' 1 walked
touch -d '4 hours ago' "$root$spool/hold"
of etrn.test >/dev/null
is 'hours later, too: it waits for its next attempt' 1 walked
aged
of etrn.test >/dev/null
is 'then it was tried' 0 walked

# who was started a moment ago may have been given files; who keeps no logs
touch "$root$spool/pid/master.pid"
of etrn.test >/dev/null
is 'Postfix was only just started: the whole queue' 1 walked
sed -i 's/^flush /#flush /' "$root/etc/postfix/master.cf"
aged
of etrn.test >/dev/null
is 'no flush daemon: the whole queue' 1 walked
sed -i 's/^#flush /flush /' "$root/etc/postfix/master.cf"
aged
of etrn.test >/dev/null
is 'there is one' 0 walked

# nothing is tried any more while Postfix is down
aged
chroot "$root" postfix stop >/dev/null 2>&1
is 'Postfix is down: the whole queue' 'bob@etrn.test
held@etrn.test' of etrn.test
is 'walked then' 1 walked
done_testing
