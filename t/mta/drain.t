#!/bin/sh
# Draining a real queue into another real Postfix: in peace, while qmgr runs the
# queue every second, and with kill -9.  $SEED gives the same letters and moments.
. "$(dirname "$0")/lib.sh"

root_of pf
pf=$tmp/pf
install_into "$pf"
seed=${SEED:-$(date +%s)} kills=${KILLS:-20} letters=${LETTERS:-300}
echo "# SEED=$seed"

export CUSTOMER=src.test
INSTANCE=src LISTEN=127.0.0.22 PORT=2525 TARGET_HOST=127.0.0.31 TARGET_PORT=2531 \
	"$mta/recipes/postfix/up.sh" "$pf" gateway 2>&1 | diag
INSTANCE=far LISTEN=127.0.0.31 PORT=2531 \
	"$mta/recipes/postfix/up.sh" "$pf" gateway 2>&1 | diag

# answer [HOW]: the far side answers by local part, and never tires of refusing
answer() {
	{
		echo '/^no-/ 550 5.1.1 no such user'
		[ "${1-}" = later-too ] || echo '/^later-/ 451 4.2.1 come again'
		[ "${1-}" != slowly ] || echo '/^ok-..3/ sleep 1'
	} >"$pf/etc/postfix-far/answers"
	pf "$pf" far postfix reload 2>/dev/null
}
pf "$pf" far postconf -e \
	'virtual_mailbox_domains = d1.test d2.test d3.test sender.test' \
	'smtpd_recipient_restrictions = check_recipient_access regexp:/etc/postfix-far/answers, permit_mynetworks, reject' \
	'smtpd_error_sleep_time = 0' 'smtpd_hard_error_limit = 100000'
answer

# qmgr looks at what is incoming every second, as it does where mail comes in.
pf "$pf" src postconf -F qmgr/unix/wakeup=1

mailbox=$pf/var/mail/far
drain_py() { python3 "$mta/drain.py" "$@"; }
src_queue() { queue "$pf" src; }
idle() { [ -z "$(pf "$pf" "$1" postqueue -j)" ]; }

# fill PLAN: the letters are in the queue, each second one on hold
fill() {
	python3 "$mta/mail.py" send 127.0.0.22 2525 "$1" || bail 'no mail is taken'
	mail planned "$1" | sed 's/ whole$/ deferred/' >"$tmp/.all"
	wait_for queue_is "$tmp/.all" "$pf" src || bail 'the queue does not fill'
	pf "$pf" src postqueue -j | python3 -c '
import sys
sys.path.insert(0, sys.argv[1])
import mail
for i, _, _, q in mail.waiting_read(sys.stdin):
    print(q, i)' "$mta" >"$tmp/ids"
	awk 'NR % 2 == 0 { print $2 }' "$tmp/ids" >"$tmp/held"
	awk 'NR % 2 == 0 { print $1 }' "$tmp/ids" | pf "$pf" src postsuper -h - 2>/dev/null
}

# call_in QUEUE: what waits there is to be looked at now
call_in() {
	find "$pf/var/spool/postfix-src/$1" -type f -exec touch -c {} + 2>/dev/null
}

# run_every TIME: how often qmgr looks at what is deferred, and for how long it
# leaves alone what it has looked at
run_every() {
	pf "$pf" src postconf -e "queue_run_delay=$1" "minimal_backoff_time=$1" \
		"maximal_backoff_time=$1"
	pf "$pf" src postfix reload 2>/dev/null
	case $1 in
	1s) call_in deferred ;;
	*) wait_for still || bail 'the queue does not come to rest' ;;
	esac
}
still() {
	call_in incoming
	! src_queue | grep -e ' active$' -e ' incoming$' >/dev/null
}

drain() {
	in_chroot - "$pf" MAIL_CONFIG=/etc/postfix-src dequeue --spool=postfix \
		-d "$1" --state=deferred,hold --results -v -- \
		smtp-send --records --helo=peace.test -s 127.0.0.31:2531
}

# Each queue file that is left: "ID NEXT-ATTEMPT", the files of one queue
next_tries() { find "$pf/var/spool/postfix-src/deferred" -type f -printf '%f %T@\n' | sort; }

# accepts NAME: what is left is good to Postfix's own tools
accepts() {
	pf "$pf" src postqueue -j >"$tmp/.json"
	# shellcheck disable=SC2046	# a list
	ok "$1: postcat reads all that is left" chroot "$pf" sh -c '
		for id; do
			MAIL_CONFIG=/etc/postfix-src postcat -q "$id" >/dev/null || exit
		done' - $(sed 's/.*"queue_id": "\([^"]*\)".*/\1/' "$tmp/.json")
	ok "$1: postsuper -s has nothing to say" sh -c '
		said=$(chroot "$1" postsuper -c /etc/postfix-src -s 2>&1) && [ -z "$said" ] ||
			{ echo "$said"; false; }' - "$pf"
}

emptied() { call_in incoming; call_in deferred; idle src; }

