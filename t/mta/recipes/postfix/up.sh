#!/bin/bash
# up.sh ROOT isp|gateway: start one Postfix instance from the recipe. See ../vars.sh for the variables.
set -eu
. "$(dirname "$0")/../vars.sh"
dev_nodes
c=$ROOT/etc/postfix-$INSTANCE
mkdir -p "$c" "$ROOT/var/lib/postfix-$INSTANCE" "$ROOT/var/spool/postfix-$INSTANCE" "$ROOT/var/mail/$INSTANCE" "$ROOT/var/log"
cp -p "$ROOT"/etc/postfix/dynamicmaps.cf "$c"/ 2>/dev/null || :
fill "$here/$ROLE/main.cf.in" "$c/main.cf"
fill "$here/$ROLE/master.cf.in" "$c/master.cf"
: >> "$ROOT/var/log/postfix-$INSTANCE.log"
in_root chown postfix "/var/lib/postfix-$INSTANCE"
in_root chown 8:8 "/var/mail/$INSTANCE"
in_root postfix -c "/etc/postfix-$INSTANCE" start </dev/null || {
  # without a terminal and without syslog Postfix dies silently: ask it again with one
  script -qc "chroot '${ROOT:-/}' postfix -c /etc/postfix-$INSTANCE check" /dev/null >&2
  tail -5 "$ROOT/var/log/postfix-$INSTANCE.log" >&2; exit 1
}
listening
echo "postfix $INSTANCE: pid $(tr -d ' ' < "$ROOT/var/spool/postfix-$INSTANCE/pid/master.pid") on $LISTEN:$PORT"
