#!/bin/sh
# What users mistype and what peers do: the right status, nobody talked to in the
# first case, no endless wait and no endless memory in the second.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"

LF='
'
CR=$(printf '\r')
shown() { printf %s "$1" | tr '\001\n\r\177\374' '.....'; }
msg=$tmp/msg
printf 'Subject: hi\n\nhi\n' >"$msg"
touch="exec:touch $tmp/touched"

# untouched STATUS COMMAND...: it is refused, and the peer was never started
untouched() {
	want=$1
	shift
	exits "$want: $(shown "$*")" "$want" "$@"
	ok 'nobody was talked to' test ! -e "$tmp/touched"
	rm -f "$tmp/touched"
}

# ---- options

for option in --nonsense -Z --timeout --timeout=soon --timeout=-1 --timeout=0 --timeout=1.5 --timeout=1y \
    --timeout= --deadline=x --deadline=99999999999999999999 --connect-timeout=1h30m --port=0 --port=65536 \
    --port=smtp --port=-1 --port= --tls=maybe --server= --server=-x '--server=a b' --server=host:99999 \
    '--server=exec:"' --server=fd:x; do
	untouched 64 smtp-send -s "$touch" -f a@x.test "$option" b@y.test <"$msg"
	untouched 64 etrn-request -s "$touch" "$option" x.test
done
untouched 64 smtp-send -s "$touch" -4 -6 -f a@x.test b@y.test <"$msg"
untouched 64 smtp-send -s "$touch" <"$msg"
untouched 64 etrn-request x.test
for helo in '' 'a b' -x "a${LF}QUIT" "a$CR" "$(printf 'b\374cher')" 'a@b' '[300.1.1.1]' '<x>' a..b; do
	untouched 64 smtp-send -s "$touch" --helo="$helo" -f a@x.test b@y.test <"$msg"
	untouched 64 etrn-request -s "$touch" --helo="$helo" x.test
done
for option in --notify=x --notify=never,success '--notify=success,' --notify= --ret=x --ret= --envid= \
    "--envid=a${LF}b" "--envid=a$CR" "--envid=$(printf 'b\374')" "--envid=$(printf %0101d 0)"; do
	untouched 64 smtp-send -s "$touch" -f a@x.test "$option" b@y.test <"$msg"
done
for size in x 1.5M -1 1T '1 k' '' 99999999999999999999; do
	untouched 64 queue-list --spool=maildir:"$tmp" --larger="$size"
	untouched 64 queue-list --spool=maildir:"$tmp" --older="$size"
	untouched 64 queue-list --spool=maildir:"$tmp" --first="$size"
done

# ---- addresses of the command line

for address in '' '<>' -x@y.test - 'a b@y.test' 'a@y.test>' '<a@y.test' a@b@c '@relay.test:a@y.test' \
    'a@y.test NOTIFY=NEVER' "a@y.test${LF}DATA" "a@y.test$CR" "a${CR}b@y.test" "$(printf 'a\001@y.test')" \
    "$(printf 'a\374@y.test')" .a@y.test a..b@y.test '"a"b@y.test' '"a\"@y.test' '"a\\"> X \\"@y"' \
    'a@[1.2.3]' "$(printf %01001d 0)@y.test"; do
	untouched 64 smtp-send -s "$touch" -f a@x.test -- good@y.test "$address" <"$msg"
	case $address in ''|'<>') continue ;; esac
	untouched 64 smtp-send -s "$touch" --from="$address" good@y.test <"$msg"
done
is 'in brackets a dash may stand first' '' smtp-send -s 'exec:sink --stdio' -f a@x.test '<-x@y.test>' <"$msg"

# ---- records

