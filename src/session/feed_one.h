/* What the files of session/feed share; nobody else includes this. */
#ifndef SESSION_FEED_ONE_H
#define SESSION_FEED_ONE_H

#include "session/feed.h"
#include "session/hand.h"
#include "session/worker.h"

#define LOOK_MS 1000		/* a dead child's pipe may live on in its children */

/* One COMMAND of several. */
struct one {
	struct feed *all;
	size_t number;		/* of its first slot */
	struct hand hand;
	struct worker w;
	size_t answered;	/* recipients, by this child */
	size_t star;		/* 1 + slot that a `*` goes on with */
	bool sweeping;		/* the child is gone: who is left is deferred */
	struct result result;	/* the child's */
	struct result said;	/* the caller's; owns ref and recipient */
	struct buf text;
};

struct feed {
	const char *const *command;
	struct feed_limits limits;
	struct one *one;
	size_t n;		/* limits.jobs */
	int64_t stop_at;	/* they are ended then */
	const char *why_stop;
	int watch, status;
	bool no_more, stopped;
};

void one_init(struct one *, struct feed *, size_t number, size_t room);
void one_free(struct one *);

/* Starts it, or does what is due. */
int one_start(struct one *, struct err *);
void one_push(struct one *);
void one_late(struct one *, int64_t now);

bool one_has_room(const struct one *);

/* clock_left() until something is due. */
int one_patience(const struct one *);

/* What it says, or what its end means: an event, or 0. */
int one_event(struct one *, struct feed_event *, struct err *);

/* The last event is no longer needed. */
void one_forget(struct one *);

#endif
