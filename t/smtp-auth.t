#!/bin/sh
# smtp-send logs in: mechanisms, where passwords come from, where they never go; --probe.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"

LF='
'
unset NETRC CREDENTIALS_DIRECTORY
HOME=$tmp/home
export HOME
mkdir "$HOME"

# password FILE TEXT
password() { (umask 077; printf '%s\n' "$2" >"$1"); }
password "$tmp/right" 'pass-word'
password "$tmp/wrong" 'password'
right="--password-file=$tmp/right"
wrong="--password-file=$tmp/wrong"
user="'--user=me:pass-word'"
sink="--need-auth $user"
tls="--tls-cert=$pki/good.pem"
every=SCRAM-SHA-256-PLUS,SCRAM-SHA-256,SCRAM-SHA-1-PLUS,SCRAM-SHA-1,CRAM-MD5,PLAIN,LOGIN

auths() { grep '^AUTH' "$log"; }

to() { timeout 60 smtp-send --helo=client.test -f a@x.test "$@" b@y.test <"$msg"; }

# ---- mechanisms

for mech in SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN XOAUTH2 OAUTHBEARER; do
	exits "$mech" 0 sent "$tls --auth=$mech" -u me --auth=$mech "$right"
	is 'asked once' "AUTH $mech 235" auths
	tells "$mech, the wrong password" 77 'AUTH: 535 5.7.8 bad credentials|SCRAM.*: the server gives up|SCRAM.*535' \
		"$tls --auth=$mech,$every" -u me --auth=$mech,PLAIN,LOGIN "$wrong"
	is 'not tried otherwise' "AUTH $mech 535" auths
	exits 'and no mail' 1 grep MAIL "$log"
done
like 'why a token is refused' '535 5.7.8 bad credentials.*"status":"401"' \
	sent "$tls --auth=XOAUTH2" -u me --auth=XOAUTH2 "$wrong"
for mech in SCRAM-SHA-256-PLUS PLAIN; do
	exits "$mech over TLS 1.3 with a chain" 0 sent "--tls-cert=$pki/chain.pem --auth=$mech" -u me "$right"
done
exits 'EXTERNAL: who the certificate says' 0 sent "$tls --tls-ca=$ca --auth=EXTERNAL,PLAIN" --auth=EXTERNAL --tls-cert="$pki/client.pem"
is 'no name, no password' 'AUTH EXTERNAL 235' auths
exits 'EXTERNAL with a name needs no password' 0 sent "$tls --tls-ca=$ca --auth=EXTERNAL,PLAIN" -u me --auth=external \
	--tls-cert="$pki/client.pem"
exits 'EXTERNAL for somebody else' 77 sent "$tls --tls-ca=$ca --auth=EXTERNAL" -u you --auth=EXTERNAL --tls-cert="$pki/client.pem"
exits 'EXTERNAL goes first where there is a certificate' 0 sent "$tls --tls-ca=$ca --auth=PLAIN,EXTERNAL" -u me "$right" \
	--tls-cert="$pki/client.pem"
is 'but only there' 'AUTH EXTERNAL 235' auths

# chosen OFFER WANT OPTION...: which one
chosen() {
	offer=$1 want=$2
	shift 2
	sent "$tls --auth=$offer" -u me "$right" "$@" 2>/dev/null
	is "of $offer: $want" "AUTH $want 235" auths
}
chosen LOGIN,PLAIN,CRAM-MD5,SCRAM-SHA-1,SCRAM-SHA-1-PLUS,SCRAM-SHA-256,SCRAM-SHA-256-PLUS SCRAM-SHA-256-PLUS
chosen LOGIN,PLAIN,CRAM-MD5,SCRAM-SHA-1,SCRAM-SHA-256 SCRAM-SHA-256
chosen LOGIN,PLAIN,CRAM-MD5,SCRAM-SHA-1 SCRAM-SHA-1
chosen LOGIN,CRAM-MD5,PLAIN CRAM-MD5
chosen LOGIN,PLAIN PLAIN
chosen XOAUTH2,LOGIN LOGIN
chosen $every LOGIN --auth=login,plain
chosen PLAIN,XOAUTH2 XOAUTH2 --auth=OAUTHBEARER,XOAUTH2
sent "--auth=$every" -u me "$right"
is 'without TLS nothing is bound to it' 'AUTH SCRAM-SHA-256 235' auths
tells 'no such mechanism' 64 'SCRAM-SHA-512: no AUTH mechanism we know; there are ' "$tls --auth=PLAIN" -u me --auth=SCRAM-SHA-512 "$right"
ok 'before anybody is called' test ! -e "$log"

