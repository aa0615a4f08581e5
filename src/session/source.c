#include "session/source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
source_init(struct source *s, struct spools *spools, const struct select *sel,
    bool records, char end)
{
	*s = (struct source){ .spools = spools, .select = sel,
	    .records = records, .lines.end = end };
	/* claims point at their spool: it must not move when one is added */
	spools->room = spools->n + SOURCE_SPOOLS;
	spools->p = must(realloc(spools->p, spools->room * sizeof *spools->p));
}

static void
end_walk(struct source *s)
{
	if (s->walk != NULL)
		s->spools->p[s->spool].kind->walk_end(s->walk);
	s->walk = NULL;
}

void
source_again(struct source *s)
{
	end_walk(s);
	s->spool = s->id = 0;
	s->had = s->found = s->denied = false;
}

void
source_free(struct source *s)
{
	end_walk(s);
	lines_free(&s->lines);
}

void
wanted_free(struct wanted *w)
{
	buf_free(&w->entry.ref);
	record_free(&w->record);
	*w = (struct wanted){0};
}

/* For whoever may not look: what to do. */
static int
advised(struct err *e)
{
	struct err why = *e;

	return why.fault != FAULT_PERM ? -1 : err_set(e, FAULT_PERM, "%.500s; run it "
	    "as root or as the owner of the queue", why.text);
}

/* ---- every message of every queue ---- */

/* One directory of a queue after the other may be shut: is it the first? */
static bool
is_news(struct source *s, const struct err *e)
{
	bool before = s->denied;

	s->denied = before || e->fault == FAULT_PERM;
	return !before || e->fault != FAULT_PERM;
}

static int
from_queues(struct source *s, struct wanted *w, struct err *e)
{
	int r;

	for (; s->spool < s->spools->n; s->spool++, s->denied = false) {
		struct spool *sp = &s->spools->p[s->spool];

		if (s->only != NULL && s->only != sp)
			continue;
		if (s->walk == NULL)
			s->walk = sp->kind->walk(sp, select_walks(s->select), e);
		if (s->walk == NULL) {
			s->spool++;
			return advised(e);
		}
		while ((r = sp->kind->next(s->walk, &w->entry, e)) != 0) {
			if (r < 0 && is_news(s, e))
				return advised(e);
			if (r < 0)
				err_clear(e);
			if (r < 0 || !select_entry(s->select, &w->entry))
				continue;
			w->spool = sp;
			return SOURCE_ONE;
		}
		end_walk(s);
	}
	return SOURCE_END;
}

/* ---- refs ---- */

static int
at_ref(struct source *s, const char *ref, struct wanted *w, struct err *e)
{
	int r;

	if (s->spools->n == s->spools->room)
		return err_set(e, FAULT_DATA, "%s: too many queues", ref);
	w->spool = spool_of(s->spools, ref, e);
	r = w->spool != NULL ? spool_at(w->spool, ref, &w->entry, e) : -1;
	return r < 0 ? advised(e) : r;
}

/* ---- IDs and refs: each named one, in every queue that has it ---- */

/* An ID that stands for several entries: the next of them; 1, 0 no more, -1. */
static int
next_among(struct source *s, const char *id, struct wanted *w, struct err *e)
{
	struct spool *sp = &s->spools->p[s->spool];
	int r;

	while ((r = sp->kind->next(s->walk, &w->entry, e)) > 0 &&
	    !sp->kind->among(&w->entry, id))
		;
	w->spool = sp;
	return r;
}

/* In the queue that is looked at now: 1, 0 no more, -1. */
static int
in_this(struct source *s, const char *id, struct wanted *w, struct err *e)
{
	struct spool *sp = &s->spools->p[s->spool];
	int r;

	if (s->walk != NULL)
		return next_among(s, id, w, e);
	if (s->had)
		return 0;
	s->had = true;
	r = sp->kind->find(sp, id, &w->entry, e);
	w->spool = sp;
	if (r <= 0 || sp->kind->among == NULL ||
	    !sp->kind->among(&w->entry, id))
		return r;
	s->walk = sp->kind->walk(sp, STATES_SHOWN, e);
	return s->walk != NULL ? next_among(s, id, w, e) : -1;
}

