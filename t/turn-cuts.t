#!/bin/sh
# A session of turn-client with turn-server, cut at each of so many octets from either
# side, in the clear and in TLS: no letter is lost, none comes twice but what was in flight.
# shellcheck shell=sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"
command -v python3 >/dev/null || skip_all 'no python3'

echo 'gw: one.test' >"$tmp/customers"
echo 'gw:{PLAIN}secret' >"$tmp/users"
echo secret >"$tmp/pass"
chmod 600 "$tmp/users" "$tmp/pass"
# cut STEP [CERTIFICATE]
cut_all() {
	"$top/t/tool/turncut.py" "$tmp" "$1" "${2-}" >"$tmp/told"
	tail -n 1 "$tmp/told" | sed 's/^/# /' >&2
	sed '$d' "$tmp/told"
	grep -Eq '^[0-9]+ sessions, ' "$tmp/told"
}
step=${CUT_STEP:-20}
is 'in the clear' '' cut_all "$step"
is 'in TLS' '' cut_all "$((step * 3))" "$pki/good.pem"
done_testing
