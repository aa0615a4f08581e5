# Taking mail out of a copy of a queue, whatever its kind; sourced after lib.sh.  IDs that
# are no names of files, as in an mbox, are not looked at: its messages move.
# $take_kind is what queue-list calls it, $take_from the directory to copy it from.
#
#	take_fresh		a new copy is in $take_dir
#	take_drain [OPTION...]	drains it into a COMMAND that answers by local part: later*
#				and bob* come later, never* and carla* fail, the others are
#				delivered, and noted in $take_sink: `ID TAB RECIPIENT'
#	take_waiting		who waits: `ID TAB RECIPIENT' a line, sorted
#	takes_by_domain DOMAIN	a drain of a domain: what it tells, what waits then, and
#				that nothing else was touched
#	take_twins ID		while another dequeue has it in hand
#	take_killed ID		and when that one is killed
#
# shellcheck shell=sh disable=SC2154,SC2016

take_dir=$tmp/take
export take_dir
take_sink=$tmp/take.sink
take_tab=$(printf '\t')
export take_sink take_tab

cat >"$tmp/take.answer" <<'END'
#!/bin/sh
while IFS=$take_tab read -r ref sender rcpts; do
	set -f; IFS=$take_tab
	for r in $rcpts; do
		case $r in
		later* | bob*) said="deferred${take_tab}4.2.1${take_tab}451 4.2.1 later" ;;
		never* | carla*) said="failed${take_tab}5.1.1${take_tab}550 5.1.1 no such user" ;;
		*)	name=${ref##*/}
			printf '%s\t%s\n' "${name%%#*}" "$r" >>"$take_sink"
			said="delivered${take_tab}2.0.0${take_tab}250 ok" ;;
		esac
		printf '%s\t%s\t%s\n' "$ref" "$r" "$said"
	done
done
END
cat >"$tmp/take.slow" <<'END'
#!/bin/sh
echo $PPID >"$tmp/take.boss"
IFS= read -r line
printf '%s\n' "$line" >"$tmp/take.in-hand"
cat "$tmp/take.fifo" >/dev/null
{ printf '%s\n' "$line"; cat; } | "$tmp/take.answer"
END
chmod +x "$tmp/take.answer" "$tmp/take.slow"
mkfifo "$tmp/take.fifo"
export tmp

take_fresh() {
	rm -rf "$take_dir"
	: >"$take_sink"
	cp -a "$take_from" "$take_dir"
}
take_list() { queue-list --spool="$take_kind:$take_dir" "$@"; }
take_drain() { dequeue --spool="$take_kind:$take_dir" "$@" -- "$tmp/take.answer"; }
take_rows() {
	take_list --records "$@" | awk -F '\t' '{
		name = $1; sub(".*/", "", name); sub("#.*", "", name)
		for (i = 3; i <= NF; i++) print name "\t" $i }' | sort
}
take_waiting() { take_rows --state=deferred,hold; }

# take_fates DOMAIN: what the COMMAND will say of `ID TAB RECIPIENT' lines
take_fates() {
	awk -F '\t' -v d="$1" '{
		domain = $2; sub(/.*@/, "", domain); fate = "delivered"
		if ($2 ~ /^(later|bob)/) fate = "deferred"
		if ($2 ~ /^(never|carla)/) fate = "failed"
		if (tolower(domain) != tolower(d)) fate = "other"
		print $0 "\t" fate }'
}

takes_by_domain() {
	take_fresh
	take_rows --state=deferred >"$tmp/.rows"
	take_waiting >"$tmp/.before"
	take_fates "$1" <"$tmp/.rows" >"$tmp/.fates"
	for take_fate in delivered deferred failed; do
		ok "$take_kind: some are to be $take_fate" grep -q "$take_tab$take_fate\$" "$tmp/.fates"
	done
	take_drain -d "$1" --results -v >"$tmp/.said" 2>"$tmp/.told"
	is "$take_kind: some come later: 75" 75 echo $?
	grep -v "${take_tab}other\$" "$tmp/.fates" | sort >"$tmp/.want-said"
	awk -F '\t' '{ name = $1; sub(".*/", "", name); sub("#.*", "", name); print name "\t" $2 "\t" $3 }' "$tmp/.said" |
		sort >"$tmp/.have-said"
	same "$take_kind: a result for each of them" "$tmp/.want-said" "$tmp/.have-said"
	is "$take_kind: -v ends with the numbers" "$(awk -F '\t' '{ n[$3]++ } END {
		printf "released 0, delivered %d, deferred %d, failed %d, busy 0, changed 0",
		n["delivered"], n["deferred"], n["failed"] }' "$tmp/.fates")" tail -n 1 "$tmp/.told"
	awk -F '\t' '$3 == "delivered" { print $1 "\t" $2 }' "$tmp/.fates" | sort >"$tmp/.gone"
	sort "$take_sink" >"$tmp/.sunk"
	same "$take_kind: each was delivered once" "$tmp/.gone" "$tmp/.sunk"
	# a recipient may be there twice: as often as it was delivered it has gone
	awk 'NR == FNR { gone[$0]++; next } gone[$0]-- <= 0' "$tmp/.gone" "$tmp/.before" >"$tmp/.want-left"
	take_waiting >"$tmp/.left"
	same "$take_kind: the others wait" "$tmp/.want-left" "$tmp/.left"
}

# take_start ID...: a dequeue that has the first of them in hand
take_start() {
	rm -f "$tmp/take.in-hand" "$tmp/take.done"
	{ dequeue --spool="$take_kind:$take_dir" --state=deferred,hold -v "$@" -- \
		"$tmp/take.slow" >"$tmp/take.out" 2>"$tmp/take.err"
	  echo $? >"$tmp/take.done"; } &
	wait_for [ -s "$tmp/take.in-hand" ]
}
take_end() {
	echo go >"$tmp/take.fifo"
	wait_for [ -s "$tmp/take.done" ]
}

# take_twins ID: two at the same message
take_twins() {
	take_fresh
	take_waiting >"$tmp/.before"
	take_start "$1"
	like "$take_kind: what another dequeue has in hand is busy" ' busy [1-9]' \
		take_drain --state=deferred,hold "$1" -v
	is "$take_kind: and it is still shown" 1 sh -c 'queue-list --spool="$1" --ids "$2" |
		sort -u | grep -c .' - "$take_kind:$take_dir" "$1"
	take_end
	ok "$take_kind: it comes to its end" grep -q 'busy 0' "$tmp/take.err"
}

# take_killed ID: kill -9 while it is in hand, and a second run
take_killed() {
	take_fresh
	take_waiting >"$tmp/.before"
	take_start "$1"
	kill -9 "$(cat "$tmp/take.boss")"
	wait_for [ -s "$tmp/take.done" ]
	echo go >"$tmp/take.fifo"
	take_waiting >"$tmp/.left"
	same "$take_kind: kill -9: all still wait" "$tmp/.before" "$tmp/.left"
	take_drain --state=deferred,hold "$1" >/dev/null 2>&1
	ok "$take_kind: kill -9: the next run takes it" grep -q . "$take_sink"
}
