#!/bin/sh
# gateway-dial --probe: what it finds, and that doing what it prints mends it.  The MTAs'
# own commands are fakes; servers are sinks.
# shellcheck source=t/lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"
. "$top/t/gateways.sh"
umask 022
TIDEGATE_RUN=$tmp/run TIDEGATE_STATE=$tmp/state TIDEGATE_LOG=$tmp/sessions.log TIDEGATE_PROC=$tmp/proc
T=$tmp
export T TIDEGATE_RUN TIDEGATE_STATE TIDEGATE_LOG TIDEGATE_PROC
mkdir -p "$tmp/c" "$tmp/fake" "$tmp/out/new" "$tmp/proc/net"
: >"$tmp/proc/net/tcp"
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
conf() { printf '%s\n' "$@" >"$tmp/c/isp.conf"; }
# shellcheck disable=SC2120
probe() { "$gateways/gateway-dial" --probe "--config=$tmp/c/isp.conf" "$@" isp 2>&1; }
# finds NAME STATUS WORD-PART ERE: and the line that mends it, if there is a fifth
finds() {
	probe >"$tmp/said"
	code=$?
	[ $code -eq "$2" ] || echo "status $code, not $2" >>"$tmp/said"
	like "$1" "^$3 *$4" cat "$tmp/said"
	is "$1: status" "$2" echo $code
	[ $# -lt 5 ] || like "$1: what mends it" "^ +$5" cat "$tmp/said"
}
listens() {
	{
		echo '  sl  local_address rem_address   st'
		for at in "$@"; do echo "   0: $at 00000000:0000 0A"; done
	} >"$tmp/proc/net/tcp"
}

# ---- all is well ----
serve --ext=ETRN,SIZE "--refuse=*@other.test:550 5.7.1 no relay"
good=$port
serve --ext=ATRN,SIZE
atrn=$port
hex=$(printf %04X "$good")
listens "00000000:$hex"
base() {
	conf "SPOOL=maildir:$tmp/out" SEND=drain "SMARTHOST=127.0.0.1:$good" "LISTEN_PORT=$good" \
	    DOMAINS=customer.test "$@"
}
base
exits 'a link on which all is well: 0' 0 probe
cp "$tmp/.out" "$tmp/o"
like 'the server is named' "^ok +SMARTHOST: 127.0.0.1:$good: 220 sink" cat "$tmp/o"
like 'what it offers' '^ok +RETRIEVE: ETRN is offered' cat "$tmp/o"
like 'our own port' "^ok +LISTEN_PORT: port $good answers" cat "$tmp/o"
like 'our domain' '^ok +DOMAINS: .*takes mail for customer.test' cat "$tmp/o"
is 'nothing is bad' '' sh -c 'grep -E "^(bad|unseen)" "$1"; :' - "$tmp/o"
is 'nothing was remembered of it' '' sh -c 'ls "$1/run" "$1/state" "$1/sessions.log" 2>/dev/null; :' - "$tmp"
exits 'as JSON' 0 probe --json
cp "$tmp/.out" "$tmp/o"
ok 'which it is' python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert {"finding": "ok", "part": "RETRIEVE", "text": "ETRN is offered"} in rows' "$tmp/o"

# ---- what is on this host ----
base 'DIAL=no-such-program up' "CHECK=true"
finds 'a command that is not there' 69 bad 'DIAL: no-such-program: there is no such program'
echo secret >"$tmp/pass"
chmod 644 "$tmp/pass"
base USER=ann "PASSWORD_FILE=$tmp/pass" TLS=none
finds 'a password that others read' 78 bad 'PASSWORD_FILE: .*others can read it' "run: chmod 600 $tmp/pass"
base "PASSWORD_FILE=$tmp/none"
finds 'no password file' 74 bad 'PASSWORD_FILE: .*none: no such file'
base "LIMITS=$tmp/none"
finds 'no limits' 74 bad 'LIMITS: .*none: cannot be read'
conf "SPOOL=maildir:$tmp/nowhere" SEND=drain SMARTHOST=127.0.0.1 RETRIEVE=none CHECK=false
finds 'no queue' 74 bad 'SPOOL: '
ln -s loop "$tmp/c/loop.conf"
exits 'the file itself' 74 gateway-dial --probe "--config=$tmp/c/loop.conf" isp

# ---- the link ----
base "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up" "HANGUP=rm $tmp/up"
finds 'a link that is down is not raised' 75 unseen 'link: it is down'
ok 'it is not' test ! -e "$tmp/up"
is 'and nobody is asked' '' sh -c 'grep SMARTHOST "$1"; :' - "$tmp/said"
: >"$tmp/up"
finds 'when it is up they are' 0 ok 'SMARTHOST: '
ok 'and it stays up' test -e "$tmp/up"

# ---- the servers ----
base SMARTHOST=127.0.0.1:1
sed -i '/127.0.0.1:[^1]/d' "$tmp/c/isp.conf"
finds 'nobody there' 75 bad 'SMARTHOST: 127.0.0.1:1: .*refused'
base "RETRIEVE_HOST=127.0.0.1:$atrn"
finds 'ETRN, where there is ATRN' 69 bad 'RETRIEVE: ETRN is not offered' ".*isp.conf: RETRIEVE=atrn"
mkdir -p "$tmp/md/new"
base RETRIEVE=atrn "RETRIEVE_HOST=127.0.0.1:$atrn" "DELIVER=maildir:$tmp/md"
finds 'as it says' 0 ok 'RETRIEVE: ATRN is offered'
like 'into a Maildir' '^ok +DELIVER: maildir:' cat "$tmp/said"
base RETRIEVE=atrn "RETRIEVE_HOST=127.0.0.1:$atrn" "DELIVER=127.0.0.1:$good" SUBDOMAINS=yes
finds 'or to an MTA' 0 ok 'DELIVER: .* answers'
base RETRIEVE=atrn "RETRIEVE_HOST=127.0.0.1:$atrn" "DELIVER=127.0.0.1:1"
finds 'who is not there' 75 bad 'DELIVER: .*refused'
base RETRIEVE=atrn "RETRIEVE_HOST=127.0.0.1:$atrn" "DELIVER=maildir:$tmp/no/where"
finds 'a Maildir that cannot be' 74 bad 'DELIVER: .*cannot be made'
serve --ext=ETRN --auth=PLAIN --user=ann:sesame
chmod 600 "$tmp/pass"
base "RETRIEVE_HOST=127.0.0.1:$port" RETRIEVE_USER=ann "RETRIEVE_PASSWORD_FILE=$tmp/pass"
finds 'a wrong password' 77 bad 'RETRIEVE_HOST: .*535'
echo sesame >"$tmp/pass"
finds 'the right one' 0 ok 'RETRIEVE_HOST: '

# ---- our own port ----
listens
base
finds 'nobody listens' 69 bad "LISTEN_PORT: nobody listens on port $good"
listens "0100007F:$hex"
finds 'only for ourselves' 69 bad 'LISTEN_PORT: only this host itself'
listens "0A0200C0:$hex"
finds 'at one address' 0 ok 'LISTEN_PORT: somebody listens'
listens "00000000:$hex" "0100007F:$hex"
sed -i 's/^DOMAINS=.*/DOMAINS=customer.test other.test/' "$tmp/c/isp.conf"
finds 'which does not take our mail' 77 bad 'DOMAINS: .*postmaster@other.test: .*550 5.7.1 no relay'

# ---- Postfix: fake, but it keeps what is set ----
PATH=$tmp/fake:$PATH
cat >"$tmp/fake/postconf" <<'END'
#!/bin/sh
# of `-h NAME', `-hx NAME' and `-e NAME=VALUE' only
case $1 in
-e)
	shift
	for set; do
		sed -i "/^${set%%=*}=/d" "$T/main"
		echo "$set" >>"$T/main"
	done ;;
