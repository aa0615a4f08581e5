/*
 * Orders to the MTA, message by message; release by its own command for a domain
 * where that means exactly what was selected.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/interrupt.h"
#include "out/screen.h"
#include "session/order_job.h"

static const struct {
	const char *verb, *done;
} words[] = {
	[ORDER_RELEASE] = { "release", "released" },
	[ORDER_HOLD] = { "hold", "held" },
	[ORDER_UNHOLD] = { "unhold", "unheld" },
	[ORDER_REMOVE] = { "remove", "removed" },
};

static int (*orders(const struct spool_kind *kind, enum order order))
    (struct spool *, const struct message *, struct err *)
{
	switch (order) {
	case ORDER_HOLD:
		return kind->hold;
	case ORDER_UNHOLD:
		return kind->unhold;
	case ORDER_REMOVE:
		return kind->remove;
	default:
		return kind->release;
	}
}

void
order_trouble(struct job *j, struct err *e)
{
	if (!j->quiet)
		err_print(e, j->how->tool);
	j->status = status_worse(j->status, (int)e->fault);
	err_clear(e);
}

/*
 * Reads the message at `w` into `m` (empty) and says whether it is meant: 1, or
 * 0 (told and counted where that is due).
 */
static int
choose(struct job *j, struct wanted *w, struct message *m)
{
	const struct select *sel = j->source->select;
	struct err e = {0};
	/* --wait knows by attempts and reasons what was tried since */
	unsigned what = select_reads(sel) |
	    (j->how->wait_ms >= 0 ? READ_REASONS : 0);
	int r = w->spool->kind->read(w->spool, &w->entry, what, m, &e);

	if (r < 0)
		order_trouble(j, &e);
	if (r <= 0)
		return 0;
	/* to hold what is held is done already */
	if (m->state == STATE_HOLD && !(sel->states & STATE_BIT(STATE_HOLD)) &&
	    j->how->order != ORDER_HOLD) {
		if (sel->ids.n == 0 && w->record.ref == NULL)
			return 0;
		warn(j->how->tool, "%s: is held; --state=hold would %s it",
		    message_label(m), words[j->how->order].verb);
		j->undone.held++;
		return 0;
	}
	switch (source_fits(j->source, w, m, false)) {
	case FIT_CHANGED:
		if (j->how->verbose)
			warn(j->how->tool, "%s: is another message now", message_label(m));
		j->undone.changed++;
		return 0;
	case FIT_YES:
		return 1;
	default:
		return 0;
	}
}

int
order_next(struct job *j, struct wanted *w, struct message *m)
{
	struct err e = {0};
	int r;

	for (;;) {
		message_free(m);
		if (interrupt_came()) {
			j->status = status_worse(j->status, FAULT_TEMP);
			return 0;
		}
		if (j->source->select->first >= 0 &&
		    j->chosen >= j->source->select->first)
			return 0;
		r = source_next(j->source, w, &e);
		if (r == SOURCE_END)
			return 0;
		if (r < 0)
			order_trouble(j, &e);
		if (r == SOURCE_ONE && choose(j, w, m) && (j->how->only == NULL ||
		    seen_has(j->how->only, m->dev, m->ino, m->arrival, m->within))) {
			j->chosen++;
			return 1;
		}
	}
}

/* ---- message by message ---- */

static bool
everything(const struct source *s)
{
	return !s->records && !select_given(s->select);
}

/* An MTA that knows no such order (69); 0 it does. */
static int
knows(const struct job *j, const struct spool *sp, struct err *e)
{
	const char *kind = sp->kind->name;
	struct err none = {0};

	if (orders(sp->kind, j->how->order) != NULL)
		return 0;
	if (j->how->order != ORDER_RELEASE)
		return err_set(e, FAULT_UNAVAILABLE, "%s: no MTA could be told "
		    "to %s mail in this kind of queue (%s)", sp->dir,
		    words[j->how->order].verb, kind);
	if (sp->kind->release_all == NULL)
		return err_set(e, FAULT_UNAVAILABLE, "%s: no MTA could be told "
		    "to deliver from this kind of queue (%s)%s", sp->dir, kind,
		    spool_yields(sp, &none) < 0 ? "" : "; give a COMMAND behind --");
	return everything(j->source) ? 0 : err_set(e, FAULT_UNAVAILABLE, "%s: %s "
	    "can only be told to deliver everything: --all", sp->dir, kind);
}

