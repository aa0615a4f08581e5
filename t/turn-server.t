#!/bin/sh
# turn-server: who is served, what he gets, and what nobody gets.
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"

command -v python3 >/dev/null || skip_all 'no python3'
customer=$top/t/tool/odmr.py
export TIDEGATE_RUN="$tmp/run"

# mail NUMBER TO...: waits in the provider's queue
mail() {
	number=$1
	shift
	{
		echo 'Return-Path: <a@x.test>'
		printf 'Delivered-To: %s\n' "$@"
		printf 'Subject: %s\n\n.a dot\n' "$number"
	} >"$tmp/md/new/$number"
}

waits() { (cd "$tmp/md/new" && echo *); }

fresh() {
	rm -rf "$tmp/md" "$tmp/dest" "$tmp/run"
	mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp" "$tmp/run"
	mail m1 bob@one.test
	mail m2 bob@two.test carol@two.test
	mail m3 dave@other.test
	mail m4 bob@sub.three.test
	mail m5 bob@elsewhere.test
}

cat >"$tmp/customers" <<-END
# who is who
alice: one.test two.test from=192.0.2.0/24
bob: other.test
carol: @three.test
dora: empty.test
client.test: elsewhere.test
END
printf 'alice:{PLAIN}secret\nbob:{PLAIN}other\ncarol:{PLAIN}third\ndora:{PLAIN}none\nnobody:{PLAIN}x\n' >"$tmp/users"
chmod 600 "$tmp/users"
echo secret >"$tmp/pass"
echo wrong >"$tmp/wrong"
chmod 600 "$tmp/pass" "$tmp/wrong"

server="turn-server --customers=$tmp/customers --passwords=$tmp/users --spool=maildir:$tmp/md --helo=mx.test"

# plays LINES [SERVER-OPTION...]: what a customer hears who says so
plays() {
	played=$1
	shift
	# shellcheck disable=SC2086
	printf '%b' "$played" | timeout 60 "$customer" --maildir="$tmp/dest" $sinks -- $server "$@" 2>"$said"
}
sinks=

# ---- who he is ----
fresh
is 'what is offered in the clear' '220 mx.test ESMTP
250-mx.test
250-PIPELINING
250-ENHANCEDSTATUSCODES
250-ETRN
250-ATRN
250-AUTH SCRAM-SHA-256 CRAM-MD5
250 TURN
221 2.0.0 bye' plays 'EHLO c.test\nQUIT\n'

is 'nothing before AUTH, no mail ever' '220 mx.test ESMTP
250 mx.test
530 5.7.0 authentication required
530 5.7.0 authentication required
530 5.7.0 authentication required
502 5.5.1 that is not done here
502 5.5.1 that is not done here
502 5.5.1 that is not done here
502 5.5.1 that is not done here
221 2.0.0 bye' plays 'HELO c.test\nATRN one.test\nTURN\nETRN one.test\nMAIL FROM:<a@x.test>\nRCPT TO:<b@one.test>\nDATA\nVRFY bob\nQUIT\n'

like 'PLAIN and LOGIN not in the clear' '^538 5.7.11' plays 'EHLO c.test\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\nQUIT\n'
like 'an unknown mechanism' '^504 5.5.4' plays 'EHLO c.test\nAUTH PIGEON\nQUIT\n'
like 'given up' '^501 5.7.0' plays 'EHLO c.test\nAUTH SCRAM-SHA-256\n*\nQUIT\n'
like 'no base64' '^501 5.5.2' plays 'EHLO c.test\nAUTH SCRAM-SHA-256 ???\nQUIT\n'
plays 'EHLO c.test\nCRAM alice wrong\nQUIT\n' >"$tmp/one"
plays 'EHLO c.test\nCRAM zoe wrong\nQUIT\n' >"$tmp/two"
sed -i 's/^334 .*/334/' "$tmp/one" "$tmp/two"
same 'an unknown user and a wrong password sound alike' "$tmp/one" "$tmp/two"
like 'that is 535' '^535 5.7.8' cat "$tmp/one"
like 'a user who is no customer' '^535 5.7.8' plays 'EHLO c.test\nCRAM nobody x\nQUIT\n'
like 'three failures end it' '^421 4.3.2' plays 'EHLO c.test\nCRAM alice a\nCRAM alice b\nCRAM alice c\nNOOP\n'
plays 'EHLO c.test\nCRAM alice a\nCRAM alice b\nCRAM alice c\nNOOP\n' >/dev/null
for other in a b c d e; do plays "EHLO c.test\\nCRAM alice $other\\nCRAM alice b\\nCRAM alice c\\n" >/dev/null; done
like 'so many of them: nobody from there for a while' '^454 4.7.0' plays 'EHLO c.test\nAUTH SCRAM-SHA-256\nQUIT\n'