# ---- what the server does to it

tells 'no AUTH' 69 'the server offers no AUTH$' "$tls" -u me "$right"
tells 'only within TLS' 69 'the server offers no AUTH without TLS$' '--auth=PLAIN --auth-tls' -u me "$right"
tells 'nothing in common' 69 'AUTH: the server offers .CRAM-MD5., and --auth asks for others' \
	"$tls --auth=CRAM-MD5" -u me --auth=PLAIN "$right"
exits 'nothing was tried' 1 auths
tells 'tokens are not passwords' 69 'and none of them is used without --auth' "$tls --auth=XOAUTH2" -u me "$right"
tells 'SCRAM without a proof' 77 'without having proved that it knows the password' \
	"$tls --auth=SCRAM-SHA-256,PLAIN --auth-no-proof" -u me "$right"
exits 'no mail goes there' 1 grep MAIL "$log"
is 'no PLAIN either' 'AUTH SCRAM-SHA-256 235' auths
exits 'the proof in the 235' 0 sent "$tls --auth=SCRAM-SHA-256 --auth-proof-in-235" -u me "$right"
tells '454' 75 'AUTH: 454 4.7.0 later' "$tls --auth=PLAIN,LOGIN '--auth-reply=454 4.7.0 later'" -u me "$right"
is 'once' 'AUTH PLAIN 454' auths
tells '421' 75 'AUTH: 421 4.3.2 bye' "$tls --auth=PLAIN '--auth-reply=421 4.3.2 bye'" -u me "$right"
tells '432' 77 'AUTH: 432 4.7.12' "$tls --auth=PLAIN '--auth-reply=432 4.7.12 change it'" -u me "$right"
tells '538' 77 'AUTH: 538 5.7.11' "$tls --auth=PLAIN,LOGIN '--auth-reply=538 5.7.11 encrypt'" -u me "$right"
for no in '504 5.5.4 unknown' '534 5.7.9 too weak'; do
	exits "$no: the next mechanism" 0 sent "$tls --auth=CRAM-MD5,PLAIN '--auth-refuse=CRAM*:$no'" -u me "$right"
	is 'is tried' "AUTH CRAM-MD5 ${no%% *}${LF}AUTH PLAIN 235" auths
	tells "$no: none is left" 77 "AUTH: $no" "$tls --auth=CRAM-MD5 '--auth-refuse=CRAM*:$no'" -u me "$right"
done
tells '530: nobody logged in' 77 '530 5.7.0 AUTH first' "$tls --auth=PLAIN"

