# under TESTS SHELL [WORD]: these tests of the gateway's scripts once more, which it runs;
# with SHELLS=all (make soak) all of them.  Sourced after lib.sh.
# shellcheck shell=sh disable=SC2154
under() {
	tests=$1
	shift
	"$@" -c : 2>/dev/null || skip_all "$1 is not here"
	GATEWAY_SH="$(command -v "$1")${2:+ $2}"
	export GATEWAY_SH
	[ "${SHELLS-}" != all ] || tests='gateway gateway-due gateway-pause gateway-status gateway-probe'
	# they mostly wait
	for test in $tests; do
		{ "$top/t/$test.t" >"$tmp/$test" 2>&1; echo $? >"$tmp/$test.code"; } &
	done
	wait
	for test in $tests; do
		is "$* runs $test.t" 0 cat "$tmp/$test.code"
		grep -A20 '^not ok' "$tmp/$test" | sed 's/^/# /'
	done
	done_testing
}
