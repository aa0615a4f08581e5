#!/bin/sh
# What a hand that slips must not do with dequeue.
# shellcheck disable=SC2016,SC2154
. "${0%/*}/lib.sh"

TAB=$(printf '\t')
export TAB tmp

# letter NAME SENDER RECIPIENT: into $tmp/md
letter() {
	mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp"
	printf 'Return-Path: <%s>\nDelivered-To: %s\nSubject: %s\n\nhi\n' "$2" "$3" "$1" >"$tmp/md/new/$1"
}
fresh() {
	rm -rf "$tmp/md" "$tmp/sink"
	letter 1.a.h ann@x.test bob@y.test
	letter 2.b.h ann@x.test carla@z.test
}
dq() { dequeue --spool=maildir:"$tmp/md" "$@"; }
pending() { queue-list --spool=maildir:"$tmp/md" -F '%r'; }
cat >"$tmp/all" <<'END'
#!/bin/sh
while IFS=$TAB read -r ref sender rcpts; do
	printf '%s\n' "$rcpts" >>"$tmp/sink"
	printf '%s\t*\tdelivered\t2.0.0\tok\n' "$ref"
done
END
chmod +x "$tmp/all"

# each_way NAME WORD...: asked for in any way it is a mistake, and nothing is done
each_way() {
	name=$1
	shift
	exits "$name: 64" 64 dq "$@"
	exits "$name: for a COMMAND" 64 dq "$@" -- "$tmp/all"
	exits "$name: --remove" 64 dq --remove -y "$@"
	exits "$name: --bounce" 64 dq --bounce -y "$@"
	exits "$name: --hold" 64 dq --hold "$@"
}
fresh
pending >"$tmp/before"
each_way 'nothing selected'
each_way '-d ALL' -d ALL
like '... has a hint' '--all' dq -d ALL
for id in 4F2A01BA095 4ZZZZZ1ZZZzZZZZ 1tPhHm-00000000abc-1Xyz 1tPhHm-0001gt-2j \
    6ANG5xA5022991 07e48a25 07e48a250247f0c8 4186123456; do
	each_way "-d $id" -d $id
done
like '... has a hint' 'without -d' dq -d 4ZZZZZ1ZZZzZZZZ
for node in y.test all host01 mail1 host.4F2A01BA095 4f2a01ba095. cafe; do
	exits "$node is a domain" 0 dq -d $node -n -- "$tmp/all"
done
ok 'no COMMAND was started' test ! -e "$tmp/sink"
pending >"$tmp/after"
same 'nothing was touched' "$tmp/before" "$tmp/after"

# ---- nobody reads on, as `head' does ----
is 'a dry run that nobody reads ends in silence' '' sh -c '"$@" 2>&1 || :' - \
	perl -e 'pipe R, W; close R; open STDOUT, ">&W"; exec @ARGV' \
	dequeue --spool=maildir:"$tmp/md" --all -n -- cat

# ---- a name that another message has by now ----
queue-list --spool=maildir:"$tmp/md" --records >"$tmp/records"
another() { fresh; letter 1.a.h eve@w.test dora@y.test; }
for verb in '-- all' '--remove -y' '--bounce -y'; do
	another
	# shellcheck disable=SC2086
	exits "another message has its name: $verb" 75 \
		sh -c 'PATH=$tmp:$PATH; head -n 1 "$tmp/records" | dequeue - '"$verb"
	is "$verb: it is left alone" 'carla@z.test
dora@y.test' sh -c 'queue-list --spool=maildir:"$tmp/md" -F %r | sort'
	ok "$verb: nobody got it" test ! -e "$tmp/sink"
done

# ---- a pipe whose first program fails ----
fresh
exits 'a queue that is not there: nothing, and its status' 74 sh -c '
	queue-list --spool=maildir:"$tmp/none" --records | dequeue - -- "$tmp/all"'
exits 'a wrong option' 64 sh -c 'queue-list --no-such | dequeue - -- "$tmp/all"'
exits 'further up' 64 sh -c '
	queue-list --no-such --records | msg-sizecheck -m 10M --pass - | dequeue - -- "$tmp/all"'
exits 'a wrong option in the middle' 64 sh -c 'queue-list --spool=maildir:"$tmp/md" --records |
	msg-sizecheck --no-such -m 10M --pass - | dequeue - -- "$tmp/all"'
exits 'no limit in the middle' 64 sh -c 'queue-list --spool=maildir:"$tmp/md" --records |
	msg-sizecheck --pass - | dequeue - -- "$tmp/all"'
