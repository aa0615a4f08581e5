/*
 * Messages beside the limits of their recipients: judged one by one, printed, or
 * narrowed to those that pass.  For msg-sizecheck.
 */
#ifndef SESSION_FITTING_H
#define SESSION_FITTING_H

#include <stdbool.h>

#include "session/sizes.h"
#include "spool/spool.h"

#define FITTING_OVER 1		/* a status below those of trouble */

struct fitting {
	const char *tool;	/* for messages on stderr */
	struct sizes sizes;
	struct spools spools;	/* where IDs are looked for; refs add theirs */
	bool pass, over;	/* a filter: what of a record is printed */
	bool list, json;	/* a line for each recipient on stdout */
	char end;		/* of a line */
	int status;		/* 0 all fit so far, FITTING_OVER, or trouble's */
	struct err first;	/* the first trouble */
};

/* Is stdout for what is left of records, and nothing else? */
bool fitting_filters(const struct fitting *);

/* Tells, and remembers for the status. */
void fitting_trouble(struct fitting *, const struct err *);

/* A message is over: the status, unless there was trouble. */
void fitting_is_over(struct fitting *);

/* To stdout; freed.  Whether that went well is asked in the end. */
void fitting_put(struct buf *line);

/* stdin from where it stands, as a message; and that one checked. */
void fitting_open_stdin(struct body *);
void fitting_stdin(struct fitting *);

/* A path that lies in a queue, or else (no filter) a file with a message. */
void fitting_operand(struct fitting *, const char *name);

/* Records or refs on stdin, as they come. */
void fitting_records(struct fitting *);

#endif
