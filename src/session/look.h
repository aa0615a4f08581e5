/*
 * Looking at queues without touching them: every message that is meant, from all
 * queues, from IDs and refs, from records on stdin.  Where the files may not be read
 * and the MTA's own listing tells the truth, that stands in for them.
 */
#ifndef SESSION_LOOK_H
#define SESSION_LOOK_H

#include "spool/select.h"

struct look {
	const char *advice;	/* to whoever may not read a queue */
	struct spools *spools;	/* queues of refs are added */
	const struct select *select;
	unsigned reads;		/* for kind->read */
	unsigned needs;		/* LACKS_... without which a message is of no use */
	char end;		/* of the lines on stdin */

	/* NULL: messages are always read.  Otherwise an entry that is sure to be a
	   message, while nothing is selected by content, is only named. */
	void (*name)(struct spool *, const struct entry *);

	/* NULL, or: `text' makes the text of a message, by several threads at once,
	   and `line' is called with it, in order, instead of each() with the
	   message; only where many are gone through.  -1: told as trouble, too. */
	int (*text)(const struct spool *, const struct message *, struct buf *,
	    struct err *);
	void (*line)(struct span);

	void (*each)(struct spool *, struct message *);	/* takes the message */
	void (*trouble)(const struct err *);	/* the rest is still looked at */
	bool (*enough)(void);	/* no more is wanted */
};

/* All of a queue. */
void look_through(const struct look *, struct spool *);

/* An ID in all queues, or an absolute ref wherever it lies. */
void look_operand(const struct look *, const char *);

/* Records and refs, to the end: trouble upstream stands in the last line. */
void look_stdin(const struct look *);

#endif