# What is no exchange is cancelled (RFC 4954 section 4).
TALK_LOG=$tmp/talk.log
export TALK_LOG
talked() { : >"$TALK_LOG"; to -s "exec:talk $tmp/talk" -u me "$right" "$@"; }
before() { printf '%s\n' 'S: 220 mx.test' 'C: EHLO client.test' 'S: 250-mx.test' "S: 250 AUTH $1"; }
{ before SCRAM-SHA-256; cat <<'E2'
C~ ^AUTH SCRAM-SHA-256 [A-Za-z0-9+/=]+$
S: 334 Zm9v
C: *
S: 501 5.7.0 cancelled
C: QUIT
E2
} >"$tmp/talk"
exits 'a challenge that breaks the rules' 76 talked
like 'is told' 'SCRAM-SHA-256: ' talked
is 'and cancelled' '' cat "$TALK_LOG"
sed 's/Zm9v/&!/' "$tmp/talk" >"$tmp/talk2" && mv "$tmp/talk2" "$tmp/talk"
like 'no base64' 'SCRAM-SHA-256: the server.s challenge is no base64' talked
is 'is cancelled, too' '' cat "$TALK_LOG"
{ before PLAIN; echo 'C~ ^AUTH PLAIN'; echo 'S: 334 '; echo 'C: *'; printf 'S: 334 \nC~ .*\n%.0s' 1 2 3 4; } >"$tmp/talk"
like 'a server that never has enough' 'PLAIN: the server asks for more than there is' talked
is 'hears so once' 'wanted' sh -c 'sed "s/.*\(wanted\).*/\1/" "$1" | head -1' - "$TALK_LOG"
{ before LOGIN; cat <<'E2'
C: AUTH LOGIN
S: 334 dXNlcg==
C: bWU=
S: 334 UGFzcw==
C: cGFzcy13b3Jk
S: 535 no
C: QUIT
E2
} >"$tmp/talk"
exits 'LOGIN, whatever it asks with' 77 talked
is 'as it must be' '' cat "$TALK_LOG"

# ---- names and passwords of all sorts

while IFS='|' read -r name pass; do
	password "$tmp/p" "$pass"
	for mech in SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN; do
		sink="--need-auth '--user=$name:$pass'"
		exits "$name: $mech" 0 sent "$tls --auth=$mech" -u "$name" --auth=$mech --password-file="$tmp/p"
	done
done <<'E2'
j. d.|a:b c
o"b|"quo"ted"
a,b=c|x,=y
jürgen|schlüßel
E2
sink="--need-auth $user"
exits 'no name' 64 sent "$tls --auth=PLAIN" -u '' "$right"
exits 'two lines' 64 sent "$tls --auth=PLAIN" -u "a${LF}b" "$right"
password "$tmp/p" "$(printf 'caf\351')"
tells 'a password that is not UTF-8' 78 'password: SCRAM-SHA-256 cannot carry it' "$tls --auth=SCRAM-SHA-256" -u me --password-file="$tmp/p"

# ---- where passwords come from

plain="$tls --auth=PLAIN"
for mode in 640 604 660 620; do
	cp "$tmp/right" "$tmp/p"
	chmod $mode "$tmp/p"
	tells "a file of mode $mode" 78 "$tmp/p: others can read or change it: chmod 600" "$plain" -u me --password-file="$tmp/p"
	exits 'it is not used' 1 auths
done
tells 'no such file' 74 "$tmp/nofile: No such file" "$plain" -u me --password-file="$tmp/nofile"
: >"$tmp/empty"
chmod 600 "$tmp/empty"
tells 'an empty file' 78 'there is no password in it' "$plain" -u me --password-file="$tmp/empty"
printf 'pass-word\r\nnot this\n' >"$tmp/empty"
exits 'the first line, with CRLF' 0 sent "$plain" -u me --password-file="$tmp/empty"
password "$tmp/token" 'a b'
tells 'a password is no token' 78 'token: has characters that no token has' "$tls --auth=XOAUTH2" -u me --auth=XOAUTH2 \
	--password-file="$tmp/token"
exits '--password-command' 0 sent "$plain" -u me --password-command="cat $tmp/right"
exits 'its words are words' 0 sent "$plain" -u me --password-command="printf '%s-%s' pass word"
exits 'no shell' 77 sent "$plain" -u me --password-command='echo pass-word; true'
tells 'it fails' 75 'sh: ended with status 3: locked' "$plain" -u me --password-command="sh -c 'echo locked >&2; exit 3'"
tells 'it is not there' 78 'password-command: run /nonexistent' "$plain" -u me --password-command=/nonexistent/pass
tells 'it says nothing' 78 'true: there is no password' "$plain" -u me --password-command=true
exits 'a quote that does not end' 64 sent "$plain" -u me --password-command="'"
exits 'file and command' 64 sent "$plain" -u me "$right" --password-command=true
exits 'a password and no name' 64 sent "$plain" "$right"
mkdir "$tmp/credentials"
password "$tmp/credentials/tidegate.password" 'pass-word'
exits 'CREDENTIALS_DIRECTORY' 0 env CREDENTIALS_DIRECTORY="$tmp/credentials" timeout 60 smtp-send \
	-s "exec:sink --stdio $plain $user" -u me -f a@x.test b@y.test <"$msg"
