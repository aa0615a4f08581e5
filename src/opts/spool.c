#include "opts/spool.h"

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
			*vec_add(found) = s;
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