/* And is it here?  A dry run must not promise what is refused. */
static int
obeys(const struct job *j, const struct spool *sp, struct err *e)
{
	if (knows(j, sp, e) < 0)
		return -1;
	if (sp->live || orders(sp->kind, j->how->order) == spool_take_away)
		return 0;
	return err_set(e, FAULT_UNAVAILABLE, "%s: a copied queue: its MTA is not "
	    "here", sp->dir);
}

static void
show(const struct job *j, const char *verb, const struct message *m)
{
	struct buf line = {0};
	struct record r;

	message_record(m, &r);
	buf_addf(&line, "%s\t", verb);
	record_add(&line, &r, j->how->end);
	screen_put(buf_span(&line));
	vec_free(&r.rcpts);
	buf_free(&line);
}

static void
tell_not_done(struct job *j, const struct message *m, size_t spool, int why,
    struct err *e)
{
	if (why > 0) {
		j->undone.busy++;
		if (j->how->verbose)
			warn(j->how->tool, "%s: busy: its MTA has it in hand",
			    message_label(m));
		return;
	}
	/* its MTA would say the same of every message */
	j->stuck[spool] = e->fault == FAULT_UNAVAILABLE ||
	    e->fault == FAULT_TEMP || e->fault == FAULT_PERM;
	order_trouble(j, e);
}

static void
one(struct job *j, struct wanted *w, struct message *m)
{
	size_t n = (size_t)(w->spool - j->source->spools->p);
	bool mixed = source_mixed(m);
	struct err e = {0};
	int r;

	if (mixed && !j->how->whole) {
		j->undone.mixed++;
		if (j->how->dry)
			show(j, "leave", m);
		else if (j->how->verbose)
			warn(j->how->tool, "%s: left: it has other recipients too "
			    "(--whole)", message_label(m));
		return;
	}
	if (j->stuck[n])
		return;
	if (obeys(j, w->spool, &e) < 0) {
		/* a ref named this queue */
		tell_not_done(j, m, n, -1, &e);
		return;
	}
	if (j->how->dry)
		show(j, words[j->how->order].verb, m);
	else if ((r = orders(w->spool->kind, j->how->order)(w->spool, m, &e)) != 0) {
		tell_not_done(j, m, n, r, &e);
		return;
	} else if (j->how->verbose)
		warn(j->how->tool, "%s: %s%s", message_label(m),
		    words[j->how->order].done, mixed ?
		    ", for its other recipients too" : "");
	j->done++;
	if (j->list != NULL)
		released_add(j->list, w->spool, m, 0);
}

/*
 * A message that is let go moves within its queue, and may be met again before
 * the walk is over: once is enough.
 */
static void
one_by_one(struct job *j)
{
	const struct select *sel = j->source->select;
	struct wanted w = {0};
	struct message m = {0};
	struct seen seen = {0};

	while (order_next(j, &w, &m))
		if ((j->from_node == 0 || order_first_node(sel, &m) >= j->from_node) &&
		    seen_first(&seen, m.dev, m.ino, m.arrival, m.within))
			one(j, &w, &m);
	seen_free(&seen);
	message_free(&m);
	wanted_free(&w);
	source_again(j->source);
}

/*
 * Queue by queue: what the commands for domains leave is done singly.  `first_node'
 * of what they took is below from_node, should it still be there.
 */
static void
with_nodes(struct job *j)
{
	for (size_t i = 0; i < j->source->spools->n; i++) {
		struct spool *sp = &j->source->spools->p[i];

		j->source->only = sp;
		j->from_node = 0;
		if (sp->kind->release_node != NULL && sp->kind->covers != NULL)
			order_by_node(j, sp);
		if (j->from_node < j->source->select->nodes.n && !j->stuck[i])
			one_by_one(j);
	}
}

/* ---- all at once, where an MTA can be told nothing else ---- */

