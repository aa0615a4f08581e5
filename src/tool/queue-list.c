#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "opts/opts.h"
#include "opts/rows.h"
#include "opts/select.h"
#include "opts/spool.h"
#include "session/stdin.h"

#define NAME "queue-list"
#define ADVICE "run " NAME " as root or as the owner of the queue"

static const char *sort_by;

static struct poptOption order_options[] = {
	{ "sort", 0, POPT_ARG_STRING, &sort_by, 0,
	    "oldest first, largest first, or by ID", "age|size|id" },
	POPT_TABLEEND
};

static struct poptOption options[] = {
	OPTS_TABLE(opts_spool, "Where:"),
	OPTS_TABLE(opts_select, "Which (a value that begins with ! excludes):"),
	OPTS_TABLE(opts_rows, "How:"),
	OPTS_TABLE(order_options, "In which order:"),
	OPTS_TABLE(opts_rows_later, "Not there yet:"),
	OPTS_END
};

static struct select sel;
static struct spools spools;
static struct rows rows;
static unsigned reads;
static int status;
static struct err first_trouble;

/* A message that waits to be sorted; the queue by its index. */
struct kept {
	size_t spool;
	struct message m;
};

static VEC(struct kept) kept;

static void
trouble(const struct err *e)
{
	if (e->fault == FAULT_NONE)
		return;
	err_print(e, NAME);
	if (status == 0)
		first_trouble = *e;
	status = status_worse(status, (int)e->fault);
}

/* Whoever reads a pipe of ours shall know that there was trouble. */
static int
finish(void)
{
	struct err e = {0};

	if (rows_end(&rows, status, first_trouble.text, &e) < 0)
		return err_exit(&e, NAME);
	return status;
}

static void
wrong(const struct err *e)
{
	if (rows.to != NULL)
		rows_end(&rows, (int)e->fault, e->text, &(struct err){0});
	if (e->fault == FAULT_USAGE)
		opts_wrong(NAME, "%s", e->text);
	exit(err_exit(e, NAME));
}

static bool
enough(void)
{
	return (sort_by == NULL && sel.first >= 0 && rows.n >= sel.first) ||
	    ferror(stdout);
}

static void
show(const struct spool *s, const struct message *m)
{
	struct err e = {0};
	struct row row = {
		.mta = s->kind->name, .spool = s->dir,
		.state = state_name(m->state), .ref = m->ref, .id = m->id,
		.arrival = m->arrival, .next_attempt = m->next_attempt,
		.last_attempt = m->last_attempt, .note = m->note,
		.attempts = m->attempts, .size = m->size,
		.forced_expire = m->forced_expire, .env = &m->env,
	};

	if (rows_add(&rows, &row, &e) < 0)
		trouble(&e);
}

/* Takes the message. */
static void
consider(const struct spool *s, struct message *m, const struct record *r)
{
	struct kept *k;

	if (!select_message(&sel, m) || (r != NULL && (!select_record(m, r) ||
	    (r->rcpts.n > 0 && !select_any(m))))) {
		message_free(m);
	} else if (sort_by != NULL) {
		k = vec_add(&kept);
		k->spool = (size_t)(s - spools.p);
		k->m = *m;
	} else {
		show(s, m);
		message_free(m);
	}
}

static void
look_at(struct spool *s, const struct entry *at, const struct record *r)
{
	struct message m = {0};
	struct err e = {0};
	int n = s->kind->read(s, at, reads, &m, &e);

	if (n < 0)
		trouble(&e);
	if (n == 1)
		consider(s, &m, r);
	else
		message_free(&m);
}

/* What the MTA says itself.  It knows nothing of corrupt files. */
static bool
can_ask(const struct spool *s, const struct err *e)
{
	return e->fault == FAULT_PERM && s->live && s->kind->listing != NULL &&
	    !(sel.states & STATE_BIT(STATE_CORRUPT));
}

