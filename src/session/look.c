#include "session/look.h"

#include <stdio.h>
#include <string.h>

#include "session/ahead.h"
#include "session/stdin.h"

/* Takes the message. */
static void
consider(const struct look *l, struct spool *s, struct message *m,
    const struct record *r)
{
	if (!select_message(l->select, m) || (r != NULL && (!select_record(m, r) ||
	    (r->rcpts.n > 0 && !select_any(m)))))
		message_free(m);
	else
		l->each(s, m);
}

/* Of what a listing may lack: that which has to be known of every message. */
static unsigned
needs(const struct look *l)
{
	const struct select *s = l->select;

	return l->needs | (s->larger >= 0 || s->smaller >= 0 ? LACKS_SIZE : 0) |
	    (s->older >= 0 || s->newer >= 0 ? LACKS_ARRIVAL : 0);
}

/* For kind->read. */
static unsigned
reads(const struct look *l)
{
	return needs(l) & LACKS_SIZE ? l->reads & ~(unsigned)READ_NO_SIZE : l->reads;
}

static void
look_at(const struct look *l, struct spool *s, const struct entry *at,
    const struct record *r)
{
	struct message m = {0};
	struct err e = {0};
	int n = s->kind->read(s, at, reads(l), &m, &e);

	if (n < 0)
		l->trouble(&e);
	if (n == 1)
		consider(l, s, &m, r);
	else
		message_free(&m);
}

/* What the MTA says itself.  It knows nothing of corrupt files. */
static bool
can_ask(const struct look *l, const struct spool *s, const struct err *e)
{
	return e->fault == FAULT_PERM && s->live && s->kind->listing != NULL &&
	    !(s->kind->lacks & needs(l)) &&
	    !(l->select->states & STATE_BIT(STATE_CORRUPT));
}

/* Of all it lists, or of one only: its ID, or the name of its file. */
static void
ask(const struct look *l, struct spool *s, const char *id)
{
	struct err e = {0};
	struct walk *w = s->kind->listing(s, &e);
	struct message m = {0};
	int r = -1;

	while (w != NULL && !l->enough() && (r = s->kind->listed(w, &m, &e)) == 1) {
		if (id == NULL || strcmp(m.id, id) == 0 ||
		    strcmp(ref_name(m.ref), id) == 0)
			consider(l, s, &m, NULL);
		else
			message_free(&m);
		m = (struct message){0};
	}
	if (w != NULL)
		s->kind->listing_end(w);
	if (r < 0)
		l->trouble(&e);
}

/* One line for a queue of many unreadable directories. */
static void
cannot_look(const struct look *l, const struct err *e, bool *told)
{
	struct err advised = *e;

	if (e->fault != FAULT_PERM) {
		l->trouble(e);
		return;
	}
	if (*told)
		return;
	err_set(&advised, FAULT_PERM, "%.500s; %s", e->text, l->advice);
	l->trouble(&advised);
	*told = true;
}

/* ---- a whole queue ---- */

struct through {
	const struct look *l;
	struct spool *s;
	const char *id;		/* entries among which it is (kind->among); NULL */
	struct ahead *ahead;
	bool any, told, asked;
};

static void
take(struct through *t, struct item *it)
{
	if (it->e != NULL)
		t->l->trouble(it->e);
	if (it->r == 1 && t->l->text != NULL) {
		t->l->line(buf_span(&it->text));
	} else if (it->r == 1) {
		struct message m = it->m;

		it->m = (struct message){0};
		t->l->each(t->s, &m);
	}
}

/*
 * Done by whoever has read it: what was not meant goes at once, and of the others
 * only the text stays, where that is all that is wanted.
 */
static int
digest(const void *arg, struct spool *s, struct message *m, struct buf *text,
    struct err *e)
{
	const struct look *l = arg;
	int bad = 0;

	if (!select_message(l->select, m))
		return 0;
	if (l->text != NULL)
		bad = l->text(s, m, text, e);
	return bad < 0 ? -1 : 1;
}

/* Nothing but the name has to be known of it. */
static bool
is_sure(const struct through *t, const struct entry *at)
{
	return t->l->name != NULL && at->whole && t->id == NULL &&
	    select_by_name(t->l->select, at);
}

/* An entry that could be meant; it is left empty when it was handed on. */
static void
entry(struct through *t, struct entry *at)
{
	struct item *it;

	if (t->id != NULL ? !t->s->kind->among(at, t->id) :
	    !select_entry(t->l->select, at))
		return;
	if (is_sure(t, at)) {
		t->l->name(t->s, at);
		return;
	}
	ahead_add(t->ahead, at);
	while (!ahead_room(t->ahead) && !t->l->enough() &&
	    (it = ahead_next(t->ahead)) != NULL)
		take(t, it);
}