static void
at_once(struct job *j, struct spool *sp)
{
	size_t before = j->list != NULL ? j->list->n : 0;
	struct wanted w = {0};
	struct message m = {0};
	struct err e = {0};
	long long n = 0;

	for (; order_next(j, &w, &m); n++) {
		if (j->how->dry)
			show(j, words[j->how->order].verb, &m);
		else if (j->list != NULL)
			released_add(j->list, sp, &m, 0);
	}
	if (n > 0 && !j->how->dry && sp->kind->release_all(sp, &e) < 0) {
		order_trouble(j, &e);
		if (j->list != NULL)
			released_cut(j->list, before, 0);
		n = 0;
	}
	j->done += n;
	message_free(&m);
	wanted_free(&w);
	source_again(j->source);
}

static void
with_all(struct job *j)
{
	for (size_t i = 0; i < j->source->spools->n; i++) {
		struct spool *sp = &j->source->spools->p[i];

		j->source->only = sp;
		if (sp->kind->release_all != NULL)
			at_once(j, sp);
		else
			one_by_one(j);
	}
}

/* ---- the end ---- */

/* What was only noted is started; what was not is not counted, nor waited for. */
static void
start_noted(struct job *j)
{
	for (size_t i = 0; i < j->source->spools->n; i++) {
		struct spool *sp = &j->source->spools->p[i];
		struct err e = {0};
		size_t not;

		if (sp->kind->release_end == NULL || j->how->dry ||
		    (not = sp->kind->release_end(sp, &e)) == 0)
			continue;
		order_trouble(j, &e);
		j->done -= (long long)not;
		if (j->list != NULL)
			released_forget(j->list, sp);
	}
}

static void
end_all(struct job *j)
{
	struct err e = {0};

	for (size_t i = 0; i < j->source->spools->n; i++)
		if (spool_end(&j->source->spools->p[i], &e) < 0)
			order_trouble(j, &e);
}

static void
summary(const struct job *j, const struct stay *stay)
{
	fprintf(stderr, "%s %lld, ", words[j->how->order].done, j->done);
	if (j->list != NULL)
		fprintf(stderr, "left %lld, stayed %lld, ", stay->left,
		    stay->stayed);
	fprintf(stderr, "busy %lld, changed %lld", j->undone.busy,
	    j->undone.changed);
	undone_end(&j->undone);
}

/* Who cannot keeps the others from it: they can be had by themselves. */
static void
name_others(const struct job *j, struct err *e)
{
	const struct spools *all = j->source->spools;
	struct err why = *e, none = {0};
	struct buf names = {0};

	for (size_t i = 0; i < all->n; i++)
		if (obeys(j, &all->p[i], &none) == 0)
			buf_addf(&names, " --spool=%s:%s", all->p[i].kind->name,
			    all->p[i].dir);
	if (names.n > 0)
		err_set(e, why.fault, "%.300s; name only what can:%s", why.text,
		    buf_str(&names));
	buf_free(&names);
}

static bool
all_can(struct job *j)
{
	struct err e = {0};

	for (size_t i = 0; i < j->source->spools->n; i++) {
		if (obeys(j, &j->source->spools->p[i], &e) == 0)
			continue;
		name_others(j, &e);
		order_trouble(j, &e);
		return false;
	}
	return true;
}

int
order(struct source *s, const struct order_how *how)
{
	struct released list = {0};
	struct stay stay = {0};
	struct job j = { .source = s, .how = how, .undone.shown = how->dry };

	if (!all_can(&j))
		return j.status;
	j.stuck = must(calloc(s->spools->room, sizeof *j.stuck));
	if (how->wait_ms >= 0 && !how->dry)
		j.list = &list;
	if (how->order == ORDER_RELEASE && order_only_nodes(s) && !how->dry)
		with_nodes(&j);
	else if (how->order == ORDER_RELEASE && everything(s))
		with_all(&j);
	else
		one_by_one(&j);
	if (how->order == ORDER_RELEASE)
		start_noted(&j);
	if (!how->dry)
		end_all(&j);
	if (j.list != NULL)
		released_watch(&list, how, &stay);
	if (how->verbose)
		summary(&j, &stay);
	else
		undone_tell(&j.undone, how->tool);
	if (stay.stayed > 0 || undone_any(&j.undone))
		j.status = status_worse(j.status, FAULT_TEMP);
	released_free(&list);
	free(j.stuck);
	return j.status;
}
