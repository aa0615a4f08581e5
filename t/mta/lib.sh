# What the tests with real MTAs share: sourced first by t/mta/*.t.
#
# Such a test runs itself again inside a pid, a mount and a network namespace of
# its own.  When the first process in there ends, however it ends, the kernel
# takes all the others with it, and with them mounts, interfaces and named
# network namespaces.  Only the directory is left, and the outer one removes it.
#
# $chroots, set before, names the chroots that the test wants (see chroot.sh).
# shellcheck shell=sh

mta=${mta-$(cd "$(dirname "$0")" && pwd)}

alone() {
	alone_why=
	[ "$(id -u)" = 0 ] || alone_why='root is needed'
	for alone_need in unshare ip debootstrap python3 bash openssl; do
		command -v $alone_need >/dev/null || alone_why="$alone_need is needed"
	done
	[ -c /dev/net/tun ] || alone_why='/dev/net/tun is needed'
	[ -z "$alone_why" ] || { echo "1..0 # SKIP $alone_why"; exit 0; }
	# while there still is a network to fetch it from
	for alone_root in ${chroots-postfix}; do
		"$mta/chroot.sh" "$alone_root" >/dev/null || { echo 'Bail out!  no chroot'; exit 1; }
	done
	alone_dir=$(mktemp -d "${TMPDIR:-/tmp}/tgmta.XXXXXX") || exit
	trap 'rm -rf "$alone_dir" 2>/dev/null || { wait; rm -rf "$alone_dir"; }' EXIT
	trap 'kill -KILL $alone_pid 2>/dev/null; exit 130' INT TERM HUP
	mkdir -p /run/netns
	MTA_ALONE=1 TMPDIR=$alone_dir setpriv --pdeathsig KILL \
		unshare --mount --pid --net --fork --kill-child --mount-proc \
		"$0" "$@" </dev/null &
	alone_pid=$!
	wait $alone_pid
	exit
}

[ "${MTA_ALONE-}" ] || alone "$@"
mount -t tmpfs tmpfs /run/netns
ip link set lo up
# Postfix's master logs through a socket that its own child reads: while that one
# is started anew (reload) ten lines fill it, and all of Postfix waits for ever.
echo 1024 >/proc/sys/net/unix/max_dgram_qlen

. "$mta/../lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export PYTHONDONTWRITEBYTECODE=1

diag() { sed 's/^/# /'; }
mail() { python3 "$mta/mail.py" "$@"; }

# Nothing can be said any more.
bail() { echo "Bail out!  $*"; exit 1; }

# root_of NAME [CHROOT]: $tmp/NAME becomes a copy of that chroot (postfix)
root_of() {
	mta_ready=$("$mta/chroot.sh" "${2-postfix}") || bail 'no chroot'
	cp -a --reflink=auto "$mta_ready" "$tmp/$1" || bail "no copy of $mta_ready"
}

# install_into ROOT: our programs, as a user would install them
install_into() {
	make -C "$top" DESTDIR="$1" PREFIX=/usr install >"$tmp/install.log" 2>&1 || {
		diag <"$tmp/install.log"
		bail "make install DESTDIR=$1 failed"
	}
}

# unpackable ROOT DEB: it lies there as /tmp/tidegate.deb, and man pages, which a chroot
# leaves out, would be unpacked
unpackable() {
	rm -f "$1/etc/dpkg/dpkg.cfg.d/lean"
	cp "$2" "$1/tmp/tidegate.deb"
}

# install_package ROOT: the same programs by the Debian package
install_package() {
	mta_deb=$("$mta/package") || bail 'no package'
	unpackable "$1" "$mta_deb"
	in_chroot - "$1" dpkg -i /tmp/tidegate.deb >"$tmp/install.log" 2>&1 || {
		diag <"$tmp/install.log"
		bail "dpkg -i failed in $1"
	}
}

# For sh -c, with a root as $0 and a command as "$@": in there, with a /proc and
# a /sys that show our network namespace.  Wants a mount namespace of its own.
# The environment is a bare one; NAME=value may stand before the command.
# shellcheck disable=SC2016
enter='mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" &&
	exec chroot "$0" /usr/bin/env -i LC_ALL=C \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"'

# in_chroot NETNS ROOT COMMAND...: that, in this network namespace (-: in ours)
in_chroot() {
	mta_ns=$1
	shift
	case $mta_ns in
	-) unshare --mount sh -c "$enter" "$@" ;;
	*) ip netns exec "$mta_ns" sh -c "$enter" "$@" ;;
	esac
}

# pf ROOT INSTANCE COMMAND...: one of Postfix's own commands on that instance
pf() {
	mta_root=$1 mta_conf=/etc/postfix-$2
	shift 2
	chroot "$mta_root" env MAIL_CONFIG="$mta_conf" "$@"
}

# queue ROOT INSTANCE: what waits there, "ID RECIPIENT QUEUE"
queue() { pf "$1" "$2" postqueue -j | mail waiting; }

# queue_is FILE ROOT INSTANCE: that and nothing else waits there
queue_is() { queue "$2" "$3" >"$tmp/.queue" && cmp -s "$1" "$tmp/.queue"; }

# logged ROOT INSTANCE ERE: how often the log of that Postfix says so
logged() { grep -Ec -e "$3" "$1/var/log/postfix-$2.log"; }

# locked FILE: somebody works on it, though it may look as if he were done
locked() { mta_inode=$(stat -c :%i "$1" 2>/dev/null) && grep -q "$mta_inode " /proc/locks; }

# in_peace KIND:DIR: the MTA has nothing of that queue in hand
in_peace() {
	[ "$(queue-list --spool="$1" --state=incoming,active --count)" = 0 ] || return
	queue-list --spool="$1" --records | cut -f1 | sed 's/-H$/-D/' >"$tmp/.refs"
	while read -r mta_ref; do
		! locked "$mta_ref" || return
	done <"$tmp/.refs"
}

# equals WANT COMMAND...: for wait_for
equals() {
	mta_want=$1
	shift
	[ "$("$@")" = "$mta_want" ]
}
