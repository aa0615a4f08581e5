#!/bin/sh
# A drain of a copied Exim queue, killed and failing at each of its steps.
# shellcheck disable=SC2034
. "${0%/*}/lib.sh"
. "${0%/*}/steps.sh"

"$top/t/samples/unpack" "$tmp/samples" exim
steps_kind=exim steps_from=$tmp/samples/exim/default/spool
# both of one delivered; one of the other, the other one refused
steps_ids='1xVWxQ-0002xY-1Z 1xVWxM-0002tC-0t'
at_each_step exim
# the next run of any message sweeps
leftovers() { steps_ids=--all; steps_drain >/dev/null 2>&1; find "$steps_dir" -name 'tidegate*'; }
is 'exim: nothing of ours is left in the end' '' leftovers
done_testing
