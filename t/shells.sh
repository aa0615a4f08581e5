# under SHELL [WORD]: the tests of the gateway's scripts once more, which it runs.
# Sourced after lib.sh.
# shellcheck shell=sh disable=SC2154
under() {
	"$@" -c : 2>/dev/null || skip_all "$1 is not here"
	GATEWAY_SH="$(command -v "$1")${2:+ $2}"
	export GATEWAY_SH
	for test in gateway gateway-due gateway-status gateway-probe; do
		"$top/t/$test.t" >"$tmp/$test" 2>&1
		is "$* runs $test.t" 0 echo $?
		grep -A20 '^not ok' "$tmp/$test" | sed 's/^/# /'
	done
	done_testing
}
