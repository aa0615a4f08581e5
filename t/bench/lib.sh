# What the parts of `make bench' share, beside t/mta/lib.sh: sourced first.
# shellcheck shell=sh

here=$(cd "$(dirname "$0")" && pwd)
mta=$here/../mta
. "$mta/lib.sh"

bench() { python3 "$here/bench.py" "$@"; }
say() { echo "bench: $*" >&2; }

# keep FILE...: the raw numbers, where somebody wants them
keep() { [ -z "${KEEP-}" ] || { mkdir -p "$KEEP" && cp "$@" "$KEEP"; }; }

# here_is: what the numbers were measured on, for those who compare
here_is() {
	echo "$(uname -sr), $(nproc) processors, $(date +%F)"
}