# let_go NAME PLAN: Postfix delivers the rest itself, and bounces what is refused.
# Meanwhile we drain what is left for d3.test: who comes second finds a lock, or
# nothing.
let_go() {
	answer later-too
	run_every 1s
	pf "$pf" src postconf -e defer_transports=
	drain d3.test >"$tmp/race" 2>"$tmp/race.err" &
	racer=$!
	wait_for test -s "$tmp/race"
	pf "$pf" src postfix reload 2>/dev/null
	pf "$pf" src postsuper -H ALL 2>/dev/null
	pf "$pf" src postqueue -f
	wait $racer
	echo "# at once with Postfix: $(tail -n 1 "$tmp/race.err")"
	ok "$1: Postfix delivers the rest itself" wait_for emptied
	src_queue | grep . | diag
	is "$1: Postfix has nothing to complain of" '' awk \
		'/ (fatal|panic|error): |corrupt/' "$pf/var/log/postfix-src.log"
	wait_for idle far
	is "$1: no file is left in the queues" '' find \
		"$pf/var/spool/postfix-src/deferred" "$pf/var/spool/postfix-src/hold" \
		"$pf/var/spool/postfix-src/incoming" "$pf/var/spool/postfix-src/active" \
		"$pf/var/spool/postfix-src/corrupt" "$pf/var/spool/postfix-src/defer" \
		"$pf/var/spool/postfix-src/bounce" "$pf/var/spool/postfix-src/trace" \
		-type f
	drain_py refused "$2" >"$tmp/want"
	drain_py bounced "$mailbox" >"$tmp/have"
	same "$1: it bounces those that were refused, and only those" "$tmp/want" "$tmp/have"
	mail planned "$2" | grep -v ' no-' >"$tmp/want"
	mail arrived "$2" "$mailbox" | grep -v '@sender\.test ' >"$tmp/have"
}

# --- in peace ----------------------------------------------------------------

drain_py plan "$seed" "$letters" >"$tmp/plan"
fill "$tmp/plan"
next_tries >"$tmp/before"

exits 'drain of d1.test: some come later: 75' 75 drain d1.test
cp "$tmp/.out" "$tmp/results"
tail -n 1 "$tmp/.err" >"$tmp/said"
diag <"$tmp/said"
drain_py fates "$tmp/plan" d1.test >"$tmp/want"
drain_py results "$tmp/plan" "$tmp/ids" "$tmp/results" >"$tmp/have"
same 'a result line for every recipient, and the right one' "$tmp/want" "$tmp/have"
counts=$(awk '{ n[$3]++ } END { printf "released 0, delivered %d, deferred %d, failed %d, busy 0, changed 0",
	n["delivered"], n["deferred"], n["failed"] }' "$tmp/want")
is '-v ends with the numbers' "$counts" cat "$tmp/said"
drain_py left "$tmp/plan" "$tmp/held" d1.test >"$tmp/want"
wait_for queue_is "$tmp/want" "$pf" src
src_queue >"$tmp/have"
same 'the queue: only the others are left, held what was held' "$tmp/want" "$tmp/have"
wait_for idle far
mail planned "$tmp/plan" | grep ' ok-.*@d1\.test ' >"$tmp/want"
mail arrived "$tmp/plan" "$mailbox" >"$tmp/have"
same 'the far side: each once, octet by octet' "$tmp/want" "$tmp/have"
is 'why it waits: 451' "$(drain_py fates "$tmp/plan" d1.test | grep -c deferred)" sh -c '
	grep -o "\"address\": \"later-[^}]*@d1.test\"[^}]*" | grep -c "451 4.2.1"' <<EOF
$(pf "$pf" src postqueue -j)
EOF
next_tries >"$tmp/after"
is 'none is tried earlier than before' '' sh -c '
	join "$1" "$2" | awk "\$3 < \$2"' - "$tmp/before" "$tmp/after"
accepts 'in peace'

# The two ways to look at a queue that has seen everything by now.
fields() {
	python3 -c '
import json, sys
keys = "queue_name queue_id arrival_time message_size sender recipients".split()
for m in sorted(map(json.loads, sys.stdin), key=lambda m: m["queue_id"]):
    m["recipients"] = sorted((r["address"], r["delay_reason"]) for r in m["recipients"])
    print(json.dumps([m[k] for k in keys]))'
}
pf "$pf" src postqueue -j | fields >"$tmp/want"
in_chroot - "$pf" MAIL_CONFIG=/etc/postfix-src queue-list --spool=postfix -j |
	fields >"$tmp/have"
same 'queue-list -j says what postqueue -j says' "$tmp/want" "$tmp/have"

# --- qmgr runs the queue every second ------------------------------------------

answer slowly	# or else all is over before qmgr looks
run_every 1s

met() { logged "$pf" src 'qmgr.*still being delivered'; }

