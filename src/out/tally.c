#include "out/tally.h"

#include <ctype.h>
#include <string.h>

#include "wire/domain.h"

int64_t
tally_minutes(size_t age)
{
	return age + 1 < TALLY_AGES ? (int64_t)5 << age : 0;
}

static size_t
age_column(const struct tally *t, int64_t arrival)
{
	int64_t minutes = (t->now - arrival) / 60;
	size_t i = 0;

	while (i + 1 < TALLY_AGES && minutes >= tally_minutes(i))
		i++;
	return i;
}

/* ---- the groups, found by their keys ---- */

static size_t
hash(struct span key)
{
	size_t h = 5381;

	for (size_t i = 0; i < key.n; i++)
		h = h * 33 ^ (unsigned char)key.p[i];
	return h;
}

/* Where in the index the key is, or would be. */
static size_t
slot(const struct tally *t, struct span key)
{
	size_t i = hash(key) & (t->room - 1);

	while (t->index[i] != 0 && !span_is(key, t->groups.p[t->index[i] - 1].key))
		i = (i + 1) & (t->room - 1);
	return i;
}

static void
index_again(struct tally *t, size_t room)
{
	free(t->index);
	t->index = must(calloc(room, sizeof *t->index));
	t->room = room;
	for (size_t i = 0; i < t->groups.n; i++)
		t->index[slot(t, span_of(t->groups.p[i].key))] = i + 1;
}

struct group *
tally_group(struct tally *t, struct span key)
{
	struct group *g;
	size_t i;

	if (t->groups.n * 2 >= t->room)
		index_again(t, t->room > 0 ? t->room * 2 : 64);
	i = slot(t, key);
	if (t->index[i] == 0 && t->groups.n >= TALLY_GROUPS_MAX) {
		key = SPAN("(other)");
		i = slot(t, key);
	}
	if (t->index[i] == 0) {
		g = vec_add(&t->groups);
		g->key = span_dup(key);
		t->index[i] = t->groups.n;
	}
	return &t->groups.p[t->index[i] - 1];
}

static void
count(struct group *g, const struct tally *t, const struct row *w, int64_t rcpts,
    int64_t aged)
{
	g->messages++;
	g->rcpts += rcpts;
	g->octets += w->size;
	g->ages[age_column(t, w->arrival)] += aged;
	if (g->oldest == 0 || w->arrival < g->oldest)
		g->oldest = w->arrival;
}

/* ---- what a message is counted under ---- */

/* What a recipient is counted under. */
typedef void key_of(struct buf *, const struct rcpt *);

static void
domain_key(struct buf *b, const struct rcpt *r)
{
	struct span d = domain_of(span_of(r->address));

	for (size_t i = 0; i < d.n; i++)
		buf_addc(b, (char)tolower((unsigned char)d.p[i]));
	if (d.n == 0)
		buf_adds(b, "(local)");
}

static void
reason_key(struct buf *b, const struct rcpt *r)
{
	if (r->reason != NULL && *r->reason != '\0')
		tally_reason(b, span_of(r->reason));
	else
		buf_adds(b, "(none noted)");
}

/* A message counts once in each group that its recipients fall into. */
static void
add_by_rcpt(struct tally *t, const struct row *w, key_of *key)
{
	struct buf b = {0};

	for (size_t i = 0; i < w->env->rcpts.n; i++) {
		const struct rcpt *r = &w->env->rcpts.p[i];
		struct group *g;

		if (!r->selected)
			continue;
		buf_clear(&b);
		key(&b, r);
		g = tally_group(t, buf_span(&b));
		if (g->example == NULL && r->reason != NULL)
			g->example = span_dup(span_of(r->reason));
		if (g->last != t->all.messages) {
			g->last = t->all.messages;
			count(g, t, w, 1, 1);
		} else {
			g->rcpts++;
			g->ages[age_column(t, w->arrival)]++;
		}
	}
	buf_free(&b);
}

void
tally_add(struct tally *t, const struct row *w)
{
	struct buf key = {0};
	int64_t rcpts = 0;

	for (size_t i = 0; i < w->env->rcpts.n; i++)
		rcpts += w->env->rcpts.p[i].selected;
	count(&t->all, t, w, rcpts, 1);
	switch (t->by) {
	case BY_QUEUE:
		buf_addf(&key, "%s\t%s\t%s", w->mta, w->spool, w->state);
		break;
	case BY_DOMAIN:
		add_by_rcpt(t, w, domain_key);
		return;
	case BY_REASON:
		add_by_rcpt(t, w, reason_key);
		return;
	case BY_SENDER:
		buf_adds(&key, w->env->sender != NULL && *w->env->sender != '\0' ?
		    w->env->sender : "<>");
		break;
	case BY_AGE:
		return;		/* `all' has the ages */
	}
	count(tally_group(t, buf_span(&key)), t, w, rcpts, 1);
	buf_free(&key);
}

static int
larger(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->rcpts != y->rcpts)
		return x->rcpts > y->rcpts ? -1 : 1;
	return strcmp(x->key, y->key);
}

void
tally_sort(struct tally *t)
{
	if (t->groups.n > 0)
		qsort(t->groups.p, t->groups.n, sizeof *t->groups.p, larger);
	free(t->index);
	t->index = NULL;
	t->room = 0;
}

static void
group_free(struct group *g)
{
	free(g->key);
	free(g->example);
}

void
tally_free(struct tally *t)
{
	for (size_t i = 0; i < t->groups.n; i++)
		group_free(&t->groups.p[i]);
	vec_free(&t->groups);
	free(t->index);
	*t = (struct tally){0};
}

/* ---- reasons that are the same ---- */

/* `451` or `4.7.1`: part of what went wrong, not of where. */
static bool
is_code(struct span w)
{
	size_t digits = 0, dots = 0;

	while (w.n > 0 && strchr(":;,-", w.p[w.n - 1]) != NULL)
		w.n--;
	for (size_t i = 0; i < w.n; i++) {
		digits += isdigit((unsigned char)w.p[i]) != 0;
		dots += w.p[i] == '.';
	}
	return digits + dots == w.n && ((digits == 3 && dots == 0) ||
	    (dots == 2 && w.n <= 7));
}

static bool
differs(struct span w)
{
	bool digit = false, point = false;

	for (size_t i = 0; i < w.n; i++) {
		digit = digit || isdigit((unsigned char)w.p[i]);
		point = point || strchr("@[<", w.p[i]) != NULL ||
		    (w.p[i] == '.' && i + 1 < w.n && isalpha((unsigned char)w.p[i + 1]));
	}
	return (digit || point) && !is_code(w);
}

void
tally_reason(struct buf *b, struct span reason)
{
	struct span word;
	size_t start = b->n;

	while (span_cut(&reason, ' ', &word)) {
		if (word.n == 0)
			continue;
		if (b->n > start)
			buf_addc(b, ' ');
		if (differs(word))
			buf_addc(b, '*');
		else
			buf_addspan(b, word);
	}
}