alone() { perl -MPOSIX -e 'my $p = fork; if ($p) { waitpid $p, 0; exit $? >> 8 } setsid; exec @ARGV' "$@"; }
exits 'nobody to ask' 78 alone timeout 60 smtp-send -s "exec:sink --stdio $plain $user" -u me -f a@x.test b@y.test <"$msg"
like 'says where one may stand' 'password for me at localhost: neither a file nor a command is named, netrc has none' \
	alone timeout 60 smtp-send -s "exec:sink --stdio $plain $user" -u me -f a@x.test b@y.test <"$msg"

# netrc: what is for one host no other is told
listen n1 --auth=PLAIN --need-auth --user='me:one'
n1=$port
listen n2 --listen=127.0.0.2:0 --auth=PLAIN --need-auth --user='me:two' --auth-reply='454 4.7.0 later'
n2=$port
(umask 077; cat >"$HOME/.netrc" <<'E2'
machine 127.0.0.1 login me password one
machine 127.0.0.2 login me password two
machine 127.0.0.1 login you password three
E2
)
exits 'the netrc at home' 0 to -s "127.0.0.1:$n1" -u me
exits 'each server has its own' 0 to -s "127.0.0.2:$n2" -s "127.0.0.1:$n1" -u me
is 'the first was asked, and said later' 'AUTH PLAIN 454' grep AUTH "$tmp/n2.log"
exits 'another name, another password' 77 to -s "127.0.0.1:$n1" -u you
mv "$HOME/.netrc" "$tmp/netrc"
NETRC=$tmp/netrc
export NETRC
exits 'the one of NETRC' 0 to -s "127.0.0.1:$n1" -u me
chmod 644 "$NETRC"
exits 'that others can read' 78 to -s "127.0.0.1:$n1" -u me
like 'is named' "$NETRC: others can read" to -s "127.0.0.1:$n1" -u me
unset NETRC

# A wrong password is told to one server only.
listen w1 --auth=PLAIN,LOGIN,CRAM-MD5 --user='me:other'
w1=$port
listen w2 --auth=PLAIN --user='me:pass-word'
exits 'the wrong password' 77 to -s "127.0.0.1:$w1" -s "127.0.0.1:$port" -u me "$right"
is 'is said once' 'AUTH CRAM-MD5 535' grep AUTH "$tmp/w1.log"
exits 'the next server is not asked' 1 grep CONNECT "$tmp/w2.log"
listen w3
exits 'no AUTH there: the next server' 0 to -s "127.0.0.1:$port" -s "127.0.0.1:$(cat "$tmp/w2.port")" -u me "$right"

for order in "-s unix:$tmp/no.socket -s 127.0.0.1:$port" "-s 127.0.0.1:$port -s unix:$tmp/no.socket"; do
	# shellcheck disable=SC2086
	exits 'one has no AUTH, the other is away: later' 75 to $order -u me "$right"
	# shellcheck disable=SC2086
	like 'because of the one that is away' 'no.socket' to $order -u me "$right"
done

# ---- where passwords never are

