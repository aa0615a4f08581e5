#!/bin/sh
# A drain of a Maildir, killed and failing at each of its steps.
# shellcheck disable=SC2034
. "${0%/*}/lib.sh"
. "${0%/*}/steps.sh"

mkdir -p "$tmp/md/new" "$tmp/md/cur" "$tmp/md/tmp"
letter() {
	name=$1
	shift
	printf 'Return-Path: <s@x.test>\n' >"$tmp/md/new/$name"
	for r; do printf 'Delivered-To: %s\n' "$r"; done >>"$tmp/md/new/$name"
	printf 'Subject: %s\n\nhello\n' "$name" >>"$tmp/md/new/$name"
}
letter 1001.m.host ann@y.test bob@later.test carla@y.test e@c.test
letter 1002.m.host ann@y.test
letter 1003.m.host bob@later.test e@c.test
letter 1004.m.host other@y.test
steps_kind=maildir steps_from=$tmp/md
steps_ids='1001.m.host 1002.m.host 1003.m.host'
at_each_step maildir
done_testing
