#!/bin/sh
# smtp-send and TLS: levels, certificates, DANE, and what happens when it fails.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"

command -v openssl >/dev/null || skip_all 'no openssl'
LF='
'

logged() { like "$1" "$2" cat "$log"; }
unlogged() { name=$1; shift; exits "$name" 1 grep -E "$1" "$log"; }

to() { timeout 60 smtp-send --helo=client.test -f a@x.test "$@" <"$msg"; }

good="--tls-cert=$pki/good.pem"

# ---- levels

exits 'none: not even where it is offered' 0 sent "$good" --tls=none
unlogged 'nothing was begun' STARTTLS
exits 'may, which is the default' 0 sent "$good"
logged 'TLS, then EHLO again' '^TLS TLSv1.3'
is 'EHLO before and after' 2 grep -c EHLO "$log"
is 'the order of things' 'CONNECT
EHLO client.test 250
STARTTLS 220
TLS TLSv1.3
EHLO client.test 250
MAIL <a@x.test> 250 SIZE=19
RCPT <b@y.test> 250
DATA 250 19
QUIT 221' cat "$log"
exits 'may: none offered, none needed' 0 sent '' --tls=may
tells 'encrypt: none offered' 75 'exec:sink .*: the server offers no STARTTLS, and TLS is required$' '' --tls=encrypt
unlogged 'and no mail' MAIL
exits 'encrypt: whoever it is' 0 sent "--tls-cert=$pki/selfsigned.pem" --tls=encrypt
exits 'verify' 0 sent "$good" --tls=verify --tls-ca="$ca" --tls-name=mx.test
tells 'verify: no STARTTLS' 75 'offers no STARTTLS' '' --tls=verify --tls-ca="$ca" --tls-name=mx.test
exits 'no such level' 64 sent '' --tls=must
like 'says which there are' "--tls: .must. is none of none, may, encrypt, verify, dane" cat "$said"
like '-v says what was agreed on, and who it is' '=== TLSv1.3 TLS_AES_[A-Z0-9_]*, verified: .*mx.test, by ' \
	sent "$good" -v --tls=verify --tls-ca="$ca" --tls-name=mx.test
like '-v marks what goes through TLS' '^ +[0-9.]+  ~> MAIL FROM' cat "$said"
like 'and what comes' '^ +[0-9.]+ <~  250 2.1.0 ok' cat "$said"
like 'but not STARTTLS itself' '^ +[0-9.]+  -> STARTTLS$' cat "$said"
like 'may: -v says why it would not verify' '=== TLSv1.3 .*, self-signed' sent "--tls-cert=$pki/selfsigned.pem" -v

# ---- certificates

while read -r cert ere; do
	tells "$cert" 75 "certificate of mx.test: .*$ere" "--tls-cert=$pki/$cert.pem" \
		--tls=verify --tls-ca="$ca" --tls-name=mx.test
	unlogged "$cert: not a word after that" '^EHLO.*EHLO|^MAIL'
	exits "$cert will do for may" 0 sent "--tls-cert=$pki/$cert.pem" --tls-ca="$ca" --tls-name=mx.test
	logged "$cert: in TLS" '^TLS TLS'
done <<'E2'
expired it expired on [0-9]{4}-
future it is not valid before [0-9]{4}-
selfsigned self-signed, and not trusted
otherca issued by a CA that is not known here: .*Stranger CA
othername it is for other names: a.test b.test
oldchain the certificate of its CA .*Old CA.* expired on
expiredchain it expired on
otherchain it is for other names: a.test b.test
toowide for other names: \*.test
nul other names
cnonly no subjectAltName
E2
exits 'a chain' 0 sent "--tls-cert=$pki/chain.pem" --tls=verify --tls-ca="$ca" --tls-name=mx.test
exits 'a wildcard' 0 sent "--tls-cert=$pki/wildcard.pem" --tls=verify --tls-ca="$ca" --tls-name=mx.there.test
exits 'not for half a label' 75 sent "--tls-cert=$pki/partial.pem" --tls=verify --tls-ca="$ca" --tls-name=mx.there.test
exits 'nor for two' 75 sent "--tls-cert=$pki/wildcard.pem" --tls=verify --tls-ca="$ca" --tls-name=a.b.there.test
tells 'nobody knows this CA but we' 75 'issued by a CA that is not known here: .*Tidegate test CA' "$good" \
	--tls=verify --tls-name=mx.test
