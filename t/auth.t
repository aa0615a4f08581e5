#!/bin/sh
# AUTH: our client's side against the tests' server, and what that server refuses.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"

mkfifo "$tmp/up"

# logged_in LOGIN-ARGUMENTS -- SINK-OPTIONS: what login says, then the log
logged_in() {
	mechs=$1 name=$2 password=$3
	shift 4
	: >"$tmp/log"
	sink --stdio --log="$tmp/log" --user=me:secret "$@" <"$tmp/up" |
		login "$mechs" "$name" "$password" >"$tmp/up" 2>"$tmp/told"
	cat "$tmp/told"
	grep '^AUTH\|^EARLY\|^LOST\|^BARE' "$tmp/log"
}

# said SINK-OPTIONS: all of stdin at once is not allowed; so talk plays it
said() {
	: >"$tmp/talk"
	: >"$tmp/log"
	sink --stdio --log="$tmp/log" --user=me:secret "$@" <"$tmp/up" |
		TALK_LOG=$tmp/talk talk --client "$tmp/script" >"$tmp/up"
	cat "$tmp/talk"
}

for m in SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN; do
	is "$m" "$m 235
AUTH $m 235" logged_in - me secret -- --auth="$m"
	is "$m, wrong password" "$m 535
login: AUTH: no mechanism is left after $m
AUTH $m 535" logged_in - me wrong -- --auth="$m"
	is "$m, wrong user" "$m 535
login: AUTH: no mechanism is left after $m
AUTH $m 535" logged_in - you secret -- --auth="$m"
done

for m in XOAUTH2 OAUTHBEARER; do
	is "$m" "$m 235
AUTH $m 235" logged_in "$m" me secret -- --auth="PLAIN,$m"
	is "$m, wrong token" "reason {\"status\":\"401\",\"schemes\":\"bearer\"}
$m 535
login: AUTH: no mechanism is left after $m
AUTH $m 535" logged_in "$m" me wrong -- --auth="$m"
done

is 'the strongest first, then the others' 'SCRAM-SHA-256 535
CRAM-MD5 535
PLAIN 535
login: AUTH: no mechanism is left after SCRAM-SHA-256 CRAM-MD5 PLAIN
AUTH SCRAM-SHA-256 535
AUTH CRAM-MD5 535
AUTH PLAIN 535' logged_in - me wrong -- --auth=plain,cram-md5,SCRAM-SHA-256

is 'a proof in the 235' 'SCRAM-SHA-1 235
AUTH SCRAM-SHA-1 235' logged_in - me secret -- --auth=SCRAM-SHA-1 --auth-proof-in-235
like 'no proof' 'login: SCRAM-SHA-256: the server says yes without' \
	logged_in - me secret -- --auth=SCRAM-SHA-256 --auth-no-proof
like 'another reply' '^PLAIN 454' \
	logged_in - me secret -- --auth=PLAIN --auth-reply='454 4.7.0 later'
like 'only in TLS' 'login: AUTH: the server offers' \
	logged_in - me secret -- --auth=PLAIN --auth-tls
like 'EXTERNAL, but nobody showed a certificate' '^AUTH EXTERNAL 535' \
	logged_in external me secret -- --auth=EXTERNAL

cat >"$tmp/script" <<'END'
S: 220 sink.test ESMTP
C: EHLO client.test
S: 250-sink.test
S: 250-AUTH PLAIN LOGIN
S: 250 HELP
C: MAIL FROM:<a@x.test>
S: 530 5.7.0 AUTH first
C: AUTH NTLM
S: 504 5.5.4 unknown mechanism
C: AUTH
S: 504 5.5.4 unknown mechanism
C: AUTH PLAIN !
S: 501 5.5.2 no base64, or not what is due here
C: AUTH PLAIN
S: 334 
C: *
S: 501 5.7.0 cancelled
C: AUTH PLAIN
S: 334 
C: AG1lAHNlY3JldA==
S: 235 2.7.0 welcome
C: AUTH LOGIN
S: 503 5.5.1 not now
C: MAIL FROM:<a@x.test> AUTH=<>
S: 250 2.1.0 ok
C: QUIT
S: 221 2.0.0 bye
END
is 'what it refuses' '' said --ext= --auth=PLAIN,LOGIN --need-auth
is 'its log holds no secrets' 'AUTH NTLM 504
AUTH  504
AUTH PLAIN 501
AUTH PLAIN 501
AUTH PLAIN 235
AUTH LOGIN 503' grep '^AUTH' "$tmp/log"

cat >"$tmp/script" <<'END'
S: 220 sink.test ESMTP
C: EHLO client.test
S: 250-sink.test
S: 250 HELP
C: AUTH PLAIN
S: 502 5.5.1 not offered
C: MAIL FROM:<a@x.test> AUTH=<>
S: 555 5.5.4 a parameter that was not offered
END
is 'no AUTH without --auth' '' said --ext=

done_testing