secrets=$(perl -MMIME::Base64 -e 'print join "|", "pass-word",
	map { my $x = encode_base64($_, ""); $x =~ s/=*$//; quotemeta $x } "pass-word", "\0me\0pass-word", "user=me\1auth=Bearer pass-word\1\1"')
for mech in SCRAM-SHA-256-PLUS CRAM-MD5 PLAIN LOGIN XOAUTH2; do
	listen v --auth=$mech --user=me:pass-word "$tls"
	to -s "127.0.0.1:$port" -u me --auth=$mech "$right" -v 2>"$said"
	exits "-v: $mech" 1 grep -E -e "$secrets" "$said"
	like 'but that it was' "~> AUTH $mech" cat "$said"
done
# Fails: after AUTH was refused, QUIT is shown as `****' (session/show.c masks all
# lines of that step that do not begin with AUTH).
# like 'but what is no secret is shown' '~> QUIT$' sent "$tls --auth=PLAIN" -u me "$wrong" -v
like 'with stars' '~> AUTH PLAIN \*\*\*\*$' sent "$tls --auth=PLAIN" -u me "$right" -v
for mech in PLAIN LOGIN; do
	listen hung --auth=$mech --hang-at=AUTH
	smtp-send -s "127.0.0.1:$port" -f a@x.test -u me "$right" b@y.test <"$msg" 2>/dev/null &
	pid=$!
	ok "a server that hangs at $mech" wait_for grep HANG "$tmp/hung.log"
	tr '\0' '\n' <"/proc/$pid/cmdline" >"$tmp/seen"
	ok 'it is there' grep -x me "$tmp/seen"
	tr '\0' '\n' <"/proc/$pid/environ" >>"$tmp/seen"
	exits 'nothing in /proc' 1 grep -E -e "$secrets" "$tmp/seen"
	kill $pid
	wait $pid
done

# ---- from afar: another address of this host stands for that

own=$(perl -MSocket -e 'socket(S, PF_INET, SOCK_DGRAM, 0);
	connect(S, sockaddr_in(9, inet_aton("192.0.2.1"))) or exit;
	print inet_ntoa((sockaddr_in(getsockname(S)))[1])' 2>/dev/null)
case $own in '' | 127.* | 0.0.0.0) own= ;; esac
if [ -n "$own" ]; then
	listen far --listen="$own:0" --auth=$every --need-auth --user='me:pass-word'
	exits 'no TLS: TLS is asked for' 75 to -s "$own:$port" -u me "$right"
	like 'and that is said' 'offers no STARTTLS, and TLS is required' to -s "$own:$port" -u me "$right"
	exits 'may: not in the clear' 77 to -s "$own:$port" -u me "$right" --tls=may
	like 'says what would allow it' 'not without TLS; --auth-in-clear would allow it' to -s "$own:$port" -u me "$right" --tls=may
	exits 'nothing was tried' 1 grep AUTH "$tmp/far.log"
	exits '--auth-in-clear' 0 to -s "$own:$port" -u me "$right" --auth-in-clear
	listen shows --listen="$own:0" --auth=PLAIN,LOGIN --need-auth --user='me:pass-word'
	exits 'PLAIN, too, then' 0 to -s "$own:$port" -u me "$right" --auth-in-clear
	listen fartls --listen="$own:0" --auth=$every --need-auth --user='me:pass-word' "$tls"
	exits 'a certificate that is not for it' 75 to -s "$own:$port" -u me "$right" --tls-ca="$ca"
	exits 'no AUTH there' 1 grep AUTH "$tmp/fartls.log"
	exits 'one that is' 0 to -s "$own:$port" -u me "$right" --tls-ca="$ca" --tls-name=mx.test
	exits 'encrypt, if one says so' 0 to -s "$own:$port" -u me "$right" --tls=encrypt
	listen farnot --listen="$own:0" --auth=$every --user='me:pass-word' "$tls" --starttls-reply='454 4.7.0 later'
	exits 'may, and STARTTLS is refused' 75 to -s "$own:$port" -u me "$right" --tls=may
	listen fardrop --listen="$own:0" --auth=$every --user='me:pass-word' "$tls" --drop-at=TLS
	exits 'may, and the handshake fails' 75 to -s "$own:$port" -u me "$right" --tls=may
	is 'no second connection' 1 grep -c CONNECT "$tmp/fardrop.log"
else
	tap_ok 'from afar # SKIP no address but loopback'
fi

# ---- --probe

looks() { timeout 60 smtp-send --helo=client.test --probe "$@" 2>"$said"; }
listen p1 --auth=$every --user='me:pass-word' "$tls" --tls-ext='SIZE 1000,LIMITS MAILMAX=7'
is '--probe, good' 0 sh -c '"$@" >"$0"; echo $?' "$tmp/probe" timeout 60 smtp-send --probe -s "127.0.0.1:$port" \
	--tls=verify --tls-ca="$ca" -u me "$right"
for ere in 'connected +\[127.0.0.1\]:[0-9]+ from \[127.0.0.1\] at 20' 'greeting +220 sink.test' 'we are +[^ ]' 'offers +AUTH .*STARTTLS.*PIPELINING' 'offers \(TLS\) +AUTH .*LIMITS MAILMAX=7' \
	'TLS +TLSv1.3' 'names +mx.test 127.0.0.1' 'valid +[0-9]{4}-.* to ' 'sha256 +[0-9a-f]{64}' 'verdict +verified: ' \
	'AUTH +235 2.7.0 welcome' 'limits +size 1000 messages 7' '\([0-9]+\.[0-9]{3} s\)$'; do
	like "shows $ere" "^ .*$ere" cat "$tmp/probe"
done
exits 'no secret' 1 grep -E -e "$secrets" "$tmp/probe"
like 'AUTH was there' '^AUTH SCRAM-SHA-256-PLUS 235' cat "$tmp/p1.log"
exits 'no mail' 1 grep MAIL "$tmp/p1.log"
exits 'AUTH refused: 77' 77 looks -s "127.0.0.1:$port" --tls=verify --tls-ca="$ca" -u me "$wrong"
listen p2 --auth=PLAIN --user='me:pass-word' --tls-cert="$pki/expired.pem"
for level in verify may encrypt dane; do
	exits "--tls=$level: not verified" 75 looks -s "127.0.0.1:$port" --tls=$level --tls-ca="$ca" -u me "$right"
done
like 'AUTH is not tried then' 'failed +AUTH was not tried: no secret goes' looks -s "127.0.0.1:$port" --tls=may -u me "$right"
like 'why' 'verdict +it expired on' looks -s "127.0.0.1:$port" --tls=verify --tls-ca="$ca" -u me "$right"
like 'what it means for AUTH' 'failed +its certificate does not hold: ' looks -s "127.0.0.1:$port" --tls=verify --tls-ca="$ca" -u me "$right"
exits 'no AUTH was seen' 1 grep AUTH "$tmp/p2.log"
exits 'may: only looked at' 0 looks -s "127.0.0.1:$port"
listen p3
exits 'verify, and no TLS' 75 looks -s "127.0.0.1:$port" --tls=verify
like 'is said' 'failed +it offers no STARTTLS, and TLS is required' looks -s "127.0.0.1:$port" --tls=verify
listen p4 "$tls" --drop-at=TLS
like 'may: a handshake that fails is shown' 'TLS failed +.*TLS' looks -s "127.0.0.1:$port"
is 'and two greetings, one a connection' 2 sh -c '"$@" | grep -c greeting' - timeout 60 smtp-send --probe -s "127.0.0.1:$port"
exits 'verify: it is 75' 75 looks -s "127.0.0.1:$port" --tls=verify
like 'and not called `no STARTTLS`' 'failed +.*(handshake|reset|Broken)' looks -s "127.0.0.1:$port" --tls=verify
exits 'the worst of several counts' 75 looks -s "127.0.0.1:$(cat "$tmp/p1.port")" -s "127.0.0.1:$(cat "$tmp/p4.port")" --tls=encrypt

# The host's name comes from an unsigned answer: a certificate for it proves nothing.
listen p5 --listen=127.0.0.2:0 --auth=$every --user='me:pass-word' "$tls"
cat >"$tmp/zone" <<'E2'
far.test	MX 10 mx.test
mx.test		A 127.0.0.2
null.test	MX 0 .
E2
"$top/t/tool/dnsd" --port-file="$tmp/dns" "$tmp/zone" &
servers="$servers $!"
wait_for test -s "$tmp/dns"
TIDEGATE_NAMESERVER=127.0.0.1:$(cat "$tmp/dns")
export TIDEGATE_NAMESERVER
like '--probe DOMAIN shows its MX' '^far.test MX 10 mx.test$' looks -p "$port" far.test
like 'and whose it is' '^mx.test \(MX of far.test\)$' looks -p "$port" b@far.test
exits 'verify: the domain must stand in the certificate' 75 looks -p "$port" --tls=verify --tls-ca="$ca" -u me "$right" far.test
exits 'no password goes there' 1 grep AUTH "$tmp/p5.log"
exits 'unless the name was typed' 0 looks -p "$port" --tls=verify --tls-ca="$ca" -u me "$right" --tls-name=mx.test far.test
exits 'null MX' 68 looks -p "$port" null.test
exits 'no such domain' 68 looks -p "$port" nowhere.test
like 'is said once' '^  failed +nowhere.test: no such domain$' looks -p "$port" nowhere.test
like 'and does not stop the others' '^  greeting +220 ' looks -p "$port" nowhere.test far.test
exits 'but counts' 68 looks -p "$port" nowhere.test far.test
exits 'nobody named' 64 looks

# ---- --quit-after

quit_after() { # STEP ERE-OF-LAST-EVENT
	exits "--quit-after=$1" 0 to -s "127.0.0.1:$port" -u me "$right" --quit-after="$1"
	wait_for grep -E '^(QUIT|CLOSED|LOST)' "$tmp/q.log"
	is 'the last thing it did' "$2" sh -c 'grep -v "^QUIT\|^CLOSED\|^LOST" "$1" | tail -1' - "$tmp/q.log"
	: >"$tmp/q.log"
}
listen q --auth=PLAIN --user='me:pass-word' "$tls"
quit_after connect CONNECT
quit_after banner 'EHLO client.test 250'
quit_after ehlo 'EHLO client.test 250'
quit_after tls 'EHLO client.test 250'
quit_after auth 'AUTH PLAIN 235'
quit_after mail 'RSET 250'
quit_after rcpt 'RSET 250'
exits 'no such step' 64 to -s "127.0.0.1:$port" --quit-after=data
exits 'tls, and there is none' 69 to -s "127.0.0.1:$(cat "$tmp/p3.port")" --quit-after=tls
exits 'tls, and it fails' 75 to -s "127.0.0.1:$(cat "$tmp/p4.port")" --quit-after=tls
exits 'auth, and it is refused' 77 to -s "127.0.0.1:$port" -u me "$wrong" --quit-after=auth

# ---- etrn-request

listen etrn --ext=ETRN --auth=$every --auth-tls --need-auth --user='me:pass-word' "$tls" '--etrn-reply=*:250 2.0.0 started'
exits 'etrn-request logs in, too' 0 timeout 60 etrn-request -s "127.0.0.1:$port" --tls=verify --tls-ca="$ca" -u me "$right" here.test
is 'in TLS, then ETRN' "TLS TLSv1.3${LF}AUTH SCRAM-SHA-256-PLUS 235${LF}ETRN here.test 250" grep -E '^(TLS|AUTH|ETRN)' "$tmp/etrn.log"
exits 'the wrong password' 77 timeout 60 etrn-request -s "127.0.0.1:$port" --tls=verify --tls-ca="$ca" -u me "$wrong" here.test
like 'is said' 'etrn-request: 127.0.0.1:.*ETRN here.test: .*AUTH: 535' timeout 60 etrn-request -s "127.0.0.1:$port" --tls=verify \
	--tls-ca="$ca" -u me --auth=PLAIN "$wrong" here.test

done_testing