exits 'cut off in a ref: that would be everybody' 65 sh -c '
	queue-list --spool=maildir:"$tmp/md" --records | head -n 1 | cut -f1 | tr -d "\n" |
	dequeue - -- "$tmp/all"'
ok 'nobody got anything' test ! -e "$tmp/sink"
pending >"$tmp/after"
same 'nothing was touched by any' "$tmp/before" "$tmp/after"

# ---- two queues found: which? ----
# two Postfix instances, here by stand-ins for their programs
mkdir "$tmp/fake"
for q in one two; do
	mkdir -p "$tmp/conf.$q" "$tmp/q.$q"
	(cd "$tmp/q.$q" && mkdir active bounce corrupt defer deferred hold incoming maildrop)
	python3 "$top/t/bench/queue.py" postfix "$tmp/q.$q" 3
done
cat >"$tmp/fake/postconf" <<'END'
#!/bin/sh
case "$* ${MAIL_CONFIG-}" in *conf.two*) q=two ;; *) q=one ;; esac
printf 'queue_directory = %s\nconfig_directory = %s\n' "$tmp/q.$q" "$tmp/conf.$q"
END
printf '#!/bin/sh\nprintf "two - y %%s\\n" "$tmp/conf.two"\n' >"$tmp/fake/postmulti"
printf '#!/bin/sh\n' | tee "$tmp/fake/postsuper" "$tmp/fake/postqueue" >"$tmp/fake/sendmail"
chmod +x "$tmp"/fake/*
found() { env PATH="$tmp/fake:$PATH" "$@"; }
both() { (cd "$tmp" && find q.one q.two -type f -exec cksum {} + | sort -k 3); }
both >"$tmp/before"
rm -f "$tmp/sink"
sed 's/config_directory = %s/&\\nmulti_instance_directories =/' "$tmp/fake/postconf" >"$tmp/postconf"
mkdir "$tmp/alone"
printf '#!/bin/sh\ntouch "$tmp/asked"\n' >"$tmp/alone/postmulti"
cp "$tmp/postconf" "$tmp/alone" && chmod +x "$tmp/alone"/*
is 'one that is in charge of no others is the only one' 3 env PATH="$tmp/alone:$PATH" queue-list --count
ok '... and postmulti is not asked' test ! -e "$tmp/asked"
is '... but with MAIL_CONFIG it is' 3 env PATH="$tmp/alone:$PATH" MAIL_CONFIG="$tmp/conf.one" queue-list --count
ok '... as that may not be the primary one' test -e "$tmp/asked"
is 'both are found' 6 sh -c 'PATH=$tmp/fake:$PATH queue-list | grep -c "^$tmp/q\.\(one\|two\)/"'
for verb in '-- all' '--remove -y' '--bounce -y'; do
	case $verb in -*all) verb="-- $tmp/all" ;; esac
	for selection in --all '-d few.test' '-f *'; do
		set -f
		# shellcheck disable=SC2086
		exits "which of two? $selection ${verb%% -y}" 64 found dequeue $selection $verb
		set +f
	done
	# shellcheck disable=SC2086
	like '... it names them' "more than one queue:.* --spool=postfix:$tmp/q\.one.* --spool=postfix:$tmp/q\.two" \
		found dequeue --all $verb
done
ok 'no COMMAND was started' test ! -e "$tmp/sink"
both >"$tmp/after"
same 'nothing was touched' "$tmp/before" "$tmp/after"
exits 'the one that is named' 0 found dequeue --spool=postfix:"$tmp/q.two" -d few.test -- "$tmp/all"
is '... and only that' '6 3' sh -c 'for q in one two; do
	queue-list --spool=postfix:"$tmp/q.$q" -F "%r" | tr " " "\n" | grep -c .; done | paste -sd " "'
exits 'or both, when both are named' 0 found dequeue --spool=postfix:"$tmp/q.one" --spool=postfix:"$tmp/q.two" \
	-d other.test -- "$tmp/all"
is '... who waits then' 3 sh -c 'for q in one two; do
	queue-list --spool=postfix:"$tmp/q.$q" -F "%r" | tr " " "\n" | grep .; done | grep -c .'

# ---- both found, and neither may be looked at ----
cp "$tap_built/bin/dequeue" "$tmp/fake" && chmod 755 "$tmp" "$tmp/fake" "$tmp/fake/dequeue"
chmod 000 "$tmp"/q.*/*
if as_other sh -c 'test -x "$1" && ! test -r "$2"' - "$tmp/fake/dequeue" "$tmp/q.one/hold" 2>/dev/null; then
	for selection in --all '-d few.test' '-d few.test --hold' '-d few.test -n'; do
		# shellcheck disable=SC2086
		as_other env PATH="$tmp/fake:$PATH" dequeue $selection >"$tmp/said" 2>&1
		is "each is told once: $selection" "dequeue: open $tmp/q.one/deferred: Permission denied; run it as root or as the owner of the queue
