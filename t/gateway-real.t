#!/bin/sh
# gateway-dial with the real programs: a Maildir at each end, sinks for servers.
# shellcheck source=t/lib.sh
. "$(dirname "$0")/lib.sh"
umask 022
TIDEGATE_RUN=$tmp/run TIDEGATE_STATE=$tmp/state TIDEGATE_LOG=$tmp/sessions.log
export TIDEGATE_RUN TIDEGATE_STATE TIDEGATE_LOG
cd "$tmp" || exit
mkdir c out in
pids=
trap '[ -z "$pids" ] || kill $pids; rm -rf "$tmp"' EXIT

# serve OPTION...: a sink; $port is its port
serve() {
	rm -f "$tmp/port"
	sink "--port-file=$tmp/port" "$@" &
	pids="$pids $!"
	wait_for test -s "$tmp/port"
	port=$(cat "$tmp/port")
}
letters() {	# COUNT: each to two recipients
	rm -rf out
	mkdir -p out/new out/cur out/tmp
	for i in $(seq "$1"); do
		printf 'Return-Path: <a@gw.test>\nDelivered-To: b%s@x.test\nDelivered-To: c%s@x.test\nSubject: %s\n\nhi\n' "$i" "$i" "$i" >"out/new/m$i"
	done
}
conf() {
	{
		printf '%s\n' "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up" "HANGUP=rm $tmp/up" \
		    "SPOOL=maildir:$tmp/out" SEND=drain SMARTHOST=127.0.0.1 DOMAINS=customer.test \
		    IDLE=1s FIRST=1s "LISTEN_PORT=$good"
		printf '%s\n' "$@"
	} >c/isp.conf
}
session() {
	want=$1
	gateway-dial "--config=$tmp/c/isp.conf" isp >"$tmp/said" 2>&1
	got=$?
	[ $got -eq "$want" ] || { echo "status $got, not $want"; cat "$tmp/said"; }
	[ ! -e "$tmp/up" ] || echo 'the link is still up'
	tail -n 1 "$TIDEGATE_LOG" | sed 's/^[^ ]* link=isp //; s/ up=.*//'
}
left() { find out/new out/cur -type f | wc -l | tr -d ' '; }

serve --maildir="$tmp/world" '--etrn-reply=customer.test:250 started' '--etrn-reply=*:459 no'
good=$port
letters 3
conf "PORT=$good" "RETRIEVE_PORT=$good"
is 'sent, and nobody came' 'status=0 link=ok send=0 retrieve=0 hangup=ok sent=3 deferred=0 received=- bytes=-' session 0
is '... nothing is left' 0 left
is '... three arrived' 3 sh -c 'find world/new -type f | wc -l | tr -d " "'
is 'nothing to send' 'status=0 link=ok send=0 retrieve=0 hangup=ok sent=0 deferred=0 received=- bytes=-' session 0
sed 's/customer.test/other.test/' c/isp.conf >c/x && mv c/x c/isp.conf
is 'ETRN is refused' 'status=77 link=ok send=0 retrieve=77 hangup=ok sent=0 deferred=0 received=- bytes=-' session 77

serve '--refuse=b2@*:451 4.2.0 later' '--refuse=c2@*:451 4.2.0 later' '--refuse=b3@*:451 4.2.0 later'
letters 3
conf "PORT=$port" RETRIEVE=none
is 'some is put off' 'status=0 link=ok send=0 retrieve=- hangup=ok sent=2 deferred=2 received=- bytes=-' session 0
is '... and waits' 2 left
conf "PORT=$good" RETRIEVE=none
is 'the next session sends it' 'status=0 link=ok send=0 retrieve=- hangup=ok sent=2 deferred=0 received=- bytes=-' session 0
is '... all of it' 0 left

serve '--refuse=*:451 4.2.0 later'
letters 2
conf "PORT=$port" RETRIEVE=none
is 'all is put off' 'status=75 link=ok send=75 retrieve=- hangup=ok sent=0 deferred=2 received=- bytes=-' session 75
serve '--refuse=b1@*:550 5.1.1 no'
conf "PORT=$port" RETRIEVE=none
like 'one is refused for good' '^status=6[79] link=ok send=6[79] .* sent=2 deferred=0 ' session 69

serve --hang-at=BANNER
letters 1
conf "PORT=$port" "RETRIEVE_PORT=$port" MAX_SESSION=4s
like 'a provider that says nothing' '^status=75 link=ok send=75 retrieve=75 hangup=ok ' session 75
is '... the letter waits' 1 left
conf "PORT=1" "RETRIEVE_PORT=1" "SEND_OPTIONS=--connect-timeout=5s"
like 'a provider that is not there' '^status=75 link=ok send=75 retrieve=75 hangup=ok sent=0 ' session 75
is '... the letter waits' 1 left

# a provider who is gone before one looks again
cat >"$tmp/visit" <<-END
	#!/bin/sh
	exec perl -MIO::Socket::INET -e 'print { IO::Socket::INET->new("127.0.0.1:$good") } "QUIT\\r\\n"'
END
chmod +x "$tmp/visit"
serve "--etrn=$tmp/visit"
conf "RETRIEVE_PORT=$port" FIRST=30s
sed '/^FIRST=1s$/d' c/isp.conf >c/x && mv c/x c/isp.conf
if perl -e 'socket my $s, 16, 3, 4 or exit 1'; then
	like 'a session that nobody saw: the kernel told of it' 'the provider has come: at least 1 session' \
		gateway-etrn -v "--config=$tmp/c/isp.conf" isp
fi

# what is too old or too large goes back, by this host's sendmail, and the rest is sent
mkdir fake
printf '#!/bin/sh\necho "$*" >>"%s/returned.to"\ncat >>"%s/returned"\n' "$tmp" "$tmp" >fake/sendmail
chmod +x fake/sendmail
PATH=$tmp/fake:$PATH
serve --maildir="$tmp/later"
letters 3
touch -d '6 days ago' out/new/m2
{ cat out/new/m3; yes 'a line' | head -500; } >out/new/m3.large && mv out/new/m3.large out/new/m3
conf "PORT=$port" RETRIEVE=none EXPIRE=5d MAX_SIZE=1k
is 'old and large mail' 'status=0 link=ok send=0 retrieve=- hangup=ok sent=1 deferred=0 received=- bytes=-' session 0
is '... nothing is left' 0 left
is '... one was sent' 1 sh -c 'grep -c "^Subject: 1" later/new/* | grep -c 1'
is '... two reports went to the sender' '-i -f <> -- a@gw.test
-i -f <> -- a@gw.test' cat returned.to
is '... about these' 'Final-Recipient: rfc822; b2@x.test 5.4.7
Final-Recipient: rfc822; b3@x.test 5.3.4
Final-Recipient: rfc822; c2@x.test 5.4.7
Final-Recipient: rfc822; c3@x.test 5.3.4' awk '
	/^Final-Recipient: / { who = $0 }
	/^Status: / { print who, $2 | "sort" }' returned
done_testing
