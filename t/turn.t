#!/bin/sh
# The turn, both ends ours: turn-client at turn-server, in the clear and in TLS.
# shellcheck shell=sh disable=SC2016,SC2154
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"

export TIDEGATE_RUN="$tmp/run"
# letter DIR NAME SENDER RCPT...
letter() {
	letter_file=$1/new/$2
	mkdir -p "$1/new" "$1/cur" "$1/tmp"
	{
		printf 'Return-Path: <%s>\n' "$3"
		shift 3
		printf 'Delivered-To: %s\n' "$@"
		printf 'Subject: letter\n\n.a dot\n\377\n'
	} >"$letter_file"
}
fresh() {
	rm -rf "${tmp:?}/isp" "$tmp/box" "$tmp/out" "$tmp/run"
	mkdir "$tmp/run"
	letter "$tmp/isp" m1 a@x.test bob@one.test
	letter "$tmp/isp" m2 '' bob@two.test carol@two.test dave@other.test
	letter "$tmp/isp" m3 a@x.test eve@other.test
}
echo 'gw: one.test two.test' >"$tmp/customers"
echo 'gw:{PLAIN}se cret' >"$tmp/users"
echo 'se cret' >"$tmp/pass"
echo wrong >"$tmp/wrong"
chmod 600 "$tmp/users" "$tmp/pass" "$tmp/wrong"

