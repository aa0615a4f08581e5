#!/bin/sh
# What a peer or a message wrote reaches a terminal printable, whatever prints it.
# shellcheck disable=SC2016
. "${0%/*}/lib.sh"

# seen COMMAND...: what it writes to a terminal of its own
seen() {
	python3 - "$@" <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
text = b""
try:
    while more := os.read(fd, 4096):
        text += more
except OSError:
    pass
os.waitpid(pid, 0)
sys.stdout.buffer.write(text.replace(b"\r\n", b"\n"))
END
}

# CSI as one octet and as two: xterm and others obey both
csi=$(printf 'a\233b\302\233c') shown='a\\x9Bb\\xC2\\x9Bc'
md=$tmp/md
mkdir -p "$md/new" "$md/cur" "$md/tmp"
printf 'Return-Path: <a@x.test>\nDelivered-To: b@y.test\n\nhi %s\n' "$csi" >"$md/new/1.$csi"
cat >"$tmp/says" <<END
#!/bin/sh
while IFS='	' read -r ref rest; do printf '%s\t*\tdeferred\t4.0.0\t%s\n' "\$ref" '$csi'; done
END
cat >"$tmp/server" <<END
#!/bin/sh
printf '220 x ESMTP\r\n'
while read -r line; do
	case \$line in
	EHLO*) printf '250-x\r\n250 ETRN\r\n' ;;
	RCPT*) printf '550 5.1.1 %s\r\n' '$csi' ;;
	ETRN*) printf '458 %s\r\n' '$csi' ;;
	QUIT*) printf '221 bye\r\n'; exit ;;
	*) printf '250 ok\r\n' ;;
	esac
done
END
chmod +x "$tmp/says" "$tmp/server"

# safe NAME COMMAND...: it shows what was written, and nothing raw
safe() {
	name=$1
	shift
	seen "$@" >"$tmp/seen"
	ok "$name: it is shown" grep -aq "$shown" "$tmp/seen"
	exits "$name: nothing raw" 1 grep -aq "$(printf '[\233\r]')" "$tmp/seen"
}
queue() { name=$1; shift; safe "$*" "$name" --spool=maildir:"$md" "$@"; }
queue queue-list --records
queue queue-list -l
queue queue-list --why
queue queue-cat "1.$csi"
queue dequeue --all -n -- "$tmp/says"
queue dequeue --all --remove -n
queue dequeue --all --results -- "$tmp/says"
queue dequeue --all -v -- "$tmp/says"
safe 'msg-sizecheck -l' msg-sizecheck -l "$md/new/1.$csi"
safe 'msg-sizecheck --over' sh -c 'queue-list --spool=maildir:"$1" | msg-sizecheck -m 1 --over -' - "$md"
safe 'msg-sizecheck --ndr' sh -c 'msg-sizecheck --ndr -m 1 -f a@x.test b@y.test <"$1"' - "$md/new/1.$csi"
safe 'smtp-send --results' sh -c 'echo hi | smtp-send -s exec:"$1" -f a@x.test --results b@y.test' - "$tmp/server"
safe 'etrn-request --results' etrn-request -s exec:"$tmp/server" --results y.test
printf '%s' "$csi" >"$tmp/want"
msg-sizecheck -l "$md/new/1.$csi" | head -n 1 | cut -f1 | sed 's/.*1\.//' | tr -d '\n' >"$tmp/got"
same 'what is no terminal gets the octets' "$tmp/want" "$tmp/got"
done_testing
