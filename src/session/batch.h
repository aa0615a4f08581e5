/*
 * Many messages over one connection: records in, results out.  Connects when
 * the first record comes, again when the connection was lost.  Gives up when no
 * server can be had, and after two connections in a row that brought no message
 * an answer: the rest is deferred untried.
 */
#ifndef SESSION_BATCH_H
#define SESSION_BATCH_H

#include "session/send.h"
#include "session/session.h"
#include "spool/spool.h"

struct batch {
	const struct servers *servers;
	const struct dial *dial;
	struct spools known;	/* owned */
	void (*told)(void *, const struct result *);
	void *arg;

	struct session session;
	bool connected;
	int barren;		/* connections without an answer, in a row */
	struct err gave_up;	/* set: nothing is tried any more */
	int status;		/* the worst so far */
};

/* Sends one record's message; each recipient's result is told. */
void batch_record(struct batch *, const struct record *);

/* Sends this message; ref names it in the results. */
void batch_message(struct batch *, const char *ref, struct envelope *,
    struct body *);

/*
 * While the next record is awaited on `fd`: notices that the server hung up, so
 * that the next message does not meet a dead connection.
 */
void batch_rest(struct batch *, int fd);

void batch_end(struct batch *);

#endif
