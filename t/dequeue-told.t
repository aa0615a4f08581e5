#!/bin/sh
# What dequeue says of what it did, with -v, and of what it left undone, always.
# shellcheck disable=SC2016,SC2154
. "${0%/*}/lib.sh"

TAB=$(printf '\t')
export TAB tmp

# letter NAME RECIPIENT...: into $tmp/md
letter() {
	mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp"
	name=$1
	shift
	{
		echo 'Return-Path: <ann@x.test>'
		printf 'Delivered-To: %s\n' "$@"
		printf 'Subject: %s\n\nhi\n' "$name"
	} >"$tmp/md/new/$name"
}
fresh() {
	rm -rf "$tmp/md"
	letter 1.a.h bob@y.test carla@z.test
	letter 2.b.h dora@y.test
}
dq() { dequeue --spool=maildir:"$tmp/md" "$@"; }
said() { { "$@" >/dev/null; } 2>&1; }
# bob is deferred, carla refused, dora served
cat >"$tmp/each" <<'END'
#!/bin/sh
while IFS=$TAB read -r ref sender rcpts; do
	case $rcpts in
	bob*)
		printf '%s\tbob@y.test\tdeferred\t4.2.0\tmx.test: 451 later\n' "$ref"
		printf '%s\tcarla@z.test\tfailed\t5.1.1\tmx.test: 550 no\n' "$ref" ;;
	*)	printf '%s\t*\tdelivered\t2.0.0\tmx.test: 250 ok\n' "$ref" ;;
	esac
done
END
chmod +x "$tmp/each"

# ---- -v: what became of each ----
fresh
dq --all -v -- "$tmp/each" >"$tmp/out" 2>&1
sort "$tmp/out" >"$tmp/said"
cat >"$tmp/want" <<'END'
dequeue: 1.a.h: bob@y.test: deferred: mx.test: 451 later
dequeue: 1.a.h: carla@z.test: failed: mx.test: 550 no
dequeue: 2.b.h: dora@y.test: delivered: mx.test: 250 ok
released 0, delivered 1, deferred 1, failed 1, busy 0, changed 0
END
same 'with -v each recipient has his fate' "$tmp/want" "$tmp/said"
fresh
is 'without, who failed' 'dequeue: 1.a.h: carla@z.test: failed: mx.test: 550 no' \
	sh -c 'dequeue --spool=maildir:"$tmp/md" --all -- "$tmp/each" 2>&1 || :'

# ---- what is left is never silent ----
fresh
is 'remove: left for its other recipient' \
	'dequeue: messages left, for they have other recipients too (--whole): 1' \
	sh -c 'dequeue --spool=maildir:"$tmp/md" -d y.test --remove -y 2>&1 || :'
fresh
is 'with -v it is named, and counted at the end' \
	'dequeue: 1.a.h: left: it has other recipients too (--whole)
dequeue: 2.b.h: removed
removed 1, busy 0, changed 0, left behind 1' \
	sh -c '{ dequeue --spool=maildir:"$tmp/md" -d y.test --remove -y -v 2>&1 || :; } | sort'
fresh
is 'a dry run shows it, and says why, but not again how many' "dequeue: what is left has other recipients too (--whole)
leave	$tmp/md/new/1.a.h	ann@x.test	bob@y.test
remove	$tmp/md/new/2.b.h	ann@x.test	dora@y.test" \
	sh -c '{ dequeue --spool=maildir:"$tmp/md" -d y.test --remove -n 2>&1 || :; } | sort'

fresh
queue-list --spool=maildir:"$tmp/md" --records | sed 's/ann@/eve@/' >"$tmp/other"
for how in --remove '-- '"$tmp/each"; do
	# shellcheck disable=SC2086
	is "changed ($how)" 'dequeue: messages changed, other ones now, and left alone: 2' \
		sh -c 'dequeue - $1 <"$tmp/other" 2>&1 || :' - "$how"
done

# ---- who may not look ----
fresh
mkdir -p "$tmp/shut/new" "$tmp/shut/cur" "$tmp/shut/tmp" "$tmp/nm/queue" "$tmp/nm/tmp" "$tmp/nm/failed"
cp "$tap_built/bin/dequeue" "$tmp/dequeue" && chmod 755 "$tmp" "$tmp/dequeue" "$tmp/md"
chmod 000 "$tmp/shut/new" "$tmp/shut/cur" "$tmp/nm/queue" "$tmp/nm/failed"
if as_other sh -c 'test -x "$1" && ! test -r "$2"' - "$tmp/dequeue" "$tmp/shut/new" 2>/dev/null; then
	# denied WORD...: what it says
	denied() {
		as_other "$tmp/dequeue" --spool=maildir:"$tmp/shut" --spool=nullmailer:"$tmp/nm" "$@" 2>&1
		echo $?
	}
	for how in --remove --bounce '-- cat' '--remove -n' '--bounce -n' '-d y.test --remove' \
		'--state=deferred,hold --remove'; do
		all=--all
		case $how in --state* | -d*) all= ;; esac
		# shellcheck disable=SC2086
		denied $all $how | sed 's/: open .*shut.*: Permission denied;/: shut:/
			s/: open .*nm.*: Permission denied;/: nm:/' >"$tmp/said"
		is "once for a queue, and what to do: $how" \
			'dequeue: shut: run it as root or as the owner of the queue
dequeue: nm: run it as root or as the owner of the queue
77' cat "$tmp/said"
	done
	is 'so it is by name' "dequeue: look for $tmp/nm/queue/1795450564.1: Permission denied; run it as root or as the owner of the queue
77" denied --remove "$tmp/nm/queue/1795450564.1"
	chmod -R a+rX "$tmp/md"
	exits 'what may be looked at is, and the status stays' 77 as_other "$tmp/dequeue" \
		--spool=maildir:"$tmp/shut" --spool=maildir:"$tmp/md" --all --remove -n
	cp "$tmp/.out" "$tmp/said"
	is '... all of it' 2 grep -c '^remove' "$tmp/said"
fi
chmod 700 "$tmp/shut/new" "$tmp/shut/cur" "$tmp/nm/queue" "$tmp/nm/failed"

# busy: another has it in hand, and waits until we have looked
fresh
mkfifo "$tmp/go"
cat >"$tmp/waits" <<'END'
#!/bin/sh
read -r line
: >"$tmp/in-hand"
cat "$tmp/go" >/dev/null
END
chmod +x "$tmp/waits"
dq --first=1 --all -- "$tmp/waits" 2>/dev/null &
wait_for test -e "$tmp/in-hand"
is 'busy' 'dequeue: messages busy, in the hands of others: 1' \
	sh -c 'dequeue --spool=maildir:"$tmp/md" --all -- "$tmp/each" 2>&1 | grep busy'
: >"$tmp/go"
wait
done_testing
