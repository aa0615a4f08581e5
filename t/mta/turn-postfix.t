#!/bin/sh
# turn-server beside a real Postfix that was set up with what --print-config printed:
# drain and splice, two customers at the same time, and mail for a third; fetchmail.
# shellcheck disable=SC2034
chroots='postfix-auth fetchmail'
. "$(dirname "$0")/lib.sh"
. "$mta/../tls.sh"
. "$mta/isp.sh"
. "$mta/turning.sh"

kind=postfix root=$tmp/postfix spool=/var/spool/postfix takes='127.0.0.1 25'
root_of postfix postfix-auth
install_into "$root"
customers
in_chroot - "$root" turn-server --customers=/etc/tidegate/customers --print-config=postfix >"$tmp/printed" ||
	bail 'no configuration'
isp_postfix
is 'Postfix has nothing to say against it' '' sh -c 'grep -E "warning|fatal|error" "$0" | grep -v "unused parameter" || :' "$root/var/log/postfix.log"

server 366 --drain
server 367 --splice
for how in --drain --splice; do
	turns $how
	stays $how
	gives_back $how
done

# fetchmail, which knows CRAM-MD5 and a port only
root_of fm fetchmail
fm=$tmp/fm
echo "127.0.0.1 gw.test $(hostname)" >>"$fm/etc/hosts"
fill
sink --listen=127.0.0.1:2526 --maildir="$tmp/got.fm" --port-file="$tmp/fm.port" --log="$tmp/fm.log" \
	--ext=8BITMIME,SIZE,PIPELINING &
servers="$servers $!"
wait_for test -s "$tmp/fm.port"
cat >"$fm/etc/fetchmailrc" <<-'END'
poll 127.0.0.1 service 366 protocol odmr
user "alice" there with password "secret" is "x" here
fetchdomains one.test, two.test
smtphost 127.0.0.1/2526
END
chmod 600 "$fm/etc/fetchmailrc"
in_chroot - "$fm" HOME=/root timeout 60 fetchmail -f /etc/fetchmailrc -v -v --nosyslog >"$tmp/fetchmail.out" 2>&1
is 'fetchmail fetches' 'l1 whole
l2 whole
l5 whole' got fm
is 'for all of them' "$alices" for_whom fm
ok 'and they are gone here' wait_for waiting "$others"
[ $tap_bad = 0 ] || tail -30 "$tmp/fetchmail.out" | diag
say_why
chroot "$root" postfix stop >/dev/null 2>&1
done_testing
