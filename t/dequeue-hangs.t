#!/bin/sh
# A command of the MTA that does not end: a signal to dequeue ends it, and nothing is
# lost or marked; one that takes no reports is not asked for each message again.
# shellcheck disable=SC2016,SC2154
. "${0%/*}/lib.sh"

export tmp
mkdir -p "$tmp/fake" "$tmp/conf" "$tmp/q"
(cd "$tmp/q" && mkdir active bounce corrupt defer deferred hold incoming maildrop)
python3 "$top/t/bench/queue.py" postfix "$tmp/q" 3
PATH=$tmp/fake:$PATH

# a Postfix, by stand-ins for its programs
cat >"$tmp/fake/postconf" <<'END'
#!/bin/sh
printf 'queue_directory = %s\nconfig_directory = %s\nmulti_instance_directories =\n' "$tmp/q" "$tmp/conf"
END
hanging='echo $$ >"$tmp/pid.new" && mv "$tmp/pid.new" "$tmp/pid"'
printf '#!/bin/sh\n%s\nexec sleep 1000\n' "$hanging" | tee "$tmp/fake/postsuper" >"$tmp/fake/postqueue"
chmod +x "$tmp"/fake/*
files() { (cd "$tmp" && find q md -type f -exec cksum {} + 2>/dev/null | sort -k 3); }
gone() { ! kill -0 "$(cat "$tmp/pid")"; }

# interrupted WORD...: dequeue is told to end when that MTA's command hangs; its status
interrupted() {
	rm -f "$tmp/pid"
	dequeue "$@" >"$tmp/told" 2>&1 &
	dequeue=$!
	wait_for test -s "$tmp/pid"
	kill "$dequeue"
	wait "$dequeue"
}
files >"$tmp/before"
for how in --hold --remove '-- release'; do
	case $how in --remove) what='--remove -y' ;; *release) what= ;; *) what=$how ;; esac
	# shellcheck disable=SC2086
	exits "a signal: ${how#-- }" 75 interrupted --spool=postfix --all $what
	ok '... ends the command' gone
	is '... which is told once' 1 grep -c '' "$tmp/told"
	like '... as what it is' ': interrupted$' cat "$tmp/told"
	files >"$tmp/after"
	same '... and the queue is as it was' "$tmp/before" "$tmp/after"
done
printf '#!/bin/sh\ntrap "" TERM\n%s\nwhile :; do sleep .1; done\n' "$hanging" >"$tmp/fake/postsuper"
exits 'one that will not hear of it' 75 interrupted --spool=postfix --all --hold
ok '... is ended, too' gone

# while it is still asked where its queue is
cp "$tmp/fake/postconf" "$tmp/postconf"
printf '#!/bin/sh\n%s\nexec sleep 1000\n' "$hanging" >"$tmp/fake/postconf"
exits 'one that hangs before anything is done' 75 interrupted --all --hold
ok '... is ended, too' gone
cp "$tmp/postconf" "$tmp/fake/postconf"

# ---- reports ----
# It never ends, and is ended for what it prints: no minute is needed to see that.
printf '#!/bin/sh\necho x >>"$tmp/asked"\nexec yes\n' >"$tmp/fake/sendmail"
chmod +x "$tmp/fake/sendmail"
printf '#!/bin/sh\nwhile IFS= read -r line; do printf "%%s\\t*\\tfailed\\t5.1.1\\tno\\n" "${line%%%%\t*}"; done\n' \
	>"$tmp/fails"
chmod +x "$tmp/fails"
mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp"
for n in 1 2 3 4 5; do
	printf 'Return-Path: <ann@x.test>\nDelivered-To: r%s@y.test\n\nhi\n' $n >"$tmp/md/new/$n.m.host"
done
printf 'Return-Path: <>\nDelivered-To: r6@y.test\n\nhi\n' >"$tmp/md/new/6.m.host"
for how in --bounce '--bounce-failed -- fails'; do
	rm -f "$tmp/asked"
	cp -r "$tmp/md" "$tmp/md.now"
	case $how in *fails) what="--bounce-failed -- $tmp/fails" ;; *) what=$how ;; esac
	# shellcheck disable=SC2086
	exits "a sendmail that does not end: $how" 75 dequeue --spool=maildir:"$tmp/md.now" --all $what
	cp "$tmp/.err" "$tmp/told"
	is '... is asked once' 1 grep -c x "$tmp/asked"
	is '... which is told once' 1 grep -c '' "$tmp/told"
	like '... with what that means' 'not returned to <ann@x.test>: .*; no other report is tried$' cat "$tmp/told"
	is '... and all wait, but for what was from <>' 5 sh -c 'queue-list --spool=maildir:"$tmp/md.now" -F %r | grep -c .'
	rm -rf "$tmp/md.now"
done
is 'with -v each is told' 5 sh -c 'dequeue --spool=maildir:"$tmp/md" --all --bounce -v 2>&1 |
	grep -c "not returned to <ann@x.test>"'
done_testing
