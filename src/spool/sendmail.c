/*
 * Sendmail 8.  Tried with the files of 8.17.1 (V8 of the format, as since 8.12).
 *
 * qfID is envelope and header, a line an item, its first letter says what; dfID is
 * the body.  hfID is a qf in quarantine, QfID one that Sendmail refused to touch.
 * In a queue directory they lie side by side or in directories qf, df and xf.  One
 * configuration may have many queue directories, below one or not.
 *
 * Whoever is done is no longer in the qf: nobody knows who that was.
 *
 * Locks: the whole qf, by flock(2) or fcntl(2) as it was built.  It is replaced by
 * a rename.  `mailq' cuts addresses off and gives no dates to the second, so it does
 * not stand in for files that may not be read.
 */
#include "spool/sendmail.h"

const struct spool_kind spool_sendmail = {
	.name = "sendmail",
	.discover = sm_discover,
	.together = true,
	.open = sm_open,
	.close = sm_close,
	.owns = sm_owns,
	.walk = sm_walk,
	.next = sm_next,
	.walk_end = sm_walk_end,
	.find = sm_find,
	.read = sm_read,
	.body = sm_body,
	.claim = sm_claim,
	.settle = sm_settle,
	.done = sm_done,
	.release = sm_release,
	.release_end = sm_release_end,
	.hold = sm_hold,
	.unhold = sm_unhold,
	.remove = spool_take_away,
	.outlook = sm_outlook,
	.route = sm_route,
};
