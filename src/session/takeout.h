/*
 * dequeue with a COMMAND: mail is claimed under its MTA's lock, handed to
 * COMMAND, and marked as its results say.  Or with a verdict instead of one.
 */
#ifndef SESSION_TAKEOUT_H
#define SESSION_TAKEOUT_H

#include "base/seen.h"
#include "session/feed.h"
#include "session/source.h"

struct takeout_how {
	const char *tool;	/* for messages on stderr */
	const char *const *command;
	const struct result *verdict;	/* --bounce: what all of them meet; NULL */
	bool bounce;		/* what fails is reported to the sender, and done */
	struct feed_limits limits;
	bool always;		/* COMMAND runs even if there is nothing for it */
	bool dry;		/* say what would be done on stdout, do nothing */
	bool results, json;	/* on stdout, as they come */
	bool verbose;
	char end;		/* of a line on stdout */
	const struct seen *only;	/* these files; NULL: any */
};

/* Returns the exit status; everything has been told. */
int takeout(struct source *, const struct takeout_how *);

#endif
