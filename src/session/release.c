/*
 * Release: by the MTA's own command for a domain where there is one that means
 * exactly what was selected, else message by message.
 */
#include "session/release.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/interrupt.h"
#include "base/seen.h"
#include "session/release_wait.h"
#include "wire/domain.h"

struct job {
	struct source *source;
	const struct release_how *how;
	struct released *list;		/* for --wait */
	long long released, changed, left_behind, chosen;
	int status;
	bool quiet;			/* what is wrong is told another time */
	/* the pass for domains */
	struct spool *spool;		/* only this one; NULL: any */
	size_t from_node;		/* messages of nodes before it are done */
	long long mixed;		/* so many had other recipients */
	bool *stuck;			/* by spool: its MTA takes no orders */
};

static void
trouble(struct job *j, struct err *e)
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
	int r = w->spool->kind->read(w->spool, &w->entry, select_reads(sel), m, &e);

	if (r < 0)
		trouble(j, &e);
	if (r <= 0)
		return 0;
	if (m->state == STATE_HOLD && !(sel->states & STATE_BIT(STATE_HOLD))) {
		if (sel->ids.n == 0 && w->record.ref == NULL)
			return 0;
		warn(j->how->tool, "%s: is held; --state=hold would release it",
		    message_label(m));
		j->left_behind++;
		return 0;
	}
	switch (source_fits(j->source, w, m, false)) {
	case FIT_CHANGED:
		if (j->how->verbose)
			warn(j->how->tool, "%s: is another message now", message_label(m));
		j->changed++;
		return 0;
	case FIT_YES:
		return 1;
	default:
		return 0;
	}
}

/* 1 and a chosen message in `m`; 0 no more. */
static int
next(struct job *j, struct wanted *w, struct message *m)
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
			trouble(j, &e);
		if (r == SOURCE_ONE && (j->spool == NULL || j->spool == w->spool) &&
		    choose(j, w, m)) {
			j->chosen++;
			return 1;
		}
	}
}

/* ---- a domain at a time ---- */

/* Is the selection nothing but domains? */
static bool
only_nodes(const struct source *s)
{
	const struct select *sel = s->select;

	for (size_t i = 0; i < sel->nodes.n; i++)
		if (sel->nodes.p[i].not || *sel->nodes.p[i].text == '@')
			return false;
	return sel->nodes.n > 0 && !s->records && sel->rcpts.n == 0 &&
	    sel->froms.n == 0 && !sel->states_given && !sel->has_reason &&
	    sel->older < 0 && sel->newer < 0 && sel->larger < 0 &&
	    sel->smaller < 0 && sel->first < 0 && sel->ids.n == 0;
}

static bool
has_node(const struct message *m, const char *node)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		if (!r->done && node_has(node, domain_of(span_of(r->address))))
			return true;
	}
	return false;
}

/* The first of the nodes that this message has a recipient in. */
static size_t
first_node(const struct select *sel, const struct message *m)
{
	size_t i = 0;

	while (i < sel->nodes.n && !has_node(m, sel->nodes.p[i].text))
		i++;
	return i;
}

/* Would the command for its first domain do exactly what is wanted with it? */
static bool
covered(const struct job *j, const struct wanted *w, const struct message *m,
    size_t node)
{
	if (source_mixed(m) && !j->how->whole)
		return false;
	if (m->state != STATE_DEFERRED)
		return true;	/* on its way already; not touched by it */
	return w->spool->kind->covers(w->spool,
	    j->source->select->nodes.p[node].text, m);
}

/* Counts by node, and whether the commands will do.  Nothing is changed. */
static bool
survey(struct job *j, size_t *counts)
{
	struct job look = *j;
	struct wanted w = {0};
	struct message m = {0};
	bool all = true;

	look.list = NULL;
	look.status = 0;
	look.quiet = true;
	while (all && next(&look, &w, &m)) {
		size_t i = first_node(j->source->select, &m);

		counts[i]++;
		j->mixed += source_mixed(&m);
		all = covered(j, &w, &m, i);
		if (all && j->list != NULL)
			released_add(j->list, w.spool, &m, i);
	}
	message_free(&m);
	wanted_free(&w);
	source_again(j->source);
	return all && look.status == 0;
}

