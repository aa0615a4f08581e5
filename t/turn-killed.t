#!/bin/sh
# turn-server's processes are killed in the middle of a drain, one at a time: nothing is
# lost, nothing stays behind that would stop the next session, and others' mail is theirs.
# shellcheck shell=sh source=t/lib.sh disable=SC2034
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all 'no python3'
export PYTHONDONTWRITEBYTECODE=1
# shellcheck source=t/hostile.sh
. "$(dirname "$0")/hostile.sh"
hostile=bad_customer.py

printf 'alice: one.test\nbob: other.test\n' >"$tmp/customers"
printf 'alice:{PLAIN}secret\nbob:{PLAIN}other\n' >"$tmp/users"
chmod 600 "$tmp/users"
world() {
	mkdir -p "$1/md/new" "$1/md/cur" "$1/md/tmp" "$1/run"
	cp -p "$tmp/customers" "$tmp/users" "$1"
	printf 'Return-Path: <a@x.test>\nDelivered-To: b@one.test\nSubject: x\n\nhi\n' >"$1/md/new/m1"
	printf 'Return-Path: <a@x.test>\nDelivered-To: b@other.test\nSubject: x\n\nhi\n' >"$1/md/new/m2"
}
# ends WHO: what came in both sessions; the first verdict may not have been heard
ends() {
	for moment in before behind; do
		meets "killed_${1}_$moment" >"$tmp/said" || return
		sed -n '1p; s/^[12] came$/once or twice/p; /left$/p; /^waits/p' "$tmp/said"
	done
}
turns='250 2.0.0 OK now reversing the connection'
for who in parent network dequeue smtp-send; do
	is "$who is killed, before the verdict and behind it" "$turns
once or twice
waits: m2
$turns
once or twice
waits: m2" ends "$who"
done
done_testing
