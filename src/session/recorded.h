/* Records on stdin, as the source of a batch's jobs: tidegate-records(5). */
#ifndef SESSION_RECORDED_H
#define SESSION_RECORDED_H

#include "session/jobs.h"
#include "session/stdin.h"
#include "session/telling.h"

struct recorded {
	struct lines in;	/* its `end' set */
	struct dest *dest;	/* NULL: by each recipient's domain */
	struct spools *known;	/* where records' messages may be */
	struct telling *telling;
};

/* Runs the batch with them until their end: as batch_run(). */
int recorded_run(struct recorded *, struct batch *, struct err *);

#endif
