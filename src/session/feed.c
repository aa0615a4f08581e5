#include "session/feed.h"

#include <errno.h>
#include <stdlib.h>

#include "base/interrupt.h"
#include "session/feed_one.h"

struct feed *
feed_new(const char *const *command, const struct feed_limits *limits, bool now,
    struct err *e)
{
	size_t room = limits->in_hand / limits->jobs;
	struct feed *f;

	if (worker_find(command[0], e) < 0)
		return NULL;
	f = must(calloc(1, sizeof *f));
	f->command = command;
	f->limits = *limits;
	f->watch = -1;
	f->stop_at = NEVER;
	f->n = limits->jobs;
	f->one = must(calloc(f->n, sizeof *f->one));
	for (size_t i = 0; i < f->n; i++)
		one_init(&f->one[i], f, i * room, room);
	if (!now || one_start(&f->one[0], e) == 0)
		return f;
	feed_free(f);
	return NULL;
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		one_free(&f->one[i]);
	free(f->one);
	free(f);
}

static bool
open_to_more(const struct feed *f)
{
	return !f->stopped && !f->no_more;
}

/* Who has least in hand; NULL: nobody has room. */
static struct one *
idlest(const struct feed *f)
{
	struct one *best = NULL;

	for (size_t i = 0; i < f->n && open_to_more(f); i++) {
		struct one *o = &f->one[i];

		if (one_has_room(o) &&
		    (best == NULL || o->hand.n < best->hand.n))
			best = o;
	}
	return best;
}

/* ---- what goes to them ---- */

int
feed_give(struct feed *f, const struct record *r, size_t *number, struct err *e)
{
	struct one *o = idlest(f);
	size_t before, slot;

	if (o->w.child.pid == 0 && one_start(o, e) < 0)
		return -1;
	if (o->hand.n == 0)
		o->w.last = clock_now();
	slot = hand_add(&o->hand, r);
	*number = o->number + slot;
	before = o->w.out.n;
	record_add(&o->w.out, r, '\n');
	o->w.queued += o->w.out.n - before;
	o->hand.slot[slot].end = o->w.queued;
	one_push(o);
	return 0;
}

void
feed_watch(struct feed *f, int fd)
{
	f->watch = fd;
}

void
feed_no_more(struct feed *f)
{
	f->no_more = true;
	for (size_t i = 0; i < f->n; i++)
		one_push(&f->one[i]);
}

void
feed_stop(struct feed *f, int64_t grace_ms, const char *why)
{
	f->stopped = true;
	f->why_stop = why;
	f->stop_at = clock_sooner(f->stop_at, clock_in(grace_ms));
	for (size_t i = 0; i < f->n; i++)
		worker_hang_up(&f->one[i].w, true);
}

bool
feed_stopped(const struct feed *f)
{
	return f->stopped;
}

int
feed_status(const struct feed *f)
{
	return f->status;
}

/* ---- waiting ---- */

/* Deadlines that have come. */
static void
late(struct feed *f)
{
	int64_t now = clock_now();

	if (now >= f->limits.deadline && f->why_stop == NULL)
		feed_stop(f, LOOK_MS, "was stopped, as the time was over,");
	for (size_t i = 0; i < f->n; i++)
		one_late(&f->one[i], now);
}

static int
patience(const struct feed *f)
{
	int left = clock_left(f->why_stop == NULL ? f->limits.deadline :
	    f->stop_at);

	if (f->watch < 0 && idlest(f) != NULL)
		return 0;
	for (size_t i = 0; i < f->n; i++) {
		int one = one_patience(&f->one[i]);

		if (one >= 0 && (left < 0 || one < left))
			left = one;
	}
	return left;
}

/* Reads and writes what can be; 1 when something came from one of them. */
static int
move_octets(struct feed *f, const struct pollfd *p)
{
	int heard = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (p[2 * i].revents)
			one_push(&f->one[i]);
		if (p[2 * i + 1].revents) {
			worker_pull(&f->one[i].w);
			heard = 1;
		}
	}
	return heard;
}

/* One look at the world: an event, or 0. */
static int
look(struct feed *f, struct pollfd *p, struct err *e)
{
	struct pollfd *input = &p[2 * f->n];
	int r, heard;

	for (size_t i = 0; i < f->n; i++) {
		const struct worker *w = &f->one[i].w;

		p[2 * i] = (struct pollfd){ w->out.n > 0 ? w->child.in : -1,
		    POLLOUT, 0 };
		p[2 * i + 1] = (struct pollfd){ w->child.out, POLLIN, 0 };
	}
	*input = (struct pollfd){ idlest(f) != NULL ? f->watch : -1, POLLIN, 0 };
	r = interrupt_poll(p, (nfds_t)(2 * f->n + 1), patience(f));
	if (r < 0 && errno == EINTR)
		return FEED_SIGNAL;
	if (r < 0) {
		err_sys(e, "poll");
		e->fault = FAULT_OS;
		return -1;
	}
	heard = move_octets(f, p);
	/* who talks without end, and answers nothing, is as late as who is silent */
	late(f);
	if (heard)
		return 0;
	for (size_t i = 0; i < f->n && r == 0; i++)
		if (f->one[i].w.child.pid != 0)
			worker_reap(&f->one[i].w);
	return idlest(f) != NULL && (f->watch < 0 || input->revents) ?
	    FEED_ROOM : 0;
}

static bool
all_over(const struct feed *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->one[i].w.child.pid != 0)
			return false;
	return idlest(f) == NULL;
}

int
feed_next(struct feed *f, struct feed_event *ev, struct err *e)
{
	struct pollfd *p = must(calloc(2 * f->n + 1, sizeof *p));
	int r = 0;

	for (size_t i = 0; i < f->n; i++)
		one_forget(&f->one[i]);
	while (r == 0) {
		for (size_t i = 0; i < f->n && r == 0; i++)
			r = one_event(&f->one[i], ev, e);
		if (r == 0 && all_over(f))
			break;
		if (r == 0)
			r = look(f, p, e);
	}
	free(p);
	return r;
}