-h*) sed -n "s/^$2=//p" "$T/main" ;;
esac
END
printf '#!/bin/sh\ncase $1 in reload | status) ;; *) false ;; esac\n' >"$tmp/fake/postfix"
printf '#!/bin/sh\necho 3\n' >"$tmp/fake/queue-list"
chmod +x "$tmp/fake/postconf" "$tmp/fake/postfix" "$tmp/fake/queue-list"
mkdir "$tmp/pfq"
cat >"$tmp/main" <<END
queue_directory=$tmp/pfq
relayhost=
default_transport=smtp
defer_transports=
delay_warning_time=4h
maximal_queue_lifetime=1d
bounce_queue_lifetime=5d
smtpd_peername_lookup=no
END
conf SPOOL=postfix SMARTHOST=192.0.2.7 PORT=587 RETRIEVE=none DIAL=true HANGUP=true CHECK=false EVERY=12h
finds 'no relay host' 78 bad 'MTA: Postfix knows no relayhost' 'run: postconf -e .relayhost=\[192.0.2.7\]:587. && postfix reload'
like 'it tries by itself' '^note +MTA: Postfix tries by itself' cat "$tmp/said"
like 'it tells of delays' '^note +MTA: senders are told of a delay after 4h' cat "$tmp/said"
like 'and gives up early' '^note +MTA: mail is returned after 24 hours, and EVERY is 12 hours' cat "$tmp/said"
sed -n 's/^ *run: //p' "$tmp/said" >"$tmp/mend"
exits 'what it says is done' 0 sh -e "$tmp/mend"
finds 'and it has nothing to say' 75 ok 'MTA: Postfix sends to \[192.0.2.7\]:587'
is 'really' '' sh -c 'grep -E "^(bad|note)" "$1"; :' - "$tmp/said"
sed -i 's/^relayhost=.*/relayhost=mail.isp.test/' "$tmp/main"
finds 'a relay host by MX' 75 note 'MTA: Postfix asks DNS' 'run: postconf -e .relayhost=\[mail.isp.test\]. '
sed -i 's/^relayhost=.*/relayhost=mail.isp.test:587/' "$tmp/main"
finds 'by MX and port' 75 note 'MTA: Postfix asks DNS' 'run: postconf -e .relayhost=\[mail.isp.test\]:587. '
sed -i 's/^relayhost=.*/relayhost=[192.0.2.7]/; s/^maximal_queue_lifetime=.*/maximal_queue_lifetime=5d/' "$tmp/main"
sed -i 's/^EVERY=.*/EVERY=2d/' "$tmp/c/isp.conf"
finds 'mail that waits no longer than two sessions' 75 note 'MTA: mail is returned after 5 days' 'run: postconf -e maximal_queue_lifetime=6d '
sed -n 's/^ *run: //p' "$tmp/said" >"$tmp/mend"
exits 'that is done' 0 sh -e "$tmp/mend"
is 'and mended' '' sh -c '"$1/gateway-dial" --probe "--config=$2/c/isp.conf" isp | grep ^note; :' - "$gateways" "$tmp"
conf "SPOOL=postfix:$tmp/out" SMARTHOST=192.0.2.7 RETRIEVE=none
finds "another's queue" 75 unseen 'MTA: .*is not the queue of the Postfix that runs here'

