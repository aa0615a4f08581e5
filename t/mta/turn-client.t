#!/bin/sh
# turn-client hands what it fetched to real servers: by SMTP, to Dovecot's LMTP at a
# socket, to Sendmail's and Exim's -bs.  The provider is our turn-server
# over a Maildir.
# shellcheck disable=SC2154
chroots='postfix-auth exim sendmail opensmtpd'
. "$(dirname "$0")/lib.sh"
. "$mta/servers.sh"

echo 'gw: mail.test d1.test' >"$tmp/customers"
echo 'gw:{PLAIN}secret' >"$tmp/users"
echo secret >"$tmp/pass"
chmod 600 "$tmp/users" "$tmp/pass"
TIDEGATE_RUN=$tmp/run
export TIDEGATE_RUN

# letters: twelve, two of which go to two, one to somebody later, one to nobody
letters() {
	rm -rf "$tmp/isp" "$tmp/run"
	mkdir -p "$tmp/isp/new" "$tmp/isp/cur" "$tmp/isp/tmp" "$tmp/run"
	for i in 01 02 03 04 05 06 07 08 09 10 11 12; do
		case $i in
		03 | 09) rcpts="alice@mail.test bob@d1.test" ;;
		05) rcpts='later-one@mail.test' ;;
		07) rcpts='no-one@mail.test alice@mail.test' ;;
		*) rcpts='alice@mail.test' ;;
		esac
		{
			echo "Return-Path: <s$i@sender.test>"
			# shellcheck disable=SC2086
			printf 'Delivered-To: %s\n' $rcpts
			printf 'From: s@sender.test\nSubject: letter %s\n\n' $i
			printf '.\n..\n8 bits: \303\274\n'
			seq "${i#0}0"
		} >"$tmp/isp/new/$i"
	done
}
get() {
	timeout 120 turn-client --helo=gw.mail.test -u gw --password-file="$tmp/pass" --results -q \
		-s "exec:turn-server --customers=$tmp/customers --passwords=$tmp/users --spool=maildir:$tmp/isp --helo=isp.test" \
		"$@" mail.test d1.test >"$tmp/results"
}
fates() { cut -f2-3 "$tmp/results" | tr '\t' ' ' | sort | uniq -c | sed 's/^ *//'; }
left() { grep -h '^Delivered-To: ' "$tmp"/isp/new/* | sort; }
# bodies DIR...: of the letters there, by subject, each once
bodies() {
	for f in $(find "$@" -type f); do
		printf '%s ' "$(sed -n 's/^Subject: letter //p;/^\r*$/q' "$f")"
		tr -d '\r' <"$f" | sed '1,/^$/d' | md5sum
	done | sort -u
}
wanted() {
	for f in "$tmp"/isp.was/new/*; do
		case $f in */05) continue ;; esac
		printf '%s ' "${f##*/}"
		sed '1,/^$/d' "$f" | md5sum
	done
}
served='11 alice@mail.test delivered
2 bob@d1.test delivered
1 later-one@mail.test deferred
1 no-one@mail.test failed'

# takes NAME TARGET DIR...: they come there, and what is to stay stays
takes() {
	takes=$1 target=$2
	shift 2
	letters
	rm -rf "$tmp/isp.was"
	cp -a "$tmp/isp" "$tmp/isp.was"
	exits "$takes: one is put off: 75" 75 get -o "$target"
	is "$takes: what became of each" "$served" fates
	is "$takes: what stays at the provider" 'Delivered-To: later-one@mail.test
Delivered-To: no-one@mail.test' left
	wanted >"$tmp/want"
	all_there() { bodies "$@" >"$tmp/have" && [ "$(wc -l <"$tmp/have")" -ge 11 ]; }
	wait_for all_there "$@"
	same "$takes: each letter, as it was" "$tmp/want" "$tmp/have"
}

for server in postfix exim sendmail opensmtpd; do
	serve $server
	takes $server "$at:25" "$tmp/$server/var/mail/all/new"
done
program() {
	find "$tmp/$1/var/mail/all/new" -type f -delete
	takes "$1, a program" "exec:chroot $tmp/$1 $2" "$tmp/$1/var/mail/all/new"
}
program sendmail 'sendmail -C/etc/mail/tg.cf -bs'
program exim 'exim4 -bs'

# Dovecot's LMTP: a recipient at a time, and each user a Maildir of his own
root=$tmp/postfix
serve_lmtp
letters
rm "$tmp/isp/new/05"
exits 'LMTP at a socket' 0 get -o "lmtp:unix:$tmp/postfix/run/dovecot/lmtp"
is 'LMTP: what became of each' '11 alice@mail.test delivered
2 bob@d1.test delivered
1 no-one@mail.test failed' fates
is 'LMTP: who is nobody stays at the provider' 'Delivered-To: no-one@mail.test' left
count() { find "$tmp/postfix/var/mail/$1/new" -type f | wc -l; }
is 'LMTP: alice has hers' 11 count alice
is 'LMTP: bob has his' 2 count bob
done_testing
