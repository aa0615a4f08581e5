#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# queue-list on Exim's files: what stands beside -H counts, wherever the message lies,
# and whatever Exim does in between, nobody is shown as waiting who was done before.
. "${0%/*}/lib.sh"

q=$tmp/exim
old=1xVWxK-0002qv-01 long=1xVWxK-00000002qvA-01Z1

# header ID DONE: its -H; DONE: the tree of who is done
header() {
	printf '%s\n' "$1-H" 'ann 1000 1000' '<ann@x.test>' '1700000000 0' -local "$2" \
		2 a@y.test b@y.test '' '012  Subject: hi'
}
# message DIR ID: two recipients, nobody is done
message() {
	mkdir -p "$1"
	header "$2" XX >"$1/$2-H"
	printf '%s-D\nhi\n' "$2" >"$1/$2-D"
}
ql() { queue-list --spool=exim:"$q" "$@"; }
# what waits, on one line
waiting() { ql --records "$@" | sed 's,.*/,,' | sort | tr '\t' ' ' | paste -sd/ -; }
sizes() { ql -F '%i %s %r' | sort | cut -d' ' -f2- | paste -sd/ -; }

mkdir -p "$q/db" "$q/msglog"
for id in $old $long; do
	for where in input input/K Finput q/input q/Finput/K; do
		rm -rf "$q/input" "$q/Finput" "$q/q"
		mkdir -p "$q/input"
		message "$q/$where" $id
		message "$q/$where" "${id%?}x"
		is "$id in $where: both wait" \
			"$id-H ann@x.test a@y.test b@y.test/${id%?}x-H ann@x.test a@y.test b@y.test" waiting
		echo a@y.test >"$q/$where/$id-J"
		is 'but who is done by the journal' \
			"$id-H ann@x.test b@y.test/${id%?}x-H ann@x.test a@y.test b@y.test" waiting
		is 'the same by its ID' "$id-H ann@x.test b@y.test" waiting $id
		is 'and with the sizes' '16 b@y.test/16 a@y.test b@y.test' sizes
		echo b@y.test >>"$q/$where/$id-J"
		is 'nobody, when both are' "${id%?}x-H ann@x.test a@y.test b@y.test" waiting
		rm "$q/$where/$id-D"
		exits 'its body is not there: that is told' 65 ql --records
		like 'by name' "$id-H: its body is not there" ql --records
		# as many bodies as messages, but not theirs
		: >"$q/$where/${id%?}y-D"
		exits 'also beside the body of another' 65 ql --records
		rm "$q/$where/$id-J"
		exits 'and without a journal' 65 ql --records
	done
done

# ---- Exim at work: before each of our steps in turn ----

work=$tmp/work
export work q
cat >"$work" <<'END'
#!/bin/sh
cd "$q/input" || exit
case $1 in
rewritten)	mv hdr -- "$2-H" && rm -- "$2-J" ;;
completed)	rm -- "$2-D" && rm -- "$2-H" && rm -- "$2-J" ;;
esac
END
chmod +x "$work"

fresh() {
	rm -rf "$q/input" "$q/Finput" "$q/q"
	message "$q/input" $old
	header $old 'NN a@y.test' >"$q/input/hdr"
	echo a@y.test >"$q/input/$old-J"
}
# stepped COMMAND...: under t/preload/steps.c
stepped() {
	ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 STEPS_IN=queue-list \
		STEPS_OPENS=1 STEPS_UNDER=$q LD_PRELOAD=$tap_built/t/steps.so "$@"
}
# at_each WHAT OPTION...: who is listed as waiting when Exim does that before a step
at_each() {
	what=$1
	shift
	fresh
	rm -f "$tmp/log"
	STEPS_LOG=$tmp/log stepped queue-list --spool=exim:"$q" "$@" >/dev/null
	n=$(grep -c . "$tmp/log")
	while [ "$n" -gt 0 ]; do
		fresh
		STEPS_AT=$n STEPS_RUN="$work $what $old" stepped \
			queue-list --spool=exim:"$q" "$@" >"$tmp/listed" 2>&1 || echo "status $?"
		python3 "$top/t/mta/list.py" lines <"$tmp/listed" || cat "$tmp/listed"
		[ ! -e "$q/input/$old-J" ] || echo "nothing was done at step $n"
		n=$((n - 1))
	done | sort -u | paste -sd/ -
}
for how in -j "-j $old"; do
	# shellcheck disable=SC2086	# words
	is "$how: -H is written anew and the journal goes: only who is not done waits" \
		"$old ann@x.test b@y.test" at_each rewritten $how
	# shellcheck disable=SC2086
	like "$how: it is completed: the same, or it is gone" \
		"^($old ann@x.test b@y.test)?\$" at_each completed $how
done
done_testing
