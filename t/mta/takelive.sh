# Draining the queue of an MTA that is at work; sourced after list.sh, whose words these
# build on.  The MTA sends to $hop, which puts everything off at first; what is drained
# goes to a sink of its own, $far.
#
#	dq [OPTION...]		dequeue in the MTA's chroot
#	fill SEED N FIRST	letters for three domains wait, told by $tmp/plan
#	drains_domain DOMAIN	while the MTA tries and new mail comes
#	storms DOMAIN		20 times killed ($KILLS)
#	at_once DOMAIN [OPTION...]	two dequeues and an MTA that delivers, from `go' on
#	returns			one is returned: the MTA takes the report to the sender
#	lets_go			the MTA delivers the rest itself, each was delivered once
#
# shellcheck shell=sh disable=SC2154

far=127.0.0.1:2600
take_window=${take_window:-0}	# so many may go twice when all are at it at once
seed=${SEED:-$(date +%s)}
kills=${KILLS:-20} letters=${LETTERS:-300}

go() { run; }
dq() { in_chroot - "$root" dequeue --spool="$kind" "$@"; }
live() { python3 "$mta/takelive.py" "$@"; }
waiting() { queue-list --spool="$kind:$root$spool" -F '%r' "$@" | tr ' ' '\n' | sort; }
wait_is() { waiting >"$tmp/.now" && cmp -s "$1" "$tmp/.now"; }

open_far() {
	rm -f "$tmp/far.port"
	mkdir -p "$tmp/far"
	sink --listen=$far --maildir="$tmp/far" --port-file="$tmp/far.port" \
		--ext=8BITMIME,SIZE,PIPELINING,CHUNKING --helo-line "$@" &
	far_pid=$!
	wait_for test -s "$tmp/far.port"
}
close_far() { kill $far_pid; wait $far_pid 2>/dev/null; }

fill() {
	echo "# SEED=$seed"
	live plan "$1" "$2" "$3" >"$tmp/plan.$3"
	is "$kind: all were taken" '' live submit "$root" "$tmp/plan.$3"
	# who is not in the queue would be waited for
	[ ! -s "$tmp/.out" ] || bail "$kind: a letter was not taken"
	cat "$tmp"/plan.* >"$tmp/plan"
}

drain() {
	drain_domain=$1
	shift
	dq -d "$drain_domain" --results "$@" -- smtp-send --records -s $far
}

# drains_domain DOMAIN: again and again, until everyone there was told his fate; whom the
# MTA has in hand is passed over, and new mail comes
drains_domain() {
	live plan "$((seed + 1))" 60 5000 >"$tmp/plan.new"
	live submit "$root" "$tmp/plan.new" >"$tmp/new.bad" &
	live_new=$!
	cat "$tmp"/plan.* >"$tmp/plan"
	live expect "$tmp/plan" "$1" >"$tmp/want"
	: >"$tmp/unmarked"
	live_n=0 live_until=$(($(date +%s) + 900))
	: >"$tmp/have"
	until cmp -s "$tmp/want" "$tmp/have" || [ "$(date +%s)" -gt $live_until ]; do
		drain "$1" -v >"$tmp/told.$(printf %03d $live_n)" 2>"$tmp/told.err"
		echo "# run $live_n: status $?, $(tail -n 1 "$tmp/told.err")"
		grep 'deferred, but not marked' "$tmp/told.err" >>"$tmp/unmarked"
		live told "$tmp"/told.[0-9]* >"$tmp/have"
		live_n=$((live_n + 1))
	done
	same "$kind: everyone there was told his fate" "$tmp/want" "$tmp/have"
	is "$kind: and the reasons were noted, where they are" '' cat "$tmp/unmarked"
	wait $live_new
	is "$kind: new mail was taken meanwhile" '' cat "$tmp/new.bad"
	live expect "$tmp/plan" "$1" | sed -n 's/ delivered$//p' >"$tmp/want"
	live got "$tmp/far" >"$tmp/have"
	same "$kind: each was delivered once" "$tmp/want" "$tmp/have"
	live rest "$tmp/plan" "$1" >"$tmp/want"
	wait_for wait_is "$tmp/want"
	waiting >"$tmp/have"
	same "$kind: the others wait, and nobody else" "$tmp/want" "$tmp/have"
	wait_for agree
	told >"$tmp/want"
	ours >"$tmp/have"
	same "$kind: its own tool says the same" "$tmp/want" "$tmp/have"
	is "$kind: nothing of ours is left" '' leftovers
}

