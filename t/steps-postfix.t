#!/bin/sh
# A drain of a copied Postfix queue, killed and failing at each of its steps.
# shellcheck disable=SC2034
. "${0%/*}/lib.sh"
. "${0%/*}/steps.sh"

"$top/t/samples/unpack" "$tmp/samples" postfix
steps_kind=postfix steps_from=$tmp/samples/postfix/default/spool
steps_ids=$(queue-list --spool=postfix:"$steps_from" --state=deferred -j |
	perl -MJSON::PP -ne '$m = decode_json($_); print "$m->{queue_id} " if @{$m->{recipients}} > 1' |
	cut -d' ' -f1-3)
at_each_step postfix
done_testing
