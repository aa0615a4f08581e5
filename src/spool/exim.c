/*
 * Exim 4.  Tried with the files of 4.96; the longer IDs of 4.97 and the options
 * of 4.98 by their description in Exim's specification.
 *
 * SPOOL/input/ID-H is the envelope and the header, ID-D the body; ID-J, while a
 * delivery runs or after one died, lists addresses that are done; SPOOL/msglog/ID
 * is a log for people, the only place of reasons.  With split_spool_directory
 * each directory has 62 more in it, named by the ID's sixth character; a named
 * queue has all of that below SPOOL/NAME.
 *
 * For who may not read the files there is no listing that could stand in: `exim
 * -bp` leaves out queues with names, and rounds sizes.
 *
 * Locks: fcntl(2) on the first octets of -D.  -H is replaced by a rename, so it
 * is always whole.  Each part of the work has a file of its own: exim_*.c.
 */
#include "spool/exim.h"

const struct spool_kind spool_exim = {
	.name = "exim",
	.discover = exim_discover,
	.open = exim_open,
	.close = exim_close,
	.owns = exim_owns,
	.walk = exim_walk,
	.next = exim_next,
	.walk_end = exim_walk_end,
	.find = exim_find,
	.read = exim_read,
	.body = exim_body,
	.claim = exim_claim,
	.settle = exim_settle,
	.done = exim_done,
	.release = exim_release,
	.release_end = exim_release_end,
	.at_work = exim_at_work,
	.hold = exim_hold,
	.unhold = exim_unhold,
	.remove = exim_remove,
	.outlook = exim_outlook,
	.route = exim_route,
	.domains = exim_domains,
};
