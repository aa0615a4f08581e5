# What the tests of listing have in common; sourced after lib.sh.  $kind is what
# queue-list calls the MTA and $spool its queue, as a path in its chroot, which
# `list_root' makes: $root.  The MTA sends everything to 127.0.0.1:2599, and is asked:
#
#	told		prints what it lists itself, `ID SENDER RECIPIENT' a line (null: -)
#	run		makes it try its queue now
#
# shellcheck shell=sh disable=SC2154

hop=127.0.0.1:2599
list_pid=

list_root() {
	root_of "$kind" "$kind"
	root=$tmp/$kind
	install_into "$root"
}

# ours [OPTION...]: the same from queue-list
ours() {
	queue-list --spool="$kind:$root$spool" -j "$@" >"$tmp/.json" || return
	python3 "$mta/list.py" lines <"$tmp/.json"
}

# submit SENDER RECIPIENT...: a message by the MTA's own sendmail, or to $LIST_SERVER
submit() {
	list_from=$1
	shift
	if [ "${LIST_SERVER-}" ]; then
		set -- smtp-send -s "$LIST_SERVER" -f "$list_from" -- "$@"
	else
		set -- chroot "$root" sendmail -i -f "$list_from" -- "$@"
	fi
	printf 'Subject: from %s\n\nhello\n' "$list_from" | "$@"
}

agree() { ours >"$tmp/.ours" && told >"$tmp/.told" && cmp -s "$tmp/.ours" "$tmp/.told"; }
many() { [ "$(ours | cut -d' ' -f1 | sort -u | wc -l)" = "$1" ]; }
empty() { [ -z "$(ours)" ] && [ -z "$(told)" ]; }

open_hop() {
	mkdir -p "$tmp/got"
	sink --listen=$hop --maildir="$tmp/got" --port-file="$tmp/port" \
		--ext=8BITMIME,SIZE,PIPELINING,DSN,SMTPUTF8 "$@" &
	list_pid=$!
	wait_for test -s "$tmp/port"
}

close_hop() {
	[ -z "$list_pid" ] || { kill "$list_pid"; wait "$list_pid" 2>/dev/null; }
	list_pid='' && rm -f "$tmp/port"
}

found() {
	in_chroot - "$root" queue-list -j | perl -MJSON::PP -ne '
		print decode_json($_)->{spool}, "\n"' | sort -u
}

# at_rest N: N messages wait, and both say the same of them
at_rest() {
	wait_for many "$1"
	wait_for agree
	ours >"$tmp/.ours"
	told >"$tmp/.told"
	same "$kind: at rest, both list the same" "$tmp/.told" "$tmp/.ours"
	is "$kind: found by itself" "$spool" found
}

# untouched: looking takes no lock and writes nothing but its output
untouched() {
	for list_how in -j --count "-d later.test" --summary; do
		# shellcheck disable=SC2086
		strace -f -o "$tmp/trace" -e trace=open,openat,creat,flock,fcntl,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,mkdir,mkdirat,utimensat,chmod,fchmod,truncate,ftruncate \
			queue-list --spool="$kind:$root$spool" $list_how >/dev/null
		ok "$kind: $list_how: looks" grep -qF "$root$spool" "$tmp/trace"
		is "$kind: $list_how: no lock, no write" '' touches
	done
}

# What of the trace is more than looking; sed ends well without a line, too.
touches() {
	sed -nE '/F_(OFD_)?SETLK.*F_UNLCK|"\/dev\/null"/d
		/O_WRONLY|O_RDWR|O_CREAT|creat\(|flock\(|F_(OFD_)?SETLK|rename|unlink|link\(|symlink|mkdir|utimens|chmod|truncate/p' "$tmp/trace"
}

# look N: what is listed of these N messages is true; counted in list_runs and list_bad
look() {
	list_runs=$((list_runs + 1))
	queue-list --spool="$kind:$root$spool" -j >"$tmp/churn.json" 2>"$tmp/churn.err" &&
		python3 "$mta/list.py" check "$1" <"$tmp/churn.json" >>"$tmp/churn.said" 2>&1 || {
		list_bad=$((list_bad + 1))
		{ head -5 "$tmp/churn.err"; tail -3 "$tmp/churn.said"; } >>"$tmp/churn.bad"
	}
}

# churn N: N messages come, and most go at once, while we look again and again
churn() {
	: >"$tmp/coming"
	(
		python3 "$mta/list.py" submit "$root" "$1" >"$tmp/submitted" 2>&1
		echo $? >"$tmp/submit.rc"
		rm -f "$tmp/coming"
	) &
	list_submit=$!
	list_bad=0 list_runs=0
	: >"$tmp/churn.bad"
	while [ -e "$tmp/coming" ] || [ $list_runs -lt 5 ]; do
		look "$1"
	done
	wait $list_submit
	echo "# $list_runs looks; $(sort -u "$tmp/churn.said" | wc -l) recipients were seen waiting"
	head -5 "$tmp/submitted" | cut -c1-300 | diag
	head -8 "$tmp/churn.bad" | diag
	is "$kind: all were taken" 0 cat "$tmp/submit.rc"
	is "$kind: while mail comes and goes every look is right" 0 echo $list_bad
}

# come_and_go N: N messages, one in ten of which is put off at first
come_and_go() {
	open_hop --refuse='r*5@a.test:451 4.2.1 later'
	churn "$1"
	close_hop
	open_hop
	drained "$1"
	close_hop
}

# drained N: everything went to the next hop, and both say so; after churn
drained() {
	wait_for list_gone "$1"
	head -8 "$tmp/churn.bad" | diag
	is "$kind: until the last has gone, too" 0 echo $list_bad
	is "$kind: in the end nothing waits" 0 queue-list --spool="$kind:$root$spool" --count
	ok "$kind: and everything has arrived" test "$(find "$tmp/got/new" -type f | wc -l)" -ge "$1"
}
list_gone() { run >/dev/null 2>&1; look "$1"; empty; }

# unprivileged: who may not read the files hears the truth or 77
unprivileged() {
	cat >"$tmp/.nobody" <<-'END'
	queue-list -j >/tmp/out 2>/tmp/err; code=$?
	[ $code = 77 ] && grep -q 'run queue-list as root' /tmp/err && echo told
	[ $code = 0 ] && [ -s /tmp/out ] && echo listed
	END
	cp "$tmp/.nobody" "$root/tmp/nobody"
	like "$kind: without rights: $1" "^$1\$" in_chroot - "$root" \
	    setpriv --reuid=65534 --regid=65534 --clear-groups sh /tmp/nobody
}
