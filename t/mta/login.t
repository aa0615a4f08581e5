#!/bin/sh
# TLS and AUTH towards real servers: every level, certificate and mechanism they
# know, and what is refused is refused for the right reason.
chroots='postfix-auth exim sendmail opensmtpd opensmtpd-6'
. "$(dirname "$0")/lib.sh"
. "$mta/servers.sh"
# shellcheck disable=SC2086	# login is a list

token 3600 >"$tmp/token"
token -60 >"$tmp/stale"
chmod 600 "$tmp/token" "$tmp/stale"
fingerprint() { openssl x509 -in "$certs/$1.pem" -noout -fingerprint -sha256 | cut -d= -f2; }

# letter ID ARGUMENT...: a small one goes to $server, where :PORT stands for it
letter() {
	id=$1
	shift
	printf 'Subject: %s\n\nhello\n' "$id" >"$tmp/letter"
	smtp-send --tls-ca="$certs/ca.pem" -f "$id@sender.test" "$@" bob@mail.test <"$tmp/letter"
}

# the words for it, whoever finds them
untrusted='issuer|[Uu]nknown|authority|trust|in certificate chain'
misnamed='[Nn]ame|[Mm]ismatch|[Mm]atch'
unoffered='[Mm]echanism|AUTH|offer'

next() { n=$((n + 1)) id=$server-$n; }

# takes NAME PORT ARGUMENT...
takes() {
	next
	name=$1 port=$2
	shift 2
	exits "$server: $name" 0 letter "$id" -s "$server.test:$port" "$@"
	echo "$id@sender.test bob@mail.test $id" >>"$tmp/$server.want"
}

# refuses NAME STATUS ERE PORT ARGUMENT...: and says why
refuses() {
	next
	name=$1 status=$2 why=$3 port=$4
	shift 4
	exits "$server: $name: $status" "$status" letter "$id" -s "$server.test:$port" "$@"
	cp "$tmp/.err" "$tmp/said"
	like "$server: $name: $why" "$why" cat "$tmp/said"
}

login="-u user --password-file=$tmp/password"

# mechanisms PORT MECHANISM...: each lets in whom it should
mechanisms() {
	at_port=$1
	shift
	for mech; do
		takes "$at_port $mech" "$at_port" $login --tls=verify --auth="$mech"
		refuses "$at_port $mech, wrong password" 77 '535' "$at_port" -u user \
			--password-file="$tmp/wrong" --tls=verify --auth="$mech"
	done
}

tokens() {
	for mech in XOAUTH2 OAUTHBEARER; do
		takes "$1 $mech" "$1" -u user --password-file="$tmp/token" \
			--tls=verify --auth="$mech"
		refuses "$1 $mech, stale token" 77 '535' "$1" -u user \
			--password-file="$tmp/stale" --tls=verify --auth="$mech"
	done
}

# external USER: a client's certificate is enough, and only the right one
external() {
	takes 'EXTERNAL' 587 --tls=verify --auth=EXTERNAL -u "$1" \
		--tls-cert="$certs/client.pem" --tls-key="$certs/client.key"
	refuses 'EXTERNAL without a certificate' 69 "$unoffered" 587 \
		--tls=verify --auth=EXTERNAL -u "$1"
	refuses 'EXTERNAL, an unknown authority' 69 "$unoffered" 587 \
		--tls=verify --auth=EXTERNAL -u "$1" \
		--tls-cert="$certs/stranger.pem" --tls-key="$certs/stranger.key"
}

