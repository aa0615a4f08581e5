#!/bin/sh
# A drain of a copied Sendmail queue, killed and failing at each of its steps.
# shellcheck disable=SC2034
. "${0%/*}/lib.sh"
. "${0%/*}/steps.sh"

"$top/t/samples/unpack" "$tmp/samples" sendmail
steps_kind=sendmail steps_from=$tmp/samples/sendmail/default/spool
steps_ids=$(queue-list --spool=sendmail:"$steps_from" --state=deferred -j |
	perl -MJSON::PP -ne '$m = decode_json($_); print "$m->{queue_id} " if @{$m->{recipients}} > 1' |
	cut -d' ' -f1-3)
steps_every=2
steps_never='tf*'	# Sendmail would wait for whoever writes it
at_each_step sendmail
leftovers() { steps_drain >/dev/null 2>&1; find "$steps_dir" -name 'tidegate*'; }
is 'sendmail: no file is left half written' '' leftovers
done_testing