# What qmgr finds locked it puts aside for a minute.  We do not wait that long.
done_with() { ! src_queue | grep " ok-.*@$1 " >/dev/null; }
# and new mail comes
drain_py more "$((seed + 2))" 60 5000 >"$tmp/plan.new"
python3 "$mta/mail.py" send 127.0.0.22 2525 "$tmp/plan.new" >"$tmp/new.said" 2>&1 &
new=$!
n=0 until=$(($(date +%s) + 900))
until done_with d2.test || [ "$(date +%s)" -gt $until ]; do
	drain d2.test >"$tmp/busy.$n" 2>"$tmp/.err"
	status=$?
	echo "# run $n: status $status, $(tail -n 1 "$tmp/.err")"
	n=$((n + 1))
	call_in incoming
done
ok 'while qmgr runs: new mail was taken meanwhile' wait $new
cat "$tmp"/busy.* >"$tmp/results"
drain_py fates "$tmp/plan" d2.test | grep delivered >"$tmp/want"
drain_py results "$tmp/plan" "$tmp/ids" "$tmp/results" | grep -v -e ' deferred$' -e ' failed$' >"$tmp/have"
same 'while qmgr runs: everyone is told delivered once' "$tmp/want" "$tmp/have"
drain_py fates "$tmp/plan" d2.test | grep -v delivered | sort -u >"$tmp/want"
drain_py results "$tmp/plan" "$tmp/ids" "$tmp/results" | grep -e ' deferred$' -e ' failed$' |
	sort -u >"$tmp/have"
same 'while qmgr runs: the others were tried and are told' "$tmp/want" "$tmp/have"
wait_for idle far
mail planned "$tmp/plan" | grep ' ok-.*@d[12]\.test ' >"$tmp/want"
mail arrived "$tmp/plan" "$mailbox" >"$tmp/have"
same 'while qmgr runs: each once at the far side' "$tmp/want" "$tmp/have"
run_every 300s	# a queue in motion cannot be counted
cat "$tmp/plan.new" >>"$tmp/plan"
is 'while qmgr runs: the others still wait' "$(drain_py left "$tmp/plan" "$tmp/held" d1.test d2.test |
	cut -d' ' -f1,2)" sh -c 'cut -d" " -f1,2' <<EOF
$(src_queue)
EOF
echo "# qmgr met $(met) locked files"
like 'while qmgr runs: it left alone what we had in hand' '^[1-9]' met
let_go 'afterwards' "$tmp/plan"
same 'afterwards: each once, octet by octet' "$tmp/want" "$tmp/have"

# --- kill -9 -------------------------------------------------------------------

find "$mailbox" -type f -delete
answer slowly
pf "$pf" src postconf -e defer_transports=smtp enable_long_queue_ids=yes
run_every 300s
drain_py plan "$((seed + 1))" "$letters" >"$tmp/plan"
fill "$tmp/plan"
run_every 1s
cat >"$tmp/drain" <<EOF
exec unshare --mount sh -c '$enter' $pf MAIL_CONFIG=/etc/postfix-src \
	dequeue --spool=postfix -d "\$1" --state=deferred,hold --results -- \
	smtp-send --records --helo="\$2" -s 127.0.0.31:2531
EOF
LIST="chroot $pf postqueue -c /etc/postfix-src -j"
HURRY="find $pf/var/spool/postfix-src/incoming -type f -exec touch -c {} +"
export LIST HURRY
ok "$kills kills, and runs until all is done" python3 "$mta/drain.py" storm "$seed" "$kills" \
	"$tmp/plan" "$tmp/ids" "$tmp/storm" d1.test d2.test sh "$tmp/drain" DOMAIN HELO
diag <"$tmp/.out"
wait_for idle far
is 'killed: no more duplicates than were unanswered, no lies' '' \
	python3 "$mta/drain.py" reckon "$tmp/ids" "$tmp/storm" "$mailbox"
cat "$tmp/.err"
echo "# qmgr met $(met) locked files"
run_every 300s	# a queue in motion cannot be counted
mail arrived "$tmp/plan" "$mailbox" | sort -u >"$tmp/have"
grep -v ' ok-.*@d[12]\.test whole$' "$tmp/have" >"$tmp/others"
is 'killed: nothing else was touched, nothing damaged' '' cat "$tmp/others"
{ cut -d' ' -f1,2 "$tmp/have"; src_queue | cut -d' ' -f1,2; } | sort -u >"$tmp/seen"
mail planned "$tmp/plan" | cut -d' ' -f1,2 | sort >"$tmp/want"
same 'killed: nothing is lost' "$tmp/want" "$tmp/seen"
is 'killed: nothing waits that is done' '' sh -c 'grep " - " || :' <<EOF
$(src_queue)
EOF
accepts 'killed'
let_go 'after the kills' "$tmp/plan"
sort -u "$tmp/have" >"$tmp/once"
same 'after the kills: each is there, octet by octet' "$tmp/want" "$tmp/once"
is 'after the kills: no more duplicates than were unanswered' '' \
	sh -c 'python3 "$@" 2>/dev/null | grep "more than once" || :' - \
	"$mta/drain.py" reckon "$tmp/ids" "$tmp/storm" "$mailbox"
done_testing
