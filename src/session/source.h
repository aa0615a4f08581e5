/*
 * Where the messages come from that something is to be done to: the queues, IDs
 * and refs, or records on stdin.
 */
#ifndef SESSION_SOURCE_H
#define SESSION_SOURCE_H

#include "session/stdin.h"
#include "spool/select.h"
#include "spool/spool.h"

#define SOURCE_SPOOLS 256	/* refs may lie in so many more queues */

/* One of them.  All zero is an empty one. */
struct wanted {
	struct spool *spool;	/* stays where it is */
	struct entry entry;
	struct record record;	/* ref is NULL when it came from no record */
};

enum fit {
	FIT_NO,			/* not meant, or nothing is left to do */
	FIT_YES,
	FIT_CHANGED		/* no longer the message the record meant */
};

struct source {
	struct spools *spools;
	const struct select *select;
	bool records;
	struct lines lines;	/* of stdin */
	struct walk *walk;
	const struct spool *only;	/* of the queues this one; NULL: all */
	size_t spool, id;	/* what comes next */
	bool denied;		/* part of the queue, as was said */
	bool found;		/* the ID, in a queue before that one */
	bool had;		/* it was looked for in that one */
};

/* Borrows what it is given.  `records`: from stdin, lines ending in `end`. */
void source_init(struct source *, struct spools *, const struct select *,
    bool records, char end);

/* Looks at the queues once more. */
void source_again(struct source *);
void source_free(struct source *);

enum { SOURCE_END = 0, SOURCE_ONE = 1, SOURCE_NOT_YET = 2, SOURCE_GONE = 3 };

/*
 * The next message's place, in `w` (freed or empty before).  SOURCE_NOT_YET:
 * stdin had no whole line; come back when source_fd() is readable, or at once to
 * wait.  SOURCE_GONE: the record's message is gone.  -1: one that cannot be
 * looked at, or a `!` line, whose status is the fault; the next can.  Of a queue that
 * may not be looked at only the first such part is told, with what to do.
 */
int source_next(struct source *, struct wanted *, struct err *);

/* stdin while nothing more of it is here; -1: the next call will not wait. */
int source_fd(const struct source *);

/*
 * Is the message that was read there meant?  Sets `selected` of its recipients.
 * `twice`: it was before it was claimed; the reason need not be known now.
 */
enum fit source_fits(const struct source *, const struct wanted *,
    struct message *, bool twice);

/* Does it also wait for recipients who are not selected? */
bool source_mixed(const struct message *);

/* What to call it in messages to people. */
const char *message_label(const struct message *);

/*
 * The record of its selected recipients.  Its strings are the message's; only
 * rcpts has to be freed, with vec_free().
 */
void message_record(const struct message *, struct record *);

void wanted_free(struct wanted *);

#endif
