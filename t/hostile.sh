# Cases of a hostile peer (t/tool/victim.py), each in a world of its own; sourced after
# lib.sh.  $hostile is the program, and `world DIR' makes a world, of what has to be in it.
#
#	meets CASE		runs it, or waits for it if it was begun
#	begin CASE...		they run beside what follows: those that mostly wait
#
# shellcheck shell=sh disable=SC2154

meet() {
	mkdir "$tmp/world.$1"
	world "$tmp/world.$1"
	TIDEGATE_RUN="$tmp/world.$1/run" timeout 100 "$top/t/tool/$hostile" "$tmp/world.$1" "$1"
}

begin() {
	for hostile_case; do
		(
			meet "$hostile_case" >"$tmp/$hostile_case.out" 2>"$tmp/$hostile_case.err"
			echo $? >"$tmp/$hostile_case.new"
			mv "$tmp/$hostile_case.new" "$tmp/$hostile_case.code"
		) &
		touch "$tmp/$hostile_case.begun"
	done
}

meets() {
	[ -e "$tmp/$1.begun" ] || { meet "$1"; return; }
	wait_for test -e "$tmp/$1.code"
	cat "$tmp/$1.out"
	cat "$tmp/$1.err" >&2
	return "$(cat "$tmp/$1.code")"
}
