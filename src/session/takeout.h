/*
 * dequeue with a COMMAND: mail is claimed under its MTA's lock, handed to
 * COMMAND, and marked as its results say.
 */
#ifndef SESSION_TAKEOUT_H
#define SESSION_TAKEOUT_H

#include "session/feed.h"
#include "session/source.h"

struct takeout_how {
	const char *tool;	/* for messages on stderr */
	const char *const *command;
	struct feed_limits limits;
	bool always;		/* COMMAND runs even if there is nothing for it */
	bool dry;		/* say what would be done on stdout, do nothing */
	bool results, json;	/* on stdout, as they come */
	bool verbose;
	char end;		/* of a line on stdout */
};

/* Returns the exit status; everything has been told. */
int takeout(struct source *, const struct takeout_how *);

#endif