fresh
for mech in SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN; do
	ok "TLS and $mech" timeout 30 smtp-send --helo=c.test -u alice --password-file="$tmp/pass" \
		--auth=$mech --tls=verify --tls-ca="$ca" --tls-name=mx.test --quit-after=auth \
		-s "exec:$server --tls-cert=$pki/good.pem"
	exits "TLS and $mech, a wrong password" 77 timeout 30 smtp-send --helo=c.test -u alice \
		--password-file="$tmp/wrong" --auth=$mech --tls-wrap --tls=verify --tls-ca="$ca" \
		--tls-name=mx.test --quit-after=auth -s "exec:$server --tls-wrap --tls-cert=$pki/good.pem"
done
ok 'a certificate says who it is' timeout 30 smtp-send --helo=c.test --auth=EXTERNAL \
	--tls=verify --tls-ca="$ca" --tls-name=mx.test --tls-cert="$pki/client.pem" --quit-after=auth \
	-s "exec:$server --tls-cert=$pki/good.pem --tls-ca=$ca"
exits 'one of another CA does not' 69 timeout 30 smtp-send --helo=c.test --auth=EXTERNAL \
	--tls=verify --tls-ca="$ca" --tls-name=mx.test --tls-cert="$pki/client.pem" --quit-after=auth \
	-s "exec:$server --tls-cert=$pki/good.pem --tls-ca=$pki/strangerca.pem"
# the greeting does not wait for OpenSSL, so it is there before they are read
sed '/CERTIFICATE/s/CERT/CART/' "$pki/good.pem" >"$tmp/bad.pem"
grep -v CERTIFICATE "$pki/good.pem" >"$tmp/none.pem"
chmod 600 "$tmp/bad.pem" "$tmp/none.pem"
for bad in bad none; do
	plays 'EHLO c.test\nNOOP\n' --tls-cert="$tmp/$bad.pem" >"$tmp/replies"
	is "a certificate that is none ($bad): it ends at the first words" '220 mx.test ESMTP
421 4.3.2 not now
closed' cat "$tmp/replies"
	exits "that is 78 ($bad)" 78 sh -c 'echo EHLO c | $1 --tls-cert="$2"' - "$server" "$tmp/$bad.pem"
	like "the log names it ($bad)" "network: $tmp/$bad.pem: no certificate" \
		sh -c 'echo EHLO c | $1 -v --tls-cert="$2" 2>&1 >/dev/null' - "$server" "$tmp/$bad.pem"
done
like 'who says nothing never sees that' '^220 mx.test ESMTP' sh -c '$1 --tls-cert="$2" </dev/null 2>/dev/null' - "$server" "$tmp/bad.pem"
like 'nothing may stand behind STARTTLS' '^554 5.7.0' plays 'EHLO c.test\nSTARTTLS\n+EHLO x\nNOOP\n' --tls-cert="$pki/good.pem"

