/* Other ways to look at waiting messages than row by row. */
#ifndef OPTS_VIEWS_H
#define OPTS_VIEWS_H

#include "opts/opts.h"
#include "out/monitor.h"

extern struct poptOption opts_views[];

enum view {
	VIEW_ROWS,		/* none of these */
	VIEW_SUMMARY, VIEW_BY, VIEW_WHY, VIEW_CHECK, VIEW_PROMETHEUS
};

struct views {
	enum view view;
	enum tally_by by;	/* of VIEW_BY */
	struct threshold warn, critical;
	const char *output;	/* of VIEW_PROMETHEUS; NULL: stdout */
};

/* 0, or -1 with 64. */
int opts_views_read(struct views *, struct err *);

#endif
