/* queue-list: what waits in the queues of this host. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "opts/opts.h"
#include "opts/rows.h"
#include "opts/select.h"
#include "opts/spool.h"
#include "opts/views.h"
#include "out/summary.h"
#include "session/look.h"
#include "session/why.h"

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
	OPTS_TABLE(opts_views, "Another way to look at them:"),
	OPTS_END
};

static struct select sel;
static struct spools spools;
static struct rows rows;
static struct views views;
static struct tally tally, domains;
static int64_t shown;
static unsigned reads;
static int status;
static bool unseen;		/* more was wrong than a message */
static struct err first_trouble;

/* Queues that were gone through, and whether that went well; `-' was not found. */
static VEC(struct monitored) seen;

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
	unseen = unseen || e->fault != FAULT_DATA;
	status = status_worse(status, (int)e->fault);
}

/* Metrics, on stdout or into the file. */
static int
put_metrics(int64_t began, struct err *e)
{
	double seconds = (double)(clock_us() - began) / 1e6;
	char *text = NULL;
	size_t n = 0;
	FILE *f;
	int r;

	if (views.output == NULL) {
		monitor_prometheus(stdout, &tally, seen.p, seen.n, seconds);
		return 0;
	}
	f = must(open_memstream(&text, &n));
	monitor_prometheus(f, &tally, seen.p, seen.n, seconds);
	fclose(must(f));
	r = monitor_replace(views.output, (struct span){ text, n }, e);
	free(text);
	return r;
}

/* What waits without a row of its own; returns the status. */
static int
put_view(int64_t began)
{
	struct err e = {0};
	size_t width = opts_width();

	switch (views.view) {
	case VIEW_SUMMARY:
		if (rows.form == ROWS_JSON)
			summary_json(stdout, &tally, rows.end);
		else if (shown > 0 || status == 0)
			summary_print(stdout, &tally, &domains, width);
		break;
	case VIEW_BY:
		if (rows.form == ROWS_JSON)
			summary_json(stdout, &tally, rows.end);
		else if (shown > 0 || status == 0)
			summary_by(stdout, &tally, width);
		break;
	case VIEW_CHECK:
		return monitor_check(stdout, &tally, &views.warn, &views.critical,
		    status != 0 ? first_trouble.text : NULL);
	case VIEW_PROMETHEUS:
		if (put_metrics(began, &e) < 0)
			trouble(&e);
		break;
	case VIEW_WHY:
		if (shown == 0 && status == 0)
			why_nothing(stdout, select_words(&sel));
		break;
	case VIEW_ROWS:
		break;
	}
	return status;
}

/* Whoever reads a pipe of ours shall know that there was trouble. */
static int
finish(int64_t began)
{
	struct err e = {0};
	int result = status;

	if (views.view == VIEW_ROWS) {
		if (rows_end(&rows, status, first_trouble.text, &e) < 0)
			return err_exit(&e, NAME);
		return status;
	}
	result = put_view(began);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return result;
	err_sys(&e, "write");
	e.fault = FAULT_IO;
	return err_exit(&e, NAME);
}

static void
wrong(const struct err *e)
{
	if (views.view == VIEW_CHECK) {
		printf("QUEUE UNKNOWN - %s\n", e->text);
		exit(MONITOR_UNKNOWN);
	}
	if (rows.to != NULL && views.view == VIEW_ROWS)
		rows_end(&rows, (int)e->fault, e->text, &(struct err){0});
	if (e->fault == FAULT_USAGE)
		opts_wrong(NAME, "%s", e->text);
	exit(err_exit(e, NAME));
}

/* A mistyped option: in a pipe nobody else would hear of it. */
static void
not_read(const char *text)
{
	struct err e = {0};

	if (opts_views_read(&views, &e) < 0 || opts_form(&rows, &e) < 0)
		return;
	err_set(&e, FAULT_USAGE, "%s", text);
	wrong(&e);
}

static bool
enough(void)
{
	return (sort_by == NULL && sel.first >= 0 && shown >= sel.first) ||
	    ferror(stdout);
}

static void
explain(struct spool *s, const struct message *m)
{
	struct err e = {0};

	if (shown > 1)
		putchar('\n');
	if (why_message(stdout, s, m, sel.now, &e) < 0)
		trouble(&e);
}

static struct row
row_of(const struct spool *s, const struct message *m)
{
	return (struct row){
		.mta = s->kind->name, .spool = s->dir,
		.state = state_name(m->state), .ref = m->ref, .id = m->id,
		.arrival = m->arrival, .next_attempt = m->next_attempt,
		.last_attempt = m->last_attempt, .note = m->note,
		.attempts = m->attempts, .size = m->size,
		.forced_expire = m->forced_expire, .env = &m->env,
	};
}

static int
text(const struct spool *s, const struct message *m, struct buf *line,
    struct err *e)
{
	struct row row = row_of(s, m);

	return rows_text(&rows, &row, line, e);
}

static void
put_line(struct span line)
{
	shown++;
	rows_add_text(&rows, line);
}

static void
show(struct spool *s, const struct message *m)
{
	struct err e = {0};
	struct row row = row_of(s, m);

	shown++;
	if (views.view == VIEW_WHY)
		explain(s, m);
	else if (views.view != VIEW_ROWS)
		tally_add(&tally, &row);
	else if (rows_add(&rows, &row, &e) < 0)
		trouble(&e);
	if (views.view == VIEW_SUMMARY)
		tally_add(&domains, &row);
}

