#!/bin/sh
# gateway-flush is killed while a real OpenSMTPD sends, by itself and with all that it has
# started, before the pause is lifted, while it is, and when it is set again: the next that
# comes, a session or cron's look, finds the queue as it was and sets the pause.
# shellcheck disable=SC2016,SC2034,SC2154
chroots=opensmtpd
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"
. "$mta/opensmtpd.sh"
. "$mta/takelive.sh"

opensmtpd_root </dev/null
mkdir -p "$root/etc/tidegate/links" "$root/real"
printf '%s\n' SPOOL=opensmtpd RETRIEVE=none EVERY=1h RETRY=1h >"$root/etc/tidegate/links/isp.conf"
ctl() { chroot "$root" /real/smtpctl "$@"; }
told() { :; }
gateway() { in_chroot - "$root" "$@"; }
mta_is() { ctl show status | sed -n 's/^MTA //p' | equals "$1" cat; }
paused() { ctl show status | sed -n 's/^MTA //p'; }

# Its smtpctl, which is its sendmail, too, waits where it is told to: /run/at is WHEN VERB.
ctl_path=$root$(chroot "$root" sh -c 'command -v smtpctl')
mv "$ctl_path" "$root/real/smtpctl"
ln -s smtpctl "$root/real/sendmail"
cat >"$ctl_path" <<'END'
#!/bin/sh
here() {
	[ "$(cat /run/at 2>/dev/null)" = "$*" ] || return 0
	rm /run/at
	echo $$ >/run/here
	exec sleep 600
}
here before "$1"
"/real/${0##*/}" "$@"
code=$?
here after "$1"
exit "$code"
END
chmod 755 "$ctl_path"
chroot "$root" smtpd -d >"$tmp/log" 2>&1 </dev/null &
wait_for ctl show status
ctl pause mta >/dev/null
open_hop
exits 'a session' 0 gateway gateway-dial isp
is 'it is paused behind it' paused paused

parent() { ps -o ppid= -p "$1" | tr -d ' '; }
# tree PROCESS: it and all below
tree() {
	for process; do
		echo "$process"
		# shellcheck disable=SC2046
		tree $(pgrep -P "$process")
	done
}
stopped() { [ -s "$root/run/here" ] && last=$(cat "$root/run/here"); }

# dies PROGRAM WHOM WHERE: it is killed there, or it and all that it has started
dies() {
	echo "$3" >"$root/run/at"
	submit ann@x.test "bob@$n.test"
	wait_for many 1 || bail 'nothing waits'
	rm -f "$root/run/here"
	gateway "$1" isp >"$tmp/words" 2>&1 &
	started=$!
	wait_for stopped || bail "never $3"
	up=$(parent "$last")
	[ "$1" = gateway-flush ] || up=$(parent "$up")
	[ -n "$up" ] || bail "nobody has started $last"
	all=$(tree "$up")
	kill -KILL "$up"
	# shellcheck disable=SC2086
	[ "$2" = alone ] || kill -KILL $all 2>/dev/null
	wait $started 2>/dev/null
	# shellcheck disable=SC2086	# what it was stopped in
	kill -KILL $all 2>/dev/null
}

n=0
while read -r program whom where; do
	n=$((n + 1)) name="$program killed, $whom, $where"
	dies "$program" "$whom" "$where"
	# of gateway-dial alone, gateway-flush goes on and does its work
	gateway gateway-dial --due isp >"$tmp/due" 2>&1
	ok "$name: it is paused again" wait_for mta_is paused
	exits "$name: the next session" 0 gateway gateway-dial isp
	ok "$name: nothing waits any more" wait_for empty
	is "$name: and it is paused" paused paused
done <<-END
gateway-flush alone before resume
gateway-flush all after resume
gateway-dial all after resume
gateway-dial alone after resume
gateway-flush all before pause
END
is 'each letter came once' $n sh -c 'ls "$1/new" | wc -l' - "$tmp/got"
[ "$tap_bad" = 0 ] || tail -n 20 "$tmp/log" | diag
done_testing
