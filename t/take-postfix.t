#!/bin/sh
# dequeue on a copied Postfix queue, whose queue manager is a moment quicker: agents die
# of a lock on a file that is active, so it is let go before anything else is done.
# shellcheck disable=SC2034,SC2016
. "${0%/*}/lib.sh"
. "$top/t/take.sh"

"$top/t/samples/unpack" "$tmp/samples" postfix || exit 1
take_kind=postfix take_from=$tmp/samples/postfix/default/spool
take_fresh
id=$(queue-list --spool=postfix:"$take_dir" --state=deferred --ids | head -n 1)
ref=$(queue-list --spool=postfix:"$take_dir" -F %p "$id")
who=$(queue-list --spool=postfix:"$take_dir" -F %r "$id")
mkdir -p "$take_dir/active"

exits 'it was moved before the lock: busy' 75 env MOVES_FROM="$ref" MOVES_TO="$take_dir/active/$id" \
	ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0:detect_leaks=0" \
	strace -f -o "$tmp/trace" -E LD_PRELOAD="$tap_built/t/moves.so" \
	dequeue --spool=postfix:"$take_dir" "$id" -- "$tmp/take.answer"
is 'it waits there' "active $who" queue-list --spool=postfix:"$take_dir" --state=active -F '%q %r' "$id"
is 'nothing but one look lies between lock and unlock' 'flock LOCK_EX
newfstatat
flock LOCK_UN' perl -ne '
	s/^\d+ +//;
	$on ||= /^flock\(.*LOCK_EX/ or next;
	/^\w+\(/ or next;
	print /^(\w+)/, /(LOCK_\w+)/ ? " $1" : "", "\n";
	last if /LOCK_UN|^close/' "$tmp/trace"
done_testing
