/* What the files of session/takeout share; nobody else includes this. */
#ifndef SESSION_TAKEOUT_JOB_H
#define SESSION_TAKEOUT_JOB_H

#include "session/bounce.h"
#include "session/takeout.h"
#include "session/undone.h"

/* A message of ours, in the slot of its number. */
struct taken {
	struct spool *spool;
	char *ref;		/* as it was found: a claim may move it */
	struct message m;
	struct claimed *claimed;
	VEC(size_t) rcpts;	/* of the record: index in m */
	size_t left;		/* not settled; 0: the slot is free */
	struct failings failed;	/* with how->bounce: reported in the end */
	bool served;		/* a recipient has it, or was reported */
	bool unmarked;		/* a recipient of it, or its end */
};

/* So many messages that were served and could not be marked: no more is given. */
#define UNMARKED_MAX 3

struct job {
	struct source *source;
	const struct takeout_how *how;
	struct feed *feed;
	struct taken *taken;
	long long chosen, delivered, deferred, failed, bounced;
	long long odd;		/* lines of COMMAND that are no result */
	struct undone undone;
	bool stopping;
	bool exhausted;		/* the selection, or COMMAND, has no more */
	bool hangs;		/* the sendmail that takes reports */
	bool mute;		/* stdout cannot be written */
	size_t unsafe;		/* results since kind->sync() */
	int unmarked;		/* messages that were served */
	int status;
};

/* Tells, and remembers for the exit status. */
void takeout_trouble(struct job *, struct err *);

/* A line to stdout. */
void takeout_put(struct job *, const struct buf *line);

/*
 * What source_next() gave: 1 and it is ours, in `t`, or shown if that is all that
 * was asked; 0 not meant, or not to be had: told and counted where that is due.
 */
int takeout_claim(struct job *, struct wanted *, struct taken *t);

/* One recipient of it met this: counted, told, marked. */
void takeout_meet(struct job *, struct taken *, size_t rcpt, const struct result *);

/* Back into its queue with it, after a report about what failed where that is due. */
void takeout_give_back(struct job *, struct taken *);

#endif