static int
by_id(struct source *s, const char *id, struct wanted *w, struct err *e)
{
	for (; s->spool < s->spools->n; s->spool++) {
		int r = in_this(s, id, w, e);

		if (r != 0) {
			s->found = true;
			return r < 0 ? advised(e) : r;
		}
		end_walk(s);
		s->had = false;
	}
	return 0;
}

/* No MTA's ID is without a digit: it is a COMMAND whose `--' was forgotten. */
static int
no_such(const char *id, struct err *e)
{
	return err_set(e, FAULT_UNAVAILABLE, "%s: no such message%s", id,
	    strpbrk(id, "0123456789") == NULL ? "; a COMMAND stands behind --" : "");
}

static int
from_ids(struct source *s, struct wanted *w, struct err *e)
{
	while (s->id < s->select->ids.n) {
		const char *id = s->select->ids.p[s->id];
		bool found;
		int r;

		if (*id == '/') {
			s->id++;
			r = at_ref(s, id, w, e);
			return r == 0 ? no_such(id, e) : r;
		}
		if ((r = by_id(s, id, w, e)) != 0)
			return r;
		found = s->found;
		s->found = false;
		s->spool = 0;
		s->id++;
		if (!found)
			return no_such(id, e);
	}
	return SOURCE_END;
}

/* ---- records ---- */

int
source_fd(const struct source *s)
{
	return s->records && !lines_ready(&s->lines) ? STDIN_FILENO : -1;
}

static int
of_record(struct source *s, struct wanted *w, struct err *e)
{
	int r;

	if (strcmp(w->record.ref, "!") == 0)
		return err_set(e, (enum fault)w->record.exit, "stdin: %s",
		    w->record.text);
	w->spool = NULL;
	r = at_ref(s, w->record.ref, w, e);
	if (r < 0 && w->spool == NULL && e->fault == FAULT_DATA)
		lines_bad(&s->lines, e);
	return r == 0 ? SOURCE_GONE : r;
}

static int
from_stdin(struct source *s, struct wanted *w, struct err *e)
{
	int r = lines_record(&s->lines, &w->record, e);

	if (r == LINES_EMPTY_HANDED && (r = lines_fill(&s->lines, e)) > 0)
		r = lines_record(&s->lines, &w->record, e);
	if (r == LINES_EMPTY_HANDED)
		return SOURCE_NOT_YET;
	if (r == LINES_BAD)
		return -1;
	return r > 0 ? of_record(s, w, e) : r;
}

int
source_next(struct source *s, struct wanted *w, struct err *e)
{
	record_free(&w->record);
	if (s->records)
		return from_stdin(s, w, e);
	return s->select->ids.n > 0 ? from_ids(s, w, e) : from_queues(s, w, e);
}

/* ---- meant or not ---- */

enum fit
source_fits(const struct source *s, const struct wanted *w, struct message *m,
    bool twice)
{
	struct select sel = *s->select;

	sel.has_reason = sel.has_reason && !twice;
	if (w->record.ref == NULL)
		return select_message(&sel, m) ? FIT_YES : FIT_NO;
	if (!select_message(&sel, m)) {
		/* not meant, or nothing left; but is it still that message? */
		return select_record(m, &w->record) ? FIT_NO : FIT_CHANGED;
	}
	if (!select_record(m, &w->record))
		return FIT_CHANGED;
	return select_any(m) ? FIT_YES : FIT_NO;
}

bool
source_mixed(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (!m->env.rcpts.p[i].done && !m->env.rcpts.p[i].selected)
			return true;
	return false;
}

const char *
message_label(const struct message *m)
{
	return m->id != NULL ? m->id : m->ref;
}

void
message_record(const struct message *m, struct record *r)
{
	*r = (struct record){ .ref = m->ref, .sender = m->env.sender != NULL ?
	    m->env.sender : (char *)(uintptr_t)"" };
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (m->env.rcpts.p[i].selected)
			*vec_add(&r->rcpts) = m->env.rcpts.p[i].address;
}
