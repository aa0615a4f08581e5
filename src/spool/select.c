#include "spool/select.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "wire/domain.h"
#include "wire/path.h"

/* A message whose recipients are all done lies where it lay before. */
#define WITH_DONE (STATE_BIT(STATE_INCOMING) | STATE_BIT(STATE_ACTIVE) | \
	STATE_BIT(STATE_DEFERRED) | STATE_BIT(STATE_HOLD))

void
select_init(struct select *s)
{
	*s = (struct select){
		.states = STATES_SHOWN, .older = -1, .newer = -1,
		.larger = -1, .smaller = -1, .first = -1, .now = time(NULL),
	};
}

static void
patterns_free(struct patterns *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i].text);
	vec_free(v);
}

void
select_free(struct select *s)
{
	patterns_free(&s->nodes);
	patterns_free(&s->rcpts);
	patterns_free(&s->froms);
	for (size_t i = 0; i < s->ids.n; i++)
		free(s->ids.p[i]);
	vec_free(&s->ids);
	if (s->has_reason)
		regfree(&s->reason);
	*s = (struct select){0};
}

unsigned
select_walks(const struct select *s)
{
	unsigned states = s->states | STATE_BIT(STATE_UNTOLD);

	return states & STATE_BIT(STATE_DONE) ? states | WITH_DONE : states;
}

void
select_touch(struct select *s)
{
	s->states &= s->named |
	    ~(STATE_BIT(STATE_HOLD) | STATE_BIT(STATE_CORRUPT));
}

/* In a Maildir flags may have come behind the ID since: ID:2,S. */
static bool
is_named(const char *ref, const char *id)
{
	const char *name = ref_name(ref);
	size_t n = strlen(id);

	if (strcmp(ref, id) == 0)
		return true;
	return strncmp(name, id, n) == 0 && (name[n] == '\0' || name[n] == ':');
}

bool
select_entry(const struct select *s, const struct entry *at)
{
	struct buf ref = {0};
	bool named = s->ids.n == 0;

	if (!(select_walks(s) & STATE_BIT(at->state)))
		return false;
	if (named)
		return true;
	buf_addspan(&ref, buf_span(&at->ref));
	for (size_t i = 0; i < s->ids.n && !named; i++)
		named = is_named(buf_str(&ref), s->ids.p[i]);
	buf_free(&ref);
	return named;
}

bool
select_by_name(const struct select *s, const struct entry *at)
{
	return !select_narrows(s) && s->froms.n == 0 && !s->has_reason &&
	    s->older < 0 && s->newer < 0 && s->larger < 0 && s->smaller < 0 &&
	    (at->state != STATE_UNTOLD ? (s->states & STATE_BIT(at->state)) != 0 :
	    !s->states_given);
}

static bool
is_node(const char *node, const char *address)
{
	return node_has(node, domain_of(span_of(address)));
}

/* A domain literal looks like a glob's bracket: to the letter first. */
static bool
is_glob(const char *glob, const char *address)
{
	return strcasecmp(glob, address) == 0 ||
	    fnmatch(glob, address, FNM_CASEFOLD) == 0;
}

/* One of those that include, if there are any, and none that excludes. */
static bool
meant(const struct patterns *v, bool (*is)(const char *, const char *),
    const char *address)
{
	bool wanted = false, any = false;

	for (size_t i = 0; i < v->n; i++) {
		bool yes = is(v->p[i].text, address);

		if (v->p[i].not && yes)
			return false;
		any = any || !v->p[i].not;
		wanted = wanted || (!v->p[i].not && yes);
	}
	return wanted || !any;
}

bool
select_narrows(const struct select *s)
{
	return s->nodes.n > 0 || s->rcpts.n > 0;
}

bool
select_any(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (m->env.rcpts.p[i].selected)
			return true;
	return false;
}

