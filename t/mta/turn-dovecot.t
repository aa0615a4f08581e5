#!/bin/sh
# turn-server with Dovecot holding the users: every mechanism that is offered.
# shellcheck disable=SC2034
chroots=postfix-auth
. "$(dirname "$0")/lib.sh"
. "$mta/servers.sh"

root=$tmp/dc
root_of dc postfix-auth
install_into "$root"
dovecot || bail 'no Dovecot'
mkdir -p "$tmp/md/new" "$tmp/run"
export TIDEGATE_RUN="$tmp/run"
printf 'user: one.test\n' >"$tmp/customers"
cat "$certs/postfix.test.pem" "$certs/postfix.test.key" >"$tmp/cert.pem" 2>/dev/null ||
	cat "$certs/good.pem" "$certs/good.key" >"$tmp/cert.pem"
chmod 600 "$tmp/cert.pem"

# login MECH PASSWORD-FILE OPTION...
login() {
	mech=$1 file=$2
	shift 2
	timeout 60 smtp-send --helo=c.test -v -u user --password-file="$file" --auth="$mech" --quit-after=auth "$@" \
		-s "exec:turn-server --customers=$tmp/customers --auth-socket=$root/run/dovecot/auth-client --tls-cert=$tmp/cert.pem --spool=maildir:$tmp/md -v"
}
for mech in SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN; do
	ok "$mech" login $mech "$tmp/password" --tls=encrypt
	exits "$mech, a wrong password" 77 login $mech "$tmp/wrong" --tls=encrypt
done
like 'in the clear, too, what does not show the password' '235' login SCRAM-SHA-256 "$tmp/password" --tls=none
like 'nothing else is offered there' 'AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5' \
	login SCRAM-SHA-256 "$tmp/password" --tls=none
echo 'other: one.test' >"$tmp/customers"
exits 'one who is no customer' 77 login PLAIN "$tmp/password" --tls=encrypt
chroot "$root" dovecot stop
exits 'Dovecot is away: later' 75 login PLAIN "$tmp/password" --tls=encrypt
done_testing
