#!/bin/sh
# Two hundred who only hold a connection to turn-server, and fifty who fetch mail at the
# same time: nobody is refused, each gets what is his, no session is large.
# shellcheck shell=sh source=t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=t/tls.sh
. "$(dirname "$0")/tls.sh"
command -v python3 >/dev/null || skip_all 'no python3'
idle=200 working=50
# a sanitizer's programs are ten times as large
case ${BUILD:-build} in *asan*) HEAVY=1 idle=20 working=5; export HEAVY ;; esac
export TIDEGATE_RUN="$tmp/run" PYTHONDONTWRITEBYTECODE=1

mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp" "$tmp/run"
i=0
while [ $i -lt $working ]; do
	echo "c$i: d$i.test" >>"$tmp/customers"
	echo "c$i:{PLAIN}secret" >>"$tmp/users"
	for k in 0 1 2 3 4; do
		printf 'Return-Path: <a@x.test>\nDelivered-To: u@d%d.test\nSubject: c%d %d\n\nhi\n' $i $i $k \
			>"$tmp/md/new/c$i.$k"
	done
	i=$((i + 1))
done
chmod 600 "$tmp/users"

crowd() {
	timeout 500 "$top/t/tool/crowd.py" "$tmp" $idle $working 2>"$tmp/figures"
	crowd_code=$?
	cat "$tmp/figures" >&2
	return $crowd_code
}
is "$idle idle and $working working ones at once" "$((idle + working)) greeted
$working known
$working turned
$working have their letters, and no others
$idle were there all the time
$((idle + working)) ended well
left: " crowd
sed 's/^\([^#]\)/# \1/' "$tmp/figures"
# a failure tells what it saw without -v, too
[ $tap_bad = 0 ] || sed 's/^/# /' "$tmp/.out" "$tmp/figures" >&2
done_testing
