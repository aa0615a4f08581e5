#!/bin/sh
# The line drops while a batch is on its way: nothing is lost, what comes twice
# had no answer, and the next run over a new line completes it.  $SEED gives the
# same moments; SOAK=1 makes it ten of them.
. "$(dirname "$0")/lib.sh"

seed=${SEED:-$(date +%s)} times=${CUTS:-3} n=100
window=64	# messages of 4 kB that may be without an answer
[ -z "${SOAK-}" ] || times=10
echo "# SEED=$seed"

root_of pf
pf=$tmp/pf md=$tmp/md
SLOWLINK_DIR=$tmp/slowlink
export SLOWLINK_DIR
slowlink() { verb=$1; shift; "$mta/slowlink" "$verb" tg "$@"; }
at() { end=$1; shift; ip netns exec "tg-$end" "$@"; }
drop_py() { python3 "$mta/drop.py" "$@"; }

# a is the far end, and has a real Postfix
slowlink up --rtt "${RTT:-600ms}" --rate 1mbit \
	--cc "$(cat /proc/sys/net/ipv4/tcp_congestion_control)" || bail 'no slow link'
at a env INSTANCE=far LISTEN=0.0.0.0 PORT=25 TARGET_HOST=192.0.2.1 TARGET_PORT=25 \
	NETWORKS='127.0.0.0/8 10.99.0.0/30' \
	"$mta/recipes/postfix/up.sh" "$pf" gateway 2>&1 | diag
mailbox=$pf/var/mail/far

# send: what waits goes out, from end b
send() {
	at b dequeue --spool=maildir:"$md" --all --results -v -- \
		smtp-send --records --tls=none --helo=b.test --timeout=10s \
		--connect-timeout=5s -s 10.99.0.1
}

nap() { perl -e 'select undef, undef, undef, shift' "$1"; }
far_is_idle() { [ -z "$(pf "$pf" far postqueue -j)" ]; }
arrived() { mail arrived "$tmp/plan" "$mailbox" | grep .; }
waiting() {
	queue-list --spool=maildir:"$md" --records |
		awk -F '\t' '{ sub(/@.*/, "", $2); for (i = 3; i <= NF; i++) print $2, $i }'
}
# told FILE: "ID RECIPIENT" that these results call delivered
told() {
	awk -F '\t' '$3 == "delivered" { sub(/.*\//, "", $1); sub(/:2,.*/, "", $1)
		print $1, $2 }' "$1" | sort
}
bytes_sent() {
	slowlink stat | awk '$1 == "ba" { for (i = 2; i < NF; i++)
		if ($i == "bytes") print $(i + 1) }'
}

# drops_at PART NAP PID: as soon as so much has gone out, and a nap later
drops_at() {
	at_bytes=$(awk -v part="$1" -v n=$n 'BEGIN { printf "%d", part * n * 4300 }')
	while kill -0 "$3" 2>/dev/null && [ "$(bytes_sent)" -lt "$at_bytes" ]; do
		nap .02
	done
	nap "$2"
	slowlink hangup
}

twice=0
drop_py moments "$seed" $times >"$tmp/moments"
k=0
while read -r part nap; do
	k=$((k + 1))
	name="drop $k"
	find "$mailbox" -type f -delete
	rm -rf "$md"
	drop_py plan "s${seed}d$k" $n >"$tmp/plan"
	drop_py post "$tmp/plan" "$md"
	mail planned "$tmp/plan" >"$tmp/all"
	cut -d' ' -f1,2 "$tmp/all" >"$tmp/everyone"
	waiting | sort >"$tmp/have"
	same "$name: all of it waits" "$tmp/everyone" "$tmp/have"
	slowlink reset

	send >"$tmp/results" 2>"$tmp/err" &
	pid=$!
	drops_at "$part" "$nap" $pid
	wait $pid
	status=$?
	wait_for far_is_idle
	told "$tmp/results" >"$tmp/told"
	arrived >"$tmp/arrived"
	cut -d' ' -f1,2 "$tmp/arrived" >"$tmp/there"
	waiting | sort >"$tmp/waits"
	echo "# $name: after $part of the bytes and $nap s: status $status," \
		"$(wc -l <"$tmp/told") told, $(wc -l <"$tmp/there") arrived," \
		"$(wc -l <"$tmp/waits") wait"
	tail -n 1 "$tmp/err" | diag
	ok "$name: status 75, or 0 and nothing waits" \
		sh -c '[ "$1" = 75 ] || { [ "$1" = 0 ] && ! [ -s "$2" ]; }' - $status "$tmp/waits"
	sort -u "$tmp/there" "$tmp/waits" >"$tmp/have"
	same "$name: each has arrived or waits" "$tmp/everyone" "$tmp/have"
	is "$name: what was told delivered is there" '' comm -23 "$tmp/told" "$tmp/there"
	is "$name: it waits no longer" '' comm -12 "$tmp/told" "$tmp/waits"

	slowlink dial
	exits "$name: a second run: done" 0 send
	wait_for far_is_idle
	arrived >"$tmp/arrived"
	sort -u "$tmp/arrived" >"$tmp/have"
	same "$name: everyone has every message, octet by octet" "$tmp/all" "$tmp/have"
	is "$name: nothing waits" '' waiting
	uniq -d "$tmp/arrived" | cut -d' ' -f1,2 >"$tmp/doubles"
	is "$name: nothing came three times" '' sh -c 'uniq -c "$1" | awk "\$1 > 2"' - \
		"$tmp/arrived"
	# Some of it only now: what a closed socket still holds, the kernel sends
	# when the line is back.
	is "$name: twice came only what had no answer" '' comm -12 "$tmp/told" "$tmp/doubles"
	ok "$name: and no more than the window" \
		test "$(cut -d' ' -f1 "$tmp/doubles" | uniq | wc -l)" -le $window
	twice=$((twice + $(wc -l <"$tmp/doubles")))
	echo "# $name: $(wc -l <"$tmp/doubles") came twice"
done <"$tmp/moments"
echo "# $times drops, $twice of $((times * $(wc -l <"$tmp/everyone"))) came twice"
done_testing
