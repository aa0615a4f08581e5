/*
 * A COMMAND at work: octets to its stdin, lines from its stdout, how it ended.
 * Nothing here waits, except worker_end() for a second or so.
 */
#ifndef SESSION_WORKER_H
#define SESSION_WORKER_H

#include "base/buf.h"
#include "base/child.h"

#define WORKER_LINE 65536	/* a longer line is nonsense */

/* All zero but for the three descriptors: none is running. */
struct worker {
	struct child child;	/* pid 0: not running */
	struct buf out, in;
	size_t drop;		/* of in: the line that was given out last */
	uint64_t queued, written;	/* octets for this child */
	int64_t last;		/* when something last went forward */
	int nap;		/* ms between looks at one that has hung up */
	bool closing;		/* it gets no more */
	bool asked;		/* because we closed its stdin, not it */
	bool skipping;		/* the rest of an endless line */
	bool gone;		/* it has ended; its last lines are in `in` */
	int code;		/* as what: a status, 128 + n for signal n */
	char why[80];		/* in words: `exited with status 1` */
};

#define WORKER_NONE { .child = { 0, -1, -1, -1 } }

/*
 * Could it be run, as execvp() will look for it?  0; -1 with 69 not there, 77
 * not allowed.
 */
int worker_find(const char *name, struct err *);

int worker_start(struct worker *, const char *const command[], struct err *);

/* Writes what goes without waiting; what it will not read is dropped. */
void worker_push(struct worker *);

/* It gets no more: what is not written yet is dropped, its stdin closed. */
void worker_hang_up(struct worker *, bool asked);

/* Reads what is there without waiting. */
void worker_pull(struct worker *);

/*
 * The next line, without its LF; good until the next call: 1.  0: none yet.  -1:
 * one longer than WORKER_LINE begins (reported once, then skipped).
 */
int worker_line(struct worker *, struct span *);

/* Sets gone when it has ended by itself. */
void worker_reap(struct worker *);

/* Ends it: gone, with FAULT_TEMP for a code and these words. */
void worker_end(struct worker *, const char *why);

void worker_free(struct worker *);	/* ends it if need be */

/* The last part of COMMAND's name. */
const char *worker_name(const char *const command[]);

#endif