/* By the MTA's own index, where one domain is asked for and it has one. */
static struct walk *
start(const struct through *t, struct err *e)
{
	const struct spool_kind *kind = t->s->kind;
	const char *node = select_node(t->l->select);
	unsigned states = select_walks(t->l->select);
	struct walk *w = NULL;

	if (node != NULL && kind->walk_node != NULL)
		w = kind->walk_node(t->s, node, states, e);
	return w != NULL ? w : kind->walk(t->s, states, e);
}

static void
walk(struct through *t)
{
	struct err e = {0};
	struct entry at = {0};
	struct walk *w = start(t, &e);
	struct item *it;
	int r = 1;

	if (w == NULL && !(t->asked = can_ask(t->l, t->s, &e)))
		cannot_look(t->l, &e, &t->told);
	while (w != NULL && !t->asked && !t->l->enough() &&
	    (r = t->s->kind->next(w, &at, &e)) != 0) {
		if (r > 0)
			entry(t, &at);
		else if (!t->any && can_ask(t->l, t->s, &e))
			t->asked = true;
		else
			cannot_look(t->l, &e, &t->told);
		t->any = t->any || r > 0;
		err_clear(&e);
	}
	while (!t->l->enough() && (it = ahead_next(t->ahead)) != NULL)
		take(t, it);
	if (w != NULL)
		t->s->kind->walk_end(w);
	buf_free(&at.ref);
}

static void
through(const struct look *l, struct spool *s, const char *id)
{
	struct through t = { .l = l, .s = s, .id = id };

	t.ahead = ahead_new(s, reads(l) | READ_AS_WALKED, digest, l, l->text != NULL);
	walk(&t);
	ahead_free(t.ahead);
	if (t.asked)
		ask(l, s, id);
}

void
look_through(const struct look *l, struct spool *s)
{
	through(l, s, NULL);
}

/* ---- one message ---- */

static void
look_ref(const struct look *l, const char *ref, const struct record *r)
{
	struct err e = {0};
	struct entry at = {0};
	struct spool *s = spool_of(l->spools, ref, &e);
	int n = s != NULL ? spool_at(s, ref, &at, &e) : -1;

	if (n < 0 && s != NULL && r == NULL && can_ask(l, s, &e))
		ask(l, s, ref_name(ref));
	else if (n < 0)
		cannot_look(l, &e, &(bool){false});
	else if (n == 1 && (select_walks(l->select) & STATE_BIT(at.state)))
		look_at(l, s, &at, r);
	buf_free(&at.ref);
}

static void
look_id(const struct look *l, const char *id)
{
	for (size_t i = 0; i < l->spools->n; i++) {
		struct spool *s = &l->spools->p[i];
		struct err e = {0};
		struct entry at = {0};
		int n = s->kind->find(s, id, &at, &e);

		if (n < 0 && can_ask(l, s, &e))
			ask(l, s, id);
		else if (n < 0)
			cannot_look(l, &e, &(bool){false});
		else if (n == 1 && s->kind->among != NULL && s->kind->among(&at, id))
			through(l, s, id);
		else if (n == 1 && (select_walks(l->select) & STATE_BIT(at.state)))
			look_at(l, s, &at, NULL);
		buf_free(&at.ref);
	}
}

void
look_operand(const struct look *l, const char *name)
{
	if (*name == '/')
		look_ref(l, name, NULL);
	else
		look_id(l, name);
}

static void
look_record(const struct look *l, const struct record *r)
{
	struct err e = {0};

	if (strcmp(r->ref, "!") == 0) {
		err_set(&e, (enum fault)r->exit, "%.600s", r->text);
		l->trouble(&e);
	} else if (!l->enough()) {
		look_ref(l, r->ref, r);
	}
}

void
look_stdin(const struct look *l)
{
	struct lines in = { .end = l->end };
	struct record record = {0};
	struct err e = {0};
	int r = 1;

	while (r > 0 && !ferror(stdout)) {
		r = lines_record(&in, &record, &e);
		if (r == LINES_EMPTY_HANDED)
			r = lines_fill(&in, &e);
		else if (r == LINES_BAD)
			l->trouble(&e);
		else if (r == 1)
			look_record(l, &record);
		record_free(&record);
	}
	if (r < 0)
		l->trouble(&e);
	lines_free(&in);
}
