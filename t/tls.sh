# What the tests of TLS and AUTH share, behind t/lib.sh: a message, certificates, and
# servers to send it to.
#
#	sent SINK-OPTIONS SEND-OPTION...	to a server behind a pipe, with $sink, too; its log
#					is new: $log; what smtp-send says is in $said
#	tells NAME STATUS ERE SINK-OPTIONS SEND-OPTION...	the outcome, and the words
#	listen NAME SINK-OPTION...	a server at a port, $port, its log in NAME.log
# shellcheck shell=sh disable=SC2034

certs "$tmp/pki" || skip_all 'no certificates'
pki=$tmp/pki
ca=$pki/ca.pem
msg=$tmp/msg
printf 'Subject: hi\n\nhi\n' >"$msg"
log=$tmp/log
said=$tmp/said
sink=
servers=
trap 'kill $servers 2>/dev/null; rm -rf "$tmp"' EXIT

sent() {
	rm -f "$log"
	options=$1
	shift
	timeout 60 smtp-send --helo=client.test -s "exec:sink --stdio --log=$log $sink $options" \
		-f a@x.test "$@" b@y.test <"$msg" 2>"$said"
	code=$?
	cat "$said" >&2
	return $code
}

tells() {
	name=$1 want=$2 ere=$3
	shift 3
	exits "$name: $want" "$want" sent "$@"
	like "$name: why" "$ere" cat "$said"
}

listen() {
	listening=$tmp/$1
	shift
	rm -f "$listening.log" "$listening.port"
	sink --port-file="$listening.port" --log="$listening.log" "$@" &
	servers="$servers $!"
	wait_for test -s "$listening.port"
	port=$(cat "$listening.port")
}