mkdir "$tmp/cas"
cp "$ca" "$tmp/cas/some.pem"
tells 'a directory that nobody has prepared' 78 "$tmp/cas: .*openssl rehash" "$good" \
	--tls=verify --tls-ca="$tmp/cas" --tls-name=mx.test
openssl rehash "$tmp/cas" 2>/dev/null
exits 'a directory of CAs' 0 sent "$good" --tls=verify --tls-ca="$tmp/cas" --tls-name=mx.test

# The name: what was typed.
listen plain "$good" --tls-ca="$ca"
is 'an address is a name, too' '' to -s "127.0.0.1:$port" --tls=verify --tls-ca="$ca" b@y.test
exits 'an address that stands there as a name' 75 sent "--tls-cert=$pki/ipname.pem" --tls=verify --tls-ca="$ca" \
	--tls-name=127.0.0.1
like 'localhost is not its name' 'certificate of localhost: .* other names: mx.test' \
	to -4 -s "localhost:$port" --tls=verify --tls-ca="$ca" b@y.test
exits '--tls-name makes up for it' 0 to -4 -s "localhost:$port" --tls=verify --tls-ca="$ca" --tls-name=mx.test b@y.test
tells 'a command has no name: say one' 64 '--tls-name' "$good" --tls=verify --tls-ca="$ca"
exits 'a name that is none' 64 to -s "127.0.0.1:$port" --tls=verify --tls-name='no name' b@y.test
: >"$tmp/plain.log"
exits 'none at all' 64 to -s "127.0.0.1:$port" --tls=verify --tls-name= b@y.test
exits 'said before anybody is called' 1 grep CONNECT "$tmp/plain.log"

# ---- our own certificate

sent "$good --tls-ca=$ca"
logged 'the server asks, we have none' '^CLIENT no certificate was shown'
sent "$good --tls-ca=$ca" --tls-cert="$pki/client.pem"
logged 'the server sees it' '^CLIENT verified: .*client.test'
openssl pkey -in "$pki/client.pem" -out "$tmp/key.pem" 2>/dev/null
openssl x509 -in "$pki/client.pem" -out "$tmp/cert.pem" 2>/dev/null
chmod 600 "$tmp/key.pem" "$tmp/cert.pem"
sent "$good --tls-ca=$ca" --tls-cert="$tmp/cert.pem" --tls-key="$tmp/key.pem"
logged 'its key may be elsewhere' '^CLIENT verified: .*client.test'
tells 'a certificate without its key' 78 "$tmp/cert.pem: no private key" "$good" --tls-cert="$tmp/cert.pem"
tells "somebody else's key" 78 "$pki/good.pem: the key is not that of the certificate" "$good" \
	--tls-cert="$tmp/cert.pem" --tls-key="$pki/good.pem"
tells 'a key and no certificate' 64 '--tls-key: without --tls-cert' "$good" --tls-key="$tmp/key.pem"
chmod 640 "$tmp/key.pem"
tells 'a key that others can read' 78 "$tmp/key.pem: holds a private key, and others .*0640" "$good" \
	--tls-cert="$tmp/cert.pem" --tls-key="$tmp/key.pem"
ok 'is seen before anybody is called' test ! -e "$log"
tells 'no such CA file' 78 "$tmp/no.pem: No such file" "$good" --tls-ca="$tmp/no.pem"
ok 'is seen before as well' test ! -e "$log"
tells 'a CA file without any' 78 "$msg: no CA certificate" "$good" --tls-ca="$msg"
tells 'no such certificate' 78 "$tmp/no.pem: No such file" "$good" --tls-cert="$tmp/no.pem"
tells 'text that is no certificate' 78 "$msg: no certificate" "$good" --tls-cert="$msg"

# ---- fingerprints

print=$(openssl x509 -in "$pki/selfsigned.pem" -noout -fingerprint -sha256 | sed 's/.*=//')
self="--tls-cert=$pki/selfsigned.pem"
exits 'the right one, and no CA is asked' 0 sent "$self" --tls-fingerprint="$print"
exits 'written otherwise' 0 sent "$self" --tls-fingerprint="$(echo "$print" | tr -d : | tr A-F a-f)"
tells 'another one' 75 'its fingerprint is another: [0-9a-f]{64}' "$good" --tls-fingerprint="$print"
unlogged 'no mail' MAIL
tells 'with may, too' 75 'its fingerprint is another' "$good" --tls=may --tls-fingerprint="$print"
unlogged 'nor in the clear' MAIL
tells 'no STARTTLS: nobody to look at' 75 'offers no STARTTLS' '' --tls=may --tls-fingerprint="$print"
tells 'cut short' 64 'fingerprint' "$self" --tls-fingerprint="${print%???}"
ok 'before anybody is called' test ! -e "$log"
tells 'no hex' 64 'fingerprint' "$self" --tls-fingerprint=hello
tells 'none with none' 64 '--tls=none: and yet' "$self" --tls=none --tls-fingerprint="$print"

