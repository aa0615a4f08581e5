#include "session/recorded.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Trouble upstream is passed on. */
static void
take(struct recorded *s, struct batch *b, const struct record *r)
{
	if (strcmp(r->ref, "!") == 0) {
		telling_trouble(s->telling, r->exit, r->text);
		b->status = status_worse(b->status, r->exit);
	} else {
		jobs_record(b, s->dest, s->known, r);
	}
}

static int
next(void *arg, struct batch *b, struct err *e)
{
	struct recorded *s = arg;
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	struct record record = {0};
	int r;

	r = lines_record(&s->in, &record, e);
	if (r == LINES_EMPTY_HANDED) {
		if (poll(&p, 1, 0) == 0)
			return BATCH_NOT_YET;
		if ((r = lines_fill(&s->in, e)) < 0 ||
		    (r = lines_record(&s->in, &record, e)) == LINES_EMPTY_HANDED)
			return r < 0 ? -1 : BATCH_NOT_YET;
	}
	if (r == LINES_BAD) {
		err_print(e, s->telling->tool);
		b->status = status_worse(b->status, (int)e->fault);
		err_clear(e);
	} else if (r == 1) {
		take(s, b, &record);
	}
	record_free(&record);
	return r < 0 ? -1 : r > 0 ? BATCH_JOB : BATCH_END;
}

int
recorded_run(struct recorded *s, struct batch *b, struct err *e)
{
	struct batch_source src = { next, s, STDIN_FILENO };
	int r = batch_run(b, &src, e);

	lines_free(&s->in);
	return r;
}