plays 'EHLO c.test\nCRAM alice secret\nSTARTTLS\nEHLO c.test\nATRN\nCRAM bob other\nATRN one.test\nQUIT\n' --tls-cert="$pki/good.pem" >"$tmp/replies"
like 'who gives up three times is sent away' '^421 4.3.2 too many failures' plays 'EHLO c.test\nAUTH SCRAM-SHA-256\n*\nAUTH SCRAM-SHA-256\n*\nAUTH SCRAM-SHA-256\n*\nNOOP\n'
is 'who it was in the clear is nobody in TLS, and may be another' '235 2.7.0 welcome
530 5.7.0 authentication required
235 2.7.0 welcome
450 4.7.1 request refused' sh -c 'grep -E "^(235|45|503|530)" "$0"' "$tmp/replies"

# ---- ATRN ----
fresh
like 'all that is his' '^250 2.0.0 OK now reversing' plays 'EHLO c.test\nCRAM alice secret\nATRN\n'
is 'it is gone here, what is not his stays' 'm3 m4 m5' waits
is 'and is there' '.a dot
.a dot' sh -c 'for f in "$0"/new/*; do sed "1,/^\r*$/d" "$f"; done | tr -d "\r"' "$tmp/dest"
is 'with its recipients' 'bob@one.test
bob@two.test
carol@two.test' sh -c 'grep -h "^Delivered-To:" "$0"/new/* | tr -d "\r" | cut -d" " -f2 | sort' "$tmp/dest"
like 'nothing more waits' '^453 4.0.0' plays 'EHLO c.test\nCRAM alice secret\nATRN\nQUIT\n'

fresh
like 'one of two domains' '^250 2.0.0' plays 'EHLO c.test\nCRAM alice secret\nATRN two.test\n'
is 'the other one stays' 'm1 m3 m4 m5' waits
fresh
like 'within TLS' '^250 2.0.0' plays 'EHLO c.test\nSTARTTLS\nEHLO c.test\nCRAM alice secret\nATRN two.test,one.test\n' --tls-cert="$pki/good.pem"
is 'they came' 'm3 m4 m5' waits
fresh
like 'TURN, too' '^250 2.0.0' plays 'EHLO c.test\nCRAM bob other\nTURN\n'
is 'for all his domains' 'm1 m2 m4 m5' waits
fresh
like 'subdomains' '^250 2.0.0' plays 'EHLO c.test\nCRAM carol third\nATRN\n'
is 'of one who has them' 'm1 m2 m3 m5' waits
like 'no mail' '^453 4.0.0' plays 'EHLO c.test\nCRAM dora none\nATRN\nQUIT\n' -v
like 'which the provider can read, too' '^turn-server: [0-9a-f]*: no mail waits for him$' cat "$said"

fresh
for list in one.test,other.test other.test nosuch.test one.test,two.test,sub.three.test; do
	like "not his: $list" '^450 4.7.1 request refused' plays "EHLO c.test\nCRAM alice secret\nATRN $list\nQUIT\n"
done
for list in ',' 'one.test,' ',one.test' 'one.test, two.test' one @one.test '#one' '*' 'one.test two.test' '-n.test'; do
	like "no list: $list" '^501 5.5.4' plays "EHLO c.test\nCRAM alice secret\nATRN $list\nQUIT\n"
done
is 'nothing was touched' 'm1 m2 m3 m4 m5' waits
like 'something said behind ATRN' '^503 5.5.0' plays 'EHLO c.test\nCRAM alice secret\nATRN\n+220 c.test\nNOOP\n'
is 'nothing was sent' 'm1 m2 m3 m4 m5' waits
like 'a queue that cannot be seen is not empty' '^451 4.3.0' plays 'EHLO c.test\nCRAM alice secret\nATRN\nQUIT\n' --spool=maildir:"$tmp/nowhere"

# ---- our own client ----
# meets STATUS OPTION...: turn-client and turn-server, the mail in $tmp/dest
meets() {
	rm -rf "$tmp/dest"
	timeout 60 turn-client --helo=c.test -s "exec:$server --tls-cert=$pki/good.pem $with" -o "$into" \
		-u alice --password-file="$tmp/pass" --tls-ca="$ca" --tls-name=mx.test "$@"
}
with=""
into=maildir:$tmp/dest
fresh
exits 'turn-client, SCRAM-SHA-256-PLUS in TLS' 0 meets --tls=verify one.test two.test
is 'all is there' 'm3 m4 m5' waits
is 'in two messages, three copies' 'Delivered-To: bob@one.test
Delivered-To: bob@two.test
Delivered-To: carol@two.test' sh -c 'cat "$0"/new/* | grep -h ^Delivered-To: | sort' "$tmp/dest"
is 'byte for byte' '.a dot
.a dot' sh -c 'for f in "$0"/new/*; do tail -1 "$f"; done' "$tmp/dest"
exits 'no mail is no failure' 0 meets --tls=verify one.test two.test
fresh
exits 'a foreign domain: 77' 77 meets --tls=verify one.test other.test
is 'nothing went' 'm1 m2 m3 m4 m5' waits
exits 'TURN' 0 meets --turn --tls=verify --accept=one.test --accept=two.test
is 'all of his' 'm3 m4 m5' waits
fresh
into='exec:sink --stdio --refuse=bob@*:450'
meets --tls=verify one.test two.test >/dev/null 2>&1
into=maildir:$tmp/dest
is 'what he does not take stays' 'm1 m2 m3 m4 m5' waits
is 'for him alone' 'Delivered-To: bob@two.test' grep -h ^Delivered-To: "$tmp/md/new/m2"
fresh
i=0
while [ $i -lt 200 ]; do
	mail n$i bob@one.test
	i=$((i + 1))
done
exits 'many' 0 meets --tls=verify one.test two.test
is 'all of them' 202 sh -c 'ls "$0/new" | wc -l' "$tmp/dest"
is 'each once' 202 sh -c 'grep -h ^Subject: "$0"/new/* | sort -u | wc -l' "$tmp/dest"

# ---- what the customer says no to ----
fresh
sinks="--refuse=bob@one.test:450"
plays 'EHLO c.test\nCRAM alice secret\nATRN\n' >/dev/null
is 'a recipient he refuses stays' 'm1 m3 m4 m5' waits
sinks='--drop-at=DOT'
fresh
plays 'EHLO c.test\nCRAM alice secret\nATRN\n' >/dev/null
is 'the line breaks: nothing is lost' 'm1 m2 m3 m4 m5' waits
sinks=--banner=554
plays 'EHLO c.test\nCRAM alice secret\nATRN\n' >/dev/null
is 'he greets with a no: likewise' 'm1 m2 m3 m4 m5' waits
sinks=

# ---- who sends is killed in the middle of a message ----
mkdir "$tmp/killed"
cp "$(command -v turn-server)" "$tmp/killed"
for program in queue-list dequeue; do ln -s "$(command -v $program)" "$tmp/killed"; done
cat >"$tmp/killed/smtp-send" <<-'END'
	#!/usr/bin/env python3
	import os, socket, sys
	fd = int([a for a in sys.argv if a.startswith('--server=fd:')][0][12:])
	s = socket.socket(fileno=fd)
	f = s.makefile()
	how = os.environ['HOW']
	f.readline()
	for line in b'EHLO x', b'MAIL FROM:<a@x.test>', b'RCPT TO:<bob@one.test>', how.encode():
	    s.sendall(line + b'\r\n')
	    while not line.startswith(b'BDAT') and f.readline()[3] == '-':
	        pass
	s.sendall(b'Subject: half\r\n\r\nof it\r\n')
	open(os.environ['HALF'], 'w').write(how + '\n')
	os.kill(os.getpid(), 9)
END
chmod +x "$tmp/killed/smtp-send"
careful=$server
server="$tmp/killed/$server"
for HOW in DATA 'BDAT 100 LAST'; do
	export HOW HALF="$tmp/half"
	fresh
	exits "$HOW: the customer is to come again" 75 meets --tls=verify one.test two.test
	is "$HOW: half of it was said" "$HOW" cat "$tmp/half"
	is "$HOW: he keeps nothing of it" '' find "$tmp/dest" -type f
	is "$HOW: it waits" 'm1 m2 m3 m4 m5' waits
done
server=$careful

# ---- one at a time ----
fresh
mkdir -p "$tmp/run/turn-server"
: >"$tmp/run/turn-server/turn-alice"
like 'another one is at it' '^451 4.3.2 another' flock "$tmp/run/turn-server/turn-alice" \
	sh -c 'printf "EHLO c\nCRAM alice secret\nATRN\nQUIT\n" | "$0" -- '"$server" "$customer"

# ---- what the MTA has in hand ----
# a program beside it stands in for a queue with one that is delivered just now
mkdir "$tmp/busy"
for program in turn-server dequeue smtp-send; do cp "$(command -v $program)" "$tmp/busy"; done
cat >"$tmp/busy/queue-list" <<-'END'
#!/bin/sh
case $* in *active*) echo 1 ;; *) echo 0 ;; esac
END
chmod +x "$tmp/busy/queue-list"
careful=$server
server="$tmp/busy/$server"
fresh
like 'all is in hand: not now' '^451 4.3.2 your mail is being delivered' plays 'EHLO c.test\nCRAM alice secret\nATRN\nQUIT\n'
# ... and for one where it was so a moment later
printf '#!/bin/sh\necho 1\n' >"$tmp/busy/queue-list"
rm -rf "$tmp/md/new"/*
sinks=--log=$tmp/busy.log
exits 'all has gone meanwhile' 0 plays 'EHLO c.test\nCRAM alice secret\nATRN\n'
like 'he is greeted' '^EHLO mx.test 250' cat "$tmp/busy.log"
like 'and bidden farewell' '^QUIT *221' cat "$tmp/busy.log"
sinks=
server=$careful

# ---- one half that goes its own way ----
# a half that does not answer: it is the other one that knows what became of all
cat >"$tmp/stop.py" <<-'END'
	import os, signal, socket, subprocess, sys
	ours, theirs = socket.socketpair()
	p = subprocess.Popen(sys.argv[1:], stdin=theirs, stdout=theirs)
	theirs.close()
	ours.recv(1000)
	half = int(open(f'/proc/{p.pid}/task/{p.pid}/children').read())
	os.kill(half, signal.SIGSTOP)
	p.send_signal(signal.SIGTERM)
	print('status', p.wait(60), 'and the other is', 'there' if os.path.exists(f'/proc/{half}') else 'gone')
END
fresh
# shellcheck disable=SC2086
cat >"$tmp/orphan.py" <<-'END'
	import ctypes, os, signal, socket, subprocess, sys
	ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)		# PR_SET_CHILD_SUBREAPER
	ours, theirs = socket.socketpair()
	ours.settimeout(60)
	p = subprocess.Popen(sys.argv[1:], stdin=theirs, stdout=theirs)
	theirs.close()
	wire = ours.makefile('rw', newline='')
	def ask(line):
	    wire.write(line + '\r\n')
	    wire.flush()
	    while (reply := wire.readline())[3:4] == '-':
	        pass
	    return reply
	wire.readline()
	ask('EHLO c.test')
	if ask('AUTH CRAM-MD5').startswith('334 '):
	    half = int(open(f'/proc/{p.pid}/task/{p.pid}/children').read())
	    p.kill()
	    p.wait()
	    print('heard', repr(ask('YWxpY2UgMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=')))
	    how = os.waitpid(half, 0)[1]
	    print('signal' if os.WIFSIGNALED(how) else 'status', how & 127 or how >> 8)
END
# shellcheck disable=SC2086
is 'the half with the rights is killed: the other one ends' "heard ''
status 75" timeout 90 python3 "$tmp/orphan.py" $server
# shellcheck disable=SC2086
is 'one half hangs, and a signal comes: both end' 'status 75 and the other is gone' timeout 90 python3 "$tmp/stop.py" $server

# ---- ETRN ----
fresh
like 'a Maildir has nobody who could deliver' '^458 unable' plays 'EHLO c.test\nCRAM alice secret\nETRN one.test\nQUIT\n'
like 'nothing waits' '^251 OK, no messages' plays 'EHLO c.test\nCRAM dora none\nETRN empty.test\nQUIT\n'
like 'once a minute' '^458' plays 'EHLO c.test\nCRAM dora none\nETRN empty.test\nQUIT\n'
for node in other.test @one.test '#one' nosuch.test; do
	like "not his: $node" '^459 4.7.1' plays "EHLO c.test\nCRAM alice secret\nETRN $node\nQUIT\n"
done
many=$(i=0; while [ $i -lt 31 ]; do printf 'ETRN x%s.three.test\\n' $i; i=$((i + 1)); done)
plays "EHLO c.test\\nCRAM carol third\\n${many}QUIT\\n" >"$tmp/replies"
is 'a customer has subdomains without end, but not ETRNs' '30 251
1 458' sh -c 'cut -c1-4 "$0" | grep -E "^(251|458)" | sort | uniq -c | sed "s/^ *//; s/ *$//"' "$tmp/replies"
like 'no node' '^501' plays 'EHLO c.test\nCRAM alice secret\nETRN <one.test>\nQUIT\n'

