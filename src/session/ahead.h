/*
 * Reads many messages of a queue at once: opening a file that is in no cache costs a
 * trip to the disk, and these can be made side by side.  They come out in the order
 * in which they went in.
 */
#ifndef SESSION_AHEAD_H
#define SESSION_AHEAD_H

#include "spool/spool.h"

struct ahead;

/*
 * What is to be done with a message that was read, by whoever has read it, many at
 * once: 1 it is meant, 0 it is not, -1 it is, and there was trouble (in err).
 * `text` is empty: what is put there comes out with the item.
 */
typedef int ahead_digest(const void *arg, struct spool *, struct message *,
    struct buf *text, struct err *);

/* One entry and what became of it. */
struct item {
	struct entry at;
	struct message m;	/* empty unless r is 1 and messages are kept */
	struct buf text;
	struct err *e;		/* trouble; NULL: none */
	int r;			/* 1 read and meant, 0 not, -1 it could not be read */
};

/*
 * `what` is for kind->read; with `text_only` the message is freed once it was
 * digested.  Nothing is started before there are many entries.
 */
struct ahead *ahead_new(struct spool *, unsigned what, ahead_digest *, const void *arg,
    bool text_only);

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