static void
by_node(struct job *j, struct spool *sp)
{
	const struct select *sel = j->source->select;
	size_t *counts = must(calloc(sel->nodes.n + 1, sizeof *counts));
	size_t before = j->list != NULL ? j->list->n : 0;
	struct err e = {0};
	int r = 1;

	j->from_node = 0;
	j->mixed = 0;
	if (!survey(j, counts)) {
		if (j->list != NULL)
			released_cut(j->list, before, 0);
		free(counts);
		return;
	}
	for (size_t i = 0; i < sel->nodes.n && r == 1; i++) {
		if (counts[i] > 0)
			r = sp->kind->release_node(sp, sel->nodes.p[i].text, &e);
		if (r < 0)
			trouble(j, &e);
		if (r != 1)
			break;
		if (j->how->verbose && counts[i] > 0)
			warn(j->how->tool, "%s: released for %s: %zu",
			    sp->dir, sel->nodes.p[i].text, counts[i]);
		j->released += (long long)counts[i];
		j->from_node = i + 1;
	}
	if (j->how->verbose && j->from_node > 0 && j->mixed > 0)
		warn(j->how->tool, "%s: for other recipients too: %lld", sp->dir,
		    j->mixed);
	if (j->list != NULL)
		released_cut(j->list, before, j->from_node);
	if (r < 0)
		j->stuck[sp - j->source->spools->p] = true;
	free(counts);
}

/* ---- message by message ---- */

static void
show(const struct job *j, const char *verb, const struct message *m)
{
	struct buf line = {0};
	struct record r;

	message_record(m, &r);
	buf_addf(&line, "%s\t", verb);
	record_add(&line, &r, j->how->end);
	fwrite(line.p, 1, line.n, stdout);
	vec_free(&r.rcpts);
	buf_free(&line);
}

static void
one(struct job *j, struct wanted *w, struct message *m)
{
	size_t n = (size_t)(w->spool - j->source->spools->p);
	bool mixed = source_mixed(m);
	struct err e = {0};

	if (mixed && !j->how->whole) {
		j->left_behind++;
		if (j->how->dry)
			show(j, "leave", m);
		else if (j->how->verbose)
			warn(j->how->tool, "%s: left: it has other recipients too "
			    "(--whole)", message_label(m));
		return;
	}
	if (j->how->dry) {
		show(j, "release", m);
	} else if (j->stuck[n]) {
		return;
	} else if (w->spool->kind->release(w->spool, m, &e) < 0) {
		/* its MTA would say the same of every message */
		j->stuck[n] = e.fault == FAULT_UNAVAILABLE ||
		    e.fault == FAULT_TEMP || e.fault == FAULT_PERM;
		trouble(j, &e);
		return;
	} else if (j->how->verbose) {
		warn(j->how->tool, "%s: released%s", message_label(m),
		    mixed ? ", for its other recipients too" : "");
	}
	j->released++;
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

	while (next(j, &w, &m))
		if ((j->from_node == 0 || first_node(sel, &m) >= j->from_node) &&
		    seen_first(&seen, m.dev, m.ino))
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

		j->spool = sp;
		j->from_node = 0;
		if (sp->kind->release_node != NULL && sp->kind->covers != NULL)
			by_node(j, sp);
		if (j->from_node < j->source->select->nodes.n && !j->stuck[i])
			one_by_one(j);
	}
}

/* ---- the end ---- */

static void
summary(const struct job *j, const struct stay *stay)
{
	fprintf(stderr, "released %lld, ", j->released);
	if (j->list != NULL)
		fprintf(stderr, "left %lld, stayed %lld, ", stay->left,
		    stay->stayed);
	fprintf(stderr, "busy 0, changed %lld", j->changed);
	if (j->left_behind > 0)
		fprintf(stderr, ", left behind %lld", j->left_behind);
	fputc('\n', stderr);
}

/* A queue whose MTA is not here can be told nothing (69). */
static bool
all_can(struct job *j)
{
	struct err e = {0};

	for (size_t i = 0; i < j->source->spools->n; i++) {
		const struct spool *sp = &j->source->spools->p[i];

		if (sp->kind->release != NULL)
			continue;
		err_set(&e, FAULT_UNAVAILABLE, "%s: a %s has no MTA that could "
		    "be told to deliver; give a COMMAND behind --", sp->dir,
		    sp->kind->name);
		trouble(j, &e);
		return false;
	}
	return true;
}

int
release(struct source *s, const struct release_how *how)
{
	struct released list = {0};
	struct stay stay = {0};
	struct job j = { .source = s, .how = how };

	if (!all_can(&j))
		return j.status;
	j.stuck = must(calloc(s->spools->room, sizeof *j.stuck));
	if (how->wait_ms >= 0 && !how->dry)
		j.list = &list;
	if (only_nodes(s) && !how->dry)
		with_nodes(&j);
	else
		one_by_one(&j);
	if (j.list != NULL)
		released_watch(&list, how, &stay);
	if (how->verbose)
		summary(&j, &stay);
	if (stay.stayed > 0 || j.changed > 0 || j.left_behind > 0)
		j.status = status_worse(j.status, FAULT_TEMP);
	released_free(&list);
	free(j.stuck);
	return j.status;
}
