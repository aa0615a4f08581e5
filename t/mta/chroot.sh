#!/bin/sh
# chroot.sh NAME: a Debian with that MTA in it; prints its directory.
#
# Made once, from Debian's packages, and kept in $TIDEGATE_CACHE under a name
# that carries a hash of the package list: another list is another chroot.
# It appears under that name by a rename when it is whole, so a half-made one
# is never taken for a ready one.  Tests use copies of it (see lib.sh).
#
# The building happens in a mount namespace of its own: what is mounted
# meanwhile goes away with the last process in there, however that ends.
set -eu

cache=${TIDEGATE_CACHE:-/var/cache/tidegate-chroots}
mirror=${TIDEGATE_MIRROR:-http://deb.debian.org/debian}

# The distribution of this machine, where that is Debian, because the programs
# are built here and run in there.
suite=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") ||
	suite=bookworm

# what our own programs need at run time
ours='libpopt0 libjansson4 libidn2-0 libssl3'

case ${1-} in
postfix) packages="postfix postfix-lmdb procps $ours" ;;
*) echo "usage: $0 postfix" >&2; exit 64 ;;
esac
key=$(echo "$suite $packages 1" | sha256sum | cut -c1-12)
ready=$cache/$1-$key

build() {
	root=$1
	debootstrap --variant=minbase "$suite" "$root" "$mirror"
	# nothing is started by installing it
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	echo mx.test >"$root/etc/hostname"
	echo mx.test >"$root/etc/mailname"
	echo '127.0.0.1 localhost mx.test mx' >"$root/etc/hosts"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	mount -t proc proc "$root/proc"
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive chroot "$root" \
		apt-get install -y --no-install-recommends $packages
	umount "$root/proc"
	: >"$root/etc/resolv.conf"
	# it is copied for every test
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* \
		"$root"/usr/share/doc "$root"/usr/share/man \
		"$root"/usr/share/locale "$root"/var/log/*.log
}

if [ "${2-}" = --build ]; then	# from below, in the new namespaces
	build "$3" >"$cache/$1.log" 2>&1 </dev/null
	exit
fi

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
if [ ! -d "$ready" ]; then
	rm -rf "$cache/.making."*	# left by one that was killed
	half=$cache/.making.$$
	trap 'rm -rf "$half"' EXIT
	trap 'exit 130' INT TERM HUP
	unshare --mount --pid --fork --kill-child \
		"$0" "$1" --build "$half" 9>&- || {
		echo "$0: building $ready failed; see $cache/$1.log" >&2
		tail -5 "$cache/$1.log" >&2
		exit 75
	}
	mv -T "$half" "$ready"
fi
echo "$ready"