static bool
has_reason(const struct select *s, const struct message *m)
{
	bool found = false;

	if (!s->has_reason)
		return true;
	for (size_t i = 0; i < m->env.rcpts.n && !found; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		found = r->selected && r->reason != NULL &&
		    regexec(&s->reason, r->reason, 0, NULL, 0) == 0;
	}
	return found != s->reason_not;
}

/* Within the bounds that were given; -1 is none. */
static bool
between(int64_t v, int64_t above, int64_t below)
{
	return (above < 0 || v > above) && (below < 0 || v < below);
}

bool
select_message(const struct select *s, struct message *m)
{
	const char *sender = m->env.sender != NULL ? m->env.sender : "";

	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		struct rcpt *r = &m->env.rcpts.p[i];

		r->selected = !r->done && meant(&s->nodes, is_node, r->address) &&
		    meant(&s->rcpts, is_glob, r->address);
	}
	return (s->states & STATE_BIT(m->state)) &&
	    between(s->now - m->arrival, s->older, s->newer) &&
	    between(m->size, s->larger, s->smaller) &&
	    meant(&s->froms, is_glob, sender) &&
	    (!select_narrows(s) || select_any(m)) && has_reason(s, m);
}

/*
 * The recipient that `address` names: one not yet `taken`, a selected one
 * rather than another (an address may stand there twice).  -1: none at all.
 * Records name them in the message's order: the search begins at `from`.
 */
static ssize_t
named(const struct message *m, const char *address, const bool *taken,
    size_t from)
{
	ssize_t any = -1;
	size_t n = m->env.rcpts.n;

	for (size_t k = 0; k < n; k++) {
		size_t i = from + k < n ? from + k : from + k - n;
		const struct rcpt *r = &m->env.rcpts.p[i];

		if (!path_same(span_of(r->address), span_of(address)))
			continue;
		if (r->selected && !taken[i])
			return (ssize_t)i;
		any = (ssize_t)i;
	}
	return any;
}

bool
select_record(struct message *m, const struct record *r)
{
	const char *sender = m->env.sender != NULL ? m->env.sender : "";
	bool *taken, same = true;
	size_t n = m->env.rcpts.n, next = 0;

	if (r->sender == NULL)
		return true;
	taken = must(calloc(n + 1, sizeof *taken));
	same = path_same(span_of(sender), span_of(r->sender));
	for (size_t i = 0; i < r->rcpts.n && same; i++) {
		ssize_t at = named(m, r->rcpts.p[i], taken, next);

		same = at >= 0;
		if (same)
			taken[at] = true;
		next = (size_t)at + 1 < n ? (size_t)at + 1 : 0;
	}
	for (size_t i = 0; i < n; i++)
		if (!same || !taken[i])
			m->env.rcpts.p[i].selected = false;
	free(taken);
	return same;
}

bool
select_given(const struct select *s)
{
	return select_narrows(s) || s->froms.n > 0 || s->states_given ||
	    s->has_reason || s->older >= 0 || s->newer >= 0 ||
	    s->larger >= 0 || s->smaller >= 0 || s->first >= 0 || s->ids.n > 0;
}

unsigned
select_reads(const struct select *s)
{
	return s->has_reason ? READ_REASONS : 0;
}

const char *const *
select_words(const struct select *s)
{
	static VEC(const char *) words;

	words.n = 0;
	for (size_t i = 0; i < s->nodes.n; i++)
		*vec_add(&words) = s->nodes.p[i].text;
	for (size_t i = 0; i < s->rcpts.n; i++)
		*vec_add(&words) = s->rcpts.p[i].text;
	for (size_t i = 0; i < s->ids.n; i++)
		*vec_add(&words) = s->ids.p[i];
	*vec_add(&words) = NULL;
	return words.p;
}

const char *
select_node(const struct select *s)
{
	const struct pattern *one = s->nodes.p;

	return s->nodes.n == 1 && !one->not && *one->text != '@' &&
	    *one->text != '#' ? one->text : NULL;
}