/* Of all it lists, or of one ID only. */
static void
ask(struct spool *s, const char *id)
{
	struct err e = {0};
	struct walk *w = s->kind->listing(s, &e);
	struct message m = {0};
	int r = -1;

	while (w != NULL && !enough() && (r = s->kind->listed(w, &m, &e)) == 1) {
		if (id == NULL || strcmp(m.id, id) == 0)
			consider(s, &m, NULL);
		else
			message_free(&m);
		m = (struct message){0};
	}
	if (w != NULL)
		s->kind->listing_end(w);
	if (r < 0)
		trouble(&e);
}

/* One line for a queue of many unreadable directories. */
static void
cannot_look(const struct err *e, bool *told)
{
	struct err advised = *e;

	if (e->fault != FAULT_PERM) {
		trouble(e);
		return;
	}
	if (*told)
		return;
	err_set(&advised, FAULT_PERM, "%.500s; " ADVICE, e->text);
	trouble(&advised);
	*told = true;
}

/* All of the queue, or the entries that `id` names (kind->among). */
static void
look_through(struct spool *s, const char *id)
{
	struct err e = {0};
	struct entry at = {0};
	struct walk *w = s->kind->walk(s, select_walks(&sel), &e);
	bool any = false, told = false, asked = false;
	int r = w == NULL ? -1 : 1;

	if (w == NULL && !(asked = can_ask(s, &e)))
		cannot_look(&e, &told);
	while (w != NULL && !asked && !enough() &&
	    (r = s->kind->next(w, &at, &e)) != 0) {
		if (r > 0 && (id != NULL ? s->kind->among(&at, id) :
		    select_entry(&sel, &at)))
			look_at(s, &at, NULL);
		else if (r < 0 && !any && can_ask(s, &e))
			asked = true;
		else if (r < 0)
			cannot_look(&e, &told);
		any = any || r > 0;
	}
	if (w != NULL)
		s->kind->walk_end(w);
	buf_free(&at.ref);
	if (asked)
		ask(s, NULL);
}

/* A ref, from the command line or a record. */
static void
look_ref(const char *ref, const struct record *r)
{
	struct err e = {0};
	struct entry at = {0};
	struct spool *s = spool_of(&spools, ref, &e);
	int n = s != NULL ? spool_at(s, ref, &at, &e) : -1;

	if (n < 0 && s != NULL && r == NULL && can_ask(s, &e))
		ask(s, ref_name(ref));
	else if (n < 0)
		cannot_look(&e, &(bool){false});
	else if (n == 1 && (select_walks(&sel) & STATE_BIT(at.state)))
		look_at(s, &at, r);
	buf_free(&at.ref);
}

static void
look_id(const char *id)
{
	for (size_t i = 0; i < spools.n; i++) {
		struct err e = {0};
		struct entry at = {0};
		int n = spools.p[i].kind->find(&spools.p[i], id, &at, &e);

		if (n < 0 && can_ask(&spools.p[i], &e))
			ask(&spools.p[i], id);
		else if (n < 0)
			cannot_look(&e, &(bool){false});
		else if (n == 1 && spools.p[i].kind->among != NULL &&
		    spools.p[i].kind->among(&at, id))
			look_through(&spools.p[i], id);
		else if (n == 1 && (select_walks(&sel) & STATE_BIT(at.state)))
			look_at(&spools.p[i], &at, NULL);
		buf_free(&at.ref);
	}
}

static void
look_line(struct span line)
{
	struct record r;
	struct err e = {0};

	if (record_parse(&r, line, &e) < 0) {
		err_in(&e, "stdin");
		trouble(&e);
		return;
	}
	if (strcmp(r.ref, "!") == 0) {
		e.fault = (enum fault)r.exit;
		err_set(&e, e.fault, "%.600s", r.text);
		trouble(&e);
	} else if (!enough()) {
		look_ref(r.ref, &r);
	}
	record_free(&r);
}

/* To the end even after --first: trouble upstream stands in the last line. */
static void
look_stdin(void)
{
	struct lines in = { .end = rows.end };
	struct err e = {0};
	struct span line;
	int r = 1;

	while (r > 0 && !ferror(stdout)) {
		r = lines_next(&in, &line, &e);
		if (r == LINES_EMPTY_HANDED)
			r = lines_fill(&in, &e);
		else if (r == 1)
			look_line(line);
	}
	if (r < 0)
		trouble(&e);
	lines_free(&in);
}

