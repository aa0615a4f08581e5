/*
 * Order of work: claim, give, settle, done.  Wherever this ends, each recipient
 * is in its queue or was reported delivered; those in hand and unanswered may
 * have been delivered and stay in the queue: a letter twice, never none.
 */
#include "session/takeout_job.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/interrupt.h"

#define GRACE_MS 1000		/* for results in flight when a signal came */

/* -1: COMMAND cannot be run; the message is back in its queue. */
static int
give(struct job *j, struct taken *t)
{
	struct record r;
	struct err e = {0};
	size_t number;
	int given;

	message_record(&t->m, &r);
	for (size_t i = 0; i < t->m.env.rcpts.n; i++)
		if (t->m.env.rcpts.p[i].selected)
			*vec_add(&t->rcpts) = i;
	t->left = t->rcpts.n;
	given = feed_give(j->feed, &r, &number, &e);
	vec_free(&r.rcpts);
	if (given < 0) {
		takeout_trouble(j, &e);
		takeout_give_back(j, t);
		return -1;
	}
	j->taken[number] = *t;
	return 0;
}

/* Without COMMAND: all that is selected in it meets the verdict. */
static void
judge(struct job *j, struct taken *t)
{
	for (size_t i = 0; i < t->m.env.rcpts.n; i++) {
		struct result r = *j->how->verdict;

		if (!t->m.env.rcpts.p[i].selected)
			continue;
		r.recipient = t->m.env.rcpts.p[i].address;
		takeout_meet(j, t, i, &r);
	}
	takeout_give_back(j, t);
}

/* 0; -1 COMMAND cannot be run. */
static int
hand_over(struct job *j, struct taken *t)
{
	if (j->how->verdict == NULL)
		return give(j, t);
	judge(j, t);
	return 0;
}

/* ---- one after the other ---- */

/*
 * Goes on until one is given: 1; 2 stdin has no line yet; 0 no more; -1 no more
 * because COMMAND cannot be run.
 */
static int
give_next(struct job *j, struct wanted *w)
{
	int64_t first = j->source->select->first;
	struct taken t;
	struct err e = {0};
	int r;

	while (!interrupt_came() && (first < 0 || j->chosen < first) &&
	    j->unmarked < UNMARKED_MAX) {
		r = source_next(j->source, w, &e);
		if (r == SOURCE_END || r == SOURCE_NOT_YET)
			return r;
		if (r < 0)
			takeout_trouble(j, &e);
		if (r != SOURCE_ONE || !takeout_claim(j, w, &t))
			continue;
		if (!j->how->dry && hand_over(j, &t) < 0)
			return -1;
		j->chosen++;
		return 1;
	}
	return 0;
}

/* Lines that mean nothing come in crowds: the first, or with -v each. */
static void
remark(struct job *j, struct err *e)
{
	if (e->fault != FAULT_DATA || j->how->verbose || j->odd == 0)
		err_print(e, j->how->tool);
	j->odd += e->fault == FAULT_DATA;
	err_clear(e);
}

static void
stop_if_told(struct job *j)
{
	if (j->stopping || !interrupt_came())
		return;
	j->stopping = true;
	feed_stop(j->feed, GRACE_MS, "was interrupted");
	j->status = status_worse(j->status, FAULT_TEMP);
}

/* What was marked is made to stay so, whatever happens to the machine. */
static void
make_safe(struct job *j)
{
	struct err e = {0};

	j->unsafe = 0;
	for (size_t i = 0; i < j->source->spools->n; i++) {
		struct spool *s = &j->source->spools->p[i];

		if (s->kind->sync != NULL && s->kind->sync(s, &e) < 0)
			takeout_trouble(j, &e);
	}
}

/* Nothing more is claimed. */
static void
end_all(struct job *j)
{
	struct err e = {0};

	for (size_t i = 0; i < j->source->spools->n; i++)
		if (spool_end(&j->source->spools->p[i], &e) < 0)
			takeout_trouble(j, &e);
}

