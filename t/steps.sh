# Drains that are killed, or fail, at each of their steps on disk
# (t/preload/steps.c); sourced after lib.sh.  A test says
#
#	steps_kind		what the queue is called
#	steps_from		a directory to copy the queue from, each time
#	steps_ids		the messages to drain (a few); --all
#	steps_file		what in it is the queue, if it is a file (/NAME)
#	steps_never		such files stop the MTA and must not be left behind (none)
#
# and then at_each_step NAME.  Each $steps_every-th step is tried (1), with $STEPS_EVERY=N
# each N-th of those, with $SOAK all; of a drain with --bounce-failed, too, each fifth.
#
# The answers go by the length of an address: one that ends in 0 or 9 is deferred, in 8
# fails, the others are delivered, and noted before the result is said.  sendmail notes
# whom a report is about.
# shellcheck shell=sh disable=SC2154,SC2016,SC2086

steps_so=$tap_built/t/steps.so
steps_dir=$tmp/steps
steps_option=
steps_seen=$tmp/steps.seen
steps_sink=$steps_seen/sink
steps_tab=$(printf '\t')
steps_reports=$steps_seen/reports
export steps_sink steps_tab steps_reports

mkdir "$steps_seen" "$tmp/steps.bin"
cat >"$tmp/steps.bin/sendmail" <<'END'
#!/bin/sh
exec sed -n 's/^Final-Recipient: *[^;]*; *//p' >>"$steps_reports"
END
chmod +x "$tmp/steps.bin/sendmail"
PATH=$tmp/steps.bin:$PATH
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
	: >"$steps_sink" >"$steps_reports"
	cp -a "$steps_from" "$steps_dir"
}

steps_drain() {
	dequeue --spool="$steps_kind:$steps_dir${steps_file-}" --state=deferred,hold \
		$steps_option $steps_ids -- "$tmp/steps.answer"
}

# stepped COMMAND...: under the preload; STEPS_AT, STEPS_DO or STEPS_LOG is set
stepped() {
	# a sanitizer's runtime wants to be the first library; it works all the same
	ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 \
		STEPS_IN=dequeue STEPS_UNDER=$steps_dir LD_PRELOAD=$steps_so "$@"
}

# What waits, and $steps_holds of it (t/tool/steps)
steps_look() {
	steps_holds=$(queue-list --spool="$steps_kind:$steps_dir${steps_file-}" --records \
		2>"$tmp/steps.err" | "$top/t/tool/steps" "$steps_seen" "$steps_ids")
	[ -z "${steps_never-}" ] || find "$steps_dir" -name "$steps_never" >>"$tmp/steps.err"
}
holds() { case $steps_holds in *" $1 "*) ;; *) false ;; esac; }

# What must hold whatever happened: nothing lost, the others untouched.
steps_safe() { holds safe && [ ! -s "$tmp/steps.err" ]; }

# ... and after one more run, in peace: it is as if nothing had been, but that what
# had no answer was delivered twice.
steps_mended() {
	steps_drain >/dev/null 2>"$tmp/steps.again"
	steps_look
	steps_safe && holds end && holds twice
}

# Nothing was wrong, or so it says: then nothing is.
steps_true() {
	[ "$1" != "$steps_code" ] || [ -s "$tmp/steps.said" ] || { holds end && holds got; }
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
		steps_look
		steps_safe && steps_true $steps_status && steps_mended && continue
		echo "$1 at $steps_line: status $steps_status"
		sed 's/^/	/' "$tmp/steps.said" "$steps_seen/lost" "$tmp/steps.err"
	done <"$tmp/steps.log"
}

# steps_try NAME: killed after, and failing at, each step of the drain; from each third
# one on the disk is full
steps_try() {
	rm -f "$steps_seen"/*
	steps_fresh
	steps_look
	mv "$steps_seen/wait" "$steps_seen/all"
	mv "$steps_seen/rest" "$steps_seen/others"
	ok "$1: there is something to drain" test -s "$steps_seen/all"
	for steps_what in kill full ENOSPC EIO EMFILE; do
		case $steps_what in kill | full) STEPS_OPENS= ;; *) STEPS_OPENS=1 ;; esac
		steps_every=$steps_usual
		case $steps_what:${SOAK:-} in full:) steps_every=$((steps_usual * 3)) ;; esac
		export STEPS_OPENS
		steps_fresh
		rm -f "$tmp/steps.log"
		STEPS_LOG=$tmp/steps.log stepped steps_drain >/dev/null 2>&1
		steps_code=$?
		[ -s "$tmp/steps.log" ] || { echo 'Bail out!  no steps were counted'; exit 1; }
		steps_look
		mv "$steps_seen/wait" "$steps_seen/end"
		cp "$steps_sink" "$steps_seen/got"
		cp "$steps_reports" "$steps_seen/told"
		steps_at $steps_what >"$tmp/steps.bad"
		is "$1: $steps_what at each of $(wc -l <"$tmp/steps.log") steps: nothing lost, no lie" \
			'' head -40 "$tmp/steps.bad"
	done
	unset STEPS_OPENS
}

# at_each_step NAME: without reports, and with them
at_each_step() {
	steps_asked=${steps_every:-1}
	steps_usual=$((steps_asked * ${STEPS_EVERY:-1}))
	[ -z "${SOAK:-}" ] || steps_usual=1
	steps_try "$1"
	[ -n "${SOAK:-}" ] || steps_usual=$((steps_usual * 5))
	steps_option=--bounce-failed
	steps_try "$1, reports"
	ok "$1, reports: there were some" test -s "$steps_seen/told"
	steps_every=$steps_asked steps_option=
}
