/*
 * dequeue's side of a COMMAND: records in, results out.  No spool is known
 * here: what a result means is the caller's.
 *
 * A child that dies, hangs, prints nonsense, answers twice or for what it was
 * not given costs nothing: every recipient without a result is deferred by
 * feed_next() in the end.  Memory is bounded by what is in hand and by the
 * longest line (WORKER_LINE).
 */
#ifndef SESSION_FEED_H
#define SESSION_FEED_H

#include "base/clock.h"
#include "wire/record.h"

struct feed;

struct feed_limits {
	size_t in_hand;		/* messages given and not yet answered, in all */
	size_t jobs;		/* COMMANDs at once: 1 to in_hand */
	int64_t idle_ms;	/* a COMMAND has its share in hand and nothing comes
				   for so long: it reads all before it answers */
	int64_t quiet_ms;	/* no result for so long: COMMAND hangs */
	int64_t deadline;	/* of everything */
};

/*
 * Checks that COMMAND is there: NULL with 69 not found, 77 not allowed.  It is
 * started by the first feed_give(), or here when `now`; the others when there
 * is more than those that run have no less of.
 */
struct feed *feed_new(const char *const *command, const struct feed_limits *,
    bool now, struct err *);

/*
 * Hands over one message: ref, sender, recipients (copied).  *number, below
 * in_hand, is what feed_next() calls it by; it is free again once each of its
 * recipients has met a result.  Call once for each FEED_ROOM at most.  -1: the
 * COMMAND cannot be run, nothing was given.
 */
int feed_give(struct feed *, const struct record *, size_t *number, struct err *);

/* FEED_ROOM is reported only while `fd` has something to read; -1: any time. */
void feed_watch(struct feed *, int fd);

/* No more messages will be given: the child's stdin is closed when all is written. */
void feed_no_more(struct feed *);

/*
 * The same at once: what is not yet written is dropped, results are taken for
 * `grace_ms` more, then the child is ended.  `why`, a literal, becomes the text
 * of what is unanswered.
 */
void feed_stop(struct feed *, int64_t grace_ms, const char *why);

enum {
	FEED_END,		/* all given is settled and the child is gone */
	FEED_RESULT,
	FEED_ROOM,		/* one more message may be given */
	FEED_REMARK,		/* e: 65 a line that means nothing here; else how
				   COMMAND ended.  Go on. */
	FEED_SIGNAL		/* a signal came: look, go on */
};

struct feed_event {
	size_t number;		/* which message */
	size_t rcpt;		/* index in its record; each comes once */
	const struct result *result;	/* its own ref and recipient, never `*` */
};

/*
 * Waits for the next event; the struct is filled with FEED_RESULT only and good
 * until the next call.  -1: 71, poll failed.
 *
 * Signals that the caller blocked (INT, TERM, HUP) are let in only here.
 */
int feed_next(struct feed *, struct feed_event *, struct err *);

/* COMMAND ended badly, or feed_stop(): no more was given than was answered. */
bool feed_stopped(const struct feed *);

/*
 * What to exit with at least: the worst of `!` lines and the children's exit
 * statuses (what is no sysexit counts as 75).
 */
int feed_status(const struct feed *);

/* Ends the child if it still runs. */
void feed_free(struct feed *);

#endif
