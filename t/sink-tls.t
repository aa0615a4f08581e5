#!/bin/sh
# TLS in the tests' own SMTP server, with somebody else's client.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"

command -v openssl >/dev/null || skip_all 'no openssl'
TALK_LOG=$tmp/talk.log
export TALK_LOG
mkfifo "$tmp/up"
ok 'certificates of all sorts' certs "$tmp/pki"
ok 'a TLSA record' sh -c 'certs "$1" good | grep -Eqx "3 1 1 [0-9a-f]{64}"' - "$tmp/pki"
exits 'of none that is there' 74 certs "$tmp/pki" none

# server SINK-OPTION...
server() {
	rm -f "$tmp/port" "$tmp/log"
	sink --port-file="$tmp/port" --log="$tmp/log" --maildir="$tmp/md" "$@" &
	server=$!
	wait_for test -s "$tmp/port"
}
stop() { kill "$server"; wait "$server"; }

# dial OPTION...: openssl as the client, CRLF as it comes
dial() {
	timeout 60 openssl s_client -quiet -connect "127.0.0.1:$(cat "$tmp/port")" \
		-CAfile "$tmp/pki/ca.pem" -verify_hostname mx.test -verify_return_error "$@" 2>"$tmp/dial.err"
}

# spoken SCRIPT OPTION...: a conversation with the server through TLS
spoken() {
	script=$1
	shift
	: >"$TALK_LOG"
	dial "$@" <"$tmp/up" | talk --client "$script" >"$tmp/up"
	[ ! -s "$TALK_LOG" ] || { cat "$TALK_LOG" "$tmp/dial.err"; return 1; }
}

cat >"$tmp/letter" <<'END'
C: MAIL FROM:<a@x.test>
S: 503 5.5.1 not now
C: EHLO client.test
S: 250-sink.test
S: 250-PIPELINING
S: 250-SIZE 10000000
S: 250-8BITMIME
S: 250-ENHANCEDSTATUSCODES
S: 250-DSN
S: 250 HELP
C: STARTTLS
S: 502 5.5.1 not offered
C: MAIL FROM:<a@x.test>
C: RCPT TO:<b@y.test>
C: DATA
S: 250 2.1.0 ok
S: 250 2.1.5 ok
S: 354 go ahead
B: secret
C: .
S: 250 2.0.0 kept
C: QUIT
S: 221 2.0.0 bye
END
{ echo 'S: 220 sink.test ESMTP'; cat "$tmp/letter"; } >"$tmp/wrapped"

server --tls-cert="$tmp/pki/good.pem"
for version in tls1_2 tls1_3; do
	ok "STARTTLS, $version" spoken "$tmp/letter" -starttls smtp -$version
done
stop
sed -n '2,10p' "$tmp/log" >"$tmp/got"
printf '%s\n' 'EHLO mail.example.com 250' 'STARTTLS 220' 'TLS TLSv1.2' 'MAIL 503' \
	'EHLO client.test 250' 'STARTTLS 502' 'MAIL <a@x.test> 250' 'RCPT <b@y.test> 250' 'DATA 250 8' >"$tmp/want"
same 'what the log says' "$tmp/want" "$tmp/got"
is 'both letters' 2 sh -c 'grep -lx secret "$1"/md/new/* | wc -l | tr -d " "' - "$tmp"

server --tls-cert="$tmp/pki/chain.pem" --tls-wrap --tls-ca="$tmp/pki/ca.pem"
ok 'TLS from the first octet on' spoken "$tmp/wrapped"
like 'without a certificate of its own' '^CLIENT no certificate was shown$' cat "$tmp/log"
ok 'with one' spoken "$tmp/wrapped" -cert "$tmp/pki/client.pem" -key "$tmp/pki/client.pem"
like 'which is good' '^CLIENT verified: CN=client.test, by CN=Tidegate test CA$' cat "$tmp/log"
stop

server --tls-cert="$tmp/pki/expired.pem" --starttls-inject='250 injected'
dial -starttls smtp </dev/null >"$tmp/out"
like 'text behind the 220 breaks it' . cat "$tmp/dial.err"
stop
ok 'and no TLS comes of it' sh -c '! grep "^TLS TLS" "$1"' - "$tmp/log"

server --tls-cert="$tmp/pki/expired.pem"
dial -starttls smtp </dev/null >"$tmp/out"
like 'expired' 'certificate has expired' cat "$tmp/dial.err"
stop
like 'the server hears it' '^LOST handshake: the peer ended it: certificate expired$' cat "$tmp/log"

# In the clear: what is refused, and what is not TLS.
clear() { sink --stdio --log="$tmp/log" --tls-cert="$tmp/pki/good.pem" "$@" <"$tmp/up" | talk --client "$tmp/script" >"$tmp/up"; }
cat >"$tmp/script" <<'END'
S: 220 sink.test ESMTP
C: STARTTLS
S: 503 5.5.1 not now
C: EHLO x
S: 250-sink.test
S: 250-STARTTLS
S: 250 HELP
C: STARTTLS now
S: 501 5.5.4 no parameters
C: STARTTLS
S: 454 4.7.0 not today
C: QUIT
S: 221 2.0.0 bye
END
: >"$TALK_LOG"
is 'refused' '' clear --ext= --starttls-reply='454 4.7.0 not today'
cat >"$tmp/script" <<'END'
S: 220 sink.test ESMTP
C: EHLO x
S: 250-sink.test
S: 250-STARTTLS
S: 250 HELP
C: STARTTLS
S: 220 2.0.0 go ahead
C: EHLO x
S: 250 HELP
END
: >"$tmp/log"
clear --ext= 2>/dev/null
like 'clear text is no handshake' '^LOST handshake: what came is not TLS$' cat "$tmp/log"

chmod 644 "$tmp/pki/good.pem"
exits 'a key for everybody' 78 sink --tls-cert="$tmp/pki/good.pem"
exits 'no certificate' 78 sink --tls-wrap
done_testing
