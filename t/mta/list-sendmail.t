#!/bin/sh
# What waits in a real Sendmail, beside mailq -v, at rest and while mail moves.
# shellcheck disable=SC2034
chroots=sendmail
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=sendmail spool=/var/spool/mqueue
list_root
. "$mta/sendmail.sh"
submit ann@x.test bob@later.test carla@later.test
submit '"odd sender"@x.test' '"a b"@later.test'
submit '<>' dan@other.test
submit eve@x.test held@later.test
wait_for many 4
held() {
	chroot "$root" sendmail -Am -Qreview "-qI$(ours | awk '/held@/ { print $1 }')" >/dev/null 2>&1
	[ "$(queue-list --spool=sendmail:"$root$spool" -r held@later.test -F %q)" = hold ]
}
wait_for held
at_rest 4
[ $tap_bad = 0 ] || diag <"$tmp/mailq"
is 'sendmail: quarantined is held' hold sh -c \
    'queue-list --spool=sendmail:"$1$2" -r held@later.test -F %q' - "$root" "$spool"

# Sendmail reads a directory of its queue through a link: so do we, where it is root's
mkdir "$root/var/disk2" && ln -s ../../disk2 "$root$spool/q2"
mv "$root$spool"/?f"$(ours -r dan@other.test | cut -d' ' -f1)" "$root/var/disk2"
inside() { in_chroot - "$root" queue-list "$@"; }
is 'sendmail: through a link' 'dan@other.test' inside -r dan@other.test -F %r
is '... by its ref' 'dan@other.test' sh -c \
	'chroot "$1" sh -c "queue-list -r dan@other.test | queue-list -F %r -"' - "$root"
is '... which can be read' 'Subject: from <>' sh -c \
	'chroot "$1" sh -c "queue-list -r dan@other.test | xargs queue-cat" | tr -d "\r" | grep Subject' - "$root"
exits '... and is of a queue that Sendmail works on' 1 sh -c \
	'chroot "$1" sh -c "queue-list -r dan@other.test | queue-list --why -" | grep "no MTA of this host"' - "$root"
chown -h 65534 "$root$spool/q2"
is '... but not where it is somebody else'"'"'s' '' inside -r dan@other.test -F %r
rm "$root$spool/q2" && mv "$root/var/disk2"/* "$root$spool"
ln -s ../../disk2 "$root$spool/qf"
exits 'sendmail: parts by a link: no empty queue' 69 inside
rm "$root$spool/qf"
mv "$root/etc/mail/sendmail.cf" "$root/etc/sendmail.real" && ln -s ../sendmail.real "$root/etc/mail/sendmail.cf"
is 'sendmail: found by a configuration that is a link, too' "$spool" found
unprivileged told
untouched
chroot "$root" sendmail -Am -Q -qQ "-qI$(ours | awk '/held@/ { print $1 }')" >/dev/null 2>&1
come_and_go 500
done_testing