dequeue: open $tmp/q.two/deferred: Permission denied; run it as root or as the owner of the queue" cat "$tmp/said"
	done
fi
chmod 700 "$tmp"/q.*/*

# ---- two found, one of which knows no such order ----
mkdir -p "$tmp/nm/queue" "$tmp/nm/failed" "$tmp/nm/tmp"
cannot="$tmp/nm: nullmailer can only be told to deliver everything: --all"
for verb in '-d other.test' '-r *@other.test' '-n -d other.test' '-d other.test --unhold'; do
	set -f
	# shellcheck disable=SC2086
	exits "one of two cannot: $verb" 69 \
		found dequeue --spool=postfix:"$tmp/q.one" --spool=nullmailer:"$tmp/nm" $verb
	set +f
done
like '... it is named, and so is who can' "$cannot; name only what can: --spool=postfix:$tmp/q\.one\$" \
	found dequeue --spool=postfix:"$tmp/q.one" --spool=nullmailer:"$tmp/nm" -r '*@other.test'
like '... but not where nobody can' "$cannot\$" found dequeue --spool=nullmailer:"$tmp/nm" -r '*@other.test'
exits 'who can is named' 0 found dequeue --spool=postfix:"$tmp/q.one" -r '*@other.test'

# ---- one found, and one that could not be looked for: which? ----
cat >"$tmp/fake/postconf" <<'END'
#!/bin/sh
case "$* ${MAIL_CONFIG-}" in *conf.two*) echo 'fatal: main.cf: Permission denied' >&2; exit 1 ;; esac
printf 'queue_directory = %s\nconfig_directory = %s\n' "$tmp/q.one" "$tmp/conf.one"
END
python3 "$top/t/bench/queue.py" postfix "$tmp/q.one" 3
both >"$tmp/before"
rm -f "$tmp/sink"
for verb in '-- all' '--remove -y' '--bounce -y'; do
	case $verb in -*all) verb="-- $tmp/all" ;; esac
	# shellcheck disable=SC2086
	exits "one could not be looked for: ${verb%% -y}" 74 found dequeue --all $verb
	# shellcheck disable=SC2086
	like '... it says so' "there may be more queues than this one; .* --spool=postfix:$tmp/q\.one" \
		found dequeue --all $verb
done
ok 'no COMMAND was started' test ! -e "$tmp/sink"
both >"$tmp/after"
same 'nothing was touched' "$tmp/before" "$tmp/after"
exits 'the one that is named' 0 found dequeue --spool=postfix:"$tmp/q.one" -d few.test -- "$tmp/all"
exits 'an ID that may lie in the other' 74 found queue-cat NONE1
like '... is not said to be nowhere' 'NONE1: is in no queue that could be looked at' found queue-cat NONE1

# ---- --in-hand=1: what is answered is marked before the next is given ----
cat >"$tmp/watch" <<'END'
#!/bin/sh
while IFS=$TAB read -r ref sender rcpts; do
	printf '%s\n' "$rcpts" >>"$tmp/sink"
	echo "$ref" >>"$tmp/given"
	[ "$(grep -c . "$tmp/given")" -lt "$KILL_AT" ] || kill -9 "$PPID"
	printf '%s\t*\tdelivered\t2.0.0\tok\n' "$ref"
done
END
chmod +x "$tmp/watch"
export KILL_AT
KILL_AT=1
while [ $KILL_AT -le 6 ]; do
	rm -rf "$tmp/md" "$tmp/sink" "$tmp/given"
	for n in 1 2 3 4 5; do letter $n.m.h ann@x.test r$n@y.test; done
	(dq --all --in-hand=1 -- "$tmp/watch") >/dev/null 2>&1
	cp "$tmp/sink" "$tmp/first"
	dq --all --in-hand=1 -- "$tmp/all"
	is "--in-hand=1, killed with number $KILL_AT in hand: that one comes twice" \
		"$(sed -n "${KILL_AT}p" "$tmp/first")" sh -c 'sort "$tmp/sink" | uniq -d'
	is "... and each has come" 5 sh -c 'sort -u "$tmp/sink" | grep -c .'
	is "... and none waits" '' pending
	KILL_AT=$((KILL_AT + 1))
done
done_testing
