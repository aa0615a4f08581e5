/* What Exim itself says of a message, for queue-list --why. */
#include <stdlib.h>
#include <string.h>

#include "spool/exim.h"
#include "spool/program.h"

static void
pid_file(struct buf *path)
{
	struct err none = {0};

	if (exim_conf("pid_file_path", path, &none) < 0 || path->n == 0) {
		buf_clear(path);
		buf_adds(path, "/run/exim4/exim.pid");
	}
}

/* SPOOL/NAME/input/...: the queue's name, empty for the usual one. */
static struct span
queue_of(const struct spool *s, const struct message *m)
{
	struct span rest = span_from(span_of(m->ref), strlen(s->dir) + 1), name = {0};

	span_cut(&rest, '/', &name);
	return span_is(name, "input") || span_is(name, "Finput") ?
	    (struct span){0} : name;
}

/* Does the last thing noted of some recipient begin so? */
static bool
says(const struct message *m, const char *words)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const char *why = m->env.rcpts.p[i].reason;

		if (why != NULL && strncmp(why, words, strlen(words)) == 0)
			return true;
	}
	return false;
}

/* Who will try it, if anybody does. */
static void
add_runner(struct buf *b, const char *name, bool down)
{
	struct buf path = {0};

	pid_file(&path);
	if (down || program_runs_with(buf_str(&path), "-q"))
		buf_adds(b, "The next queue runner tries it again once its retry "
		    "time has come (exinext shows when).");
	else
		buf_addf(b, "The daemon that runs starts no queue runs: unless cron "
		    "does (%s -q), nothing tries it again.", name);
	buf_free(&path);
}

static void
add_holder(struct buf *b, const struct message *m, const char *name,
    struct span queue, bool down)
{
	if (m->state == STATE_HOLD)
		buf_adds(b, "It is frozen: Exim's queue runners leave it alone until "
		    "somebody thaws it.");
	else if (queue.n > 0)
		buf_addf(b, "It is in the queue %.*s, which only a runner of that "
		    "queue works on (%s -qG%.*s).", (int)queue.n, queue.p, name,
		    (int)queue.n, queue.p);
	else if (says(m, "domain is held"))
		buf_adds(b, "The configuration holds its domain (hold_domains): queue "
		    "runners pass it over, only a forced delivery moves it.");
	else if (says(m, "domain is in queue_domains") ||
	    says(m, "domain matches queue_domains"))
		buf_adds(b, "Mail for its domain is not delivered at once "
		    "(queue_domains): it waits for a queue runner, or to be asked for.");
	else
		add_runner(b, name, down);
}

int
exim_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	struct span queue = queue_of(s, m);
	const char *name = exim_name();
	struct buf path = {0};

	if (name == NULL)
		return err_set(e, FAULT_UNAVAILABLE, "exim: is not on this host");
	pid_file(&path);
	o->down = !program_runs(buf_str(&path));
	buf_free(&path);
	add_holder(&o->holder, m, name, queue, o->down);
	if (queue.n > 0)
		buf_addf(&o->commands, "%s -qG%.*s -M %s\n", name, (int)queue.n,
		    queue.p, m->id);
	else
		buf_addf(&o->commands, "%s -M %s\n", name, m->id);
	buf_addf(&o->commands, "%s -Mvl %s\n", name, m->id);
	return 0;
}

/* `exim -bt`: the address, then a line a router, transport and hosts. */
int
exim_route(struct spool *s, const struct message *m, const char *address,
    struct buf *route, struct err *e)
{
	const char *const args[] = { "-bt", address, NULL };
	const char *name = exim_name();
	struct buf out = {0};
	struct span rest, line;
	bool first = true;
	int r;

	(void)s, (void)m;
	if (name == NULL || *address == '-')
		return 0;
	/* 1 and 2: it cannot be routed (now), and it says why */
	r = program_run(name, args, (struct span){0}, &out, e);
	rest = buf_span(&out);
	while (r >= 0 && r <= 2 && span_cut(&rest, '\n', &line)) {
		line = span_trim(line);
		if (line.n == 0 || (first && span_is(line, address)))
			continue;
		if (!first)
			buf_adds(route, ", ");
		buf_addspan(route, line);
		first = false;
	}
	buf_free(&out);
	if (r >= 0 && r <= 2)
		err_clear(e);
	return r >= 0 && r <= 2 ? route->n > 0 : -1;
}
