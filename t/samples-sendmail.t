#!/bin/sh
# shellcheck disable=SC2154	# top and tmp are of lib.sh
# Real Sendmail queues (t/samples/README) through queue-list and queue-cat.
. "$(dirname "$0")/lib.sh"
. "$top/t/samples/agree.sh"

"$top/t/samples/unpack" "$tmp" sendmail || exit 1

for layout in default groups; do
	dir=$tmp/sendmail/$layout
	listing_agrees sendmail "$dir"
	# what Sendmail itself writes anew as it sends: lines over 990 octets, MIME
	# bodies, its own bounces, octets over 0x7f in a header
	# shellcheck disable=SC2016	# a perl expression
	texts_agree sendmail "$dir" queue_id '!$m->{wire_sha256} || $m->{sender} eq "MAILER-DAEMON" ||
	    $m->{case} =~ /^(lines-998|lines-long|no-eol-qp|eightbit-header)$/'
done

dir=$tmp/sendmail/default/spool
ref=$dir/qf6ANG5xdc022989
is 'found by its ID' "$ref" queue-list --spool=sendmail:"$dir" -F %p 6ANG5xdc022989
mv "$ref" "$dir/hf6ANG5xdc022989"
is 'and in quarantine, where it moved to' "hold $dir/hf6ANG5xdc022989" \
    queue-list -F '%q %p' "$ref"
cp "$dir/hf6ANG5xdc022989" "$ref"
is 'while it has both names it is one' 1 sh -c \
    'queue-list --spool=sendmail:"$1" -F "%i" | grep -c 6ANG5xdc022989' - "$dir"
rm "$dir/hf6ANG5xdc022989"
is 'mail not yet taken by the daemon is maildrop' 'maildrop' sh -c \
    'cp -rp "$1" "$2" && queue-list --spool=sendmail:"$2" -F %q | sort -u | grep -v hold' \
    - "$dir" "$tmp/mqueue-client"
is 'a queue in several directories is one' 'q1 q2 slow' sh -c \
    'queue-list --spool=sendmail:"$1" | cut -d/ -f"$2" | sort -u | paste -sd" "' \
    - "$tmp/sendmail/groups/spool" "$(echo "$tmp/sendmail/groups/spool/x" | tr -cd / | wc -c | awk '{print $1 + 1}')"

groups=$tmp/sendmail/groups/spool
n=$(queue-list --spool=sendmail:"$groups/q1" --count)
for part in qf df xf; do
	is "the directory $part is a part of a queue" "$n" queue-list --spool=sendmail:"$groups/q1/$part" --count
done
# as Sendmail does when a queue group was chosen after the body had been written
id=$(queue-list --spool=sendmail:"$groups/q1" --ids | head -n 1)
qf=$(queue-list --spool=sendmail:"$groups/q1" -F %p "$id")
# body_in DIR COMMAND...: COMMAND, where the body lies in that group's directory
body_in() {
	rm -rf "$tmp/parted"
	cp -rp "$groups" "$tmp/parted"
	sed "s|^S|d$1\n&|" "$qf" >"$tmp/parted/q1/qf/qf$id"
	[ "$1" = q1 ] || mv "$tmp/parted/q1/df/df$id" "$tmp/parted/$1/df"
	shift
	"$@"
}
queue-cat "$qf" >"$tmp/text"
printf '#!/bin/sh\nwhile IFS= read -r line; do printf "%%s\\t*\\tdelivered\\t2.0.0\\tok\\n" "${line%%%%\t*}"; done\n' \
	>"$tmp/takes"
chmod +x "$tmp/takes"
for group in q1 q2 slow; do
	body_in $group queue-cat "$tmp/parted/q1/qf/qf$id" >"$tmp/got"
	same "a body that lies in $group, by its ref" "$tmp/text" "$tmp/got"
	for spool in parted parted/q1 parted/q1/qf; do
		ok "... taken out of $spool" body_in $group \
			dequeue --spool=sendmail:"$tmp/$spool" "$id" -- "$tmp/takes"
		is '... with its body' '' find "$tmp/parted" -name "?f$id"
	done
done

: >"$dir/qf6ANG5xdc022999"
ok 'one that was just begun is no message' queue-list --spool=sendmail:"$dir" --count
head -12 "$ref" >"$dir/qf6ANG5xdc022999"
ok 'nor is one without its end' queue-list --spool=sendmail:"$dir" --count
printf 'V8\nT1\nR<a@b>\n.\n' >"$dir/qf6ANG5xdc022999"
exits 'a damaged one is said' 65 queue-list --spool=sendmail:"$dir" -l
like 'by name' 'qf6ANG5xdc022999: damaged: no sender' queue-list --spool=sendmail:"$dir" -l
printf 'V9\nT1\nS<>\nR<a@b>\n.\n' >"$dir/qf6ANG5xdc022999"
like 'a newer format is refused' 'is version 9' queue-list --spool=sendmail:"$dir" -l
rm "$dir/qf6ANG5xdc022999"
mv "$dir/df6ANG5xdc022989" "$tmp"
like 'a text whose body is gone is said' 'its body is not there' queue-cat "$ref"
mv "$tmp/df6ANG5xdc022989" "$dir"
mkdir "$tmp/away"
cp "$dir/df6ANG5xdc022989" "$tmp/away"
sed "s|^S|d$tmp/away\n&|" "$ref" >"$dir/qf6ANG5xdc022988"
like 'a body elsewhere is not read' "its body is not there: $dir/away" \
    queue-cat "$dir/qf6ANG5xdc022988"
rm "$dir/qf6ANG5xdc022988"

. "$top/t/samples/hostile.sh"
hostile sendmail "$dir" . qf6ANG5xdc099999
mkdir "$tmp/empty"
is 'an empty directory is an empty queue' 0 queue-list --spool=sendmail:"$tmp/empty" --count
: >"$tmp/empty/other"
exits 'what is no queue is said' 74 queue-list --spool=sendmail:"$tmp/empty"
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$tmp" "$tmp/sendmail" "$tmp/sendmail/default"
	cp "$(command -v queue-list)" "$tmp/queue-list"
	chmod 711 "$dir"
	exits 'who may not look hears so, and not that it is none' 77 \
		as_other "$tmp/queue-list" --spool=sendmail:"$dir"
fi
done_testing
