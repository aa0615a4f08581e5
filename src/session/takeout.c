/*
 * Order of work: claim, give, settle, done.  Wherever this ends, each recipient
 * is in its queue or was reported delivered; those in hand and unanswered may
 * have been delivered and stay in the queue: a letter twice, never none.
 */
#include "session/takeout_job.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/interrupt.h"
#include "wire/path.h"

#define GRACE_MS 1000		/* for results in flight when a signal came */

/* ---- claims ---- */

static void
tell_busy(struct job *j, const char *ref, const char *why)
{
	j->busy++;
	if (j->how->verbose)
		warn(j->how->tool, "%s: busy: %s", ref, why);
}

/* Something named that is not to be taken: false, told and counted. */
static bool
may_take(struct job *j, const struct wanted *w, const char *ref)
{
	unsigned states = j->source->select->states;

	if (w->entry.state == STATE_HOLD && !(states & STATE_BIT(STATE_HOLD))) {
		warn(j->how->tool, "%s: is held; --state=hold would take it", ref);
		j->left_behind++;
		return false;
	}
	if (w->entry.state != STATE_DEFERRED && w->entry.state != STATE_HOLD) {
		tell_busy(j, ref, "its MTA has it in hand");
		return false;
	}
	return true;
}

static bool
is_named(const struct job *j, const struct wanted *w)
{
	return j->source->select->ids.n > 0 || w->record.ref != NULL;
}

/* Does what was read of it before it is claimed make it worth a claim? */
static enum fit
peek(struct job *j, struct wanted *w, struct message *m, struct err *e)
{
	int r = w->spool->kind->read(w->spool, &w->entry,
	    select_reads(j->source->select), m, e);

	if (r < 0)
		takeout_trouble(j, e);
	return r > 0 ? source_fits(j->source, w, m, false) : FIT_NO;
}

static void
tell_changed(struct job *j, const struct message *m)
{
	j->changed++;
	if (j->how->verbose)
		warn(j->how->tool, "%s: is another message now", message_label(m));
}

/*
 * A message that another has been at, or 8-bit from before SMTPUTF8: no record
 * says such an address, and it must not stop the others.
 */
static void
leave_unsayable(struct job *j, struct taken *t)
{
	struct envelope *v = &t->m.env;
	bool all = v->sender != NULL && *v->sender != '\0' &&
	    !path_is_mailbox(span_of(v->sender));

	for (size_t i = 0; i < v->rcpts.n; i++) {
		struct result r = { .recipient = v->rcpts.p[i].address,
		    .fate = FATE_FAILED, .status = (char *)(uintptr_t)
		    (all ? "5.1.7" : "5.1.3"), .text = (char *)(uintptr_t)
		    (all ? "the sender's address cannot be said in SMTP" :
		    "this address cannot be said in SMTP") };

		if (!v->rcpts.p[i].selected || (!all &&
		    path_is_mailbox(span_of(v->rcpts.p[i].address))))
			continue;
		v->rcpts.p[i].selected = false;
		takeout_meet(j, t, i, &r);
	}
}

/* 1 it is ours, in `t`; 0 not, told and counted where that is due. */
static int
claim(struct job *j, struct wanted *w, struct taken *t, struct buf *ref)
{
	struct err e = {0};
	enum fit fit;

	*t = (struct taken){ .spool = w->spool };
	/* the queue of a ref was not known before */
	switch (spool_yields(w->spool, &e) < 0 ? CLAIM_ERROR :
	    w->spool->kind->claim(w->spool, &w->entry, &t->m, &t->claimed, &e)) {
	case CLAIM_OURS:
		break;
	case CLAIM_BUSY:
		tell_busy(j, buf_str(ref), "somebody else has it in hand");
		return 0;
	case CLAIM_GONE:
		return 0;
	default:
		takeout_trouble(j, &e);
		return 0;
	}
	t->ref = span_dup(w->record.ref != NULL ? span_of(w->record.ref) :
	    buf_span(ref));
	fit = source_fits(j->source, w, &t->m, true);
	if (fit == FIT_YES && j->how->verdict == NULL)
		leave_unsayable(j, t);
	if (fit == FIT_YES && select_any(&t->m))
		return 1;
	if (fit == FIT_CHANGED)
		tell_changed(j, &t->m);
	takeout_give_back(j, t);
	return 0;
}

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

/* 1; -1 COMMAND cannot be run. */
static int
hand_over(struct job *j, struct taken *t)
{
	if (j->how->verdict == NULL)
		return give(j, t) < 0 ? -1 : 1;
	judge(j, t);
	return 1;
}

static void
show(struct job *j, const struct message *m)
{
	struct buf line = {0};
	struct record r;

	message_record(m, &r);
	buf_adds(&line, j->how->verdict != NULL ? "bounce\t" : "take\t");
	record_add(&line, &r, j->how->end);
	takeout_put(j, &line);
	vec_free(&r.rcpts);
	buf_free(&line);
}

/* ---- one after the other ---- */

/* What source_next() gave, down to a claim: 1 given, 0 not, -1. */
static int
consider(struct job *j, struct wanted *w)
{
	struct buf ref = {0};
	struct message m = {0};
	struct taken t;
	struct err e = {0};
	enum fit fit;
	bool untold;
	int r = 0;

	buf_addspan(&ref, buf_span(&w->entry.ref));
	untold = w->entry.state == STATE_UNTOLD;
	fit = untold || may_take(j, w, ref_name(buf_str(&ref))) ?
	    peek(j, w, &m, &e) : FIT_NO;
	if (untold && m.ref != NULL) {
		w->entry.state = m.state;
		/* of what the walk met only what is meant is told */
		if ((fit == FIT_YES || is_named(j, w)) &&
		    !may_take(j, w, ref_name(buf_str(&ref))))
			fit = FIT_NO;
	}
	if (fit == FIT_CHANGED)
		tell_changed(j, &m);
	if (fit == FIT_YES && select_any(&m) && (j->how->only == NULL ||
	    seen_has(j->how->only, m.dev, m.ino, m.arrival, m.within))) {
		if (j->how->dry) {
			show(j, &m);
			r = 1;
		} else if (claim(j, w, &t, &ref)) {
			r = hand_over(j, &t);
		}
	}
	j->chosen += r == 1;
	message_free(&m);
	buf_free(&ref);
	return r;
}

/*
 * Goes on until one is given: 1; 2 stdin has no line yet; 0 no more; -1 no more
 * because COMMAND cannot be run.
 */
static int
give_next(struct job *j, struct wanted *w)
{
	int64_t first = j->source->select->first;
	struct err e = {0};
	int r;

	while (!interrupt_came() && (first < 0 || j->chosen < first) &&
	    j->unmarked < UNMARKED_MAX) {
		r = source_next(j->source, w, &e);
		if (r == SOURCE_END || r == SOURCE_NOT_YET)
			return r;
		if (r < 0)
			takeout_trouble(j, &e);
		if (r == SOURCE_ONE && (r = consider(j, w)) != 0)
			return r;
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
	    j->busy, j->changed);
	if (j->how->bounce)
		fprintf(stderr, ", bounced %lld", j->bounced);
	if (j->left_behind > 0)
		fprintf(stderr, ", left behind %lld", j->left_behind);
	fputc('\n', stderr);
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
	if (j.busy > 0 || j.changed > 0 || j.left_behind > 0)
		j.status = status_worse(j.status, FAULT_TEMP);
	return j.status;
}
