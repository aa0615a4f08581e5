# A queue in which somebody else put what is no message; sourced after lib.sh.
#
#	hostile KIND DIR PLACE NAME...	DIR is a queue with PLACE in it; each NAME is a
#					name that a message could have there
#
# One after the other is a symbolic link to a message of ours, a fifo, a
# directory, a second name of a file outside, a name with a newline: nothing of it
# is shown, followed or waited for.
# shellcheck shell=sh

hostile() {
	hostile_kind=$1 hostile_dir=$2 hostile_place=$2/$3 hostile_name=$4
	hostile_was=$(queue-list --spool="$1:$2" --ids | sort)
	hostile_is "$1: nothing else is there" true
	hostile_is "$1: a symbolic link is no message" \
	    ln -s /etc/passwd "$hostile_place/$hostile_name"
	hostile_is "$1: a fifo is no message" mkfifo "$hostile_place/$hostile_name"
	hostile_is "$1: a directory is no message" mkdir "$hostile_place/$hostile_name"
	hostile_newline=$(printf '%s\nx' "$hostile_name")
	hostile_is "$1: a name with a newline is none" \
	    cp /etc/passwd "$hostile_place/$hostile_newline"
	echo 'a secret' >"$tmp/outside"
	ln "$tmp/outside" "$hostile_place/$hostile_name"
	tap_run queue-list --spool="$1:$2" -j
	if grep -q secret "$tmp/.out" "$tmp/.err"; then
		tap_not "$1: a file of another directory is not shown" queue-list
	else
		tap_ok "$1: a file of another directory is not shown"
	fi
	rm -f "$hostile_place/$hostile_name"
}

hostile_is() {
	hostile_what=$1
	shift
	"$@"
	is "$hostile_what" "$hostile_was" timeout 20 sh -c \
	    'queue-list --spool="$1:$2" -F "%i" | sort' - "$hostile_kind" "$hostile_dir"
	is '... nor counted' "$(printf '%s\n' "$hostile_was" | grep -c .)" \
	    queue-list --spool="$hostile_kind:$hostile_dir" --count
	rm -rf "${hostile_place:?}/$hostile_name" "${hostile_newline:+$hostile_place/$hostile_newline}"
}
