/* What Exim itself says of a message, for queue-list --why. */
#include <stdlib.h>
#include <string.h>

#include "spool/exim.h"
#include "spool/program.h"

/* Does a daemon run?  By its pid file; nobody can tell what -q it was given. */
static bool
is_running(void)
{
	struct buf path = {0};
	struct err none = {0};
	bool yes;

	if (exim_conf("pid_file_path", &path, &none) < 0 || path.n == 0) {
		buf_clear(&path);
		buf_adds(&path, "/run/exim4/exim.pid");
	}
	yes = program_runs(buf_str(&path));
	buf_free(&path);
	return yes;
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

/* The domain of some recipient that hold_domains keeps, as its reason says. */
static bool
is_held_domain(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const char *why = m->env.rcpts.p[i].reason;

		if (why != NULL && (strstr(why, "held") != NULL ||
		    strstr(why, "queue_domains") != NULL))
			return true;
	}
	return false;
}

int
exim_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	struct span queue = queue_of(s, m);
	const char *name = exim_name();

	(void)e;
	if (name == NULL)
		return err_set(e, FAULT_UNAVAILABLE, "exim: is not on this host");
	o->down = !is_running();
	if (m->state == STATE_HOLD)
		buf_adds(&o->holder, "It is frozen: Exim's queue runners leave it "
		    "alone until somebody thaws it.");
	else if (queue.n > 0)
		buf_addf(&o->holder, "It is in the queue %.*s, which only a runner "
		    "of that queue works on (%s -qG%.*s).", (int)queue.n, queue.p,
		    name, (int)queue.n, queue.p);
	else if (is_held_domain(m))
		buf_adds(&o->holder, "Exim keeps mail for this domain until it is "
		    "asked for (hold_domains, ETRN) or delivery is forced.");
	else
		buf_adds(&o->holder, "The next queue runner tries it again once its "
		    "retry time has come (exinext shows when).");
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
