/* --wait: what became of messages after their MTA was told to deliver them. */
#ifndef SESSION_ORDER_WAIT_H
#define SESSION_ORDER_WAIT_H

#include "session/order.h"

struct released_one {
	struct spool *spool;
	char *id;
	size_t node;		/* by whose command */
	enum state state;	/* as they were before */
	int64_t mtime, arrival;
	dev_t dev;
	ino_t ino;
	int64_t attempts, last_attempt;
	int64_t seen;		/* mtime at the last look; 0: none */
	bool worked;		/* its MTA was seen at it */
	bool over;
};

struct released { struct released_one *p; size_t n, room; };	/* a VEC */

struct stay { long long left, stayed; };

void released_add(struct released *, struct spool *, const struct message *,
    size_t node);

/* Takes out those of this queue. */
void released_forget(struct released *, const struct spool *);

/* Takes out those from index `start` on whose node is `node` or more. */
void released_cut(struct released *, size_t start, size_t node);

/*
 * Until each has left its queue, or was tried again and is back, or the time is
 * over or a signal comes.  A line on stderr for each that stayed; with
 * how->verbose for each that left, too.
 */
void released_watch(struct released *, const struct order_how *, struct stay *);

void released_free(struct released *);

#endif
