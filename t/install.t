#!/bin/sh
# make install and uninstall; the hooks, called as their systems call them.
# shellcheck source=t/lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"

root=$tmp/root
made() { make -s -C "$top" BUILD="${BUILD:-build}" "$@"; }
exits 'make install' 0 made install DESTDIR="$root" PREFIX=/usr
for program in queue-list queue-cat smtp-send etrn-request dequeue msg-sizecheck turn-client turn-server \
    gateway-dial gateway-flush gateway-etrn; do
	ok "$program" test -x "$root/usr/bin/$program"
	ok "$program in bash" test -s "$root/usr/share/bash-completion/completions/$program"
	ok "$program(1)" test -f "$root/usr/share/man/man1/$program.1"
	like "$program runs" "^$program \\(Tidegate\\) " "$root/usr/bin/$program" --version
done
ok 'tidegate-setup(7)' test -f "$root/usr/share/man/man7/tidegate-setup.7"
for recipe in "$top"/share/recipes/*; do
	same "recipe ${recipe##*/}" "$recipe" "$root/usr/share/tidegate/recipes/${recipe##*/}"
done
exits 'no place is left to be named' 1 grep -rl '@BINDIR@\|@SHAREDIR@' "$root/usr/share/tidegate"
like 'the units name our programs' '^ExecStart=/usr/bin/gateway-dial --due %i$' \
	cat "$root/usr/share/tidegate/systemd/gateway-dial@.service"
if command -v systemd-analyze >/dev/null && [ -d /run/systemd/system ]; then
	for unit in "$root"/usr/share/tidegate/systemd/*; do
		exits "${unit##*/} is a unit" 0 systemd-analyze verify "$unit"
	done
fi

# the hooks: by a gateway-dial that notes what it is asked for
mkdir -p "$tmp/links" "$tmp/fake"
printf 'INTERFACE=ppp0\n' >"$tmp/links/isp.conf"
printf 'INTERFACE=wg0\nSEND=none\n' >"$tmp/links/tunnel.conf"
printf '#!/bin/sh\necho "$*" >>"%s/calls"\n' "$tmp" >"$tmp/fake/gateway-dial"
chmod +x "$tmp/fake/gateway-dial"
hooks=$root/usr/share/tidegate/hooks
sed -i "s|/usr/share/tidegate|$root/usr/share/tidegate|; s|:/usr/bin|:$tmp/none|" "$hooks"/*
# called HOOK ARGUMENT...: by a bare environment, VARIABLE=VALUE in $with
called() {
	hook=$1
	shift
	rm -f "$tmp/calls"
	# shellcheck disable=SC2086
	env -i PATH="$tmp/fake:/usr/bin:/bin" TIDEGATE_LINKS="$tmp/links" $with "$hooks/$hook" "$@" || echo "status $?"
	[ -z "$awaited" ] || wait_for test -s "$tmp/calls"
	cat "$tmp/calls" 2>/dev/null || :
}
isp="--config=$tmp/links/isp.conf -q isp"
awaited=yes
with=
is 'link-up' "$isp" called link-up ppp0
is 'pppd' "$isp" called ppp ppp0 /dev/ttyS0 115200 192.0.2.9 192.0.2.1 isp
is 'NetworkManager' "--config=$tmp/links/tunnel.conf -q tunnel" called networkmanager wg0 up
with='IFACE=ppp0 MODE=start ADDRFAM=inet'
is 'ifupdown' "$isp" called ifupdown
is 'networkd-dispatcher' "$isp" called networkd-dispatcher
awaited=
with='IFACE=--all MODE=start'
is 'ifupdown: the end of ifup -a' '' called ifupdown
with=
is 'NetworkManager: going down' '' called networkmanager wg0 down
is 'an interface that is nobody'\''s' '' called link-up eth0
is 'a name that is none' '' called link-up '../ppp0'
rm -f "$tmp/links"/*
is 'no phone book' '' called link-up ppp0

exits 'make uninstall' 0 made uninstall DESTDIR="$root" PREFIX=/usr
is 'leaves nothing' '' find "$root" -type f -o -type l
done_testing