# ---- Exim and Sendmail ----
cat >"$tmp/fake/exim4" <<'END'
#!/bin/sh
case $1 in
-bV) echo "Configuration file is $T/exim4.conf" ;;
-bP) case $2 in
	config) cat "$T/exim4.conf" ;;
	routers) echo 'route_list = * 192.0.2.7' ;;
	*) grep "^$2 =" "$T/exim" ;;
	esac ;;
-be) echo yes ;;
-brt) echo "Retry rule: *  F,2h,15m; G,16h,1h,1.5; F,${RETRY:-4d},6h;" ;;
esac
END
chmod +x "$tmp/fake/exim4"
echo 'domainlist local_domains = customer.test' >"$tmp/exim4.conf"
printf '%s\n' 'delay_warning = 1d' 'hold_domains =' 'queue_smtp_domains =' 'smtp_accept_queue_per_connection = 10' >"$tmp/exim"
conf SPOOL=exim SMARTHOST=192.0.2.7 RETRIEVE=none DIAL=true HANGUP=true CHECK=false
finds 'Exim tries by itself' 75 note 'MTA: Exim tries by itself' 'run: sed -i.old .* -e .hold_domains = ! \+local_domains. .*/exim4.conf'
like 'Exim tells of delays' 'delay after 1d' cat "$tmp/said"
sed -i 's/^hold_domains =/& !+local_domains/; s/^delay_warning.*/delay_warning =/' "$tmp/exim"
finds 'what it holds is never too old' 75 note 'EXPIRE: ' '.*isp.conf: EXPIRE=5d'
echo EXPIRE=5d >>"$tmp/c/isp.conf"
finds 'Exim as it should be' 75 ok 'MTA: Exim sends only when it is told'
is 'nothing more is said' '' sh -c 'grep -E "^(bad|note)" "$1"; :' - "$tmp/said"
like 'more than ten at once' 'delivers 10 messages at once' sh -c 'sed -i s/RETRIEVE=none/RETRIEVE=command/ "$1/c/isp.conf"
	echo RETRIEVE_COMMAND=true >>"$1/c/isp.conf"
	"$2/gateway-dial" --probe "--config=$1/c/isp.conf" isp' - "$tmp" "$gateways"

exits 'no link of that name' 74 gateway-dial --probe nobody
exits 'only gateway-dial probes' 64 gateway-flush --probe isp
done_testing
