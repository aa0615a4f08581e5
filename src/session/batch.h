/*
 * Many messages to one or several destinations: jobs in, results out.  Connects
 * when the first job for a destination comes (where the connection is a descriptor,
 * at once, and says QUIT even if no job came), again when it was lost or used up.  A connection that cannot be had beside others is done without.
 * Gives a destination up when no server can be had at all, and after two
 * connections in a row that brought no message an answer: the rest of its jobs is
 * deferred untried.
 *
 * What the server has certainly not taken when a session ends goes on in the next
 * one; what it may have taken is deferred (`possible duplicate'), never sent again.
 */
#ifndef SESSION_BATCH_H
#define SESSION_BATCH_H

#include "session/job.h"
#include "session/route.h"
#include "session/session.h"

/* One destination.  All its recipients go to the same hosts. */
struct dest {
	struct servers servers;	/* borrowed when `given` */
	bool given;
	struct route route;
	size_t waiting;		/* pending jobs */
	size_t lanes;		/* connections */
	size_t enough;		/* so many it takes of us; 0: as many as we like */
	int barren;		/* connections without an answer, in a row */
	struct err gave_up;	/* set: nothing is tried any more */
	struct dest *next;
};

/* A domain and where its mail goes, or why it goes nowhere. */
struct domain_dest {
	char *domain;
	struct dest *dest;	/* NULL: why */
	struct err why;
};

struct lane;

struct batch {
	const struct dial *dial;
	size_t connections;	/* to a destination, at most; 0 counts as 1 */
	struct window_limit limit;
	struct job_rules rules;
	void (*told)(void *, const struct result *);
	void (*rests)(void *);	/* about to wait: what was told goes out now */
	void *arg;
	int status;		/* the worst so far */
	bool deaf;		/* set by `told`: nobody listens, stop now */
	bool stopping;		/* nothing new is begun */
	bool finishing;		/* the source has no more */
	bool keep;		/* no QUIT: the session is for batch_kept() */

	struct dest *dests;
	VEC(struct domain_dest) domains;
	VEC(struct lane *) lanes;
	struct job *first, **last;	/* pending */
	size_t pending;
};

enum { BATCH_END = 0, BATCH_JOB = 1, BATCH_NOT_YET = 2 };

/* Where jobs come from. */
struct batch_source {
	/*
	 * BATCH_JOB: batch_add() was called, or a record came to nothing;
	 * BATCH_END; BATCH_NOT_YET: come back when `fd` is readable; -1: as
	 * BATCH_END, and err.
	 */
	int (*next)(void *, struct batch *, struct err *);
	void *arg;
	int fd;
};

/* The one destination that --server or --mx name. */
struct dest *batch_dest(struct batch *, const struct servers *);

/* Where this domain's mail goes; NULL: nowhere, and *why says so (68, 75, 78). */
struct dest *batch_route(struct batch *, struct span domain,
    const struct err **why);

/* Takes the job; its dest is set. */
void batch_add(struct batch *, struct job *);

/* Tells each recipient's result and frees the job. */
void batch_tell(struct batch *, struct job *, const char *server,
    const struct err *why);

/*
 * Until the source has no more and everything is told.  A signal, the deadline or
 * `deaf` end it early: what is under way is deferred.  0, or -1 with the source's
 * error.
 */
int batch_run(struct batch *, const struct batch_source *, struct err *);

/*
 * With `keep', after batch_run(): moves the session that is still open, and has
 * nothing under way, into *to, which closes it then.  False: there is none.
 */
bool batch_kept(struct batch *, struct session *to);

void batch_free(struct batch *);

#endif