static void
settle(struct job *j, const struct feed_event *ev)
{
	struct taken *t = &j->taken[ev->number];

	takeout_meet(j, t, t->rcpts.p[ev->rcpt], ev->result);
	if (--t->left == 0)
		takeout_give_back(j, t);
	/* no more may come twice for this than for what is in hand */
	if (++j->unsafe >= j->how->limits.in_hand)
		make_safe(j);
}

static void
run(struct job *j)
{
	struct wanted w = {0};
	struct feed_event ev;
	struct err e = {0};
	int r;

	do {
		feed_watch(j->feed, source_fd(j->source));
		stop_if_told(j);
		r = feed_next(j->feed, &ev, &e);
		if (r == FEED_RESULT)
			settle(j, &ev);
		else if (r == FEED_REMARK)
			remark(j, &e);
		else if (r == FEED_ROOM && give_next(j, &w) <= 0) {
			j->exhausted = true;
			feed_no_more(j->feed);
		}
	} while (r > 0 && r != FEED_END);
	if (r < 0)
		takeout_trouble(j, &e);
	if (!j->exhausted && !j->stopping &&
	    clock_left(j->how->limits.deadline) == 0) {
		err_set(&e, FAULT_TEMP,
		    "the deadline is over; the rest of the queue was left");
		takeout_trouble(j, &e);
	}
	wanted_free(&w);
}

/* Only after feed_next() failed is something left in hand. */
static void
give_all_back(struct job *j)
{
	for (size_t i = 0; i < j->how->limits.in_hand; i++)
		if (j->taken[i].left > 0)
			takeout_give_back(j, &j->taken[i]);
}

/* Without COMMAND, or only to say what would be done. */
static void
run_alone(struct job *j)
{
	struct wanted w = {0};

	while (give_next(j, &w) > 0)
		;
	make_safe(j);
	if (interrupt_came())
		j->status = status_worse(j->status, FAULT_TEMP);
	wanted_free(&w);
}

static void
summary(const struct job *j)
{
	if (j->odd > 0)
		warn(j->how->tool, "lines of COMMAND that meant nothing: %lld",
		    j->odd);
	fprintf(stderr, "released 0, delivered %lld, deferred %lld, failed %lld, "
	    "busy %lld, changed %lld", j->delivered, j->deferred, j->failed,
	    j->undone.busy, j->undone.changed);
	if (j->how->bounce)
		fprintf(stderr, ", bounced %lld", j->bounced);
	undone_end(&j->undone);
}

/* An MTA that offers no safe way to take a letter (69). */
static bool
all_can(struct job *j)
{
	struct err e = {0};

	for (size_t i = 0; i < j->source->spools->n; i++) {
		if (spool_yields(&j->source->spools->p[i], &e) == 0)
			continue;
		takeout_trouble(j, &e);
		return false;
	}
	return true;
}

int
takeout(struct source *s, const struct takeout_how *how)
{
	struct job j = { .source = s, .how = how };
	struct err e = {0};

	if (!all_can(&j))
		return j.status;
	if (how->dry || how->verdict != NULL) {
		run_alone(&j);
	} else {
		j.feed = feed_new(how->command, &how->limits, how->always, &e);
		if (j.feed == NULL) {
			takeout_trouble(&j, &e);
			return j.status;
		}
		j.taken = must(calloc(how->limits.in_hand, sizeof *j.taken));
		run(&j);
		give_all_back(&j);
		make_safe(&j);
		j.status = status_worse(j.status, feed_status(j.feed));
		feed_free(j.feed);
		free(j.taken);
	}
	if (!how->dry)
		end_all(&j);
	if (how->verbose)
		summary(&j);
	else
		undone_tell(&j.undone, how->tool);
	if (undone_any(&j.undone))
		j.status = status_worse(j.status, FAULT_TEMP);
	return j.status;
}
