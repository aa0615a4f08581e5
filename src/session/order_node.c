/*
 * Release by the MTA's own command for a domain, where there is one that means
 * exactly what was selected.
 */
#include <stdlib.h>

#include "session/order_job.h"
#include "wire/domain.h"

bool
order_only_nodes(const struct source *s)
{
	const struct select *sel = s->select;

	for (size_t i = 0; i < sel->nodes.n; i++)
		if (sel->nodes.p[i].not || *sel->nodes.p[i].text == '@')
			return false;
	return sel->nodes.n > 0 && !s->records && sel->rcpts.n == 0 &&
	    sel->froms.n == 0 && !sel->states_given && !sel->has_reason &&
	    sel->older < 0 && sel->newer < 0 && sel->larger < 0 &&
	    sel->smaller < 0 && sel->first < 0 && sel->ids.n == 0;
}

static bool
has_node(const struct message *m, const char *node)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		if (!r->done && node_has(node, domain_of(span_of(r->address))))
			return true;
	}
	return false;
}

size_t
order_first_node(const struct select *sel, const struct message *m)
{
	size_t i = 0;

	while (i < sel->nodes.n && !has_node(m, sel->nodes.p[i].text))
		i++;
	return i;
}

/* Would the command for its first domain do exactly what is wanted with it? */
static bool
covered(const struct job *j, const struct wanted *w, const struct message *m,
    size_t node)
{
	if (source_mixed(m) && !j->how->whole)
		return false;
	if (m->state != STATE_DEFERRED)
		return true;	/* on its way already; not touched by it */
	return w->spool->kind->covers(w->spool,
	    j->source->select->nodes.p[node].text, m);
}

/* Counts by node, and whether the commands will do.  Nothing is changed. */
static bool
survey(struct job *j, size_t *counts)
{
	struct job look = *j;
	struct wanted w = {0};
	struct message m = {0};
	bool all = true;

	look.list = NULL;
	look.status = 0;
	look.quiet = true;
	while (all && order_next(&look, &w, &m)) {
		size_t i = order_first_node(j->source->select, &m);

		counts[i]++;
		j->mixed += source_mixed(&m);
		all = covered(j, &w, &m, i);
		if (all && j->list != NULL)
			released_add(j->list, w.spool, &m, i);
	}
	message_free(&m);
	wanted_free(&w);
	source_again(j->source);
	return all && look.status == 0;
}

void
order_by_node(struct job *j, struct spool *sp)
{
	const struct select *sel = j->source->select;
	size_t *counts = must(calloc(sel->nodes.n + 1, sizeof *counts));
	size_t before = j->list != NULL ? j->list->n : 0;
	struct err e = {0};
	int r = 1;

	j->from_node = 0;
	j->mixed = 0;
	if (!survey(j, counts)) {
		if (j->list != NULL)
			released_cut(j->list, before, 0);
		free(counts);
		return;
	}
	for (size_t i = 0; i < sel->nodes.n && r == 1; i++) {
		if (counts[i] > 0)
			r = sp->kind->release_node(sp, sel->nodes.p[i].text, &e);
		if (r < 0)
			order_trouble(j, &e);
		if (r != 1)
			break;
		if (j->how->verbose && counts[i] > 0)
			warn(j->how->tool, "%s: released for %s: %zu",
			    sp->dir, sel->nodes.p[i].text, counts[i]);
		j->done += (long long)counts[i];
		j->from_node = i + 1;
	}
	if (j->how->verbose && j->from_node > 0 && j->mixed > 0)
		warn(j->how->tool, "%s: for other recipients too: %lld", sp->dir,
		    j->mixed);
	if (j->list != NULL)
		released_cut(j->list, before, j->from_node);
	if (r < 0)
		j->stuck[sp - j->source->spools->p] = true;
	free(counts);
}

