#!/bin/sh
# What is below /var/mail has mail delivered into it, however deep.
# shellcheck disable=SC2034
chroots=dma
. "$(dirname "$0")/lib.sh"
. "$mta/list.sh"

kind=dma
list_root
mkdir -p "$root/var/mail/j/jo" "$root/home/joe"
printf 'From a@x.test Mon Jan  1 00:00:00 2024\nDelivered-To: b@y.test\n\nhi\n' >"$root/var/mail/joe"
for file in var/mail/j/joe var/mail/j/jo/joe home/joe/copy; do cp "$root/var/mail/joe" "$root/$file"; done
drain() { in_chroot - "$root" dequeue --spool="mbox:$1" --all -- sh -c 'cat >/dev/null; exit 75'; }
for file in joe j/joe j/jo/joe; do
	exits "/var/mail/$file is left alone" 69 drain "/var/mail/$file"
	is 'as it was' '' diff "$root/home/joe/copy" "$root/var/mail/$file"
	exits 'by its other name, too' 69 drain "/var/spool/mail/$file"
done
exits 'a copy is drained' 75 drain /home/joe/copy
done_testing
