# turn-server at work beside an MTA; sourced after lib.sh and tls.sh, with $kind, $root, the
# MTA's chroot, and $spool, its queue in there ($there, if turn-server has to be told).
#
#	customers		three of them, in $tmp/customers and in the chroot
#	server PORT HOW		turn-server in there, one for each connection; HOW: --drain, --splice
#	turns HOW, stays HOW, gives_back HOW	what each way has to be
#	waits			what waits, "ID RECIPIENT" a line
#	fill			five letters wait for the three; sent to $takes, "HOST PORT"
#
# shellcheck shell=sh disable=SC2034,SC2154

customers() {
	mkdir -p "$root/etc/tidegate" "$root/run/tidegate"
	cat >"$root/etc/tidegate/customers" <<-END
	alice: one.test two.test splice=127.0.0.61:2561
	bob: three.test splice=127.0.0.62:2561
	carol: four.test splice=127.0.0.63:2561
	END
	printf 'alice:{PLAIN}secret\nbob:{PLAIN}other\ncarol:{PLAIN}third\n' >"$root/etc/tidegate/users"
	chmod 600 "$root/etc/tidegate/users"
	cp "$pki/good.pem" "$root/etc/tidegate/cert.pem"
	chmod 600 "$root/etc/tidegate/cert.pem"
	cp "$root/etc/tidegate/customers" "$tmp/customers"
	printf 'secret\n' >"$tmp/alice"
	printf 'other\n' >"$tmp/bob"
	printf 'third\n' >"$tmp/carol"
	chmod 600 "$tmp/alice" "$tmp/bob" "$tmp/carol"
	cat >"$tmp/listen.py" <<-'END'
	import signal, socket, subprocess, sys
	signal.signal(signal.SIGCHLD, signal.SIG_IGN)
	s = socket.create_server(('127.0.0.1', int(sys.argv[1])))
	while True:
	    c, _ = s.accept()
	    p = subprocess.Popen(sys.argv[2:], stdin=c, stdout=c)
	    c.close()
	END
}

server() {
	cat >"$tmp/server.$1" <<-END
	#!/bin/sh
	exec unshare --mount sh -c 'mount -t proc proc "\$0/proc" && exec chroot "\$0" /usr/bin/env -i \\
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "\$@"' "$root" turn-server \\
		--customers=/etc/tidegate/customers --passwords=/etc/tidegate/users --helo=isp.test \\
		--tls-cert=/etc/tidegate/cert.pem --spool=${there:-$kind} --splice-idle=${splice_idle:-2} -v $2 2>>"$tmp/server.log"
	END
	chmod +x "$tmp/server.$1"
	python3 "$tmp/listen.py" "$1" "$tmp/server.$1" &
	servers="$servers $!"
}
port_of() { [ "$1" = --splice ] && echo 367 || echo 366; }

# fetch WHO HOW DOMAIN...: into $tmp/got.WHO, or to $target
fetch() {
	who=$1 how=$2
	shift 2
	timeout 100 turn-client --helo=gw.test -s "127.0.0.1:$(port_of "$how")" -u "$who" --password-file="$tmp/$who" \
		--tls=verify --tls-ca="$ca" --tls-name=mx.test -o "${target:-maildir:$tmp/got.$who}" "$@"
}
plan() { echo "$@" >>"$tmp/plan"; }
waits() { queue-list --spool="$kind:$root$spool" -j | mail waiting | cut -d' ' -f1,2; }
# what the MTA has in hand cannot be taken
nothing_in_hand() { in_peace "$kind:$root$spool"; }
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
	# shellcheck disable=SC2086
	python3 "$mta/mail.py" send $takes "$tmp/plan" || bail 'no mail is taken'
	wait_for waiting "$(mail planned "$tmp/plan" | sed 's/ whole$//')" ||
		{ waits | diag; bail 'the queue does not fill'; }
	wait_for nothing_in_hand || bail 'the MTA does not give up'
}
got() { mail arrived "$tmp/plan" "$tmp/got.$1/new" | cut -d' ' -f1,3 | sort -u; }
# for_whom WHO: the envelope's recipients, where a file may have several
for_whom() { cat "$tmp/got.$1/new"/* | sed -n 's/^Delivered-To: //p' | sort; }
alices='ann@one.test
ann@one.test
ben@two.test
eva@one.test
no-such@two.test'
others='l3 cat@three.test
l4 dan@four.test'

# turns HOW: alice gets hers, then the two others at the same time
turns() {
	fill
	exits "$1: all of alice's" 0 fetch alice "$1" one.test two.test
	is "$1: whole, once" "l1 whole
l2 ${verdict_l2:-whole}
l5 ${verdict_l5:-whole}" got alice
	is "$1: for all of them" "$alices" for_whom alice
	wait_for waiting "$others"
	is "$1: nothing else went" "$others" waits
	exits "$1: no mail" 0 fetch alice "$1" one.test
	exits "$1: another's domain" 77 fetch bob "$1" three.test one.test
	fetch bob "$1" three.test >"$tmp/bob.out" 2>&1 &
	one=$!
	fetch carol "$1" four.test >"$tmp/carol.out" 2>&1 &
	other=$!
	wait $one $other
	is "$1: two at a time, the one" 'l3 whole' got bob
	is "$1: and the other" 'l4 whole' got carol
	ok "$1: nothing is left" wait_for waiting ''
}

# refuses HOW OPTION...: one of alice's recipients is refused
refuses() {
	fill
	target='exec:sink --stdio --ext=8BITMIME,PIPELINING --8-bit-clean --refuse=no-*:550' fetch alice "$@" one.test two.test >/dev/null 2>&1
}

# stays HOW: with --soft-bounce it is the MTA's, who keeps it
stays() {
	refuses "$1" --soft-bounce
	wait_for waiting "$others
l5 no-such@two.test"
	is "$1: with --soft-bounce it stays" "$others
l5 no-such@two.test" waits
	empty_queue
}

# gives_back HOW: without, the sender hears of it
with_report="$others
report l5@sender.test"
reported() { [ "$(waits | sed 's/^[^ ]* \(l5@sender.test\)$/report \1/' | sort)" = "$with_report" ]; }
gives_back() {
	refuses "$1"
	ok "$1: what is refused for good is gone, and the sender hears of it" wait_for reported
	is "$1: of this recipient and no other" 'Final-Recipient: rfc822;no-such@two.test' final_recipients
	empty_queue
}
final_recipients() {
	queue-list --spool="$kind:$root$spool" -r l5@sender.test |
		xargs queue-cat --spool="$kind:$root$spool" | tr -d '\r' |
		sed -n 's/^Final-Recipient: rfc822; */Final-Recipient: rfc822;/Ip'
}
empty_queue() { in_chroot - "$root" dequeue --spool="$kind" --remove -y --whole --all >/dev/null 2>&1; }

say_why() { [ "$tap_bad" = 0 ] || tail -60 "$tmp/server.log" | diag; }
