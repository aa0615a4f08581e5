#!/bin/sh
# tidegate-setup(7) speaks of what there is: its phone books are good ones, and every
# key, option and file that it names exists.
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.sh"
command -v mandoc >/dev/null || skip_all 'mandoc is needed'

page=$top/man/tidegate-setup.7
mandoc -T ascii -O width=80 "$page" | perl -pe 's/.\010//g' >"$tmp/page"
# part NAME: the commands of that part, as they can be copied
part() {
	awk -v part="$1" '
		/^[^ ]/ { on = 0 }
		/^   [^ ]/ { on = substr($0, 4) == part; n += on }
		on && /^        /
		END { exit !n }' "$tmp/page"
}
sed -n 's/^   \([^ ].*\)/\1/p' "$tmp/page" >"$tmp/parts"
while read -r name; do
	part "$name"
done <"$tmp/parts" >"$tmp/commands"
ok 'it has commands' test "$(wc -l <"$tmp/commands")" -ge 100
is 'they fit a terminal' '' awk 'length > 80' "$tmp/commands"
exits 'they are commands' 0 sh -n "$tmp/commands"
# Bare, a typesetter may make other characters of them, groff(1) for one.
awk '/^\.Ed/ { on = 0 } on; /^\.Bd -literal/ { on = 1 }' "$page" >"$tmp/blocks"
exits 'their quotes and dashes stay what they are' 1 grep -nE "['\`^~]|(^|[^\\\\])-" "$tmp/blocks"

# --- phone books

# book PART: $tmp/isp.conf, by the command of that part that writes one
book() {
	{
		part Names
		echo spool=maildir:/nowhere
		part "$1" | awk '/^        [^ ]/ { on = /^        printf/ } on' |
			sed "s|/etc/tidegate/links/isp.conf|$tmp/isp.conf|"
	} >"$tmp/do"
	(umask 022 && sh -e "$tmp/do")
}
grep -E '^(The phone book for .*|The line)$' "$tmp/parts" >"$tmp/books"
ok 'there are phone books' test "$(wc -l <"$tmp/books")" -ge 5
while read -r name; do
	rm -f "$tmp/isp.conf"
	[ "$name" != 'The line' ] || book 'The phone book for ETRN'
	book "$name"
	exits "$name" 0 gateway-dial --dry-run --config="$tmp/isp.conf" isp
	case $name in
	*ETRN) want='etrn-request --server=192.0.2.1 .*customer.example' ;;
	*ATRN) want='turn-client .*--server=mx.isp.example:366 --user=customer .*customer.example' ;;
	*TURN) want='dequeue .*--always .*-- turn-client --records .*--turn ' ;;
	*command) want='ssh mx.isp.example dequeue -d customer.example' ;;
	*nullmailer) want='turn-client .*--deliver=maildir:/var/spool/tidegate/in' ;;
	*OpenSMTPD) want='dequeue --spool=opensmtpd --all -v --wait' ;;
	*) want='pon isp' ;;
	esac
	like "$name: does it" "$want" gateway-dial --dry-run --config="$tmp/isp.conf" isp
done <"$tmp/books"

# --- what it names

# Words of capitals behind .Cm, and those of phone books, but for SMTP's.
keys() {
	{
		sed -n 's/^\.Cm //p; s/^\.It .* Ta Cm //p' "$page" | tr ' ,=' '\n'
		grep -o '[" ][A-Z_]\{3,\}=' "$tmp/commands" | tr -d '" ='
	} | grep -E '^[A-Z][A-Z_]{2,}$' | grep -Ev '^(ETRN|ATRN|TURN|PATH|PWD|OPTIONS)$' | sort -u
}
known() { sed -n 's/^\.It Cm \([A-Z_]*\) Ns.*/\1/p' "$top/man/gateway.conf.5"; }
ok 'it names keys' test "$(keys | wc -l)" -ge 25
known >"$tmp/known"
is 'every key is one of gateway.conf(5)' '' sh -c 'keys=$1; for k in $keys; do grep -qx "$k" "$2" || echo "$k"; done' - "$(keys)" "$tmp/known"

# "PROGRAM OPTION" for each long option behind one of our programs
ours='queue-list|smtp-send|etrn-request|dequeue|turn-server|turn-client|gateway-dial'
options() {
	perl -0777 -ne 's/\\?\n {9,}/ /g; s/[\x27"|();]/\n/g;
		for (split /\n/) {
			my $program;
			for (split " ") {
				$program = $1 if /^('"$ours"')$/;
				undef $program if $_ eq "--";
				print "$program $1\n" if $program && /^(--[a-z-]+)/;
			}
		}'
}
{
	options <"$tmp/commands"
	sed -n 's/^\.Ql //p' "$page" | options
} | sort -u >"$tmp/named"
man_page() { mandoc -T ascii "$top/man/$1.1" | perl -pe 's/.\010//g'; }
ok 'it names options' test "$(wc -l <"$tmp/named")" -ge 15
while read -r program option; do
	like "$program $option" "(^|[^a-z-])$option([^a-z-]|\$)" man_page "$program"
done <"$tmp/named"

is 'every file to be filled in is there' '' sh -c 'grep -o "fill [a-z-]*\.[a-z]*" "$0" | sort -u | while read -r _ f; do
	test -f "$1/share/recipes/$f" || echo "$f"; done' "$tmp/commands" "$top"
is 'and each that is there is named' '' sh -c 'for f in "$1"/share/recipes/*; do grep -q "fill ${f##*/}" "$0" || echo "$f"; done' "$tmp/commands" "$top"

# --- filled in, nothing is left of the words that stand for yours
filled() {
	{
		part Names | sed "s|^ *share=.*|share=$top/share|; s|=customer.example|=my.test|; s|=mx.isp.example|=mx.my-isp.test|
			s|=192.0.2.1|=10.9.8.7|; s|=198.51.100.7|=10.9.8.6|; s|=10.0.0.0/24|=10.7.7.0/24|"
		echo 'for f in "$share"/recipes/*; do fill "${f##*/}"; done'
	} | sh -e
}
filled >"$tmp/filled" || :
ok 'the recipes are filled in' grep -q '10.9.8.7' "$tmp/filled"
exits 'with all names' 1 grep -nE 'customer\.example|isp\.example|192\.0\.2|198\.51|10\.0\.0' "$tmp/filled"
done_testing
