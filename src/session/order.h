/*
 * dequeue without COMMAND: the MTA is told what to do with whole messages, by
 * its own commands.
 */
#ifndef SESSION_ORDER_H
#define SESSION_ORDER_H

#include "base/seen.h"
#include "session/source.h"

enum order { ORDER_RELEASE, ORDER_HOLD, ORDER_UNHOLD, ORDER_REMOVE };

struct order_how {
	enum order order;
	const char *tool;	/* for messages on stderr */
	int64_t wait_ms;	/* release: stay and see, so long at most; -1: do not */
	bool whole;		/* also for recipients that are not selected */
	bool dry;		/* say what would be done on stdout, do nothing */
	bool verbose;
	char end;		/* of a line on stdout */
	const struct seen *only;	/* these files; NULL: any */
};

/* Returns the exit status; everything has been told. */
int order(struct source *, const struct order_how *);

#endif
