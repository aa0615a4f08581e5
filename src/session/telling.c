#include "session/telling.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "out/result.h"
#include "out/screen.h"

#define UNSAID_MOST 65536	/* octets of results that are held back */
#define MOMENT_MS 300		/* for a reader, when all is over */

/* A reader may let us wait, but not for ever. */
static bool
reader_is_ready(const struct dial *dial)
{
	static int64_t moment;
	struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };
	int64_t until = dial->deadline;
	bool over;

	do {
		over = interrupt_came() || clock_left(dial->deadline) == 0;
		if (over && moment == 0)
			moment = clock_in(MOMENT_MS);
		if (over)
			until = moment;
		if (interrupt_poll(&p, 1, clock_left(until)) > 0)
			return true;
	} while (!over || clock_left(moment) != 0);
	return false;
}

/* No more at a time than a pipe takes at once: write() itself never waits. */
static int
say(struct telling *t)
{
	struct buf *b = &t->unsaid;
	ssize_t n;

	for (; b->n > 0; buf_drop(b, n > 0 ? (size_t)n : 0)) {
		if (!reader_is_ready(t->batch->dial))
			return err_set(&t->unheard, FAULT_TEMP, "write: nobody "
			    "reads the results");
		n = write(STDOUT_FILENO, b->p, b->n < PIPE_BUF ? b->n : PIPE_BUF);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_sys(&t->unheard, "write");
	}
	return 0;
}

void
telling_flush(struct telling *t)
{
	if (!t->batch->deaf)
		t->batch->deaf = say(t) < 0;
}

void
telling_told(void *telling, const struct result *r)
{
	struct telling *t = telling;
	bool good = r->fate == FATE_DELIVERED || r->fate == FATE_RELAYED;
	struct buf line = {0};

	if (t->batch->deaf)
		return;
	if (t->lines)
		result_show(&line, r, t->json, t->end);
	screen_add(&t->unsaid, buf_span(&line));
	buf_free(&line);
	if (!good && !t->quiet)
		warn(t->tool, "<%s>: %s: %s", r->recipient, fate_name(r->fate),
		    r->text);
	if (t->unsaid.n > UNSAID_MOST)
		telling_flush(t);
}

/*
 * As soon as known.  When nobody hears what becomes of them, nothing more is sent:
 * whoever asked will send them again.
 */
void
telling_rests(void *telling)
{
	struct telling *t = telling;
	struct pollfd p = { STDOUT_FILENO, 0, 0 };

	telling_flush(t);
	if (!t->batch->deaf && t->strict && poll(&p, 1, 0) > 0 &&
	    (p.revents & POLLERR)) {
		errno = EPIPE;
		t->batch->deaf = err_sys(&t->unheard, "write") < 0;
	}
}

void
telling_trouble(struct telling *t, int exit, const char *text)
{
	struct buf line = {0};

	trouble_add(&line, exit, text, t->end);
	screen_add(&t->unsaid, buf_span(&line));
	buf_free(&line);
	telling_flush(t);
}

int
telling_end(struct telling *t)
{
	telling_flush(t);
	buf_free(&t->unsaid);
	if (!t->batch->deaf && (fflush(stdout) != 0 || ferror(stdout)))
		err_sys(&t->unheard, "write");
	return t->unheard.fault != FAULT_NONE ? err_exit(&t->unheard, t->tool) : 0;
}
