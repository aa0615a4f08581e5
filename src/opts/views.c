#include "opts/views.h"

#include <string.h>

static int summary, why, check, prometheus;
static const char *by, *warn_at, *critical_at, *output;

struct poptOption opts_views[] = {
	{ "summary", 0, POPT_ARG_NONE, &summary, 0,
	    "what is stuck, on one screen: queues, ages, domains, reasons", NULL },
	{ "summary-by", 0, POPT_ARG_STRING, &by, 0,
	    "counts by domain, sender, age or reason", "WHAT" },
	{ "why", 0, POPT_ARG_NONE, &why, 0,
	    "a paragraph a message: why it waits, and what to do", NULL },
	{ "check", 0, POPT_ARG_NONE, &check, 0,
	    "a line for monitoring; status 0, 1, 2, 3 cannot look", NULL },
	{ "warn", 0, POPT_ARG_STRING, &warn_at, 0,
	    "for --check: from N messages on, or when one is TIME old", "N[,TIME]" },
	{ "critical", 0, POPT_ARG_STRING, &critical_at, 0, "likewise", "N[,TIME]" },
	{ "prometheus", 0, POPT_ARG_NONE, &prometheus, 0,
	    "metrics in Prometheus' text format", NULL },
	{ "output", 0, POPT_ARG_STRING, &output, 0,
	    "for --prometheus: replace this file", "FILE" },
	POPT_TABLEEND
};

static int
read_by(struct views *v, struct err *e)
{
	static const struct {
		const char *name;
		enum tally_by by;
	} names[] = {
		{ "domain", BY_DOMAIN }, { "sender", BY_SENDER }, { "age", BY_AGE },
		{ "reason", BY_REASON },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(by, names[i].name) == 0) {
			v->by = names[i].by;
			return 0;
		}
	return err_set(e, FAULT_USAGE, "--summary-by: `%.200s' is not known; there "
	    "are domain, sender, age and reason", by);
}

int
opts_views_read(struct views *v, struct err *e)
{
	int n = (summary || by != NULL) + why + check + prometheus;

	*v = (struct views){ .output = output };
	if (n > 1)
		return err_set(e, FAULT_USAGE, "only one of --summary, --summary-by, "
		    "--why, --check and --prometheus");
	if (!check && (warn_at != NULL || critical_at != NULL))
		return err_set(e, FAULT_USAGE, "--warn and --critical go with --check");
	if (!prometheus && output != NULL)
		return err_set(e, FAULT_USAGE, "--output goes with --prometheus");
	v->view = by != NULL ? VIEW_BY : summary ? VIEW_SUMMARY : why ? VIEW_WHY :
	    check ? VIEW_CHECK : prometheus ? VIEW_PROMETHEUS : VIEW_ROWS;
	if (by != NULL && read_by(v, e) < 0)
		return -1;
	return threshold_parse(&v->warn, "--warn", warn_at, e) < 0 ||
	    threshold_parse(&v->critical, "--critical", critical_at, e) < 0 ? -1 : 0;
}