exits '65: a line of over 1 MiB' 65 sh -c 'perl -e "print q(/q/) . q(x) x 1100000" | smtp-send --records -s "$1"' - "$touch"
ok 'nobody was talked to' test ! -e "$tmp/touched"
nuls() { printf '/q/new/1\ta@x.test\tb@y.test\0DATA\n' | smtp-send --records -s "$touch"; }
exits '65: a NUL in a line' 65 nuls
crlf() { printf '/q/new/1\ta@x.test\tb@y.test\\x0D\\x0ADATA\n' | smtp-send --records -s "$touch"; }
exits '65: CR and LF in a recipient' 65 crlf
ok 'nobody was talked to' test ! -e "$tmp/touched"

# ---- peers that say nothing, or nothing but

for i in EHLO MAIL RCPT DATA TEXT DOT RSET QUIT BANNER; do
	# before it comes to QUIT it must not be too late
	case $i in QUIT) patience=5s ;; *) patience=1s ;; esac
	(
		smtp-send -q -s "exec:sink --stdio --hang-at=$i" --timeout=$patience -f a@x.test b@y.test <"$msg"
		echo $? >"$tmp/hang.$i"
	) &
done
for i in EHLO ETRN BANNER; do
	(
		etrn-request -q -s "exec:sink --stdio --ext=ETRN --hang-at=$i" --timeout=1s x.test
		echo $? >"$tmp/etrn.$i"
	) &
done
(
	smtp-send -q -s exec:cat --deadline=1s -f a@x.test b@y.test <"$msg"
	echo $? >"$tmp/hang.deadline"
) &
# an octet now and then is no reply
cat >"$tmp/slow" <<'E2'
#!/usr/bin/perl
$| = 1;
print "220-";
for (;;) { print "x"; select undef, undef, undef, .1 }
E2
chmod +x "$tmp/slow"
(
	smtp-send -q -s "exec:$tmp/slow" --timeout=1s -f a@x.test b@y.test <"$msg"
	echo $? >"$tmp/hang.slow"
) &
wait
for i in BANNER EHLO MAIL RCPT DATA TEXT DOT slow deadline; do
	is "75: silence at $i" 75 cat "$tmp/hang.$i"
done
is 'silence at QUIT does not matter' 0 cat "$tmp/hang.QUIT"
for i in BANNER EHLO ETRN; do
	is "75: etrn-request: silence at $i" 75 cat "$tmp/etrn.$i"
done

# says NAME PERL: a peer
says() {
	printf '#!/usr/bin/perl\n$SIG{PIPE} = "DEFAULT"; $| = 1;\n%s\n' "$2" >"$tmp/$1"
	chmod +x "$tmp/$1"
}
says banner 'print "220-x\r\n" for 1 .. 1e9'
says line 'print "220 "; print "x" x 4096 for 1 .. 1e9'
says nothing 'print "\0" x 4096 for 1 .. 1e9'
says lines 'print "220 x\r\n"; <STDIN>; print "250-x\r\n" for 1 .. 1e9'
says megabyte 'print "220 x\r\n"; <STDIN>; print "250-", "x" x 900, "\r\n" for 1 .. 1100; print "250 x\r\n"; 1 while <STDIN>'
says codes 'print "220 x\r\n"; <STDIN>; print "250-x\r\n550 y\r\n"; 1 while <STDIN>'
says web 'print "HTTP/1.1 400 Bad Request\r\n\r\n"; 1 while <STDIN>'
says eager 'print "220 x\r\n250 x\r\n250 x\r\n354 x\r\n250 x\r\n"; 1 while <STDIN>'
says replies 'print "220 x\r\n"; <STDIN>; print "250 x\r\n" for 1 .. 1e9'

limit=:
case ${BUILD:-build} in *asan*) ;; *) limit='ulimit -v 65536' ;; esac
bounded() { (eval "$limit" && exec "$@"); }
for peer in banner line nothing lines megabyte codes web eager replies; do
	exits "76: $peer" 76 bounded smtp-send -s "exec:$tmp/$peer" --timeout=30s -f a@x.test b@y.test <"$msg"
	[ $peer = replies ] && continue	# one of them may pass for ETRN's
	exits "76: etrn-request: $peer" 76 bounded etrn-request --force -s "exec:$tmp/$peer" --timeout=30s x.test
