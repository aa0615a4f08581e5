#!/bin/sh
# Several COMMANDs at once.
# shellcheck disable=SC2016
. "${0%/*}/lib.sh"
TAB=$(printf '\t')
export TAB tmp

queue() {
	rm -rf "$tmp/md" "$tmp/sink" "$tmp"/here.*
	mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp"
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		printf 'Return-Path: <s@x.test>\nDelivered-To: r%s@y.test\n\nhello\n' $i \
			>"$tmp/md/new/$((1000 + i)).m.host"
	done
}
pending() { queue-list --spool=maildir:"$tmp/md" --records | cut -f3- | tr '\t' '\n' | sort; }
dq() { dequeue --spool=maildir:"$tmp/md" "$@"; }
last() { "$@" 2>&1 >/dev/null | tail -n 1; }

# together N: answers nothing before N of it have a message each
cat >"$tmp/together" <<'END'
#!/bin/sh
while IFS=$TAB read -r ref sender rcpt; do
	: >"$tmp/here.$$"
	until [ "$(ls "$tmp" | grep -c '^here')" -ge "$1" ]; do :; done
	printf '%s\n' "$rcpt" >>"$tmp/sink"
	printf '%s\t%s\tdelivered\t2.0.0\tok\n' "$ref" "$rcpt"
done
END
# the first that starts takes one and dies
cat >"$tmp/one-dies" <<'END'
#!/bin/sh
if mkdir "$tmp/first" 2>/dev/null; then
	read -r line
	exit 3
fi
exec "$tmp/together" 1
END
# answers for what another one has
cat >"$tmp/liar" <<'END'
#!/bin/sh
while IFS=$TAB read -r ref sender rcpt; do
	printf '%s\n' "$ref" >>"$tmp/refs"
	while read -r other; do
		[ "$other" = "$ref" ] || printf '%s\t*\tdelivered\t2.0.0\tok\n' "$other"
	done <"$tmp/refs"
	printf '%s\t%s\tdeferred\t4.0.0\tmine\n' "$ref" "$rcpt"
done
END
chmod +x "$tmp/together" "$tmp/one-dies" "$tmp/liar"

queue 12
is 'three of them work at the same time' \
	'released 0, delivered 12, deferred 0, failed 0, busy 0, changed 0' \
	last dq --all -v --jobs=3 -- "$tmp/together" 3
is 'each message once' 12 sh -c 'sort -u "$tmp/sink" | grep -c .'
is 'nothing waits' '' pending
queue 2
is 'no more are started than there is work for' \
	'released 0, delivered 2, deferred 0, failed 0, busy 0, changed 0' \
	last dq --all -v --jobs=8 -- "$tmp/together" 2
queue 9
exits 'one of three dies' 75 dq --all --jobs=3 --in-hand=3 -- "$tmp/one-dies"
pending >"$tmp/left"
cat "$tmp/sink" "$tmp/left" 2>/dev/null | sort >"$tmp/both"
i=0
while [ $i -lt 9 ]; do i=$((i + 1)); echo "r$i@y.test"; done | sort >"$tmp/all"
same 'what the others answered is done, the rest waits' "$tmp/all" "$tmp/both"
queue 4
: >"$tmp/refs"
exits 'an answer for what another one has' 75 dq --all --jobs=2 -- "$tmp/liar"
pending >"$tmp/left"
is 'means nothing' 4 grep -c . "$tmp/left"
exits 'more than are in hand' 64 dq --all --jobs=4 --in-hand=3 -- true
exits 'none' 64 dq --all --jobs=0 -- true
done_testing