/* Takes the message. */
static void
found(struct spool *s, struct message *m)
{
	struct kept *k;

	if (sort_by != NULL) {
		k = vec_add(&kept);
		k->spool = (size_t)(s - spools.p);
		k->m = *m;
		return;
	}
	show(s, m);
	message_free(m);
}

/* An entry of which the name says enough. */
static void
named(struct spool *s, const struct entry *at)
{
	static struct buf ref;

	(void)s;
	shown++;
	buf_clear(&ref);
	buf_addspan(&ref, buf_span(&at->ref));
	rows_add_ref(&rows, buf_str(&ref));
}

/* What is the same in all that is asked for has an order, too. */
static int
by_id(const void *a, const void *b)
{
	const struct message *x = &((const struct kept *)a)->m;
	const struct message *y = &((const struct kept *)b)->m;
	int r = strcmp(x->id, y->id);

	return r != 0 ? r : strcmp(x->ref, y->ref);
}

static int
by_age(const void *a, const void *b)
{
	const struct message *x = &((const struct kept *)a)->m;
	const struct message *y = &((const struct kept *)b)->m;

	if (x->arrival != y->arrival)
		return x->arrival < y->arrival ? -1 : 1;
	return by_id(a, b);
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
		if (sel.first < 0 || shown < sel.first)
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

	if (opts_views_read(&views, &e) < 0 || opts_form(&rows, &e) < 0 ||
	    check_sort(&e) < 0)
		wrong(&e);
	if (views.view != VIEW_ROWS ? views.view == VIEW_SUMMARY ||
	    views.view == VIEW_WHY || views.by == BY_REASON :
	    rows.form == ROWS_TABLE || rows.form == ROWS_JSON ||
	    rows.form == ROWS_FORMAT)
		reads = READ_REASONS;
	if (views.view == VIEW_ROWS && !rows_need_size(&rows))
		reads |= READ_NO_SIZE;
	if (views.view != VIEW_ROWS && rows.form != ROWS_TABLE &&
	    rows.form != ROWS_REFS && rows.form != ROWS_JSON)
		opts_wrong(NAME, "--summary and the like go with --json only");
}

static void
select_these(const char *const *operands, bool *from_stdin)
{
	struct err e = {0};

	if (opts_selection(&sel, operands, from_stdin, &e) < 0)
		wrong(&e);
	rows.now = tally.now = domains.now = sel.now;
	tally.by = views.view == VIEW_BY ? views.by : BY_QUEUE;
	domains.by = BY_DOMAIN;
	rows.narrowed = select_narrows(&sel);
	reads |= select_reads(&sel);
}

/* What has to be known of a message, although an MTA's listing may not say it. */
static unsigned
needs(void)
{
	if (views.view != VIEW_ROWS)
		return LACKS_SIZE | LACKS_ARRIVAL;
	if (sort_by == NULL || strcmp(sort_by, "id") == 0)
		return 0;
	return LACKS_ARRIVAL | (strcmp(sort_by, "size") == 0 ? LACKS_SIZE : 0);
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
		*vec_add(&seen) = (struct monitored){ .mta = "-", .spool = "-" };
		break;
	default:
		if (spools.n == 0) {
			err_set(&e, FAULT_UNAVAILABLE, "no mail queue was found "
			    "on this host; name one with --spool=KIND:DIR");
			wrong(&e);
		}
	}
}

static char room[1 << 16];	/* stdout's: without it glibc takes 4096 octets */

/* Every queue, and which of them could be looked at. */
static void
go_through(const struct look *l)
{
	for (size_t i = 0; i < spools.n; i++) {
		struct monitored *m = vec_add(&seen);

		unseen = false;
		look_through(l, &spools.p[i]);
		*m = (struct monitored){ .mta = spools.p[i].kind->name,
		    .spool = spools.p[i].dir, .up = !unseen };
	}
}

int
main(int argc, char *argv[])
{
	const char *const *operands;
	bool from_stdin;
	int64_t began = clock_us();
	struct look look = {
		.advice = ADVICE, .spools = &spools, .select = &sel,
		.each = found, .trouble = trouble, .enough = enough,
	};

	opts_not_read = not_read;
	opts_read(NAME, argc, argv, options, "[ID|REF|-]...", &operands, NULL);
	signal(SIGPIPE, SIG_DFL);	/* `queue-list | head` */
	choose_form();
	select_these(operands, &from_stdin);
	look.reads = reads;
	look.needs = needs();
	look.end = rows.end;
	if (views.view == VIEW_ROWS && sort_by == NULL && rows_needs_ref_only(&rows))
		look.name = named;
	if (views.view == VIEW_ROWS && sort_by == NULL && rows_are_text(&rows)) {
		look.text = text;
		look.line = put_line;
	}
	if (!rows.tty)
		setvbuf(stdout, room, _IOFBF, sizeof room);
	if (!only_refs(from_stdin))
		open_spools();
	if (sel.ids.n == 0 && !from_stdin)
		go_through(&look);
	for (size_t i = 0; i < sel.ids.n && !enough(); i++)
		look_operand(&look, sel.ids.p[i]);
	if (from_stdin)
		look_stdin(&look);
	show_sorted();
	status = finish(began);
	tally_free(&tally);
	tally_free(&domains);
	vec_free(&seen);
	spools_free(&spools);
	select_free(&sel);
	return status;
}
