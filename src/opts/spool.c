#include "opts/spool.h"

#include <string.h>

static const char **specs;

struct poptOption opts_spool[] = {
	{ "spool", 0, POPT_ARG_ARGV, &specs, 0,
	    "whose queue; may be given more than once", "KIND[:DIR]" },
	POPT_TABLEEND
};

bool
opts_spool_given(void)
{
	return specs != NULL;
}

/* One that is named twice is one. */
static void
add_once(struct spools *found, struct spool *s)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->p[i].kind == s->kind &&
		    strcmp(found->p[i].dir, s->dir) == 0) {
			spool_close(s);
			return;
		}
	*vec_add(found) = *s;
}

int
opts_spools(struct spools *found, struct err *e)
{
	struct err one = {0};
	struct spool s;
	int r = 0;

	if (specs == NULL)
		return spool_discover(found, e) < 0 ? 1 : 0;
	for (size_t i = 0; specs[i] != NULL; i++) {
		if (spool_open(&s, specs[i], &one) == 0) {
			add_once(found, &s);
			continue;
		}
		/* a wrong word outranks a queue that is not there */
		if (r == 0 || one.fault == FAULT_USAGE)
			*e = one;
		r = one.fault == FAULT_USAGE ? -1 : 1;
		if (r < 0)
			return -1;
	}
	return found->n == 0 ? -1 : r;
}

int
opts_local_domains(struct buf *names, const char *what, struct err *e)
{
	struct spools v = {0};
	int r = opts_spools(&v, e) == 0 ? 0 : -1;

	for (size_t i = 0; r == 0 && i < v.n; i++)
		if (v.p[i].kind->domains != NULL)
			r = v.p[i].kind->domains(&v.p[i], names, e);
	if (r == 0 && v.n == 0)
		r = err_set(e, FAULT_UNAVAILABLE, "%s: no MTA was found on this "
		    "host; name the domains", what);
	else if (r == 0 && names->n == 0)
		r = err_set(e, FAULT_UNAVAILABLE, "%s: the local MTA names no "
		    "domain of its own; name them", what);
	spools_free(&v);
	return r;
}