# ---- started by one who does not care what becomes of his children ----
cat >"$tmp/careless" <<-'END'
#!/usr/bin/perl
$SIG{CHLD} = 'IGNORE';
exec @ARGV;
END
chmod +x "$tmp/careless"
fresh
careful=$server
server="$tmp/careless $server"
exits 'who started it ignores SIGCHLD: it ends all the same' 0 plays 'EHLO c.test\nQUIT\n'
exits 'and hands out mail' 0 plays 'EHLO c.test\nCRAM alice secret\nATRN\n'
is 'which is gone' 'm3 m4 m5' waits
server=$careful
fresh

# ---- other ways to drain ----
cat >"$tmp/drain" <<-'END'
#!/bin/sh
read -r greeting
printf '%s|%s\n' "$greeting" "$*" >"$0.log"
printf 'QUIT\r\n'
END
chmod +x "$tmp/drain"
like 'a command of our own' '^250' plays 'EHLO c.test\nCRAM alice secret\nATRN two.test\n' --drain-command="$tmp/drain now"
like 'has the customer and the domains' '^220 .*now two.test' cat "$tmp/drain.log"
cat >"$tmp/drain" <<-'END'
	#!/usr/bin/env python3
	import os, sys
	all = [f for f in os.listdir('/proc/self/fd') if os.path.lexists('/proc/self/fd/' + f)]
	open(sys.argv[0] + '.log', 'w').write(' '.join(sorted(all)) + '\n')
	sys.stdout.write('QUIT\r\n')
