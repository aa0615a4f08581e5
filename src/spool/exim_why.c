/* What Exim itself says of a message, for queue-list --why. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "spool/exim.h"

#define RCPTS_LOOKED_AT 10

/* SPOOL/NAME/input/...: the queue's name, empty for the usual one. */
static struct span
queue_of(const struct spool *s, const struct message *m)
{
	struct span rest = span_from(span_of(m->ref), strlen(s->dir) + 1), name = {0};

	span_cut(&rest, '/', &name);
	return span_is(name, "input") || span_is(name, "Finput") ?
	    (struct span){0} : name;
}

static const char *
sender_of(const struct message *m)
{
	return m->env.sender != NULL ? m->env.sender : "";
}

static bool
waits(const struct rcpt *r)
{
	return r->selected && !r->done;
}

/* Is one of those that wait kept back for this reason? */
static bool
is_kept(const struct message *m, bool (*by)(struct span))
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		if (waits(r) && r->reason != NULL && by(span_of(r->reason)))
			return true;
	}
	return false;
}

/* ---- what to type ---- */

/* `exim4', with -C where it would mean another spool; false: no line can show it. */
static bool
program(struct buf *b, const struct spool *s)
{
	buf_adds(b, exim_name());
	if (s->conf == NULL)
		return true;
	buf_adds(b, " -C ");
	return text_shell(b, span_of(s->conf));
}

static bool
with_queue(struct buf *b, struct span queue)
{
	struct buf option = {0};
	bool good = true;

	if (queue.n > 0) {
		buf_addf(&option, "-qG%.*s", (int)queue.n, queue.p);
		buf_addc(b, ' ');
		good = text_shell(b, buf_span(&option));
	}
	buf_free(&option);
	return good;
}

static void
add_command(struct outlook *o, const struct spool *s, struct span queue,
    const char *option, const char *id)
{
	struct buf b = {0};

	if (program(&b, s) && with_queue(&b, queue)) {
		buf_addf(&b, " %s %s\n", option, id);
		buf_addspan(&o->commands, buf_span(&b));
	}
	buf_free(&b);
}

/* `exim4 -q`, in a sentence. */
static void
add_run(struct buf *to, const struct spool *s, struct span queue)
{
	struct buf b = {0};

	if (!program(&b, s) || (queue.n > 0 && !with_queue(&b, queue))) {
		buf_free(&b);
		buf_addf(&b, "%s", exim_name());
	}
	if (queue.n == 0)
		buf_adds(&b, " -q");
	buf_addspan(to, buf_span(&b));
	buf_free(&b);
}

/* ---- when ---- */

/* What stands still is not tried, and so not given up. */
static bool
stands_still(const struct message *m)
{
	return m->state == STATE_HOLD || is_kept(m, exim_is_held);
}

/* The soonest of those that wait, and the first to be given up. */
static void
look_ahead(struct spool *s, const struct message *m,
    const struct exim_retries *known, struct outlook *o, struct err *e)
{
	bool any = false, report = *sender_of(m) == '\0';
	size_t looked = 0;

	for (size_t i = 0; i < m->env.rcpts.n && looked < RCPTS_LOOKED_AT; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];
		int64_t since = m->arrival, next, life;
		struct exim_asked *a;

		if (!waits(r) || (a = exim_ask(s, sender_of(m), r->address, e)) == NULL)
			continue;
		looked++;
		next = exim_retry_at(known, a, m->id, &since);
		if (!any || next < o->next_attempt)
			o->next_attempt = next;
		any = true;
		/* a report that cannot be delivered is frozen */
		life = report ? -1 : exim_life(s, a);
		if (life > 0 && (o->expires == 0 || since + life < o->expires))
			o->expires = since + life;
	}
}

/* ---- who has it ---- */

static void
add_runner(struct spool *s, struct span queue, enum exim_runner runner,
    struct span every, bool knows, struct outlook *o)
{
	struct buf *b = &o->holder;

	if (runner == EXIM_DOWN || runner == EXIM_LISTENS) {
		buf_adds(b, runner == EXIM_DOWN ? " Unless cron starts queue runs (" :
		    " The daemon that runs starts no runs of this queue: unless "
		    "cron does (");
		add_run(b, s, queue);
		buf_adds(b, "), nothing tries it again.");
		return;
	}
	if (!knows)
		buf_adds(b, " A queue run tries it again once its retry time has come "
		    "(exinext shows when).");
	else if (o->next_attempt > time(NULL))
		buf_adds(b, " The first queue run after its retry time tries it again.");
	else
		buf_adds(b, " The next queue run tries it again.");
	if (every.n > 0)
		buf_addf(b, " One begins every %.*s.", (int)every.n, every.p);
}

static void
add_holder(const struct message *m, struct span queue, struct buf *b)
{
	if (queue.n > 0)
		buf_addf(b, " It is in the queue %.*s, which only runs of that queue "
		    "work on.", (int)queue.n, queue.p);
	if (m->state == STATE_HOLD)
		buf_adds(b, " It is frozen: Exim's queue runners leave it alone until "
		    "somebody thaws it.");
	else if (is_kept(m, exim_is_held))
		buf_adds(b, " The configuration holds its domain (hold_domains): queue "
		    "runners pass it over, only a forced delivery moves it.");
	else if (is_kept(m, exim_is_queued))
		buf_adds(b, " Mail for its domain is not delivered at once "
		    "(queue_domains): it waits for a queue runner, or to be asked for.");
}

int
exim_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	struct span queue = queue_of(s, m);
	const struct exim_retries *known;
	struct buf every = {0};
	enum exim_runner runner;

	if (exim_name() == NULL)
		return err_set(e, FAULT_UNAVAILABLE, "exim: is not on this host");
	runner = exim_runner(s, queue, &every);
	o->down = runner == EXIM_DOWN;
	add_holder(m, queue, &o->holder);
	if (!stands_still(m)) {
		if ((known = exim_retries(s)) != NULL)
			look_ahead(s, m, known, o, e);
		add_runner(s, queue, runner, buf_span(&every), known != NULL, o);
		if (runner == EXIM_DOWN || runner == EXIM_LISTENS)
			o->next_attempt = 0;
	}
	add_command(o, s, queue, "-M", m->id);
	add_command(o, s, queue, "-Mvl", m->id);
	buf_free(&every);
	return e->fault == FAULT_NONE ? 0 : -1;
}

/* The address, then a line a router, transport and hosts. */
int
exim_route(struct spool *s, const struct message *m, const char *address,
    struct buf *route, struct err *e)
{
	struct exim_asked *a = exim_ask(s, sender_of(m), address, e);
	struct span rest = {0}, line;
	bool first = true;

	if (a == NULL)
		return e->fault == FAULT_NONE ? 0 : -1;
	rest = buf_span(&a->said);
	while (span_cut(&rest, '\n', &line)) {
		line = span_trim(line);
		if (line.n == 0 || (first && span_is(line, address)))
			continue;
		if (!first)
			buf_adds(route, ", ");
		buf_addspan(route, line);
		first = false;
	}
	return route->n > 0;
}