static int
by_age(const void *a, const void *b)
{
	const struct message *x = &((const struct kept *)a)->m;
	const struct message *y = &((const struct kept *)b)->m;

	if (x->arrival != y->arrival)
		return x->arrival < y->arrival ? -1 : 1;
	return strcmp(x->id, y->id);
}

static int
by_size(const void *a, const void *b)
{
	const struct message *x = &((const struct kept *)a)->m;
	const struct message *y = &((const struct kept *)b)->m;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return by_age(a, b);
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct kept *)a)->m.id,
	    ((const struct kept *)b)->m.id);
}

static const struct {
	const char *name;
	int (*order)(const void *, const void *);
} orders[] = {
	{ "age", by_age }, { "size", by_size }, { "id", by_id }, { NULL, NULL },
};

static void
show_sorted(void)
{
	int i = 0;

	if (sort_by == NULL || kept.n == 0)
		return;
	while (strcmp(orders[i].name, sort_by) != 0)
		i++;
	qsort(kept.p, kept.n, sizeof *kept.p, orders[i].order);
	for (size_t k = 0; k < kept.n; k++) {
		if (sel.first < 0 || rows.n < sel.first)
			show(&spools.p[kept.p[k].spool], &kept.p[k].m);
		message_free(&kept.p[k].m);
	}
	vec_free(&kept);
}

static int
check_sort(struct err *e)
{
	int i = 0;

	while (sort_by != NULL && orders[i].name != NULL &&
	    strcmp(orders[i].name, sort_by) != 0)
		i++;
	return orders[i].name != NULL ? 0 : err_set(e, FAULT_USAGE,
	    "--sort: `%.200s' is not known; there are age, size and id", sort_by);
}

static void
choose_form(void)
{
	struct err e = {0};

	if (opts_form(NAME, &rows, &e) < 0 || check_sort(&e) < 0)
		wrong(&e);
	if (rows.form == ROWS_TABLE || rows.form == ROWS_JSON ||
	    rows.form == ROWS_FORMAT)
		reads = READ_REASONS;
}

static void
select_these(const char *const *operands, bool *from_stdin)
{
	struct err e = {0};

	if (opts_selection(&sel, operands, from_stdin, &e) < 0)
		wrong(&e);
	rows.now = sel.now;
	rows.narrowed = select_narrows(&sel);
	reads |= select_reads(&sel);
}

/* Refs say themselves where they lie: then no queue has to be found. */
static bool
only_refs(bool stdin_too)
{
	for (size_t i = 0; i < sel.ids.n; i++)
		if (*sel.ids.p[i] != '/')
			return false;
	return (sel.ids.n > 0 || stdin_too) && !opts_spool_given();
}

static void
open_spools(void)
{
	struct err e = {0};

	switch (opts_spools(&spools, &e)) {
	case -1:
		wrong(&e);
		break;
	case 1:
		trouble(&e);
		break;
	default:
		if (spools.n == 0) {
			err_set(&e, FAULT_UNAVAILABLE, "no mail queue was found "
			    "on this host; name one with --spool=KIND:DIR");
			wrong(&e);
		}
	}
}

int
main(int argc, char *argv[])
{
	const char *const *operands;
	bool from_stdin;

	opts_read(NAME, argc, argv, options, "[ID|REF|-]...", &operands, NULL);
	signal(SIGPIPE, SIG_DFL);	/* `queue-list | head` */
	choose_form();
	select_these(operands, &from_stdin);
	if (!only_refs(from_stdin))
		open_spools();
	for (size_t i = 0; i < spools.n && sel.ids.n == 0 && !from_stdin; i++)
		look_through(&spools.p[i], NULL);
	for (size_t i = 0; i < sel.ids.n && !enough(); i++) {
		if (*sel.ids.p[i] == '/')
			look_ref(sel.ids.p[i], NULL);
		else
			look_id(sel.ids.p[i]);
	}
	if (from_stdin)
		look_stdin();
	show_sorted();
	spools_free(&spools);
	select_free(&sel);
	return finish();
}