done
perl -e 'print "S: x\n\n"; print "x" x 900, "\n" for 1 .. 60000' >"$tmp/big"
exits 'a message of 50 MB in bounded memory' 0 bounded smtp-send -s 'exec:sink --stdio --ext=PIPELINING' \
	-f a@x.test b@y.test <"$tmp/big"
rm "$tmp/big"

# ---- peers that go at any point of a dialogue

# cut N mail|etrn: a server that says N octets and goes
cat >"$tmp/cut" <<'E2'
#!/usr/bin/perl
my ($left, $kind) = @ARGV;
my @steps = $kind eq 'etrn' ?
    (["\n", "250-mx\r\n250 ETRN\r\n"], ["\n", "250 queuing\r\n"], ["\n", "221 bye\r\n"]) :
    (["\n", "250-mx\r\n250 PIPELINING\r\n"], ["DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n"],
     ["\r\n.\r\n", "250 2.0.0 kept\r\n"], ["\n", "221 bye\r\n"]);
sub say_it {
	my $n = length $_[0] < $left ? length $_[0] : $left;
	syswrite STDOUT, $_[0], $n;
	$left -= $n;
	exit if !$left;
}
say_it("220 mx\r\n");
for (@steps) {
	my ($until, $reply) = @$_;
	my $got = '';
	until (substr($got, -length $until) eq $until) { sysread(STDIN, $got, 1, length $got) or exit }
	say_it($reply);
}
E2
chmod +x "$tmp/cut"
# octets said: 8 greeting, 24 EHLO, 24 MAIL to DATA, 16 text
cut_everywhere() {
	n=1
	while [ $n -le 74 ]; do
		out=$(smtp-send -q --results -s "exec:$tmp/cut $n mail" -f a@x.test b@y.test <"$msg")
		code=$?
		case $out in *possible*) doubt=1 ;; *) doubt=0 ;; esac
		want='75 0'
		[ $n -lt 56 ] || want='75 1'
		# behind the 354: was the text on its way before it hung up?
		[ $n != 56 ] || want="75 $doubt"
		[ $n -lt 72 ] || want='0 0'
		[ "$code $doubt" = "$want" ] || echo "cut at $n: $code $doubt, not $want: $out"
		n=$((n + 1))
	done
}
is 'mail: cut at every octet' '' cut_everywhere
# 8 greeting, 18 EHLO, 13 ETRN
etrn_everywhere() {
	n=1
	while [ $n -le 42 ]; do
		out=$(etrn-request -q --results -s "exec:$tmp/cut $n etrn" x.test | cut -f3)
		etrn-request -q -s "exec:$tmp/cut $n etrn" x.test
		code=$?
		want='75 -'
		[ $n -lt 39 ] || want='0 250'
		[ "$code $out" = "$want" ] || echo "cut at $n: $code $out, not $want"
		n=$((n + 1))
	done
}
is 'ETRN: cut at every octet' '' etrn_everywhere

# What is closed is neither an empty input nor a written output.
for tool in 'queue-list -' 'smtp-send --records -s 127.0.0.1:1' 'dequeue - -- cat'; do
	exits "stdin is closed: $tool" 74 sh -c "$tool <&-"
done
mkdir -p "$tmp/queue/new"
printf 'Delivered-To: b@y.test\n\nhi\n' >"$tmp/queue/new/1.a"
exits 'stdout is closed: queue-list' 74 sh -c 'queue-list --spool=maildir:"$1" >&-' - "$tmp/queue"

# Wrong before anything is looked up or dialled.
exits '-d #queue is no domain' 64 queue-list -d '#queue' --spool=maildir:"$tmp/queue"
exits '--bind is no address' 64 smtp-send --bind=foo -s nosuch.invalid a@b.test
exits 'a port behind a port' 64 smtp-send -s 127.0.0.1:1:2 a@b.test
exits 'brackets round what is no address' 64 smtp-send -s '[1.2.3]' a@b.test
done_testing
