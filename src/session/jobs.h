/* From records and messages to jobs: who goes where. */
#ifndef SESSION_JOBS_H
#define SESSION_JOBS_H

#include "session/batch.h"
#include "spool/spool.h"

/* Opens the text, once for each job: 1; 0 it is gone; -1. */
struct text_source {
	int (*open)(void *arg, struct body *, struct err *);
	void *arg;
};

/*
 * Adds a job for each destination that the selected recipients have: `only`, or
 * (NULL) what their domains' MX records say.  Recipients that go nowhere are told
 * at once.  Takes what is in the envelope.
 */
void jobs_add(struct batch *, struct dest *only, const char *ref,
    struct envelope *, const struct text_source *);

/* The same for the message that a record means; what stands in its way is told. */
void jobs_record(struct batch *, struct dest *only, struct spools *known,
    const struct record *);

/*
 * In words, for people: a line a recipient, `RECIPIENT TAB HOST[,HOST...]` or
 * `RECIPIENT TAB - TAB why`.  Returns the exit class: 0, 68, 75.
 */
int jobs_explain(struct batch *, struct dest *only, const struct envelope *,
    struct buf *);

#endif