# levels: what every server does on port 25
levels() {
	for level in none may encrypt verify; do
		takes "--tls=$level" 25 --tls="$level"
	done
	takes '--tls=verify, by address' 25 --tls=verify -s "$at:25"
	takes '--tls=verify, --tls-name' 25 --tls=verify --tls-name=mx.test
	refuses 'a name it does not have' 75 "$misnamed" 25 \
		--tls=verify --tls-name=elsewhere.test
	refuses 'an unknown authority' 75 "$untrusted" 25 \
		--tls=verify --tls-ca="$certs/strangers.pem"
	takes 'an unknown authority, but the fingerprint' 25 --tls=encrypt \
		--tls-ca="$certs/strangers.pem" --tls-fingerprint="$(fingerprint good)"
	refuses 'another fingerprint' 75 'fingerprint' 25 \
		--tls=encrypt --tls-fingerprint="$(fingerprint other-name)"
	refuses 'AUTH where none is offered' 69 "$unoffered" 25 $login --tls=verify
	refuses 'no TLS where it is wrapped' 75 . 25 --tls=verify --tls-wrap
	takes '--tls-wrap' 465 $login --tls=verify --tls-wrap
	refuses '--tls-wrap, a name it does not have' 75 "$misnamed" 465 \
		$login --tls=verify --tls-wrap --tls-name=elsewhere.test
	takes 'the best mechanism it has' 587 $login --tls=verify
	refuses 'nobody says who we are' 77 '530|Access denied' \
		587 --tls=verify
}

# lacks MECHANISM
lacks() {
	refuses "$1, which it does not have" 69 "$unoffered" 587 $login --tls=verify --auth="$1"
}

# bad: certificates that nobody should believe, and that encrypt all the same
bad() {
	refuses 'certificate for another' 75 "$misnamed" 2501 --tls=verify
	refuses 'certificate expired' 75 'expired' 2502 --tls=verify
	refuses 'certificate too early' 75 'not (yet )?valid' 2503 --tls=verify
	refuses 'certificate of an unknown authority' 75 \
		"$untrusted" 2504 --tls=verify
	refuses 'certificate of its own making' 75 '[Ss]elf.signed' 2505 --tls=verify
	for level in may encrypt; do
		takes "--tls=$level, expired" 2502 --tls=$level
		takes "--tls=$level, self-signed" 2505 --tls=$level
	done
	takes 'self-signed, but the fingerprint' 2505 --tls=encrypt \
		--tls-fingerprint="$(fingerprint self-signed)"
	takes 'a certificate for a certificate' 2510 --tls=verify \
		--tls-cert="$certs/client.pem" --tls-key="$certs/client.key"
	refuses 'no certificate for a certificate' 75 . 2510 --tls=verify
	refuses 'the wrong certificate for a certificate' 75 . 2510 --tls=verify \
		--tls-cert="$certs/stranger.pem" --tls-key="$certs/stranger.key"
}

# clear: AUTH where there is no TLS
clear() {
	refuses 'no STARTTLS, but --tls=encrypt' 75 'STARTTLS|TLS' 2525 $login --tls=encrypt
	takes 'SCRAM-SHA-256 in clear' 2525 $login --tls=may --auth=SCRAM-SHA-256
	takes 'CRAM-MD5 in clear' 2525 $login --tls=none --auth=CRAM-MD5
	takes 'PLAIN in clear, allowed' 2525 $login --tls=may --auth=PLAIN --auth-in-clear
	takes 'LOGIN in clear, allowed' 2525 $login --tls=may --auth=LOGIN --auth-in-clear
}

came() { mail envelopes "$tmp/$server/var/mail/all"; }
all_came() {
	[ "$(find "$tmp/$server/var/mail/all/new" -type f | wc -l)" -ge "$(wc -l <"$tmp/$server.want")" ]
}

# all: each letter that was taken is there once, and no other
all() {
	wait_for all_came
	sort "$tmp/$server.want" >"$tmp/want"
	came >"$tmp/have"
	same "$server: those letters came, and no others" "$tmp/want" "$tmp/have"
}

begin() { server=$1 n=0; : >"$tmp/$1.want"; serve "$1"; }

begin postfix
levels
bad
clear
mechanisms 587 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
lacks XOAUTH2
mechanisms 588 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
tokens 588
all

begin exim
levels
bad
clear
mechanisms 587 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
tokens 587
external user@mail.test
all

begin sendmail
levels
clear
mechanisms 587 SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
lacks OAUTHBEARER
external user
all

begin opensmtpd
levels
bad
mechanisms 587 PLAIN LOGIN
lacks SCRAM-SHA-256
all

# Its handshake always fails: who needs no TLS comes back without.
begin opensmtpd-6
takes '--tls=may: a handshake that fails' 25 --tls=may
takes '--tls=none' 25 --tls=none
refuses '--tls=encrypt: a handshake that fails' 75 'TLS|SSL|handshake' 25 --tls=encrypt
all
done_testing
