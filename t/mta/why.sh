# What the tests of queue-list --why have in common; sourced after list.sh, whose
# $kind, $spool, list_root, submit, open_hop and close_hop it uses.  Everything is
# asked and done in the chroot, as somebody at this host would.
#
#	why ADDRESS			prints the paragraph on it, as one line
#	says NAME ADDRESS ERE...	the paragraph matches each ERE
#	advice ADDRESS			prints the first command of the paragraph
#	follow NAME ADDRESS [ERE]	runs it as printed; it ends well (and says ERE)
#	nothing				no mail: --why says so, for -r and -d
#	names ZONE			a name server on 127.0.0.1:53 that the chroot
#					asks, with this zone (t/tool/dnsd)
#	hop_got ADDRESS			is this recipient's letter at the next hop?
#	gone ADDRESS			does no mail wait for it any more?
#	delivered NAME ADDRESS		both, after a while
#
# Each waiting mail has an address of its own, so that -r finds one message.
# shellcheck shell=sh disable=SC2154

why_names=

why_of() {
	in_chroot - "$root" queue-list --why -r "$1" >"$tmp/why" 2>"$tmp/why.err"
	why_code=$?
	sed 's/^/# err: /' "$tmp/why.err"
	return $why_code
}

why() { why_of "$1" && tr -s '\n ' '  ' <"$tmp/why"; }

says() {
	says_name=$1 says_to=$2
	shift 2
	why "$says_to" >"$tmp/.why"
	for says_ere; do
		like "$kind: $says_name: $says_ere" "$says_ere" cat "$tmp/.why"
	done
}

advice() { why_of "$1" >/dev/null; sed -n 's/^ *now: //p' "$tmp/why"; }

follow() {
	advice "$2" >"$root/tmp/advice"
	echo "# $(cat "$root/tmp/advice")"
	ok "$kind: $1: a command is printed" test -s "$root/tmp/advice"
	in_chroot - "$root" sh /tmp/advice >"$tmp/followed" 2>&1 </dev/null
	follow_code=$?
	[ $follow_code = 0 ] || diag <"$tmp/followed"
	is "$kind: $1: it ends well" 0 echo $follow_code
	[ -z "${3-}" ] || like "$kind: $1: it says $3" "$3" cat "$tmp/followed"
}

nothing() {
	is "$kind: no mail for an address" 'no mail for nobody@nowhere.test in any queue' \
	    in_chroot - "$root" queue-list --why -r nobody@nowhere.test
	is "$kind: no mail for a domain" 'no mail for nowhere.test in any queue' \
	    in_chroot - "$root" queue-list --why -d nowhere.test
}

names() {
	echo 'nameserver 127.0.0.1' >"$root/etc/resolv.conf"
	rm -f "$tmp/names"
	"$top/t/tool/dnsd" --listen=127.0.0.1:53 --port-file="$tmp/names" \
	    --log="$tmp/names.log" "$1" </dev/null >/dev/null &
	why_names=$!
	wait_for test -s "$tmp/names" || bail 'no name server'
}

no_names() { kill "$why_names"; wait "$why_names" 2>/dev/null; }

hop_got() { grep -rqixF "Delivered-To: $1" "$tmp/got/new" || grep -rqixF "X-Original-To: $1" "$tmp/got/new"; }
gone() { why_of "$1" >/dev/null && grep -qF "no mail for $1" "$tmp/why"; }

delivered() {
	ok "$kind: $1: it is at the next hop" wait_for hop_got "$2"
	ok "$kind: $1: and no longer in the queue" wait_for gone "$2"
}
