#!/bin/sh
# A drain of a copied OpenSMTPD queue, killed and failing at each of its steps.
# shellcheck disable=SC2034
. "${0%/*}/lib.sh"
. "${0%/*}/steps.sh"

"$top/t/samples/unpack" "$tmp/samples" opensmtpd
steps_kind=opensmtpd steps_from=$tmp/samples/opensmtpd/default/spool
# two of one message
steps_ids='07e48a250247f0c8 07e48a25797e045d'
# one that is put off, and one that fails
steps_ids="$steps_ids 1601722b80bd3d63 80842f228db35674"
at_each_step opensmtpd
done_testing
