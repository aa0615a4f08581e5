# Drains that are killed, or fail, at each of their steps on disk
# (t/preload/steps.c); sourced after lib.sh.  A test says
#
#	steps_kind		what the queue is called
#	steps_from		a directory to copy the queue from, each time
#	steps_ids		the messages to drain (a few); --all
#	steps_file		what in it is the queue, if it is a file (/NAME)
#	steps_never		such files stop the MTA and must not be left behind (none)
#
# and then at_each_step NAME.  Each $steps_every-th step is tried (1), with $SOAK all.
#
# The answers go by the length of an address: one that ends in 0 or 9 is deferred, in 8
# fails, the others are delivered, and noted before the result is said.
# shellcheck shell=sh disable=SC2154,SC2016,SC2086

steps_so=$tap_built/t/steps.so
steps_dir=$tmp/steps
steps_sink=$tmp/steps.sink
steps_tab=$(printf '\t')
export steps_sink steps_tab

cat >"$tmp/steps.answer" <<'END'
#!/bin/sh
while IFS=$steps_tab read -r ref sender rcpts; do
	set -f; IFS=$steps_tab
	for r in $rcpts; do
		case ${#r} in
		*0 | *9) said="deferred${steps_tab}4.2.1${steps_tab}451 4.2.1 later" ;;
		*8) said="failed${steps_tab}5.1.1${steps_tab}550 5.1.1 no such user" ;;
		*)	ref_name=${ref##*/}
			printf '%s %s\n' "${ref_name%%#*}" "$r" >>"$steps_sink"
			said="delivered${steps_tab}2.0.0${steps_tab}250 ok" ;;
		esac
		printf '%s\t%s\t%s\n' "$ref" "$r" "$said"
	done
done
END
chmod +x "$tmp/steps.answer"

steps_fresh() {
	rm -rf "$steps_dir"
	: >"$steps_sink"
	cp -a "$steps_from" "$steps_dir"
}

steps_drain() {
	dequeue --spool="$steps_kind:$steps_dir${steps_file-}" --state=deferred,hold "$@" \
		$steps_ids -- "$tmp/steps.answer"
}

# stepped COMMAND...: under the preload; STEPS_AT, STEPS_DO or STEPS_LOG is set
stepped() {
	# a sanitizer's runtime wants to be the first library; it works all the same
	ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 \
		STEPS_IN=dequeue STEPS_UNDER=$steps_dir LD_PRELOAD=$steps_so "$@"
}

# What waits: `FILE RECIPIENT' a line; $1 ours or others
steps_waiting() {
	queue-list --spool="$steps_kind:$steps_dir${steps_file-}" --records |
		awk -F '\t' -v ids=" $steps_ids " -v ours="$1" '{
			name = $1; sub(".*/", "", name); sub("#.*", "", name)
			mine = ids == " --all "
			n = split(ids, id, " ")
			for (i = 1; i <= n; i++) if (index(name, id[i])) mine = 1
			if (mine == (ours == "ours"))
				for (i = 3; i <= NF; i++) print name, $i }' | sort
}

# What must hold whatever happened: nothing lost, the others untouched.
steps_safe() {
	steps_waiting ours >"$tmp/steps.wait" 2>"$tmp/steps.err"
	sort -u "$steps_sink" "$tmp/steps.wait" | comm -23 "$tmp/steps.all" - >"$tmp/steps.lost"
	steps_waiting others >"$tmp/steps.now"
	[ -z "${steps_never-}" ] || find "$steps_dir" -name "$steps_never" >>"$tmp/steps.err"
	[ ! -s "$tmp/steps.lost" ] && cmp -s "$tmp/steps.others" "$tmp/steps.now" &&
		[ ! -s "$tmp/steps.err" ]
}

# ... and after one more run, in peace: it is as if nothing had been, but that what
# had no answer was delivered twice.
steps_mended() {
	steps_drain >/dev/null 2>"$tmp/steps.again"
	steps_safe && cmp -s "$tmp/steps.end" "$tmp/steps.wait" || return
	sort "$steps_sink" | uniq -c | awk '$1 > 2 { exit 1 }'
}

# Nothing was wrong, or so it says: then nothing is.
steps_true() {
	[ "$1" != "$steps_code" ] || [ -s "$tmp/steps.said" ] && return
	steps_waiting ours | cmp -s "$tmp/steps.end" - &&
		sort "$steps_sink" | cmp -s "$tmp/steps.got" -
}

# steps_at WHAT: at each step in turn; prints where it went wrong
steps_at() {
	steps_n=0
	while read -r steps_line; do
		steps_n=$((steps_n + 1))
		[ $((steps_n % ${steps_every:-1})) = 0 ] || continue
		steps_fresh
		STEPS_AT=$steps_n STEPS_DO=$1 stepped steps_drain >/dev/null 2>"$tmp/steps.said"
		steps_status=$?
		steps_safe && steps_true $steps_status && steps_mended && continue
		echo "$1 at $steps_line: status $steps_status"
		sed 's/^/	/' "$tmp/steps.said" "$tmp/steps.lost" "$tmp/steps.err"
	done <"$tmp/steps.log"
}

# at_each_step NAME: killed after, and failing at, each step of the drain
at_each_step() {
	[ -z "${SOAK:-}" ] || steps_every=1
	steps_fresh
	steps_waiting ours >"$tmp/steps.all"
	steps_waiting others >"$tmp/steps.others"
	ok "$1: there is something to drain" test -s "$tmp/steps.all"
	for steps_what in kill ENOSPC EIO EMFILE; do
		case $steps_what in kill) STEPS_OPENS= ;; *) STEPS_OPENS=1 ;; esac
		export STEPS_OPENS
		steps_fresh
		rm -f "$tmp/steps.log"
		STEPS_LOG=$tmp/steps.log stepped steps_drain >/dev/null 2>&1
		steps_code=$?
		[ -s "$tmp/steps.log" ] || { echo 'Bail out!  no steps were counted'; exit 1; }
		steps_waiting ours >"$tmp/steps.end"
		sort "$steps_sink" >"$tmp/steps.got"
		steps_at $steps_what >"$tmp/steps.bad"
		is "$1: $steps_what at each of $(wc -l <"$tmp/steps.log") steps: nothing lost, no lie" \
			'' head -40 "$tmp/steps.bad"
	done
	unset STEPS_OPENS
}
