#!/bin/sh
# What bash offers for a word that was begun: the options of --help, kinds of queues, links.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
command -v bash >/dev/null || skip_all 'bash is needed'

programs='queue-list queue-cat smtp-send etrn-request dequeue msg-sizecheck turn-client turn-server
	gateway-dial gateway-flush gateway-etrn'
# shellcheck disable=SC2046
exits 'it is made' 0 "$top/share/bash-completion" $(for p in $programs; do command -v "$p"; done)
cp "$tmp/.out" "$tmp/made"
mkdir -p "$tmp/links"
: >"$tmp/links/isp.conf"
: >"$tmp/links/island.conf"
: >"$tmp/links/lte.conf"

# offers WORD...: for the last of these, as bash has cut them at `='
offers() {
	TIDEGATE_LINKS=$tmp/links bash -c 'set -u; . "$1"; shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		$(complete -p "$1" | sed "s/.*-F \([^ ]*\) .*/\1/")
		for word in ${COMPREPLY[@]+"${COMPREPLY[@]}"}; do echo "$word"; done | sort' - "$tmp/made" "$@"
}
is 'an option' --dry-run offers dequeue --dry
is 'one that has a value ends in =' --password-command= offers smtp-send --password-c
is 'several' '--summary
--summary-by=' offers queue-list --summ
is 'by its program' '' offers queue-cat --summ
is 'kinds of queues' 'maildir
mbox' offers queue-list --spool = m
is 'kinds behind a blank' postfix offers dequeue --spool postf
is 'all kinds' "$(queue-list --spool=? 2>&1 >/dev/null | sed -n 's/.* there are //p' | tr -d ' ' | tr , '\n' | sort)" \
	offers queue-list --spool =
is 'levels of TLS' 'verify' offers smtp-send -s x --tls = v
is 'a file' "$tmp/links" offers turn-server --customers = "$tmp/li"
is 'links' 'island
isp' offers gateway-dial is
is 'all of them, behind an option' 'island
isp
lte' offers gateway-dial --due ''
is 'an option of gateway-dial only' '' offers gateway-etrn --du
for p in $programs; do
	"$p" --help | grep -o -e '^ *\(-.,\)\{0,1\} *--[a-z0-9-]*' | sed 's/.*--/--/' | sort -u >"$tmp/want"
	offers "$p" -- | tr -d = | sort >"$tmp/have"
	same "$p: all of its options" "$tmp/want" "$tmp/have"
done
done_testing