# ---- TLS before the greeting

exits '--tls-wrap' 0 sent "$good --tls-wrap" --tls-wrap
is 'is TLS from the first octet' "CONNECT${LF}TLS TLSv1.3" sed 2q "$log"
exits 'verify' 0 sent "$good --tls-wrap" --tls-wrap --tls=verify --tls-ca="$ca" --tls-name=mx.test
tells 'not with this certificate' 75 'certificate of mx.test: it expired' \
	"--tls-cert=$pki/expired.pem --tls-wrap" --tls-wrap --tls=verify --tls-ca="$ca" --tls-name=mx.test
tells 'none and yet wrapped' 64 '--tls=none: and yet' "$good" --tls-wrap --tls=none
tells 'a server that speaks first' 75 'TLS: handshake: what came is not TLS' '' --tls-wrap
tells 'never in the clear instead' 75 . '' --tls-wrap --tls=may
unlogged 'no EHLO in the clear' EHLO
# Port 465 is tried where one may listen there: as root of a namespace of its own.
as465() {
	timeout 60 unshare -rn sh -c '
		ip link set lo up 2>/dev/null
		sink --listen=127.0.0.1:465 --port-file="$1/465" --log="$1/465.log" --tls-wrap "$2" & s=$!
		i=0
		until [ -s "$1/465" ] || [ $((i += 1)) -gt 200 ]; do perl -e "select undef, undef, undef, .05"; done
		smtp-send -s 127.0.0.1:465 -f a@x.test b@y.test <"$1/msg"
		r=$?
		kill $s
		exit $r' - "$tmp" "$good"
}
if unshare -rn sh -c 'ip link set lo up' 2>/dev/null; then
	exits 'port 465 needs no --tls-wrap' 0 as465
else
	tap_ok 'port 465 # SKIP no namespaces here'
fi

# ---- STARTTLS that goes wrong

tells 'text behind the 220' 75 'STARTTLS' "$good '--starttls-inject=250 injected'" --tls=may
unlogged 'nothing is said after it, nor anywhere else' '^TLS|MAIL|QUIT'
is 'once' 1 grep -c CONNECT "$log"
for no in '454 4.7.0 not today' '501 5.5.4 no' '502 5.5.1 no such thing'; do
	exits "may: $no: then in the clear" 0 sent "$good '--starttls-reply=$no'"
	is 'in the same session' 1 grep -c CONNECT "$log"
	tells "encrypt: $no" 75 "STARTTLS: $no" "$good '--starttls-reply=$no'" --tls=encrypt
	unlogged 'no mail' MAIL
done
exits 'may: the handshake fails' 0 sent "$good --drop-at=TLS" -v
is 'another connection' 2 grep -c CONNECT "$log"
is 'in the clear' 1 grep -c STARTTLS "$log"
like 'what was wrong is told' '\*\*\* .*TLS' cat "$said"
tells 'encrypt: the handshake fails' 75 'TLS' "$good --drop-at=TLS" --tls=encrypt
unlogged 'no mail' MAIL
tells 'verify: the handshake fails' 75 'TLS' "$good --drop-at=TLS" --tls=verify --tls-ca="$ca" \
	--tls-name=mx.test
unlogged 'no mail' MAIL
listen dropping "$good" --drop-at=TLS
exits 'over TCP' 0 to -s "127.0.0.1:$port" b@y.test
is 'another connection, too' 2 grep -c CONNECT "$tmp/dropping.log"
exits 'may: a handshake that hangs' 0 sent "$good --hang-at=TLS" --timeout=3s
tells 'encrypt: one that hangs' 75 'no answer in time in the TLS handshake' "$good --hang-at=TLS" --timeout=3s --tls=encrypt

# What was promised in the clear is forgotten.
exits 'SIZE before and not after' 0 sent "$good --ext=SIZE,DSN,CHUNKING --tls-ext=PIPELINING"
logged 'no SIZE=' '^MAIL <a@x.test> 250$'
logged 'no BDAT' '^DATA 250'
exits 'a limit before and not after' 0 sent "$good '--ext=SIZE 10' --tls-ext="
exits 'a limit after and not before' 69 sent "$good --ext= '--tls-ext=SIZE 10'"

