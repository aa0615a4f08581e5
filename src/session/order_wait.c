#include "session/order_wait.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/interrupt.h"

#define NAP_FIRST_MS 50
#define NAP_LAST_MS 1000

void
released_add(struct released *v, struct spool *sp, const struct message *m,
    size_t node)
{
	*vec_add(v) = (struct released_one){
		.spool = sp, .id = span_dup(span_of(m->id)), .node = node,
		.state = m->state, .mtime = m->mtime, .arrival = m->arrival,
		.dev = m->dev, .ino = m->ino, .attempts = m->attempts,
		.last_attempt = m->last_attempt,
	};
}

void
released_forget(struct released *v, const struct spool *sp)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n; i++) {
		if (v->p[i].spool != sp)
			v->p[kept++] = v->p[i];
		else
			free(v->p[i].id);
	}
	v->n = kept;
}

void
released_cut(struct released *v, size_t start, size_t node)
{
	size_t kept = start;

	for (size_t i = start; i < v->n; i++) {
		if (v->p[i].node < node)
			v->p[kept++] = v->p[i];
		else
			free(v->p[i].id);
	}
	v->n = kept;
}

void
released_free(struct released *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i].id);
	vec_free(v);
}

enum look { LOOK_LEFT, LOOK_TRIED, LOOK_HELD, LOOK_TRYING };

/*
 * Being let go from hold is no attempt, though it puts the message elsewhere, and
 * some write its file anew then: those count attempts.
 */
static bool
is_changed(const struct released_one *o, const struct message *m)
{
	bool was_held = o->state == STATE_HOLD;
	bool counted = o->attempts >= 0 && m->attempts >= 0;
	bool again = m->attempts != o->attempts ||
	    m->last_attempt != o->last_attempt;

	if (counted && (was_held || m->last_attempt > 0))
		return again;
	return again || (o->state != STATE_DEFERRED && !was_held) ||
	    m->mtime != o->mtime || m->ino != o->ino;
}

/*
 * Tried again: it lies in deferred with another time than before, or says so, or was
 * seen in delivery.  Some MTAs set the time first and move the file afterwards, so it
 * must be seen twice.
 */
static enum look
judge(struct released_one *o, const struct message *m)
{
	const struct spool_kind *kind = o->spool->kind;
	int64_t seen = o->seen;

	/* many write a file anew after each attempt: its inode says nothing */
	if (m->arrival != o->arrival)
		return LOOK_LEFT;	/* the ID was given to another */
	o->seen = 0;
	if (kind->at_work != NULL && kind->at_work(o->spool, m)) {
		o->worked = true;
		return LOOK_TRYING;
	}
	/* it was let go before: Exim freezes a report that is refused for good */
	if (m->state == STATE_HOLD)
		return LOOK_HELD;
	if (!o->worked && (m->state != STATE_DEFERRED || !is_changed(o, m)))
		return LOOK_TRYING;
	o->seen = m->mtime;
	return seen == m->mtime ? LOOK_TRIED : LOOK_TRYING;
}

/* Also fills `m` unless it has left. */
static enum look
look(struct released_one *o, struct message *m)
{
	struct entry at = {0};
	struct err e = {0};
	enum look l = LOOK_TRYING;
	int r = o->spool->kind->find(o->spool, o->id, &at, &e);

	if (r > 0)
		r = o->spool->kind->read(o->spool, &at, READ_REASONS, m, &e);
	if (r == 0)
		l = LOOK_LEFT;	/* or between two directories: see look_well() */
	else if (r > 0)
		l = judge(o, m);
	buf_free(&at.ref);
	return l;
}

/* A file that is moved while we look for it may seem to be nowhere. */
static enum look
look_well(struct released_one *o, struct message *m)
{
	enum look l = look(o, m);

	if (l != LOOK_LEFT)
		return l;
	message_free(m);
	return look(o, m);
}

static const char *
reason(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (!m->env.rcpts.p[i].done && m->env.rcpts.p[i].reason != NULL)
			return m->env.rcpts.p[i].reason;
	return "no reason is known";
}

static void
tell(const struct released_one *o, enum look l, const struct message *m,
    const char *tool)
{
	switch (l) {
	case LOOK_LEFT:
		warn(tool, "%s: left", o->id);
		break;
	case LOOK_TRIED:
		warn(tool, "%s: stayed: %s", o->id, reason(m));
		break;
	case LOOK_HELD:
		warn(tool, "%s: stayed: it is held now: %s", o->id, reason(m));
		break;
	case LOOK_TRYING:
		warn(tool, "%s: stayed: was not tried again in time", o->id);
	}
}

/* True when there is nothing more to wait for with this one. */
static bool
settle(struct released_one *o, bool last, const struct order_how *how,
    struct stay *stay)
{
	struct message m = {0};
	enum look l = look_well(o, &m);
	bool over = l != LOOK_TRYING || last;

	if (l == LOOK_LEFT)
		stay->left++;
	else if (over)
		stay->stayed++;
	if (over && (how->verbose || l != LOOK_LEFT))
		tell(o, l, &m, how->tool);
	message_free(&m);
	return over;
}

void
released_watch(struct released *v, const struct order_how *how,
    struct stay *stay)
{
	int64_t deadline = clock_in(how->wait_ms);
	size_t waiting = v->n;
	int nap = NAP_FIRST_MS;
	bool last = false;

	for (;;) {
		for (size_t i = 0; i < v->n; i++) {
			if (!v->p[i].over &&
			    settle(&v->p[i], last, how, stay)) {
				v->p[i].over = true;
				waiting--;
			}
		}
		if (waiting == 0 || last)
			return;
		interrupt_poll(NULL, 0, clock_left(clock_sooner(deadline, clock_in(nap))));
		last = clock_left(deadline) == 0 || interrupt_came();
		nap = nap * 2 < NAP_LAST_MS ? nap * 2 : NAP_LAST_MS;
	}
}
