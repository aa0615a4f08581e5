/*
 * Reads many messages of a queue at once: opening a file that is in no cache costs a
 * trip to the disk, and these can be made side by side.  They come out in the order
 * in which they went in.
 */
#ifndef SESSION_AHEAD_H
#define SESSION_AHEAD_H

#include "spool/spool.h"

struct ahead;

/* One entry and what kind->read said of it. */
struct item {
	struct entry at;
	struct message m;
	struct err *e;		/* what went wrong, when r is -1; else NULL */
	int r;			/* 1, 0, -1 */
};

/* `what` is for kind->read.  Nothing is started before there are many entries. */
struct ahead *ahead_new(struct spool *, unsigned what);

/* Is there room for one more entry?  Otherwise ahead_next() has to be called. */
bool ahead_room(const struct ahead *);

/* Adds an entry, which is left empty. */
void ahead_add(struct ahead *, struct entry *);

/*
 * The next one, read; waits for it.  Owned by `ahead` until the next call, but for
 * its message: whoever keeps that leaves the struct empty.  NULL: all came out.
 */
struct item *ahead_next(struct ahead *);

/* Also in the middle: what is still under way is waited for and dropped. */
void ahead_free(struct ahead *);

#endif
