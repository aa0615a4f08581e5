#!/bin/sh
# The server that speed is measured against must be right before it is fast; and
# what measures beside it.
. "${0%/*}/lib.sh"

# serve [OPTION...]: sets $port
began() { [ -s "$tmp/said" ]; }
serve() {
	: >"$tmp/said"
	nullsink "$@" >"$tmp/said" &
	pid=$!
	wait_for began
	read -r port <"$tmp/said"
}
ended() {
	kill -TERM $pid
	wait $pid
	tail -n 1 "$tmp/said"
}

# talk BITE: says stdin to the server in pieces of so many octets (0: at once),
# then no more; prints the codes of the replies
cat >"$tmp/talk.py" <<'EOF'
import socket, sys, threading
port, bite, text = int(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read()
s = socket.create_connection(("127.0.0.1", port))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def speak():
    try:
        for i in range(0, len(text), bite or max(1, len(text))):
            s.sendall(text[i:i + (bite or len(text))])
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
speaker = threading.Thread(target=speak)
speaker.start()
if len(sys.argv) > 3:
    speaker.join(float(sys.argv[3]))	# deaf for a while
codes = []
try:
    for line in s.makefile("rb"):
        if line[3:4] != b"-":
            codes.append(line[:3].decode() if line.endswith(b"\r\n") else "???")
except OSError:
    codes.append("lost")
last = None
out = []
for c in codes:
    if c == last:
        out[-1][1] += 1
    else:
        out.append([c, 1])
    last = c
print(" ".join(c if n == 1 else f"{c}x{n}" for c, n in out))
EOF
talk() { python3 "$tmp/talk.py" "$port" "$@"; }

# says NAME WANT: what is in $tmp/say, in each size of bites
says() {
	for bite in 1 7 0; do
		is "$1, in bites of $bite" "$2" talk $bite <"$tmp/say"
	done
}
lines() { sed 's/$/\r/' >"$tmp/say"; }

serve
lines <<'END'
EHLO a.test
MAIL FROM:<a@x.test> SIZE=3
RCPT TO:<b@y.test>
DATA
..
.. 
a.
.b
.
RSET
MAIL FROM:<>
RCPT TO:<b@y.test>
RCPT TO:<c@y.test>
QUIT
END
says 'two messages in a stream' '220 250x3 354 250x5 221'
lines <<'END'
HELO a.test
mail from:<a@x.test>
rcpt to:<b@y.test>
data
.
quit
END
says 'an empty text' '220 250x3 354 250 221'
{
	printf 'EHLO a.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nBDAT 5\r\nQUIT\n'
	printf 'BDAT 6 LAST\r\n.\r\nabcBDAT 0 LAST\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n'
	printf 'BDAT 0 LAST\r\nQUIT\r\n'
} >"$tmp/say"
says 'chunks' '220 250x5 503 250x3 221'
{
	printf 'MAIL FROM:<a@x.test>\r\nEHLO a.test\r\nRCPT TO:<b@y.test>\r\nDATA\r\n'
	printf 'MAIL FROM:<a@x.test>\r\nMAIL FROM:<a@x.test>\r\nDATA\r\nBDAT 6 LAST\r\nQUIT\r\n'
	printf 'RCPT TO:<b@y.test>\r\nBDAT 1\r\nxDATA\r\nRCPT TO:<c@y.test>\r\nRSET\r\nQUIT\r\n'
} >"$tmp/say"
says 'what is out of order: 503' '220 503 250 503x2 250 503x3 250x2 503x2 250 221'
lines <<'END'
EHLO a.test
MAIL FROM a@x.test
MAIL
MAILBOX
MAIL TO:<a@x.test>
MAIL FROM:<a@x.test>
RCPT <b@y.test>
XYZZY

QUIT
END
says 'what is not well formed' '220 250 501x2 502 501 250 501 502x2 221'
lines <<'END'
EHLO a.test
MAIL FROM:<a@x.test>
RCPT TO:<b@y.test>
BDAT LAST
END
says 'nobody knows where a chunk ends: it hangs up' '220 250x3 501'
{
	printf 'NOOP\n'
	head -c 300000 /dev/zero | tr '\0' x
	printf '\r\nNOOP\r\nQUIT\r\n'
} >"$tmp/say"
is 'a bare LF, and a line without an end' '220 500x2 250 221' talk 0 <"$tmp/say"
{
	yes NOOP | head -n 400000
	echo QUIT
} | lines
is 'a client that does not listen for a second' '220 250x400000 221' talk 0 1 <"$tmp/say"
head -c 3000000 /dev/urandom >"$tmp/say"
like 'junk' '^220 500' talk 0 <"$tmp/say"
: >"$tmp/say"
is 'nothing' 220 talk 0 <"$tmp/say"
# 3 x 17 octets, 3 empty texts, 3 x 11 octets in chunks, 3 empty chunks
is 'it has counted' 'sessions 22 messages 12 recipients 12 octets 84' ended

serve --no-chunking --no-pipelining
lines <<'END'
EHLO a.test
MAIL FROM:<a@x.test>
RCPT TO:<b@y.test>
BDAT 6 LAST
QUIT
END
says 'no chunks' '220 250x3 502 221'
ended >/dev/null

# --- beside it -----------------------------------------------------------------

mkdir -p "$tmp/md/new"
i=0
while [ $i -lt 70 ]; do
	i=$((i + 1))
	# 30 octets on the wire
	printf 'Return-Path: <a@x.test>\nDelivered-To: b@y.test\n\n.12345678\n123456789012345\n' \
		>"$tmp/md/new/m$i"
	printf '%s\ta@x.test\tb@y.test\tc@y.test\n' "$tmp/md/new/m$i"
done >"$tmp/records"

# blasted OPTION...: what the server counted
blasted() {
	serve
	blast "$@" "127.0.0.1:$port" <"$tmp/records" >"$tmp/took" &&
		grep -Eq '^[0-9]+\.[0-9]+$' "$tmp/took"
	blasted_status=$?
	ended
	return $blasted_status
}
for how in '' --in-flight=1 --in-flight=64; do
	is "blast $how" 'sessions 1 messages 70 recipients 140 octets 2100' \
		blasted ${how:+"$how"}
done
is 'blast --data: the dots are doubled' 'sessions 1 messages 70 recipients 140 octets 2170' \
	blasted --data
is 'blast --bytes' $((17 + 70 * (6 + 22 + 2 * 20 + 14 + 30) - 6 + 6)) \
	blast --bytes <"$tmp/records"
exits 'meter passes a status on' 7 meter "$tmp/meter" sh -c 'exit 7'
like 'meter: seconds, of CPU, kB, status' '^[0-9.]+ [0-9.]+ [0-9]+ 7$' cat "$tmp/meter"
done_testing
