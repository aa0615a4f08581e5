#include "session/recorded.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

/* One line of records; trouble upstream is passed on. */
static void
take_line(struct recorded *s, struct batch *b, struct span line)
{
	struct record r;
	struct err e = {0};

	s->line++;
	if (record_parse(&r, line, &e) < 0) {
		warn(s->telling->tool, "stdin: line %lld: %s", s->line, e.text);
		b->status = status_worse(b->status, FAULT_DATA);
		return;
	}
	if (strcmp(r.ref, "!") == 0) {
		telling_trouble(s->telling, r.exit, r.text);
		b->status = status_worse(b->status, r.exit);
	} else {
		jobs_record(b, s->dest, s->known, &r);
	}
	record_free(&r);
}

static int
next(void *arg, struct batch *b, struct err *e)
{
	struct recorded *s = arg;
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	struct span line;
	int r;

	r = lines_next(&s->in, &line, e);
	if (r == LINES_EMPTY_HANDED) {
		if (poll(&p, 1, 0) == 0)
			return BATCH_NOT_YET;
		if ((r = lines_fill(&s->in, e)) < 0 ||
		    (r = lines_next(&s->in, &line, e)) == LINES_EMPTY_HANDED)
			return r < 0 ? -1 : BATCH_NOT_YET;
	}
	if (r == 1)
		take_line(s, b, line);
	return r < 0 ? -1 : r == 1 ? BATCH_JOB : BATCH_END;
}

int
recorded_run(struct recorded *s, struct batch *b, struct err *e)
{
	struct batch_source src = { next, s, STDIN_FILENO };
	int r = batch_run(b, &src, e);

	lines_free(&s->in);
	return r;
}
