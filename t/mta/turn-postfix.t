#!/bin/sh
# turn-server beside a real Postfix that was set up with what --print-config printed:
# drain and splice, two customers at the same time, and mail for a third; fetchmail.
# shellcheck disable=SC2034
chroots='postfix-auth fetchmail'
. "$(dirname "$0")/lib.sh"
. "$mta/../tls.sh"

root_of pf postfix-auth
pf=$tmp/pf
install_into "$pf"
mkdir -p "$pf/etc/tidegate" "$pf/run/tidegate"
cat >"$pf/etc/tidegate/customers" <<-END
alice: one.test two.test splice=127.0.0.61:2561
bob: three.test splice=127.0.0.62:2562
carol: four.test splice=127.0.0.63:2563
END
printf 'alice:{PLAIN}secret\nbob:{PLAIN}other\ncarol:{PLAIN}third\n' >"$pf/etc/tidegate/users"
chmod 600 "$pf/etc/tidegate/users"
cp "$pki/good.pem" "$pf/etc/tidegate/cert.pem"
chmod 600 "$pf/etc/tidegate/cert.pem"
printf 'secret\n' >"$tmp/alice"
printf 'other\n' >"$tmp/bob"
printf 'third\n' >"$tmp/carol"
chmod 600 "$tmp/alice" "$tmp/bob" "$tmp/carol"

cat >"$pf/etc/postfix/main.cf" <<-END
compatibility_level = 3.6
maillog_file = /var/log/postfix.log
myhostname = isp.test
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
relayhost = [127.0.0.1]:2599
END
in_chroot - "$pf" turn-server --customers=/etc/tidegate/customers --print-config=postfix >"$tmp/config" ||
	bail 'no configuration'
sed '/^# master.cf/,$d' "$tmp/config" >>"$pf/etc/postfix/main.cf"
sed '1,/^# master.cf/d' "$tmp/config" >>"$pf/etc/postfix/master.cf"
chroot "$pf" postfix start >"$tmp/start" 2>&1 || { diag <"$tmp/start"; bail 'no Postfix'; }
is 'Postfix has nothing to say against it' '' sh -c 'grep -E "warning|fatal|error" "$0" | grep -v "unused parameter" || :' "$pf/var/log/postfix.log"

# server PORT OPTION: turn-server in there, one for each connection
cat >"$tmp/listen.py" <<'END'
import socket, subprocess, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(sys.argv[1])))
s.listen(5)
while True:
    c, _ = s.accept()
    p = subprocess.Popen(sys.argv[2:], stdin=c, stdout=c)
    c.close()
END
server() {
	cat >"$tmp/server.$1" <<-END
	#!/bin/sh
	exec unshare --mount sh -c 'mount -t proc proc "\$0/proc" && exec chroot "\$0" /usr/bin/env -i \\
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "\$@"' "$pf" turn-server \\
		--customers=/etc/tidegate/customers --passwords=/etc/tidegate/users --helo=isp.test \\
		--tls-cert=/etc/tidegate/cert.pem --spool=postfix --splice-idle=2 -v $2 2>>"$tmp/server.log"
	END
	chmod +x "$tmp/server.$1"
	python3 "$tmp/listen.py" "$1" "$tmp/server.$1" &
	servers="$servers $!"
}
server 366 --drain
server 367 --splice
port_of() { [ "$1" = --splice ] && echo 367 || echo 366; }

# fetch WHO HOW DOMAIN...: into $tmp/got.WHO
fetch() {
	who=$1 how=$2
	shift 2
	timeout 100 turn-client --helo=gw.test -s "127.0.0.1:$(port_of $how)" -u "$who" --password-file="$tmp/$who" \
		--tls=verify --tls-ca="$ca" --tls-name=mx.test -o "maildir:$tmp/got.$who" "$@"
}
plan() { echo "$@" >>"$tmp/plan"; }
waits() { chroot "$pf" postqueue -j | mail waiting; }
waiting() { [ "$(waits)" = "$1" ]; }

# fill: two for alice, one of them at both her domains, one each for the others
fill() {
	rm -rf "$tmp/got".*
	: >"$tmp/plan"
	plan l1 3000 ann@one.test
	plan l2 40000 ann@one.test ben@two.test
	plan l3 500 cat@three.test
	plan l4 500 dan@four.test
	plan l5 2000 no-such@two.test eva@one.test
	python3 "$mta/mail.py" send 127.0.0.1 25 "$tmp/plan" || bail 'no mail is taken'
	wait_for waiting "$(mail planned "$tmp/plan" | sed 's/ whole$/ deferred/')" ||
		{ waits | diag; bail 'the queue does not fill'; }
}
got() { mail arrived "$tmp/plan" "$tmp/got.$1/new" | cut -d' ' -f1,3 | sort -u; }
# for_whom WHO: the envelope's recipients, where a file may have several
for_whom() { cat "$tmp/got.$1/new"/* | sed -n 's/^Delivered-To: //p' | sort; }
alices='ann@one.test
ann@one.test
ben@two.test
eva@one.test
no-such@two.test'

for how in --drain --splice; do
	fill
	exits "$how: all of alice's" 0 fetch alice $how one.test two.test
	is "$how: whole, once" 'l1 whole
l2 whole
l5 whole' got alice
	is "$how: for all of them" "$alices" for_whom alice
	wait_for waiting 'l3 cat@three.test deferred
l4 dan@four.test deferred'
	is "$how: nothing else went" 'l3 cat@three.test deferred
l4 dan@four.test deferred' waits
	exits "$how: no mail" 0 fetch alice $how one.test
	exits "$how: another's domain" 77 fetch bob $how three.test one.test
	fetch bob $how three.test >"$tmp/bob.out" 2>&1 &
	one=$!
	fetch carol $how four.test >"$tmp/carol.out" 2>&1 &
	other=$!
	wait $one $other
	is "$how: two at a time, the one" 'l3 whole' got bob
	is "$how: and the other" 'l4 whole' got carol
	ok "$how: nothing is left" wait_for waiting ''
done

# what the customer refuses is the MTA's to deal with
for how in --drain --splice; do
	fill
	timeout 100 turn-client --helo=gw.test -s "127.0.0.1:$(port_of $how)" -u alice --password-file="$tmp/alice" \
		--tls=verify --tls-ca="$ca" --tls-name=mx.test -o 'exec:sink --stdio --refuse=no-*:550' \
		--soft-bounce one.test two.test >/dev/null 2>&1
	wait_for waiting 'l3 cat@three.test deferred
l4 dan@four.test deferred
l5 no-such@two.test deferred'
	is "$how: with --soft-bounce it stays" 'l3 cat@three.test deferred
l4 dan@four.test deferred
l5 no-such@two.test deferred' waits
	chroot "$pf" postsuper -d ALL >/dev/null 2>&1
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
ok 'and they are gone here' wait_for waiting 'l3 cat@three.test deferred
l4 dan@four.test deferred'
[ $tap_bad = 0 ] || { tail -30 "$tmp/fetchmail.out" | diag; tail -60 "$tmp/server.log" | diag; }
chroot "$pf" postfix stop >/dev/null 2>&1
done_testing
