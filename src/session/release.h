/* dequeue without COMMAND: the MTA is told to deliver now. */
#ifndef SESSION_RELEASE_H
#define SESSION_RELEASE_H

#include "session/source.h"

struct release_how {
	const char *tool;	/* for messages on stderr */
	int64_t wait_ms;	/* stay and see, so long at most; -1: do not */
	bool whole;		/* also for recipients that are not selected */
	bool dry;		/* say what would be done on stdout, do nothing */
	bool verbose;
	char end;		/* of a line on stdout */
};

/* Returns the exit status; everything has been told. */
int release(struct source *, const struct release_how *);

#endif