# get [OPTION...]: what waits for gw, from a turn-server of our own
get() {
	case " $*" in *' -o '*) ;; *) set -- -o "maildir:$tmp/box" "$@" ;; esac
	case " $*" in *' --password-file='*) ;; *) set -- --password-file="$tmp/pass" "$@" ;; esac
	timeout 60 turn-client --helo=gw.one.test -u gw \
		-s "exec:turn-server --customers=$tmp/customers --passwords=$users --spool=maildir:$tmp/isp --helo=isp.test $server" "$@"
}
server='' users=$tmp/users
files() { find "$1/new" "$1/cur" -type f 2>/dev/null | wc -l; }
rcpts() { grep -h '^Delivered-To: ' "$1"/new/* | sort; }
body() { for f in "$1"/new/*; do sed '1,/^$/d' "$f"; done; }

fresh
exits 'mail is fetched' 0 get --results one.test two.test
cp "$tmp/.out" "$tmp/o"
is 'each recipient of ours' 'bob@one.test delivered 2.0.0
bob@two.test delivered 2.0.0
carol@two.test delivered 2.0.0' sh -c 'cut -f2-4 "$1" | tr "\t" " " | sort' - "$tmp/o"
is 'in a Maildir' 'Delivered-To: bob@one.test
Delivered-To: bob@two.test
Delivered-To: carol@two.test' rcpts "$tmp/box"
body "$tmp/box" >"$tmp/have"
printf '.a dot\n\377\n.a dot\n\377\n' >"$tmp/want"
ok 'octet by octet' cmp "$tmp/want" "$tmp/have"
is 'the others wait at the provider' 'Delivered-To: dave@other.test
Delivered-To: eve@other.test' rcpts "$tmp/isp"
exits 'then there is none' 0 get one.test
like 'which -v says' 'no mail was waiting' get -v one.test
exits 'nothing of others' 77 get other.test
exits 'not even among ours' 77 get one.test other.test
is 'none of it came' 2 files "$tmp/box"
exits 'a wrong password' 77 get --password-file="$tmp/wrong" one.test

fresh
exits 'all that is ours, unnamed' 0 get --accept=one.test --accept=two.test
is 'came' 2 files "$tmp/box"
fresh
exits 'by TURN' 0 get --turn --accept=one.test --accept=two.test
is 'came, too' 2 files "$tmp/box"

# no report leaves this machine
mkdir "$tmp/bin"
printf '#!/bin/sh\ncat >/dev/null\nexit 75\n' >"$tmp/bin/sendmail"
chmod +x "$tmp/bin/sendmail"
PATH=$tmp/bin:$PATH

fresh
exits 'a target that refuses one' 0 get -o 'exec:sink --stdio "--refuse=bob@*:550 5.1.1 no"' one.test two.test
cp "$tmp/.err" "$tmp/e"
like 'which is told' 'bob@two.test>: failed: 550 no' cat "$tmp/e"
# what has no sender needs no report
is 'who was refused waits while his sender cannot be told, who was not has it' 'Delivered-To: bob@one.test
Delivered-To: dave@other.test
Delivered-To: eve@other.test' rcpts "$tmp/isp"

fresh
printf '#!/bin/sh\nexec cat >"%s"\n' "$tmp/report" >"$tmp/bin/sendmail"
get -o 'exec:sink --stdio "--refuse=bob@*:550 5.1.1 no"' one.test two.test >/dev/null 2>&1
is 'when the sender is told it is gone' 'Delivered-To: dave@other.test
Delivered-To: eve@other.test' rcpts "$tmp/isp"
like 'in a report' 'Final-Recipient: rfc822; ?bob@one.test' cat "$tmp/report"

fresh
exits 'a target that is full' 75 get -o 'exec:sink --stdio "--refuse=*:452 4.3.1 full"' one.test two.test
cp "$tmp/.err" "$tmp/e"
like 'which is told, too' 'bob@two.test>: deferred: 452 full' cat "$tmp/e"
is 'keeps all of it at the provider' 3 files "$tmp/isp"
exits 'what is refused, softly' 75 get --soft-bounce -o 'exec:sink --stdio "--refuse=*:550 5.1.1 no"' one.test two.test
cp "$tmp/.err" "$tmp/e"
like 'is only put off' 'bob@two.test>: deferred: 451 no' cat "$tmp/e"
is 'and stays' 3 files "$tmp/isp"
exits 'LMTP' 0 get -o "lmtp:exec:sink --stdio --lmtp --maildir=$tmp/lmtp" one.test two.test
is 'gets each recipient a message of his own' 3 files "$tmp/lmtp"
is 'and all of them' 'Delivered-To: bob@one.test
Delivered-To: bob@two.test
Delivered-To: carol@two.test' rcpts "$tmp/lmtp"

### Ours first
# both: dequeue gives turn-client what waits here; it sends that, and fetches
both() {
	timeout 60 dequeue --spool="maildir:$tmp/out" --all --always --results -- \
		turn-client --records -v --helo=gw.one.test -u gw --password-file="$tmp/pass" -o "maildir:$tmp/box" \
		-s "exec:turn-server --customers=$tmp/customers --passwords=$tmp/users --spool=maildir:$tmp/isp --helo=isp.test" \
		"$@" one.test two.test
}
fresh
letter "$tmp/out" o1 me@one.test far@x.test
exits 'a provider that takes no mail there' 69 both
is 'keeps ours here' 1 files "$tmp/out"

### Stored keys, as `gsasl --mkpasswd' printed them for `secret'
echo 'gw:{SCRAM-SHA-256}4096,Vg5lRGHj+CTaoXKe,nYhIiRaHyazrsv98SI1yGfunixj2VIfjodQ/DVB+4ko=,1kBY0mZ3kwEk467hC3dYvio4Kuh/LLC8VHmJ57/Mwr4=' >"$tmp/keys"
echo secret >"$tmp/secret"
chmod 600 "$tmp/keys" "$tmp/secret"
fresh
users=$tmp/keys
exits 'a password that the provider does not know' 0 get --password-file="$tmp/secret" one.test two.test
is 'all of it came' 2 files "$tmp/box"
exits 'another' 77 get one.test
users=$tmp/users

### In TLS
server="--tls-cert=$pki/good.pem"
fresh
exits 'in TLS, verified' 0 get --tls=verify --tls-ca="$ca" --tls-name=mx.test one.test two.test
is 'all of it' 2 files "$tmp/box"
fresh
exits 'a certificate for somebody else' 75 get --tls=verify --tls-ca="$ca" --tls-name=other.test one.test
is 'nothing came' 0 files "$tmp/box"
done_testing
