# shellcheck shell=bash disable=SC2034
# sourced by */up.sh: arguments and defaults, the same for every MTA
# usage: up.sh ROOT isp|gateway
# ROOT is a disposable copy of a system tree with the MTA in it (see ../chroot.sh), or / in a container.
[ $# -eq 2 ] || { echo "usage: $0 ROOT isp|gateway" >&2; exit 64; }
ROOT=${1%/} ROLE=$2
here=$(cd "$(dirname "$0")" && pwd)
case $ROLE in
isp)     : "${LISTEN=127.0.0.21}" "${PORT=25}"   "${TARGET_HOST=127.0.0.22}" "${TARGET_PORT=2525}" ;;
gateway) : "${LISTEN=127.0.0.22}" "${PORT=2525}" "${TARGET_HOST=127.0.0.21}" "${TARGET_PORT=25}" ;;
*) echo "$0: role must be isp or gateway" >&2; exit 64 ;;
esac
: "${WORLD_HOST=127.0.0.23}" "${WORLD_PORT=2523}"   # where the ISP sends everything that is not the customer's
: "${INSTANCE=$ROLE}" "${CUSTOMER=customer.test}" "${OTHER=other.test}" "${NETWORKS=127.0.0.0/8}" "${EXPIRE=5d}" "${QRUN=300s}" "${QMAX=4000s}"
fill() { # fill IN OUT
  sed -e "s|@LISTEN@|$LISTEN|g; s|@PORT@|$PORT|g; s|@TARGET_HOST@|$TARGET_HOST|g; s|@TARGET_PORT@|$TARGET_PORT|g
          s|@INSTANCE@|$INSTANCE|g; s|@CUSTOMER@|$CUSTOMER|g; s|@OTHER@|$OTHER|g; s|@NETWORKS@|$NETWORKS|g; s|@WORLD_HOST@|$WORLD_HOST|g; s|@WORLD_PORT@|$WORLD_PORT|g; s|@EXPIRE@|$EXPIRE|g; s|@QRUN@|$QRUN|g; s|@QMAX@|$QMAX|g" "$1" > "$2"
}
in_root() { if [ -n "$ROOT" ]; then chroot "$ROOT" "$@"; else "$@"; fi; }
dev_nodes() { # a chroot may come without device nodes
  [ -n "$ROOT" ] || return 0
  for n in null:1:3 zero:1:5 random:1:8 urandom:1:9; do
    IFS=: read -r f a b <<EOF
$n
EOF
    [ -c "$ROOT/dev/$f" ] || mknod -m 666 "$ROOT/dev/$f" c "$a" "$b"
  done
}
listening() { # wait up to two minutes until LISTEN:PORT answers
  local until=$(($(date +%s) + 120))
  while [ "$(date +%s)" -le $until ]; do
    if (exec 3<>"/dev/tcp/$LISTEN/$PORT" && read -r -t 5 _ <&3 && printf 'QUIT\r\n' >&3 && read -r -t 5 _ <&3) 2>/dev/null; then return 0; fi
    sleep 0.2
  done
  echo "$0: nothing answers on $LISTEN:$PORT" >&2; return 1
}
