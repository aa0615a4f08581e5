# inside ROOT COMMAND...: in the chroot, with a /proc of ours
# shellcheck shell=sh
inside() {
	unshare --mount sh -c 'mount -t proc proc "$0/proc" 2>/dev/null
		exec chroot "$0" /usr/bin/env -i LC_ALL=C \
		PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' "$@"
}
