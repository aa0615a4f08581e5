#include "net/arrivals.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"

static int
see(struct arrivals *a, struct sightings *v, struct err *e)
{
	const char *proc = getenv("TIDEGATE_PROC");

	if (a->told)
		sightings_ended(v, a->port, a->endings);
	if (a->by_proc)
		return sightings_proc(v, a->port, proc ? proc : "/proc", e);
	return sightings_diag(v, a->port, e);
}

static bool
is_alike(const struct sighting *a, const struct sighting *b)
{
	return a->port == b->port &&
	    memcmp(&a->from, &b->from, sizeof a->from) == 0 &&
	    memcmp(&a->to, &b->to, sizeof a->to) == 0;
}

/* The newest between these addresses and ports; NULL. */
static struct arrival *
find(struct arrivals *a, const struct sighting *s)
{
	for (size_t i = a->n; i-- > 0;)
		if (is_alike(&a->p[i].last, s))
			return &a->p[i];
	return NULL;
}

/*
 * Another connection from the same port?  One that was over does not begin again.
 * A look can miss one that is there: an id says that it is the same.
 */
static bool
is_another(const struct sighting *was, const struct sighting *is)
{
	if (is->over)
		return false;
	return was->id != 0 && is->id != 0 ? was->id != is->id : was->over;
}

static void
note(struct arrivals *a, const struct sighting *s, bool first)
{
	struct arrival *known = find(a, s);
	struct sighting was;

	a->busy += !s->over;
	if (known == NULL || is_another(&known->last, s)) {
		known = vec_add(a);
		known->last = *s;
		known->before = first;
		known->here = true;
		return;
	}
	was = known->last;
	known->last = *s;
	known->here = true;
	if (s->id == 0)
		known->last.id = was.id;
	if (s->octets < was.octets)
		known->last.octets = was.octets;
}

void
arrivals_note(struct arrivals *a, const struct sightings *v, bool first)
{
	a->busy = 0;
	for (size_t i = 0; i < a->n; i++)
		a->p[i].here = false;
	for (size_t i = 0; i < v->n; i++)
		if (range_has(&a->from, &v->p[i].from))
			note(a, &v->p[i], first);
	for (size_t i = 0; i < a->n; i++)
		a->p[i].last.over |= !a->p[i].here;
}

int
arrivals_open(struct arrivals *a, uint16_t port, struct err *e)
{
	struct sightings v = {0};
	struct err diag = {0}, proc = {0};
	int r;

	a->port = port;
	a->by_proc = getenv("TIDEGATE_PROC") != NULL;
	a->endings = a->by_proc ? -1 : sightings_listen();
	a->told = a->endings >= 0;
	r = see(a, &v, &diag);
	if (r < 0 && !a->by_proc) {
		a->by_proc = true;
		vec_free(&v);
		r = see(a, &v, &proc);
	}
	if (r < 0)
		r = err_set(e, FAULT_UNAVAILABLE, "connections cannot be seen "
		    "here: %s%s%s", diag.text, proc.fault ? "; " : "",
		    proc.text);
	else if (!v.listens)
		r = err_set(e, FAULT_UNAVAILABLE, "nobody listens on port %u "
		    "here: what comes could not be seen", (unsigned)port);
	else
		arrivals_note(a, &v, true);
	vec_free(&v);
	return r;
}

int
arrivals_look(struct arrivals *a, struct err *e)
{
	struct sightings v = {0};
	int r = see(a, &v, e);

	if (r == 0)
		arrivals_note(a, &v, false);
	vec_free(&v);
	return r;
}

size_t
arrivals_count(const struct arrivals *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += !a->p[i].before;
	return n;
}

int64_t
arrivals_octets(const struct arrivals *a)
{
	int64_t sum = 0;
	bool known = false;

	for (size_t i = 0; i < a->n; i++)
		if (!a->p[i].before && a->p[i].last.octets >= 0) {
			sum += a->p[i].last.octets;
			known = true;
		}
	return known || arrivals_count(a) == 0 ? sum : -1;
}

void
arrivals_free(struct arrivals *a)
{
	vec_free(&a->from);
	free(a->p);
	if (a->told)
		close(a->endings);
	*a = (struct arrivals){0};
}
