#!/bin/sh
# OpenSMTPD's pause is lifted while gateway-flush sends, by however many, and set again: by
# who was killed in between it cannot be, so by who comes next.
# shellcheck source=t/lib.sh disable=SC2016,SC2119,SC2120,SC2154
. "$(dirname "$0")/lib.sh"
. "$top/t/gateways.sh"
umask 022
mkdir "$tmp/fake" "$tmp/c" "$tmp/run"
T=$tmp
PATH=$tmp/fake:$gateways:$PATH
TIDEGATE_RUN=$tmp/run TIDEGATE_STATE=$tmp/state TIDEGATE_LOG=$tmp/log/sessions.log
export T PATH TIDEGATE_RUN TIDEGATE_STATE TIDEGATE_LOG
unset TIDEGATE_SESSION
# an smtpd that says and refuses what the real one does
cat >"$tmp/fake/smtpctl" <<'END'
#!/bin/sh
echo "smtpctl $*" >>"$T/calls"
mta=$(cat "$T/mta") new=$mta
case $mta,$* in
dead,*) echo 'smtpctl: could not connect to smtpd socket' >&2; exit 1 ;;
*,'show status') printf 'MDA running\nMTA %s\nSMTP running\n' "$mta"; exit ;;
stuck,*) ;;
paused,'resume mta') new=running ;;
running,'pause mta') new=paused ;;
esac
[ "$new" != "$mta" ] || { echo command failed; exit 1; }
echo "$new" >"$T/mta"
echo command succeeded
END
# sends when it may, or is where it is stopped
cat >"$tmp/fake/dequeue" <<'END'
#!/bin/sh
echo "dequeue" >>"$T/calls"
if [ -e "$T/block" ]; then
	echo $$ >>"$T/here"
	read -r _ <"$T/never"
fi
case $(cat "$T/mta") in
running) echo 'released 1, left 1, stayed 0, busy 0, changed 0' >&2 ;;
*) echo 'released 1, left 0, stayed 1, busy 0, changed 0' >&2; exit 75 ;;
esac
END
chmod +x "$tmp/fake/smtpctl" "$tmp/fake/dequeue"
mkfifo "$tmp/never"
printf '%s\n' SPOOL=opensmtpd RETRIEVE=none >"$tmp/c/isp.conf"

flush() { gateway-flush "--config=$tmp/c/isp.conf" "$@" isp; }
dial() { gateway-dial "--config=$tmp/c/isp.conf" "$@" isp; }
smtpd() { echo "$1" >"$tmp/mta"; : >"$tmp/calls"; }
orders() { cat "$tmp/calls"; }
mta() { cat "$tmp/mta"; }
words() { cat "$tmp/words"; }
# said COMMAND...: its output; $tmp/words is what it says to people
said() { "$@" 2>"$tmp/words"; }
# begun: in the background, $pid, and it sends; dequeue is $child
begun() {
	: >"$tmp/block"
	rm -f "$tmp/here"
	gateway-flush "--config=$tmp/c/isp.conf" isp >"$tmp/begun" 2>&1 &
	pid=$!
	wait_for test -s "$tmp/here" || echo 'Bail out!  nothing is sent'
	child=$(cat "$tmp/here")
	rm "$tmp/block" "$tmp/here"
}
# killed: it, while it sends; then what it ran
killed() {
	begun
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	kill -KILL "$child"
}