# ---- lost within the text

tells 'lost behind the dot' 75 'possible duplicate: exec:' "$good --drop-at=DOT"
tells 'lost within the text' 75 . "$good --drop-at=TEXT"
perl -e 'print "S: x\n\n"; printf "line %07d\n.%s\n", $_, "x" x ($_ % 60) for 1 .. 7500' >"$tmp/big"
big() { timeout 60 smtp-send -f a@x.test "$@" b@y.test <"$tmp/big"; }
kept() { sed 1,2d "$1"/new/* >"$tmp/got" && cmp "$tmp/big" "$tmp/got"; }
ok 'over 300 kB through TLS' big -s "exec:sink --stdio --maildir=$tmp/m1 $good"
ok 'octet by octet' kept "$tmp/m1"
ok 'with BDAT' big -s "exec:sink --stdio --maildir=$tmp/m2 --ext=CHUNKING,PIPELINING $good"
ok 'octet by octet, too' kept "$tmp/m2"
listen big "$good" --maildir="$tmp/m3"
ok 'over TCP' big -s "127.0.0.1:$port" --tls=verify --tls-ca="$ca"
ok 'octet by octet, as well' kept "$tmp/m3"
is 'lost early: no duplicate is possible' 0 sh -c '"$@" 2>&1 | grep -c "possible duplicate"; :' - \
	timeout 60 smtp-send -s "exec:sink --stdio $good --drop-at=DATA" -f a@x.test b@y.test <"$msg"

# ---- the second server

listen bad --tls-cert="$pki/expired.pem"
bad=$port
listen fine "$good"
fine=$port
exits 'the next one when a certificate does not hold' 0 to -s "127.0.0.1:$bad" -s "127.0.0.1:$fine" \
	--tls=verify --tls-ca="$ca" b@y.test
like 'the first was seen' '^STARTTLS' cat "$tmp/bad.log"
exits 'it got nothing' 1 grep MAIL "$tmp/bad.log"
like 'the second got it' '^DATA 250' cat "$tmp/fine.log"
listen unable
exits 'or none is offered' 0 to -s "127.0.0.1:$port" -s "127.0.0.1:$fine" --tls=encrypt b@y.test
like 'two that fail: the last is told' 'certificate of 127.0.0.1: it expired' \
	to -s "127.0.0.1:$port" -s "127.0.0.1:$bad" --tls=verify --tls-ca="$ca" b@y.test

# ---- DANE: one port on several addresses; 127.0.0.1 has `good', .2 `chain', .3 no TLS

listen d1 "$good" --auth=SCRAM-SHA-256,PLAIN --user=me:x
at=$port
listen d2 --listen="127.0.0.2:$at" --tls-cert="$pki/chain.pem"
listen d3 --listen="127.0.0.3:$at"
tlsa() { certs "$pki" "$1"; }
wrong=0000000000000000000000000000000000000000000000000000000000000000
cat >"$tmp/zone" <<E2
ad on
ee.test		MX 10 a.ee.test
a.ee.test	A 127.0.0.1
_$at._tcp.a.ee.test TLSA $(tlsa good)
bad.test	MX 10 a.bad.test
a.bad.test	A 127.0.0.1
_$at._tcp.a.bad.test TLSA 3 1 1 $wrong
two.test	MX 10 a.bad.test
two.test	MX 20 a.ee.test
mixed.test	MX 10 a.mixed.test
a.mixed.test	A 127.0.0.1
_$at._tcp.a.mixed.test TLSA 3 1 1 $wrong
_$at._tcp.a.mixed.test TLSA $(tlsa good)
# usage 2: a name counts, the host's or the domain's
ta.test		MX 10 mx.test
mx.test		A 127.0.0.2
mx.test		MX 10 a.ta.test
_$at._tcp.mx.test TLSA $(tlsa ca | sed 's/^3/2/')
a.ta.test	A 127.0.0.2
_$at._tcp.a.ta.test TLSA $(tlsa middle | sed 's/^3/2/')
tb.test		MX 10 a.ta.test
tc.test		MX 10 a.tc.test
a.tc.test	A 127.0.0.2
_$at._tcp.a.tc.test TLSA $(tlsa strangerca | sed 's/^3/2/')
alias.test	MX 10 www.alias.test
www.alias.test	CNAME mx.test
# records that are no use
odd.test	MX 10 a.odd.test
a.odd.test	A 127.0.0.1
_$at._tcp.a.odd.test TLSA 1 1 1 $wrong
oddclear.test	MX 10 b.odd.test
b.odd.test	A 127.0.0.3
_$at._tcp.b.odd.test TLSA 0 0 1 $wrong
clear.test	MX 10 a.clear.test
a.clear.test	A 127.0.0.3
_$at._tcp.a.clear.test TLSA $(tlsa good)
none.test	MX 10 a.none.test
a.none.test	A 127.0.0.3
broken.test	MX 10 a.broken.test
a.broken.test	A 127.0.0.1
_$at._tcp.a.broken.test SERVFAIL
beside.test	MX 10 a.broken.test
beside.test	MX 20 a.ee.test
host.test	A 127.0.0.1
_$at._tcp.host.test TLSA $(tlsa good)
off.test	MX 10 b.ee.test
b.ee.test	A 127.0.0.1
_$at._tcp.b.ee.test TLSA 3 1 1 $wrong
ad off
open.test	MX 10 a.open.test
a.open.test	A 127.0.0.1
_$at._tcp.a.open.test TLSA 3 1 1 $wrong
half.test	MX 10 b.ee.test
E2
"$top/t/tool/dnsd" --port-file="$tmp/dns" --log="$tmp/dns.log" "$tmp/zone" &
servers="$servers $!"
wait_for test -s "$tmp/dns"
TIDEGATE_NAMESERVER=127.0.0.1:$(cat "$tmp/dns")
export TIDEGATE_NAMESERVER

dane() { d=$1; shift; to --tls=dane -p "$at" "--mx=$d" "$@" b@y.test; }
for d in ee mixed two; do exits "DANE: $d.test" 0 dane $d.test; done
like 'by the record' '=== TLSv1.3 ' dane ee.test -v
like 'no record matches' '<b@y.test>: deferred: a.bad.test.127.0.0.1.:[0-9]+: TLS: certificate of a.bad.test: no TLSA record matches it$' \
	dane bad.test
exits 'is 75' 75 dane bad.test
like 'usage 2, a name of the host' 'TLSv1.3' dane ta.test -v
exits 'is sent to' 0 dane ta.test
exits 'usage 2, a name of the domain' 0 dane mx.test
exits 'usage 2, no such name' 75 dane tb.test
exits 'usage 2, another CA' 75 dane tc.test
exits 'usage 2, behind a CNAME: its name counts' 0 dane alias.test
exits 'nothing usable: whoever it is' 0 dane odd.test
exits 'but TLS' 75 dane oddclear.test
like 'which is said' 'no STARTTLS, and TLS is required' dane oddclear.test
exits 'records, and no STARTTLS' 75 dane clear.test
exits 'no records: as with may' 0 dane none.test
exits 'no answer: not this host' 75 dane broken.test
like 'why' 'deferred: .*_tcp.a.broken.test' dane broken.test
exits 'but the next one' 0 dane beside.test
exits 'a domain without MX' 0 dane host.test
exits '-s: the host, by its secure address' 0 to --tls=dane -s "host.test:$at" b@y.test
exits '-s: no record matches' 75 to --tls=dane -s "a.bad.test:$at" b@y.test
exits 'an insecure zone: its records say nothing' 0 dane open.test
exits 'nobody asked for them' 1 grep -F '_tcp.a.open.test' "$tmp/dns.log"
exits 'an insecure MX, a secure host: nothing' 0 dane half.test
exits 'records in vain without dane' 0 to --tls=may -p "$at" --mx=bad.test b@y.test
# with a name and password, what has no usable record must verify otherwise
for d in odd open; do
	like "$d.test: no password for whoever it is" 'AUTH: not to a server|certificate of|issued by a CA' \
		dane $d.test -u me --password-file="$pki/ca.pem"
done
exits 'it was not told' 1 grep AUTH "$tmp/d1.log"
# by the recipient's domain; 127.0.0.2 is not taken for ourselves
like 'plain recipients' '^DATA 250' sh -c 'timeout 60 smtp-send --tls=dane -p "$1" -f a@x.test b@ta.test c@mx.test <"$2"; cat "$3"' \
	- "$at" "$msg" "$tmp/d2.log"
like 'each with its own fate' '<c@tc.test>: deferred: .*certificate of a.tc.test' \
	timeout 60 smtp-send --tls=dane -p "$at" -f a@x.test b@ta.test c@tc.test <"$msg"

done_testing
