#!/bin/sh
# gateway-dial, gateway-flush and gateway-etrn among fakes: the programs they run
# note their arguments and do what the test put into $tmp/do/NAME; the link is a
# file, its interface a line in a copy of /proc/net/dev.
# shellcheck source=t/lib.sh
. "$(dirname "$0")/lib.sh"
. "$top/t/gateways.sh"
umask 022
mkdir "$tmp/fake" "$tmp/do" "$tmp/c" "$tmp/proc" "$tmp/proc/net" "$tmp/sys"
T=$tmp
PATH=$tmp/fake:$gateways:$PATH
TIDEGATE_RUN=$tmp/run TIDEGATE_STATE=$tmp/state TIDEGATE_LOG=$tmp/log/sessions.log
TIDEGATE_PROC=$tmp/proc TIDEGATE_SYS=$tmp/sys
export T PATH TIDEGATE_RUN TIDEGATE_STATE TIDEGATE_LOG TIDEGATE_PROC TIDEGATE_SYS
unset TIDEGATE_SESSION
for fake in dequeue smtp-send etrn-request turn-client queue-list msg-sizecheck postconf; do
	cat >"$tmp/fake/$fake" <<'END'
#!/bin/sh
name=${0##*/}
[ "$name" = postconf ] || { printf '%s' "$name"; [ $# = 0 ] || printf ' <%s>' "$@"; echo; } >>"$T/calls"
[ ! -e "$T/do/$name" ] || . "$T/do/$name"
END
	chmod +x "$tmp/fake/$fake"
done
mkfifo "$tmp/never"

conf() { printf '%s\n' "$@" >"$tmp/c/isp.conf"; }
doing() { printf '%s\n' "$2" >"$tmp/do/$1"; }
dial() { gateway-dial "--config=$tmp/c/isp.conf" "$@" isp; }
flush() { gateway-flush "--config=$tmp/c/isp.conf" "$@" isp; }
etrn() { gateway-etrn "--config=$tmp/c/isp.conf" "$@" isp; }
# reached: until what was started has written to $tmp/here (its $child)
reached() { wait_for test -s "$tmp/here" && child=$(cat "$tmp/here"); rm -f "$tmp/here"; }
# what was killed is seen until its parent, or init, has looked at it
gone() { ! kill -0 "$1" 2>/dev/null; }
# after STATUS COMMAND...: runs it, says what went wrong if that was not its status
after() {
	want=$1
	shift
	: >"$tmp/calls"
	"$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got -eq "$want" ] || { echo "status $got, not $want"; cat "$tmp/out" "$tmp/err"; }
}
calls() { cat "$tmp/calls"; }
logged() { tail -n 1 "$TIDEGATE_LOG" | sed 's/^[^ ]* //; s/ up=[0-9]*s$/ up=Ns/; s/ bytes=-//'; }
session() { after "$1" dial && logged; }
link_is() { if [ -e "$tmp/up" ]; then [ "$1" = up ]; else [ "$1" = down ]; fi; }
released() { echo "echo 'released $1, left $2, stayed $3, busy 0, changed 0' >&2; exit $4"; }
no_mail='printf "isp.test\tcustomer.test\t251\t-\tnothing\n"'
has_mail='printf "isp.test\tcustomer.test\t250\t-\tstarted\n"'
link="CHECK=test -e $tmp/up
DIAL=touch $tmp/up
HANGUP=rm $tmp/up
DIAL_TIMEOUT=5"

### Options and names
for prog in gateway-dial gateway-flush gateway-etrn; do
	like "$prog --help" '--config=FILE' "$prog" --help
	is "$prog --usage" "Usage: $prog [-vqn] [--strict] [--config=FILE] NAME" "$prog" --usage
	is "$prog --version" "$prog (Tidegate) $(sed -n 's/^VERSION = //p' "$top/Makefile")" "$prog" --version
	for option in --config --verbose --quiet --dry-run --strict --help --usage --version; do
		word=${option#--}
		like "$prog(1) knows $option" "[ -]$word" cat "$top/man/$prog.1"
	done
	exits "$prog without a name" 64 "$prog"
	exits "$prog with two" 64 "$prog" a b
	exits "$prog --nonsense" 64 "$prog" --nonsense isp
	exits "$prog --config without a value" 64 "$prog" --config
	for name in '' . .isp -isp a/b '../x' 'a b' 'a
b' 'a*' "$(printf 'a\033b')"; do
		exits "$prog: the name '$(printf %s "$name" | tr -c '[:print:]' '?')'" 64 "$prog" -- "$name"
	done
	for option in --due --status --check --json --warn=1d --critical=2d; do
		[ "$prog" = gateway-dial ] || exits "$prog $option is gateway-dial's" 64 "$prog" $option isp
	done
	exits "$prog: a file that is not there" 74 "$prog" "--config=$tmp/c/none.conf" isp
	exits "$prog: a directory for a file" 74 "$prog" "--config=$tmp/c" isp
done
conf SEND=none RETRIEVE=none
exits 'letters behind one dash' 0 gateway-flush -vn --config "$tmp/c/isp.conf" -- isp.x_y-z
exits 'an unknown letter among them' 64 gateway-flush -vX --config "$tmp/c/isp.conf" isp
ok 'a file beside us' sh -c 'cd "$1" && exec gateway-flush --config=isp.conf isp' - "$tmp/c"

### The phone book
bad() {	# NAME STATUS ERE LINES...
	bad_name=$1 bad_code=$2 bad_text=$3
	shift 3
	conf "$@"
	exits "$bad_name: $bad_code" "$bad_code" dial
	like "$bad_name: says so" "$bad_text" dial
}
bad 'an unknown key' 78 'isp.conf:2: unknown key: .FOO.' '# x' FOO=1
bad 'small letters' 78 'isp.conf:1: unknown key: .dial.' dial=pon
bad 'a blank before the key' 78 'isp.conf:1: unknown key' ' DIAL=pon'
bad 'a blank before =' 78 'isp.conf:1: unknown key: .DIAL .' 'DIAL =pon'
bad 'a doubled key' 78 'isp.conf:3: DIAL: ' DIAL=a '' DIAL=a
bad 'no =' 78 'isp.conf:1: no KEY=value' DIAL
bad 'an empty key' 78 'isp.conf:1: unknown key' =x
bad 'a key that is a pattern' 78 'isp.conf:2: unknown key: .\*' DIAL=x '*=x'
bad 'a HELO of two words' 78 'isp.conf:1: HELO: not one word' 'HELO=a b'
bad 'a smart host like an option' 78 'isp.conf:1: SMARTHOST: not one word' 'SMARTHOST=-x'
bad 'a carriage return' 78 'isp.conf:1: ends in a carriage return' "$(printf 'HELO=x\r')"
bad 'a terminal escape' 78 'isp.conf:1: unknown key: ..\?.31m' "$(printf 'X\033[31m=1')"
for value in '' 0 07 1x 5ms s m -5 ' 5' '5 ' 1.5 9999999 '$(id)' 5M 1y; do
	bad "IDLE=$value" 78 'isp.conf:1: IDLE: not a time' "IDLE=$value"
done
for value in '' 0 025 65536 99999999999999999999 smtp -1 '25 '; do
	bad "PORT=$value" 78 'isp.conf:1: PORT: not a port' "PORT=$value"
done
for value in a/b .. 'a b' '$(x)'; do
	bad "INTERFACE=$value" 78 'isp.conf:1: INTERFACE: not an interface' "INTERFACE=$value"
done
for pair in SEND=now SEND= 'SEND=release drain' 'SEND=*' RETRIEVE=pop SUBDOMAINS=1 RETRIEVE=; do
	bad "$pair" 78 'isp.conf:1: [A-Z]*: is one of' "$pair"
done
bad 'a domain like an option' 78 'isp.conf:1: DOMAINS: not a domain' 'DOMAINS=a.test --helo=x'
bad 'drain without a smart host' 78 'needs a SMARTHOST' SEND=drain RETRIEVE=none
bad 'ETRN to nobody' 78 'needs a RETRIEVE_HOST' SEND=none
bad 'a command that is none' 78 'needs a RETRIEVE_COMMAND' RETRIEVE=command
bad 'HANGUP without DIAL' 78 'HANGUP without DIAL' RETRIEVE=none HANGUP=poff
bad 'a port of a socket' 78 'has no port' SMARTHOST=unix:/x PORT=25
for pair in EVERY=x WHEN_QUEUED=x WHEN_QUEUED=5,x URGENT=x RETRY=x MAX_CALLS=0 NOTIFY_FAILURE=x 'NOTIFY_FAILURE=3,-x'; do
	bad "$pair" 78 "isp.conf:1: ${pair%%=*}: not" "$pair"
done
bad 'ATRN to nobody' 78 'RETRIEVE=atrn needs a RETRIEVE_HOST' RETRIEVE=atrn SEND=none
bad 'TURN behind the MTA'"'"'s own sending' 78 'cannot be turned' RETRIEVE=turn SMARTHOST=mx DOMAINS=a.test
bad 'TURN for whom' 78 'DOMAINS says' RETRIEVE=turn SEND=none SMARTHOST=mx
bad 'a size that is none' 78 'MAX_SIZE: not a size' MAX_SIZE=10X
bad 'a level that is none' 78 'TLS: is one of' TLS=please
ok 'no session was noted for these' test ! -s "$TIDEGATE_LOG"
# shellcheck disable=SC2013
for key in $(sed -n 's/^	\([A-Z_]*\)).*/\1/p' "$gateways/gateway.book.sh"); do
	like "gateway.conf(5) knows $key" "^\.It (Sy|Cm|Va|Li) $key\b" cat "$top/man/gateway.conf.5"
done

conf SEND=none RETRIEVE=none
for mode in 664 646 666; do
	chmod $mode "$tmp/c/isp.conf"
	exits "a file of mode $mode" 78 dial
done
chmod 600 "$tmp/c/isp.conf"
for mode in 775 757; do
	chmod $mode "$tmp/c"
	exits "in a directory of mode $mode" 78 dial
done
chmod 755 "$tmp/c"
mkdir "$tmp/open"
mv "$tmp/c/isp.conf" "$tmp/open"
ln -s ../open/isp.conf "$tmp/c/isp.conf"
exits 'a link to a good place' 0 dial
chmod 777 "$tmp/open"
exits 'a link to a bad place' 78 dial
chmod 755 "$tmp/open"
ln -s ../c/isp.conf "$tmp/open/link.conf"
chmod 777 "$tmp/open"
exits 'a link in a bad place' 78 gateway-dial "--config=$tmp/open/link.conf" isp
rm -rf "$tmp/open" "$tmp/c/isp.conf"
conf SEND=none RETRIEVE=none
if [ "$(id -u)" -eq 0 ] && chown 65534 "$tmp/c/isp.conf" 2>/dev/null; then
	exits "somebody else's file" 78 dial
	chown 0 "$tmp/c/isp.conf"
	chown 65534 "$tmp/c"
	exits "in somebody else's directory" 78 dial
	chown 0 "$tmp/c"
fi
printf 'SEND=none\n  \n\t\n# IDLE=never\nRETRIEVE=none' >"$tmp/c/isp.conf"
exits 'blank lines, comments, no newline at the end' 0 dial
for time in 90 90s 5m 2h 3d 1w; do
	conf SEND=none RETRIEVE=none FIRST=$time
	exits "FIRST=$time" 0 dial
done

### A session
conf "$link" SMARTHOST=mx.isp.test DOMAINS=customer.test
doing etrn-request "$no_mail"
doing dequeue "$(released 3 3 0 0)"
is 'a whole session' 'link=isp status=0 link=ok send=0 retrieve=0 hangup=ok sent=3 deferred=0 received=- up=Ns' session 0
like 'the time is UTC' '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z link=isp status=0 .* bytes=- up=[0-9]+s$' tail -n 1 "$TIDEGATE_LOG"
ok 'the link is down' link_is down
is 'silent on success' '' cat "$tmp/out" "$tmp/err"
is 'what was run' 'dequeue <--all> <-v> <--wait=W>
etrn-request <--server=mx.isp.test> <--results> <customer.test>' sh -c 'sed "s/--wait=[0-9]*s/--wait=W/" "$1"' - "$tmp/calls"
like 'with -v the line is shown' '^[0-9]{4}-.* link=isp status=0 .* up=' dial -v
touch "$tmp/up"
is 'a link that is up is kept' 'link=isp status=0 link=up send=0 retrieve=0 hangup=kept sent=3 deferred=0 received=- up=Ns' session 0
ok '... up' link_is up
rm "$tmp/up"
conf SMARTHOST=mx.isp.test DOMAINS=customer.test
is 'a link that is always up' 'link=isp status=0 link=up send=0 retrieve=0 hangup=none sent=3 deferred=0 received=- up=Ns' session 0
conf "DIAL=touch $tmp/up" "HANGUP=rm $tmp/up" SEND=none RETRIEVE=none
is 'a link nobody can look at' 'link=isp status=0 link=ok send=- retrieve=- hangup=ok sent=- deferred=- received=- up=Ns' session 0
ok '... is hung up' link_is down
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up" SEND=none RETRIEVE=none
is 'no HANGUP' 'link=isp status=0 link=ok send=- retrieve=- hangup=none sent=- deferred=- received=- up=Ns' session 0
rm "$tmp/up"

failed_link='link=isp status=75 link=failed send=- retrieve=- hangup=ok sent=- deferred=- received=- up=-'
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up; exit 9" "HANGUP=rm $tmp/up" SMARTHOST=x
is 'DIAL fails half way' "$failed_link" session 75
ok '... the link is down' link_is down
is '... nothing was run' '' calls
like '... it says so' 'DIAL failed with status 9' cat "$tmp/err"
conf "CHECK=test -e $tmp/up" DIAL=: HANGUP=: SMARTHOST=x DIAL_TIMEOUT=1
is 'the link never comes up' "$failed_link" session 75
like '... it says so' 'the link did not come up' cat "$tmp/err"
conf "CHECK=test -e $tmp/up" "DIAL=echo \$\$ >$tmp/pid; read x <$tmp/never" "HANGUP=touch $tmp/hung" SMARTHOST=x DIAL_TIMEOUT=1
is 'DIAL hangs' "$failed_link" session 75
ok '... and is ended' wait_for gone "$(cat "$tmp/pid")"
ok '... HANGUP was run' test -e "$tmp/hung"
conf "DIAL=trap '' TERM; sh -c 'echo \$\$ >$tmp/pid; read x <$tmp/never'" HANGUP=: SMARTHOST=x DIAL_TIMEOUT=1
is 'DIAL and its child are deaf to TERM' "$failed_link" session 75
ok '... and are ended' wait_for gone "$(cat "$tmp/pid")"
conf "CHECK=read x <$tmp/never" DIAL=: HANGUP=: SMARTHOST=x DIAL_TIMEOUT=1
is 'CHECK hangs' 'link=isp status=75 link=failed' sh -c '"$@" 2>/dev/null; tail -n 1 "$TIDEGATE_LOG" | cut -d" " -f2-4' - gateway-dial "--config=$tmp/c/isp.conf" isp

bad_end='link=isp status=75 link=ok send=- retrieve=- hangup=failed sent=- deferred=- received=- up=Ns'
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up" "HANGUP=rm $tmp/up; exit 3" SEND=none RETRIEVE=none
is 'HANGUP fails' "$bad_end" session 75
rm -f "$tmp/up"
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up" HANGUP=: DIAL_TIMEOUT=1 SEND=none RETRIEVE=none
is 'HANGUP does nothing' "$bad_end" session 75
like '... it says so' 'still up after HANGUP' cat "$tmp/err"
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up" "HANGUP=rm $tmp/up" SEND=none RETRIEVE=none
is '... the next session hangs up what is still ours' 'link=isp status=0 link=up send=- retrieve=- hangup=ok sent=- deferred=- received=- up=Ns' session 0
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up" "HANGUP=rm $tmp/up; read x <$tmp/never" DIAL_TIMEOUT=1 SEND=none RETRIEVE=none
is 'HANGUP hangs' "$bad_end" session 75
rm -f "$tmp/run/isp.dialled"

### Evil values are values
evil='x $(touch '$tmp'/evil) `touch '$tmp'/evil` "'"'"' \ * ; & $HOME = #'
# shellcheck disable=SC1003
word='x$(touch)`touch`"\*;&$HOME=#'
conf "$link" 'SMARTHOST=m$(x)' "HELO=$word" 'DOMAINS=* $(x) `y` ;' 'SEND_OPTIONS=--a=* $HOME	"x y" \' "SPOOL=maildir:$evil" SEND=drain
doing dequeue 'exit 0'
is 'they reach the programs whole' "dequeue <--spool=maildir:$evil> <--all> <-v> <--results> <--> <smtp-send> <--records> <--server=m\$(x)> <--helo=$word> <--a=*> <\$HOME> <\"x> <y\"> <\\>
etrn-request <--server=m\$(x)> <--helo=$word> <--results> <*> <\$(x)> <\`y\`> <;>" sh -c '"$@" 2>/dev/null; cat "$T/calls"; : >"$T/calls"' - gateway-dial -q "--config=$tmp/c/isp.conf" isp
ok '... and are never run' test ! -e "$tmp/evil"
conf "CHECK=test -e '$tmp/up'" "DIAL=: \"a\\\\b\" 'q' # \$x; touch '$tmp/up'
HANGUP=-x; rm '$tmp/up'" DIAL_TIMEOUT=1 SEND=none RETRIEVE=none
like 'a comment within a command is its own' 'the link did not come up' dial

### One at a time
conf "$link" SEND=none RETRIEVE=command "RETRIEVE_COMMAND=echo in >$tmp/here; read x <$tmp/never"
gateway-dial "--config=$tmp/c/isp.conf" isp >"$tmp/first" 2>&1 &
first=$!
reached
exits 'the link is busy' 75 dial
like '... it says whose it is' "a session is going on already \(process $first\)" dial
ok '... it stays up' link_is up
kill -TERM $first
wait $first
is 'TERM hangs up' 'status=75 link=ok send=- retrieve=75 hangup=ok' sh -c 'tail -n 1 "$TIDEGATE_LOG" | cut -d" " -f3-7'
ok '... the link is down' link_is down
like '... it says so' 'ended by SIGTERM' cat "$tmp/first"

# DIAL leaves a process behind, as pppd does: it must not hold the lock
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up; sh -c 'echo \$\$ >>$tmp/pid; read x <$tmp/never' >/dev/null 2>&1 &" "HANGUP=rm $tmp/up" SEND=none RETRIEVE=none
rm -f "$tmp/pid"
after 0 dial
wait_for test -s "$tmp/pid"
ok 'what DIAL leaves behind lives' kill -0 "$(cat "$tmp/pid")"
exits '... and does not hold the lock' 0 dial
wait_for sh -c '[ "$(wc -l <"$1")" -eq 2 ]' - "$tmp/pid"
while read -r pid; do kill "$pid"; done <"$tmp/pid"

# phase NAME FIELDS: the session is ended in that phase
phase() {
	for signal in TERM HUP INT; do
		: >"$tmp/calls"
		rm -f "$tmp/up"
		# a background job of this shell would ignore INT
		perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' gateway-dial "--config=$tmp/c/isp.conf" isp >"$tmp/out" 2>"$tmp/err" &
		pid=$!
		reached
		kill -$signal $pid
		wait $pid
		ended=$?
		is "SIG$signal in $1" "$2" sh -c 'tail -n 1 "$TIDEGATE_LOG" | cut -d" " -f3-9'
		ok '... the link is down' link_is down
		is '... status 75' 75 echo $ended
		ok '... nothing is left running' wait_for gone "$child"
	done
}
block="echo \$\$ >$tmp/here; read x <$tmp/never"
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up; $block" "HANGUP=rm $tmp/up" SMARTHOST=x
phase DIAL 'status=75 link=failed send=- retrieve=- hangup=ok sent=- deferred=-'
conf "$link" SMARTHOST=x
doing dequeue "$block"
phase flush 'status=75 link=ok send=75 retrieve=- hangup=ok sent=- deferred=-'
conf "$link" SMARTHOST=x SEND=drain
doing dequeue "printf '/q/1\tb@x\tdelivered\t2.0.0\tok\n'; $block"
phase drain 'status=75 link=ok send=75 retrieve=- hangup=ok sent=1 deferred=0'
doing dequeue "$(released 1 1 0 0)"
conf "$link" SMARTHOST=x
doing etrn-request "$block"
phase etrn 'status=75 link=ok send=0 retrieve=75 hangup=ok sent=1 deferred=0'
conf "CHECK=test -e $tmp/up" "DIAL=touch $tmp/up" "HANGUP=echo \$\$ >$tmp/here; read x <$tmp/go; rm $tmp/up" SEND=none RETRIEVE=none
mkfifo "$tmp/go"
gateway-dial "--config=$tmp/c/isp.conf" isp 2>/dev/null &
pid=$!
reached
kill -TERM $pid
echo >"$tmp/go"
wait $pid
ok 'TERM does not disturb HANGUP' link_is down
conf "CHECK=echo \$\$ >$tmp/here; read x <$tmp/never" "DIAL=touch $tmp/up" "HANGUP=rm $tmp/up" SEND=none RETRIEVE=none
gateway-dial "--config=$tmp/c/isp.conf" isp 2>/dev/null &
pid=$!
reached
kill -TERM $pid
wait $pid
is 'TERM before anything was dialled' 'status=75 link=- send=- retrieve=- hangup=none' sh -c 'tail -n 1 "$TIDEGATE_LOG" | cut -d" " -f3-7'

### MAX_SESSION
conf "$link" SMARTHOST=x MAX_SESSION=3
doing dequeue "read x <$tmp/never"
doing etrn-request "read x <$tmp/never"
is 'MAX_SESSION ends all of it' 'link=isp status=75 link=ok send=75 retrieve=75 hangup=ok sent=- deferred=- received=- up=Ns' session 75
like '... it says so' 'MAX_SESSION is over' cat "$tmp/err"
ok '... the link is down' link_is down

### The log and the lock
conf SEND=none RETRIEVE=none
if [ "$(id -u)" -eq 0 ]; then
	exits 'a log that is a directory' 74 env TIDEGATE_LOG="$tmp/c" gateway-dial "--config=$tmp/c/isp.conf" isp
fi
exits 'a lock that cannot be' 77 env TIDEGATE_RUN=/dev/null/x gateway-dial "--config=$tmp/c/isp.conf" isp

### Dry
conf "$link" SMARTHOST=mx PORT=587 "DOMAINS=a.test b.test" MAX_SESSION=1m
before=$(wc -c <"$TIDEGATE_LOG")
dry_run() { dial -n | sed 's/--wait=[1-5]*[0-9]s/--wait=55s/'; }	# what is left of a minute
is 'dry' "would run: sh -c 'test -e $tmp/up'
would run: sh -c 'touch $tmp/up'
would run: dequeue --all -v --wait=55s
would run: etrn-request --server=mx --results a.test b.test
would run: sh -c 'rm $tmp/up'" dry_run
is '... nothing was noted' "$before" sh -c 'wc -c <"$TIDEGATE_LOG"'

### gateway-flush: release
conf SMARTHOST=mx.isp.test SPOOL=postfix RETRIEVE=none
flushed() { after "$1" flush -v && tail -n 1 "$tmp/out"; }
doing dequeue "echo 'A1: sent' >&2; $(released 12 11 1 75)"
is 'one stayed: no failure' 'sent=11 deferred=1' flushed 0
like '... the spool was named' '^dequeue <--spool=postfix> <--all> <-v> <--wait=3[45][0-9][0-9]s>$' calls
exits '... but with --strict' 75 flush --strict
doing dequeue "$(released 4 0 4 75)"
is 'all stayed' 'sent=0 deferred=4' flushed 75
doing dequeue "$(released 0 0 0 0)"
is 'nothing to send' 'sent=0 deferred=0' flushed 0
is 'alone and without -v: silent' '' flush
doing dequeue 'echo "dequeue: postqueue: no" >&2; exit 77'
is 'it may not' 'sent=- deferred=-' flushed 77
like '... and says why' 'postqueue: no' flush
doing dequeue 'kill -SEGV $$'
is 'it crashed' 'sent=- deferred=-' flushed 70
doing dequeue 'exit 76'
is 'protocol' 'sent=- deferred=-' flushed 76
mv "$tmp/fake/dequeue" "$tmp/fake/gone"
if ! command -v dequeue >/dev/null; then
	is 'it is not installed' 'sent=- deferred=-' flushed 69
fi
mv "$tmp/fake/gone" "$tmp/fake/dequeue"
conf SEND=none RETRIEVE=none
is 'SEND=none' 'sent=- deferred=-' flushed 0

### gateway-flush: drain
conf SEND=drain SMARTHOST=mx.isp.test HELO=gw.test "SEND_OPTIONS=--timeout=5m  -4" "SPOOL=maildir:/q" RETRIEVE=none
drained='
printf "/q/1\ta@x\tdelivered\t2.0.0\tok\n/q/1\tb@x\trelayed\t2.0.0\tok\n/q/2\ta@x\tdelivered\t2.0.0\tok\n"
printf "/q/2\tb@x\tdeferred\t4.0.0\tlater\n/q/3 x\tb@x\tdeferred\t4.0.0\tlater\n"'
doing dequeue "$drained; exit 75"
is 'messages are counted, not recipients' 'sent=2 deferred=2' flushed 0
is '... what was run' 'dequeue <--spool=maildir:/q> <--all> <-v> <--results> <--> <smtp-send> <--records> <--server=mx.isp.test> <--helo=gw.test> <--timeout=5m> <-4>' calls
exits '... --strict' 75 flush --strict
doing dequeue "$drained; printf '/q/4\tb@x\tfailed\t5.1.1\tno\n'; exit 75"
is 'what failed for good is told' 'sent=2 deferred=2' flushed 69
doing dequeue "$drained; printf 'dequeue: A: a@x: %s: 250\n' delivered relayed deferred >&2
	printf 'dequeue: A: left\ndequeue: B: stayed: 451\n' >&2; exit 75"
is 'without -v: of a session that failed, not what went well' 'dequeue: A: a@x: deferred: 250
dequeue: B: stayed: 451' sh -c 'gateway-flush "$1" isp 2>&1' - "--config=$tmp/c/isp.conf"
doing dequeue 'printf "/q/4\tb@x\tdeferred\t4.4.1\tno\n"; exit 75'
is 'nothing was taken' 'sent=0 deferred=1' flushed 75
doing dequeue 'echo "dequeue: open /q: Permission denied" >&2; exit 77'
is 'who could not look does not know what stays' 'sent=0 deferred=-' flushed 77
for row in '192.0.2.7 2525 192.0.2.7:2525' '2001:db8::7 25 [2001:db8::7]:25' '[2001:db8::7] 25 [2001:db8::7]:25' 'mx 587 mx:587'; do
	# shellcheck disable=SC2086
	set -- $row
	conf SEND=drain "SMARTHOST=$1" "PORT=$2" RETRIEVE=none
	like "$1 and $2" "would run: .* '?--server=$(printf %s "$3" | sed 's/[][]/./g')" flush -n
done

conf SEND=drain SMARTHOST=mx RETRIEVE=none USER=ann "PASSWORD_FILE=/e/a b" AUTH=PLAIN TLS=verify TLS_NAME=mx.test
is 'credentials, by a file' 'would run: dequeue --all -v --results -- smtp-send --records --server=mx --user=ann '"'--password-file=/e/a b'"' --auth=PLAIN --tls=verify --tls-name=mx.test' flush -n

### Turned after sending
conf "$link" SEND=drain SMARTHOST=mx USER=ann RETRIEVE=atrn "DOMAINS=a.test @b.test" DELIVER=maildir:/m
turned="dequeue <--all> <--always> <-v> <--results> <--> <turn-client> <--records> <-v> <--server=mx> <--user=ann> <--deliver=maildir:/m> <a.test> <--accept=@b.test> <b.test>"
doing dequeue "$drained; echo 'turn-client: received 3, refused 1, 40 octets, status 0' >&2; exit 75"
is 'one connection for both' 'link=isp status=0 link=ok send=0 retrieve=0 hangup=ok sent=2 deferred=2 received=3 up=Ns' session 0
is '... what was run' "$turned" calls
doing dequeue "echo 'turn-client: no mail was waiting' >&2"
is 'no mail, of neither' 'link=isp status=0 link=ok send=0 retrieve=0 hangup=ok sent=0 deferred=0 received=0 up=Ns' session 0
doing dequeue "$drained; echo 'turn-client: mx: ATRN: 450 no' >&2; exit 77"
is 'sent, and then refused' 'link=isp status=77 link=ok send=0 retrieve=77 hangup=ok sent=2 deferred=2 received=- up=Ns' session 77
doing dequeue 'exit 75'
is 'neither' 'link=isp status=75 link=ok send=75 retrieve=75 hangup=ok sent=0 deferred=0 received=- up=Ns' session 75
like 'dry: one command' 'would run: dequeue --all --always .* turn-client --records' dial -n
is 'alone it only sends' 'sent=0 deferred=0' flushed 75
like '... by smtp-send' '<smtp-send> <--records> <--server=mx> <--user=ann>$' calls
conf "$link" SEND=drain SMARTHOST=mx USER=ann RETRIEVE=turn RETRIEVE_HOST=odmr RETRIEVE_USER=bob RETRIEVE_PASSWORD_FILE=/e/b RETRIEVE_TLS=none DOMAINS=a.test
doing dequeue "$drained"
doing turn-client "echo 'turn-client: received 2, refused 0, 40 octets, status 0' >&2"
is 'another host: another connection' 'link=isp status=0 link=ok send=0 retrieve=0 hangup=ok sent=2 deferred=2 received=2 up=Ns' session 0
like '... and other credentials' 'turn-client <-v> <--server=odmr> <--user=bob> <--password-file=/e/b> <--tls=none> <--turn> <--accept=a.test>' calls
is '... not those of the smart host' 0 sh -c 'grep -c "turn-client.*ann" "$T/calls"; :'
doing turn-client 'printf "  0.038 <-  450 4.5.1 no\n 10.038  ~> QUIT\n  0.1 === x\nturn-client: mx: ATRN: 450 no\n" >&2
	exit 75'
is '... put off: without -v, no dialogue' 'turn-client: mx: ATRN: 450 no' sh -c 'gateway-etrn "$1" isp 2>&1; [ $? = 75 ]' - "--config=$tmp/c/isp.conf"
ok '... with -v, all' sh -c 'gateway-etrn -v "$1" isp 2>&1 | grep -q "~> QUIT"' - "--config=$tmp/c/isp.conf"
doing turn-client 'exit 77'
is '... refused' 'link=isp status=77 link=ok send=0 retrieve=77 hangup=ok sent=2 deferred=2 received=- up=Ns' session 77
rm "$tmp/do/turn-client"

### What is not sent
conf SEND=release RETRIEVE=none SPOOL=postfix MAX_SIZE=10M LIMITS=/e/limits EXPIRE=5d
doing dequeue "$(released 0 0 0 0)"
doing queue-list 'printf "/q/1\ta@x\tb@y\n/q/2\ta@x\tb@y\n"'
doing msg-sizecheck 'grep /q/2'
doing dequeue 'case " $* " in *" - "*) cat >"$T/over" ;; *--wait*) '"$(released 1 1 0 0)"' ;; esac'
is 'the rest is sent' 'sent=1 deferred=0' flushed 0
is 'what is too old or too large is returned first' \
'dequeue <--spool=postfix> <--older=432000> <--state=deferred> <--bounce> <-y> <--bounce-text=5.4.7 message has waited too long>
queue-list <--spool=postfix> <--records> <--state=deferred>
msg-sizecheck <-m> <10M> <--limits=/e/limits> <--over> <->
dequeue <--spool=postfix> <-> <--bounce> <-y> <--bounce-text=5.3.4 message exceeds what this link carries>' sh -c 'head -4 "$T/calls"'
is '... and nothing else' "$(printf '/q/2\ta@x\tb@y')" cat "$tmp/over"
doing msg-sizecheck 'cat >/dev/null'
after 0 flush
is 'nothing is too large' 1 sh -c 'grep -c bounce "$T/calls"'
doing queue-list 'exit 77'
is 'a queue that may not be looked at' 'sent=1 deferred=0' flushed 77
doing queue-list 'printf "/q/1\ta@x\tb@y\n"'
doing msg-sizecheck 'exit 65'
is 'a size that cannot be told' 'sent=1 deferred=0' flushed 65
rm "$tmp/do/queue-list" "$tmp/do/msg-sizecheck"
conf SEND=release RETRIEVE=none MAX_SIZE=10M
like 'dry' 'would run: msg-sizecheck -m 10M --over -' flush -n

### gateway-etrn
cd "$tmp" || exit
got() { after "$1" etrn -v && tail -n 1 "$tmp/out"; }
etrn_starts() {
	: >"$tmp/err"
	gateway-etrn -v "--config=$tmp/c/isp.conf" isp >"$tmp/out" 2>"$tmp/err" &
	pid=$!
}
has_come() { grep -q 'the provider has come' "$tmp/err"; }
interface_has() { { echo 'Inter-|'; [ -z "$1" ] || echo "  ppp0: $1 1 0 0"; } >"$tmp/proc/net/.dev" && mv "$tmp/proc/net/.dev" "$tmp/proc/net/dev"; }
quick='IDLE=1
FIRST=1
MAX_SESSION=30
SPOOL=maildir:/q'
waiting='<--wait=1s> <--idle=1s> <--wait-port=25>'

# Sessions can be seen: by etrn-request, which waits (see etrn-wait.t).
: >"$tmp/proc/net/tcp"
conf RETRIEVE_HOST=192.0.2.7 RETRIEVE_PORT=2525 HELO=gw.test "RETRIEVE_OPTIONS=--timeout=5s" "DOMAINS=a.test @b.test #q" SUBDOMAINS=yes "$quick"
doing etrn-request "$no_mail"
is 'no mail' 'received=-' got 0
is '... what was asked' "etrn-request <--server=192.0.2.7:2525> <--helo=gw.test> <--timeout=5s> <--results> $waiting <@a.test> <@b.test> <#q>" calls
like 'dry: likewise' 'would run: etrn-request --server=192.0.2.7:2525 .* --wait=1s --idle=1s --wait-port=25' etrn -n
came='printf -- "-\t-\t-\t-\t%s\n"'
doing etrn-request "$has_mail; $came 'at least 2 sessions, 770 octets'"
after 0 etrn -v
is 'with -v: who was asked, and that he came' 'isp.test	customer.test	250	-	started
gateway-etrn: the provider has come: at least 2 sessions' cat "$tmp/err"
doing etrn-request "$has_mail; $came 'no session'"
after 0 etrn -v
like '... or not' 'gateway-etrn: the provider did not come: no mail was waiting' cat "$tmp/err"
conf SMARTHOST=192.0.2.7 "$quick" LISTEN_PORT=2525
doing etrn-request 'exit 77'
is 'refused' 'received=-' got 77
is '... our own domains were asked for' "etrn-request <--server=192.0.2.7> <--results> <--wait=1s> <--idle=1s> <--wait-port=2525> <--local-domains>" calls
doing etrn-request 'echo "etrn-request: nobody listens on port 2525 here" >&2; exit 69'
is 'our own port is closed' 'received=-' got 69
like '... it says so' 'nobody listens on port 2525' cat "$tmp/err"
ok '... and nothing else is waited for' sh -c '! grep -q "FIRST" "$1"' - "$tmp/err"

conf SMARTHOST=192.0.2.7 "$quick" "KEEPALIVE=touch $tmp/kept"
doing etrn-request "$no_mail"
exits 'KEEPALIVE is there' 0 etrn
ok '... and is not run at once' test ! -e "$tmp/kept"

# The link goes down meanwhile.
interface_has 5000
conf SMARTHOST=192.0.2.7 "$quick" INTERFACE=ppp0
doing etrn-request "$has_mail; echo \$\$ >$tmp/here; read x <$tmp/never"
etrn_starts
reached
interface_has ''
wait $pid
is 'the link went down' 75 echo $?
like '... it says so' 'the link went down' cat "$tmp/err"
ok '... nobody waits any more' wait_for gone "$child"

# Where sessions cannot be seen.
rm "$tmp/proc/net/tcp"
interface_has 5000
doing etrn-request "$has_mail"
# FIRST must not be over before the octets come
conf SMARTHOST=192.0.2.7 IDLE=1 FIRST=60 SPOOL=maildir:/q INTERFACE=ppp0
etrn_starts
wait_for grep -q 'judged by what ppp0 receives' "$tmp/err"
interface_has 6000
wait $pid
is 'octets serve instead' 0 echo $?
ok '... and show that somebody came' has_come
conf SMARTHOST=192.0.2.7 "$quick" INTERFACE=ppp0
after 0 etrn -v
like '... or that nobody did' 'did not come' cat "$tmp/err"
is '... which etrn-request has no part in' 'etrn-request <--server=192.0.2.7> <--results> <--local-domains>' calls
doing etrn-request "$no_mail"
after 0 etrn -v
ok '... nor where no mail waits' sh -c '! grep -q "did not come" "$1"' - "$tmp/err"
doing etrn-request "printf 'x\ta\t459\t-\tno\n'; $has_mail; exit 77"
is 'one refused, one to come' 'received=-' got 77
like '... was waited for' 'did not come' cat "$tmp/err"
conf SMARTHOST=192.0.2.7 IDLE=1h FIRST=60 SPOOL=maildir:/q INTERFACE=ppp0
doing etrn-request "$has_mail"
etrn_starts
wait_for grep -q 'judged by what ppp0 receives' "$tmp/err"
interface_has 7000
wait_for has_come
interface_has ''
wait $pid
is 'octets, and the link went down' 75 echo $?
like '... it says so' 'the link went down' cat "$tmp/err"
conf SMARTHOST=192.0.2.7 "$quick"
after 0 etrn
like 'nothing to go by' 'it gets FIRST and no more' cat "$tmp/err"
exits '-q: not even that' 0 etrn -q
ok '... silent' test ! -s "$tmp/.err"
: >"$tmp/proc/net/tcp"
conf RETRIEVE_HOST=unix:/x "$quick"
after 0 etrn
like 'a socket has no address' 'gets FIRST and no more' cat "$tmp/err"

# What came: in a Maildir ...
mkdir -p "$tmp/md/new" "$tmp/md/cur"
touch "$tmp/md/new/1" "$tmp/md/cur/2:2,S"
conf SMARTHOST=192.0.2.7 "$quick" "DELIVER=maildir:$tmp/md"
doing etrn-request "$no_mail; touch $tmp/md/new/3 $tmp/md/cur/4:2,; mv $tmp/md/new/1 $tmp/md/cur/1:2,S"
is 'files that are new' 'received=2' got 0
# ... and in Postfix's log
say() { echo "Nov 23 17:20:01 gw postfix$1"; }
log=$tmp/mail.log
say '/smtpd[1]: OLD: client=x[192.0.2.7]' >"$log"
doing postconf "echo $log"
{
	say '-gw/smtpd[1]: AAA1: client=mx.isp.test[192.0.2.7]'
	say '-gw/qmgr[2]: AAA1: from=<a@x>, size=1, nrcpt=1 (queue active)'
	say '-gw/qmgr[2]: AAA1: from=<a@x>, size=1, nrcpt=1 (queue active)'
	say '/submission/smtpd[1]: 4XyZ0w1QzV: client=unknown[192.0.2.7]:1234, sasl_method=x'
	say '/cleanup[3]: 4XyZ0w1QzV: hold: header x'
	say '/smtpd[1]: CUT: client=mx[192.0.2.7]'
	say '/smtpd[1]: BBB: client=mx[192.0.2.70]'
	say '/qmgr[2]: BBB: from=<>, size=1'
	say '/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.7]: helo=<a]: CCC: client=x[192.0.2.7]>'
	say '/qmgr[2]: CCC: from=<>, size=1'
	say '/qmgr[2]: OLD: from=<>, size=1'
} >"$tmp/more"
conf SMARTHOST=192.0.2.7 IDLE=1 FIRST=1
doing etrn-request "$no_mail; cat $tmp/more >>$log"
is "messages in Postfix's log" 'received=2' got 0
doing etrn-request "$no_mail; mv $log $log.1; cat $tmp/more >$log"
is '... that was rotated' 'received=2' got 0
doing etrn-request "$no_mail"
is '... none' 'received=0' got 0
say '/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.7]: 450 4.1.8 <a@x>: no such domain' >"$tmp/more"
say '/smtpd[1]: NOQUEUE: reject: MAIL from x[192.0.2.9]: 452 4.3.1 Insufficient system storage' >>"$tmp/more"
doing etrn-request "$no_mail; cat $tmp/more >>$log"
is '... put off for what it is, or for another' 'received=0' got 0
say '/smtpd[1]: NOQUEUE: reject: MAIL from x[192.0.2.7]: 452 4.3.1 Insufficient system storage' >>"$tmp/more"
is '... put off for want of room' 'received=0' got 75
like '... it says so' 'our own MTA put off .* \(1 times\)' cat "$tmp/err"
doing postconf "echo $tmp/nowhere"

# By a command
conf SEND=none RETRIEVE=command "RETRIEVE_COMMAND=touch \"$tmp/got it\"; echo hello; exit 69" RETRIEVE_HOST=192.0.2.7 "SPOOL=maildir:/q"
is 'a command retrieves' 'received=-' got 69
ok '... by the shell' test -e "$tmp/got it"
like '... its output is no data' hello cat "$tmp/err"
conf SEND=none RETRIEVE=command 'RETRIEVE_COMMAND=exit 3' "SPOOL=maildir:/q"
exits 'its own numbers are 75' 75 etrn

### The two together, by an interface
mkdir -p "$tmp/sys/class/net/ppp0"
printf '0x1091\n' >"$tmp/sys/class/net/ppp0/flags"
echo unknown >"$tmp/sys/class/net/ppp0/operstate"
echo 'Inter-|' >"$tmp/proc/net/dev"
cat >"$tmp/if" <<'END'
{ echo 'Inter-|'; [ -z "$1" ] || echo "  ppp0:$1 1 0 0"; } >"$T/proc/net/dev.new"
mv "$T/proc/net/dev.new" "$T/proc/net/dev"
END
conf INTERFACE=ppp0 "DIAL=sh $tmp/if 100" "HANGUP=sh $tmp/if ''" SMARTHOST=192.0.2.7 "$quick" "DELIVER=maildir:$tmp/md"
doing dequeue "sh $tmp/if 20000; $(released 3 2 1 75)"
doing etrn-request "$has_mail; touch $tmp/md/new/5; sh $tmp/if 40213; exit 75"
after 75 dial
like 'a session by its interface' 'link=isp status=75 link=ok send=0 retrieve=75 hangup=ok sent=2 deferred=1 received=1 bytes=40213 up=[0-9]+s$' tail -n 1 "$TIDEGATE_LOG"
sh "$tmp/if" 1000
after 75 dial
like 'the interface was up before' 'link=up send=0 retrieve=75 hangup=kept .* received=0 bytes=39213 up' tail -n 1 "$TIDEGATE_LOG"
echo 0x1090 >"$tmp/sys/class/net/ppp0/flags"
conf INTERFACE=ppp0 "DIAL=echo 0x1091 >$tmp/sys/class/net/ppp0/flags" "HANGUP=echo 0x1090 >$tmp/sys/class/net/ppp0/flags" SEND=none RETRIEVE=none
after 0 dial
like 'there, but not up' 'link=ok .* hangup=ok' tail -n 1 "$TIDEGATE_LOG"
conf INTERFACE=ppp0 "DIAL=echo 0x1091 >$tmp/sys/class/net/ppp0/flags" "HANGUP=sh $tmp/if ''" SMARTHOST=192.0.2.7 "SPOOL=maildir:/q"
sh "$tmp/if" 1000
doing dequeue "$(released 1 1 0 0); sh $tmp/if ''"
doing dequeue "sh $tmp/if 1500; sh $tmp/if ''; $(released 1 1 0 0)"
after 75 dial
like 'the link dies while we send' 'status=75 link=ok send=0 retrieve=75 hangup=ok' tail -n 1 "$TIDEGATE_LOG"
like '... nobody is asked then' 'dequeue' calls
ok '... ' sh -c '! grep -q etrn-request "$1"' - "$tmp/calls"

### With the real /proc
unset TIDEGATE_PROC TIDEGATE_SYS
conf INTERFACE=lo SEND=none RETRIEVE=none
after 0 dial
like 'lo is up' 'link=up .* hangup=none .* bytes=[0-9]+ ' tail -n 1 "$TIDEGATE_LOG"
done_testing