# storms DOMAIN: nothing is lost, and no more comes twice than was in hand
storms() {
	cat >"$tmp/drain" <<-END
	exec unshare --mount sh -c '$enter' $root dequeue --spool=$kind -d $1 \
		--results --in-hand="\$1" -- smtp-send --records --helo="\$2" -s $far
	END
	is "$kind: killed: nobody is told twice" '' live storm "$seed" "$kills" "$tmp/storm" \
		"queue-list --spool=$kind:$root$spool -F %r -d $1 | grep -o 'ok-[^ ]*$1'; :" \
		sh "$tmp/drain" WINDOW RUN
	cat "$tmp/.err"
	is "$kind: killed: no more twice than were in hand" '' live reckon "$tmp/storm" "$tmp/far"
	cat "$tmp/.err"
	is "$kind: killed: nobody twice in one run" '' sh -c "cat '$tmp'/storm/*.results | cut -f 2,3 |
		grep delivered | sort | uniq -d"
	live expect "$tmp/plan" "$1" | sed -n 's/ delivered$//p' | sort >"$tmp/want"
	live got "$tmp/far" | sort -u | grep "@$1\$" >"$tmp/have"
	same "$kind: killed: nobody is lost" "$tmp/want" "$tmp/have"
}

# at_once DOMAIN [OPTION...]: the next hop takes all now
at_once() {
	live got "$tmp/far" >"$tmp/far.before"
	open_hop
	: >"$tmp/once.1"
	: >"$tmp/once.2"
	go >/dev/null 2>&1
	drain "$@" >"$tmp/once.1" 2>"$tmp/once.err" &
	live_twin=$!
	drain "$@" >"$tmp/once.2" 2>>"$tmp/once.err" &
	wait $live_twin $!
	echo "# at once with $kind: drained $(grep -c delivered "$tmp/once.1") and $(grep -c delivered "$tmp/once.2")"
}

let_gone() { run >/dev/null 2>&1; empty; }
lets_go() {
	wait_for let_gone
	is "$kind: in the end nothing waits" 0 queue-list --spool="$kind:$root$spool" --count
	is "$kind: nothing of ours is left at the end" '' leftovers
	live got "$tmp/far" "$tmp/got" | sort | uniq -c | awk '{ print $2, $1 }' >"$tmp/counts"
	live rest "$tmp/plan" | sort -u >"$tmp/want"
	cut -d' ' -f1 "$tmp/counts" | sort -u >"$tmp/have"
	same "$kind: each recipient has it" "$tmp/want" "$tmp/have"
	# a report that should not be
	grep -rl '^Delivered-To: .*@sender.test' "$tmp/got" | head -n 1 | xargs -r cat | diag
	# what was killed in hand may have come twice; it had by then
	live_twice=$(awk 'NR == FNR { was[$1]++; next } was[$1] < 2 && $2 > 1' \
		"$tmp/far.before" "$tmp/counts" | wc -l)
	echo "# delivered by both: $live_twice"
	ok "$kind: and none from both of us" test "$live_twice" -le "$take_window"
	close_hop
}

report_came() {
	run >/dev/null 2>&1
	python3 "$mta/report.py" "$tmp"/got/new/* >"$tmp/report" && [ -s "$tmp/report" ]
}
returns() {
	rm -rf "$tmp/got"
	open_hop --refuse='back-*:451 4.2.1 later'
	submit ann@sender.test back-1@d1.test back-2@d2.test
	returned_waits() { [ "$(waiting)" = "back-1@d1.test
back-2@d2.test" ]; }
	wait_for returned_waits
	# the MTA may have it in hand just then: 75
	ok "$kind: one recipient is returned" wait_for dq -d d1.test --bounce \
		--bounce-text='5.3.4 too large for the line'
	is "$kind: the other waits" back-2@d2.test waiting -r 'back-*'
	wait_for report_came
	is "$kind: the sender gets a report of it" 'delivery-status text/plain message/delivery-status message/rfc822 0
rfc822; back-1@d1.test failed 5.3.4' cat "$tmp/report"
	ok "$kind: the other is removed" wait_for dq -r back-2@d2.test --remove
	close_hop
}
