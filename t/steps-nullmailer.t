#!/bin/sh
# A drain of a copied nullmailer queue, killed and failing at each of its steps.
# shellcheck disable=SC2034
. "${0%/*}/lib.sh"
. "${0%/*}/steps.sh"

"$top/t/samples/unpack" "$tmp/samples" nullmailer
steps_kind=nullmailer steps_from=$tmp/samples/nullmailer/default/spool
steps_ids='1795450564.7281 1795450565.7464 1795450564.7284'
at_each_step nullmailer
done_testing
