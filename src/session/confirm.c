#include "session/confirm.h"

#include <stdio.h>
#include <string.h>

#include "base/interrupt.h"

struct sum {
	long long messages, recipients, octets, left;
};

static void
add(struct sum *sum, struct seen *met, enum extent extent, const struct message *m)
{
	if (!seen_first(met, m->dev, m->ino, m->arrival, m->within))
		return;
	if (extent == EXTENT_UNMIXED && source_mixed(m)) {
		sum->left++;
		return;
	}
	sum->messages++;
	sum->octets += m->size;
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		sum->recipients += extent == EXTENT_WHOLE ?
		    !m->env.rcpts.p[i].done : m->env.rcpts.p[i].selected;
}

static void
count(struct source *s, struct sum *sum, enum extent extent, struct seen *met)
{
	struct wanted w = {0};
	struct message m = {0};
	struct err e = {0};
	int r;

	while (!interrupt_came() && (s->select->first < 0 ||
	    sum->messages + sum->left < s->select->first) &&
	    (r = source_next(s, &w, &e)) != SOURCE_END) {
		if (r == SOURCE_ONE && w.spool->kind->read(w.spool, &w.entry,
		    select_reads(s->select), &m, &e) > 0 &&
		    source_fits(s, &w, &m, false) == FIT_YES && select_any(&m))
			add(sum, met, extent, &m);
		message_free(&m);
		err_clear(&e);
	}
	wanted_free(&w);
	source_again(s);
}

int
confirm(struct source *s, const char *verb, enum extent extent, struct seen *met)
{
	struct sum sum = {0};
	char line[16];

	count(s, &sum, extent, met);
	if (sum.messages == 0 || interrupt_came())
		return 1;
	fprintf(stderr, "%s %lld message%s (%lld octets) for %lld recipient%s",
	    verb, sum.messages, sum.messages == 1 ? "" : "s", sum.octets,
	    sum.recipients, sum.recipients == 1 ? "" : "s");
	if (sum.left > 0)
		fprintf(stderr, ", and leave %lld with other recipients too",
		    sum.left);
	fputs("? [y/N] ", stderr);
	fflush(stderr);
	return fgets(line, sizeof line, stdin) != NULL &&
	    (*line == 'y' || *line == 'Y');
}