END
plays 'EHLO c.test\nCRAM alice secret\nATRN two.test\n' --drain-command="$tmp/drain" >/dev/null
is 'and no descriptor besides' '0 1 2' cat "$tmp/drain.log"

# ---- the MTA's own sessions ----
# programs of the same name beside it stand in for the MTA
spliced=127.$(($$ % 250 + 1)).$(($$ / 250 % 250 + 1)).7
port=$(python3 -c 'import socket, sys
s = socket.socket(); s.bind((sys.argv[1], 0)); print(s.getsockname()[1])' "$spliced" 2>/dev/null) || port=
if [ -n "$port" ]; then
	mkdir "$tmp/sp"
	cp "$(command -v turn-server)" "$tmp/sp"
	printf '#!/bin/sh\necho 3\n' >"$tmp/sp/queue-list"
	cat >"$tmp/sp/dequeue" <<-END
	#!/bin/sh
	echo "\$*" >"$tmp/sp/asked"
	for n in 1 2 3; do
		smtp-send -v -s $spliced:$port -f a@x.test bob@one.test carol@two.test x@other.test \\
			<"$msg" >"$tmp/sp/said.\$n" 2>&1 &
	done
	END
	chmod +x "$tmp/sp/queue-list" "$tmp/sp/dequeue"
	printf 'alice: one.test two.test splice=%s\n' "$spliced:$port" >"$tmp/sp/customers"
	rm -rf "$tmp/dest"
	for wire in clear tls; do
		[ $wire = clear ] && lines='EHLO c\nCRAM alice secret\nATRN\n' o= ||
			{ lines='EHLO c\nSTARTTLS\nEHLO c\nCRAM alice secret\nATRN\n' o="--tls-cert=$pki/good.pem"; }
		rm -rf "$tmp/dest"
		like "splice, $wire" '^250 2.0.0' sh -c 'printf "$1" | timeout 90 "$0" \
			--maildir="$2" --log="$3" -- "$4"/turn-server --splice --splice-idle=20 --customers="$4/customers" --passwords="$5" $6' \
			"$customer" "$lines" "$tmp/dest" "$tmp/sp/log" "$tmp/sp" "$tmp/users" "$o"
		is "splice, $wire: released" '--domain=one.test --domain=two.test --whole' cat "$tmp/sp/asked"
		is "splice, $wire: three sessions on one" 3 sh -c 'ls "$0/new" | wc -l' "$tmp/dest"
		is "splice, $wire: he sees one" '1 1' sh -c 'echo $(grep -c ^EHLO "$0") $(grep -c ^QUIT "$0")' "$tmp/sp/log"
		like "splice, $wire: nobody else's" '450 4.7.1 this connection is for another' cat "$tmp/sp/said.1"
		is "splice, $wire: which he never hears of" 0 sh -c 'grep -c other.test "$0" || :' "$tmp/sp/log"
		rm -f "$tmp/sp/log"
	done
	printf '#!/bin/sh\nexit 69\n' >"$tmp/sp/dequeue"
	like 'nothing can be released: it ends at once' '^250 2.0.0' sh -c 'printf "EHLO c\nCRAM alice secret\nATRN\n" | timeout 50 "$0" \
		-- "$1"/turn-server --splice --splice-idle=1 --customers="$1/customers" --passwords="$2"' "$customer" "$tmp/sp" "$tmp/users"
fi

# ---- what is wrong from the start ----
refuses() {
	exits "$1: 78" 78 sh -c 'echo QUIT | "$0" -- turn-server "$@"' "$customer" --customers="$tmp/c" --passwords="$tmp/p"
	like "$1: the peer hears 421" '^421' sh -c 'echo QUIT | "$0" -- turn-server "$@" 2>/dev/null' "$customer" --customers="$tmp/c" --passwords="$tmp/p"
}
printf 'alice: one.test\nbob: one.test\n' >"$tmp/c"
cp -p "$tmp/users" "$tmp/p"
refuses 'a domain that two have'
printf 'alice: @one.test\nbob: a.one.test\n' >"$tmp/c"
refuses 'or one of its subdomains'
printf 'alice one.test\n' >"$tmp/c"
refuses 'no customer'
printf 'alice: one.test\n' >"$tmp/c"
chmod 644 "$tmp/p"
refuses 'passwords that others can read'
chmod 600 "$tmp/p"
echo 'alice:secret' >"$tmp/p"
refuses 'a password in no form we know'
! grep -q secret "$tmp/.err" && tap_ok 'which is not shown' || tap_not 'which is not shown' cat "$tmp/.err"
exits 'no customers' 64 turn-server --passwords="$tmp/p"
exits 'nobody can be known' 64 turn-server --customers="$tmp/c"
exits 'an operand' 64 turn-server --customers="$tmp/c" --passwords="$tmp/p" one.test

# ---- what the MTA needs ----
printf 'alice: one.test @two.test splice=127.0.0.8:2525 from=192.0.2.9\nbob: other.test\n' >"$tmp/c"
for mta in postfix exim sendmail; do
	like "$mta: its domains" 'one\.test' turn-server --customers="$tmp/c" --print-config=$mta
	like "$mta: where it goes" '127\.0\.0\.8' turn-server --customers="$tmp/c" --print-config=$mta
done
: >"$tmp/nobody"
like 'nobody to print it for' '^turn-server: .*/nobody: no customer is in it$' \
	turn-server --customers="$tmp/nobody" --print-config=postfix
exits 'another MTA' 64 turn-server --customers="$tmp/c" --print-config=pigeon
done_testing
