#!/bin/sh
# The Debian package: built of what is committed, judged by lintian, installed into
# a Debian that has what it depends on and nothing else, where the demo runs; its
# units in one with systemd; and removed again.
# shellcheck disable=SC2016,SC2034
chroots='base systemd'
. "$(dirname "$0")/lib.sh"
for need in dpkg-buildpackage dh lintian; do
	command -v $need >/dev/null || skip_all "$need is needed (./setup mta)"
done

version=$(sed -n 's/^VERSION = //p' "$top/Makefile")
exits 'it is made' 0 "$mta/package"
deb=$(cat "$tmp/.out")
[ -f "$deb" ] || bail 'no package'
is 'lintian has nothing to say' '' lintian --tag-display-limit 0 "${deb%/*}"/*.changes
field() { dpkg-deb -f "$deb" "$1"; }
like "its version is the programs' own" "^$version-[0-9]+\$" field Version
depends() { field Depends | tr ',' '\n' | sed 's/^ *//; s/ .*//; s/t64$//' | sort | paste -s -d ' '; }
is 'it depends on the libraries alone' 'libc6 libgsasl18 libidn2-0 libjansson4 libpopt0 libssl3' depends

# files ROOT: all that is in there, the books of dpkg, apt and systemd aside
files() {
	(cd "$tmp/$1" && find . -xdev ! -path './var/lib/dpkg/*' ! -path './var/log/apt/*' \
		! -path './var/log/dpkg.log' ! -path '*/deb-systemd-helper-enabled/*' ! -path './run/systemd/*' | sort)
}
more() { files "$1" | comm -13 "$tmp/$1.before" -; }

# into CHROOT: a Debian with it
into() {
	root_of "$1" "$1"
	unpackable "$tmp/$1" "$deb"
	files "$1" >"$tmp/$1.before"
	exits "$1: dpkg -i" 0 in_chroot - "$tmp/$1" dpkg -i /tmp/tidegate.deb
}

into base
root=$tmp/base
is 'every file is there as it was packed' '' in_chroot - "$root" dpkg -V tidegate
for page in gateway-dial.1 gateway.conf.5 tidegate.7; do
	ok "$page" test -f "$root/usr/share/man/man${page##*.}/$page.gz"
done
is 'links are described in a directory that is empty' '' ls -A "$root/etc/tidegate/links"
is 'what a site may change' ' /etc/logrotate.d/tidegate' \
	sh -c 'dpkg-query --admindir="$0/var/lib/dpkg" -W -f "\${Conffiles}\n" tidegate | sed "/^\$/d; s/ [0-9a-f]*\$//"' "$root"
# of the units and hooks, the files of ours that they speak of; recipes speak of those of MTAs
paths() {
	chroot "$root" sh -c 'dpkg -L tidegate | grep "share/tidegate/\|systemd/system/" | grep -v /recipes/ |
		xargs grep -shoE "/usr/[a-z]+/[a-z/-]+[a-z]"' | sort -u
}
ok 'units and hooks speak of files' test -n "$(paths)"
for path in $(paths); do
	ok "which are there: $path" test -e "$root$path"
done

# the demo: its script and the servers made for tests from here, the programs from there
mkdir -p "$root/tmp/demo/t" "$root/tmp/demo/build"
cp -r "$top/t/demo" "$root/tmp/demo/t/demo"
mkdir "$root/tmp/demo/build/t"
cp "$(command -v sink)" "$(command -v certs)" "$root/tmp/demo/build/t" || bail 'no helpers: make check-mta makes them'
is 'the programs are those of the package' /usr/bin/gateway-dial in_chroot - "$root" \
	BUILD=/tmp/demo/build sh -c 'command -v gateway-dial'
exits 'the demo' 0 in_chroot - "$root" BUILD=/tmp/demo/build /tmp/demo/t/demo/session
"$top/t/demo/plain" "$tmp/.out" >"$tmp/said"
same 'it says what it should' "$top/t/demo/expected" "$tmp/said"
rm -rf "$root/tmp/demo"

offers() {
	in_chroot - "$root" bash -c '. /usr/share/bash-completion/completions/gateway-dial
		COMP_WORDS=(gateway-dial --stat) COMP_CWORD=1
		_tidegate && echo "${COMPREPLY[@]}"'
}
is 'bash completes their options' --status offers

# a link of the site's own
printf '%s\n' SEND=none RETRIEVE=command RETRIEVE_COMMAND=true >"$root/etc/tidegate/links/isp.conf"
exits 'a session by its name alone' 0 in_chroot - "$root" gateway-dial isp
like 'it is in the log' 'link=isp status=0' cat "$root/var/log/tidegate/sessions.log"
exits 'dpkg -r' 0 in_chroot - "$root" dpkg -r tidegate
is "leaves what is the site's and what the sessions left" './etc/logrotate.d/tidegate
./etc/tidegate
./etc/tidegate/links
./etc/tidegate/links/isp.conf
./run/tidegate
./run/tidegate/isp.lock
./var/lib/tidegate
./var/lib/tidegate/isp.state
./var/log/tidegate
./var/log/tidegate/sessions.log' more base
exits 'dpkg -P' 0 in_chroot - "$root" dpkg -P tidegate
is "leaves what the site wrote" './etc/tidegate
./etc/tidegate/links
./etc/tidegate/links/isp.conf
./run/tidegate
./run/tidegate/isp.lock' more base

into systemd
root=$tmp/systemd
units=$root/lib/systemd/system
verify() { in_chroot - "$root" sh -c 'systemd-analyze verify --man=no "$0" 2>&1' "/lib/systemd/system/$1"; }
for unit in gateway-dial@.service gateway-dial@.timer turn-server.socket turn-server@.service; do
	is "$unit is a unit" '' verify "$unit"
done
sed 's|^ExecStart=/usr/bin|&/none|' "$units/gateway-dial@.service" >"$units/wrong@.service"
like 'one that names no program would be noticed' 'none/gateway-dial is not executable' verify wrong@.service
rm "$units/wrong@.service"
enabled() { find "$root/etc/systemd" "$root/lib/systemd" -type l \( -name '*gateway*' -o -name '*turn-server*' \); }
is 'none is enabled' '' enabled
exits 'logrotate reads its part' 0 in_chroot - "$root" logrotate -d /etc/logrotate.d/tidegate
exits 'an upgrade' 0 in_chroot - "$root" dpkg -i /tmp/tidegate.deb
is 'none is enabled by it' '' enabled
exits 'a service that was enabled' 0 in_chroot - "$root" systemctl enable turn-server.socket gateway-dial@isp.timer
exits 'and then removed, with all' 0 in_chroot - "$root" dpkg -P tidegate
is 'leaves nothing' '' more systemd
done_testing
