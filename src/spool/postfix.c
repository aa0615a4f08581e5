/*
 * Postfix.  Tried with the files of 3.7.11; the format has been stable since
 * 2.x.  Locks: flock(2) on the queue file itself.  Each part of the work has a
 * file of its own: postfix_*.c.
 */
#include "spool/postfix.h"

const struct spool_kind spool_postfix = {
	.name = "postfix",
	.discover = pf_discover,
	.open = pf_open,
	.close = pf_close,
	.owns = pf_owns,
	.walk = pf_walk,
	.walk_node = pf_walk_node,
	.next = pf_next,
	.walk_end = pf_walk_end,
	.find = pf_find,
	.read = pf_read,
	.body = pf_body,
	.listing = pf_listing,
	.listed = pf_listed,
	.listing_end = pf_listing_end,
	.claim = pf_claim,
	.settle = pf_settle,
	.fail = pf_fail,
	.reports = pf_reports,
	.done = pf_done,
	.sync = pf_sync,
	.release_node = pf_release_node,
	.covers = pf_covers,
	.release = pf_release,
	.hold = pf_hold,
	.unhold = pf_unhold,
	.remove = pf_remove,
	.outlook = pf_outlook,
	.route = pf_route,
	.domains = pf_domains,
};