smtpd paused
is 'a pause is lifted' 'sent=1 deferred=0' said flush -v
is '... and set again' 'smtpctl show status
smtpctl resume mta
dequeue
smtpctl pause mta' orders
smtpd paused
is 'and not a word, when all is well' '' sh -c 'gateway-flush "$1" isp 2>&1' - "--config=$tmp/c/isp.conf"
smtpd paused
is 'dry: no more than told' 'would run: smtpctl resume mta
would run: dequeue' sh -c 'gateway-flush -n "$1" isp | sed "s/ --.*//"' - "--config=$tmp/c/isp.conf"
is '... nor done' paused mta
printf '%s\n' SPOOL=opensmtpd:/var/spool/smtpd RETRIEVE=none >"$tmp/c/isp.conf"
is 'the same, if the queue is named by its place' 'sent=1 deferred=0' said flush -v
is '... and set again' paused mta
printf '%s\n' SPOOL=opensmtpd RETRIEVE=none >"$tmp/c/isp.conf"
smtpd running
is 'no pause, nothing lifted' 'sent=1 deferred=0' said flush -v
is '... nor set' 'smtpctl show status
dequeue' orders
smtpd paused
begun
kill -TERM "$pid"
wait "$pid"
is 'TERM: it is set again' paused mta
smtpd paused
begun
smtpd stuck
kill -TERM "$pid"
wait "$pid"
like 'who cannot says what follows' 'smtpctl pause mta. failed: OpenSMTPD tries by itself' cat "$tmp/begun"
smtpd running
is 'which the next one mends' 'sent=1 deferred=0' said flush -v
is '... behind itself' paused mta
like '... and says so' 'a session was killed, and OpenSMTPD has tried by itself' words

### Two at once: the last one sets it
smtpd paused
begun
first=$pid first_child=$child
is 'another beside it' 'sent=1 deferred=0' said flush -v
is '... leaves the pause to the first' running mta
is '... and takes it for no killed one' '' sed '/^released/d' "$tmp/words"
begun
kill -TERM "$first"
wait "$first"
is 'the first, while the second sends' running mta
kill -TERM "$pid"
wait "$pid"
is '... which sets it' paused mta
kill -KILL "$first_child" "$child" 2>/dev/null

### Killed
smtpd paused
killed
is 'KILL: it is lifted still' running mta
like '... which --status says' '^OpenSMTPD +tries by itself +a session was killed' dial --status
is '... and does nothing about' running mta
is 'the next one sends' 'sent=1 deferred=0' said flush -v
is '... and sets it again' paused mta
like '... and says so' 'a session was killed, and OpenSMTPD has tried by itself' words
is 'the one after it has nothing to say' 'sent=1 deferred=0' said flush -v
is '... at all' 'released 1, left 1, stayed 0, busy 0, changed 0' words
smtpd paused
killed
begun
kill -KILL "$pid" "$child"
wait "$pid" 2>/dev/null
is 'twice: still lifted' running mta
is '... and mended' 'sent=1 deferred=0' said flush -v
is '... all the same' paused mta

# cron, each minute
printf '%s\n' SPOOL=opensmtpd RETRIEVE=none EVERY=1h >"$tmp/c/isp.conf"
smtpd paused
ok 'a session' dial
killed
: >"$tmp/calls"
is '--due, and nothing is: it is paused' '' said dial --due
is '... again' paused mta
like '... and told' 'a session was killed, and OpenSMTPD has tried by itself since: it is paused again' words
is '... without a session' '' sh -c '! grep dequeue "$T/calls"'
: >"$tmp/calls"
is '... and once' '' said dial --due
is '... is enough' '' orders
smtpd paused
killed
smtpd dead
is 'smtpd does not run: nothing is said' '' said dial --due
is '... nothing' '' words
smtpd running
is 'until it does' '' said dial --due
is '... again' paused mta
smtpd paused
killed
smtpd paused
is 'somebody has paused it meanwhile' '' said dial --due
is '... then that is all' '' words
is '... and all' '' sh -c 'cat "$TIDEGATE_RUN/opensmtpd.lifted"'
smtpd paused
begun
is '--due beside one that sends' '' said dial --due
is '... leaves it alone' running mta
kill -TERM "$pid"
wait "$pid"

### gateway-flush is killed, and gateway-dial not
smtpd paused
: >"$tmp/block"
printf '%s\n' '#!/bin/sh' 'echo $PPID $$ >"$T/here"' 'read -r _ <"$T/never"' >"$tmp/fake/dequeue"
dial >"$tmp/begun" 2>&1 &
pid=$!
wait_for test -s "$tmp/here"
read -r flusher child <"$tmp/here"
kill -KILL "$flusher"
wait "$pid"
kill -KILL "$child" 2>/dev/null	# if that session has not ended it
is 'a session whose gateway-flush is killed sets it again' paused mta
done_testing
