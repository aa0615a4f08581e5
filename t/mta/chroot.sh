#!/bin/sh
# chroot.sh NAME: a Debian with that in it; prints its directory.
#
#	base		what all the others begin as
#	postfix		Postfix
#	postfix-auth	Postfix with Cyrus SASL and Dovecot (its SASL and its LMTP)
#	exim		Exim with Dovecot's SASL
#	sendmail	Sendmail with Cyrus SASL
#	opensmtpd	OpenSMTPD 7 or later
#	opensmtpd-6	OpenSMTPD 6.8, where no TLS handshake ever succeeds, because
#			it was not made for OpenSSL 3
#	systemd		systemd, to look at our units, and logrotate
#	nullmailer, dma, courier, fetchmail	what their names say
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
suite=${suite:-$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME")} ||
	suite=bookworm

# what our own programs need at run time, and what every test wants
base='procps libpopt0 libjansson4 libidn2-0 libssl3 libgsasl18'
cyrus='sasl2-bin libsasl2-modules'

# Servers that none of our programs runs beside are the same everywhere, in the
# versions that servers.sh speaks the language of (Dovecot's changed in 2.4).
case ${1-} in
postfix-auth|exim|sendmail|opensmtpd-6|nullmailer|dma|courier|fetchmail) suite=bookworm ;;
opensmtpd) suite=trixie ;;
esac

case ${1-} in
base) packages= ;;
postfix) packages='postfix postfix-lmdb' ;;
postfix-auth) packages="postfix postfix-lmdb dovecot-lmtpd $cyrus" ;;
exim) packages='exim4-daemon-heavy dovecot-core' ;;
sendmail) packages="sendmail-bin sendmail-cf $cyrus" ;;
opensmtpd|opensmtpd-6) packages=opensmtpd ;;
nullmailer|dma|fetchmail) packages=$1 ;;
courier) packages=courier-mta ;;
systemd) packages='systemd logrotate' ;;
*)
	echo "usage: $0 base|postfix|postfix-auth|exim|sendmail|opensmtpd|opensmtpd-6|nullmailer|dma|courier|fetchmail|systemd" >&2
	exit 64 ;;
esac
key=$(echo "$suite $base $packages 2" | sha256sum | cut -c1-12)
ready=$cache/$1-$key

# It is copied for every test: what nobody reads there is not unpacked at all.
lean() {
	printf 'path-exclude=/usr/share/%s/*\n' doc man locale info lintian
	echo force-unsafe-io
}

bare() {
	debootstrap --variant=minbase "$suite" "$1" "$mirror"
	lean >"$1/etc/dpkg/dpkg.cfg.d/lean"
	rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale
	# nothing is started by installing it
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
	chmod +x "$1/usr/sbin/policy-rc.d"
	echo mx.test >"$1/etc/hostname"
	echo mx.test >"$1/etc/mailname"
	echo '127.0.0.1 localhost mx.test mx' >"$1/etc/hosts"
}

build() {
	name=$1 root=$2
	case $name in
	base) bare "$root"; packages=$base ;;
	*) cp -a --reflink=auto "$3" "$root" ;;
	esac
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	mount -t proc proc "$root/proc"
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive chroot "$root" \
		apt-get install -y --no-install-recommends $packages
	umount "$root/proc"
	: >"$root/etc/resolv.conf"
	rm -rf "$root"/var/cache/apt/* "$root"/var/log/*.log
	[ "$name" = base ] || rm -rf "$root"/var/lib/apt/lists/*
}

if [ "${2-}" = --build ]; then	# from below, in the new namespaces
	build "$1" "$3" "${4-}" >"$cache/$1.log" 2>&1 </dev/null
	exit
fi

mkdir -p "$cache"
below=
[ "$1" = base ] || [ -d "$ready" ] || below=$(suite=$suite "$0" base)
exec 9>"$cache/.lock"
flock 9
if [ ! -d "$ready" ]; then
	rm -rf "$cache/.making."*	# left by one that was killed
	half=$cache/.making.$$
	trap 'rm -rf "$half"' EXIT
	trap 'exit 130' INT TERM HUP
	unshare --mount --pid --fork --kill-child \
		"$0" "$1" --build "$half" "$below" 9>&- || {
		echo "$0: building $ready failed; see $cache/$1.log" >&2
		tail -5 "$cache/$1.log" >&2
		exit 75
	}
	mv -T "$half" "$ready"
fi
echo "$ready"
