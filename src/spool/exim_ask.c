/* What Exim is asked for queue-list --why: each thing once a queue, or once an address. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spool/exim.h"
#include "spool/program.h"

#define ROUTES_MAX 200		/* addresses asked for, of a queue */

struct exim *
exim_own(struct spool *s)
{
	if (s->own == NULL)
		s->own = must(calloc(1, sizeof(struct exim)));
	return s->own;
}

void
exim_close(struct spool *s)
{
	struct exim *x = s->own;

	if (x == NULL)
		return;
	exim_due_free(x);
	seen_free(&x->swept);
	exim_daemons_free(&x->daemons);
	exim_retries_free(&x->retries);
	for (size_t i = 0; i < x->asked.n; i++) {
		free(x->asked.p[i].address);
		free(x->asked.p[i].sender);
		buf_free(&x->asked.p[i].said);
	}
	vec_free(&x->asked);
	free(x);
	s->own = NULL;
}

/* ---- who works on it ---- */

/* Its configuration's spool is this one. */
static bool
works_on(const struct exim_daemon *d, const struct spool *s)
{
	struct buf dir = {0};
	struct err none = {0};
	char *conf;
	bool yes;

	if (!exim_daemon_may(d, s->dir))
		return false;
	if (d->conf.n == 0)
		return s->conf == NULL;
	if ((conf = exim_daemon_conf(d)) == NULL)
		return false;
	yes = s->conf != NULL && strcmp(conf, s->conf) == 0;
	if (!yes && s->conf == NULL)
		yes = exim_conf(conf, "spool_directory", &dir, &none) == 0 &&
		    dir_same(buf_str(&dir), s->dir);
	buf_free(&dir);
	free(conf);
	return yes;
}

static bool
runs_by_pid_file(const struct spool *s)
{
	struct buf path = {0};
	struct err none = {0};
	bool yes;

	yes = exim_conf(s->conf, "pid_file_path", &path, &none) == 0;
	if (yes && path.n == 0)
		buf_addf(&path, "%s/exim-daemon.pid", s->dir);
	yes = yes && program_runs(buf_str(&path));
	buf_free(&path);
	return yes;
}

static struct exim *
know_daemons(struct spool *s)
{
	struct exim *x = exim_own(s);
	struct exim_daemons all = {0};

	if (x->knows_daemons)
		return x;
	x->knows_daemons = true;
	exim_daemons(&all);
	for (size_t i = 0; i < all.n; i++)
		if (works_on(&all.p[i], s)) {
			*vec_add(&x->daemons) = all.p[i];
			all.p[i] = (struct exim_daemon){0};
		}
	exim_daemons_free(&all);
	if (x->daemons.n == 0)
		x->by_pid_file = runs_by_pid_file(s);
	return x;
}

enum exim_runner
exim_runner(struct spool *s, struct span queue, struct buf *every)
{
	struct exim *x = know_daemons(s);

	for (size_t i = 0; i < x->daemons.n; i++)
		for (size_t k = 0; k < x->daemons.p[i].runs.n; k++) {
			const struct exim_runs *r = &x->daemons.p[i].runs.p[k];

			if (!span_eq(r->queue, queue))
				continue;
			if (every != NULL)
				buf_addspan(every, r->every);
			return EXIM_RUNS;
		}
	if (x->daemons.n > 0)
		return EXIM_LISTENS;
	return x->by_pid_file ? EXIM_UNTOLD : EXIM_DOWN;
}

/* ---- when it tries again ---- */

const struct exim_retries *
exim_retries(struct spool *s)
{
	const char *const args[] = { s->dir, "retry", NULL };
	struct exim *x = exim_own(s);
	struct buf path = {0};
	struct err none = {0};
	struct stat st;

	if (!x->knows_retries) {
		x->knows_retries = true;
		buf_addf(&path, "%s/db/retry", s->dir);
		/* it is not there before something has failed */
		x->tells_retries = (lstat(buf_str(&path), &st) < 0 &&
		    errno == ENOENT) || program_run("exim_dumpdb", args,
		    (struct span){0}, &x->retries.text, &none) == 0;
		if (x->tells_retries)
			exim_retries_read(&x->retries);
		buf_free(&path);
	}
	return x->tells_retries ? &x->retries : NULL;
}

/* ---- where it goes ---- */

static struct exim_asked *
find(struct exim *x, const char *sender, const char *address)
{
	for (size_t i = 0; i < x->asked.n; i++)
		if (strcmp(x->asked.p[i].address, address) == 0 &&
		    strcmp(x->asked.p[i].sender, sender) == 0)
			return &x->asked.p[i];
	return NULL;
}

/* 1 and 2: it cannot be routed (now), and it says why. */
static bool
test(const struct spool *s, const char *sender, const char *address,
    struct buf *said, struct err *e)
{
	const char *const args[] = { "-f", *sender != '\0' ? sender : "<>", "-bt",
	    address, NULL };
	int r = exim_run(s->conf, args, said, e);

	/* it may find fault with the sender, who came by another way */
	if (r == 1 && said->n == 0) {
		err_clear(e);
		r = exim_run(s->conf, args + 2, said, e);
	}
	if (r >= 0 && r <= 2)
		err_clear(e);
	return r >= 0 && r <= 2;
}

struct exim_asked *
exim_ask(struct spool *s, const char *sender, const char *address, struct err *e)
{
	struct exim *x = exim_own(s);
	struct exim_asked *a = find(x, sender, address);

	if (a != NULL)
		return a->failed ? NULL : a;
	/* it would take it for an option */
	if (exim_name() == NULL || *address == '-' || x->asked.n == ROUTES_MAX)
		return NULL;
	a = vec_add(&x->asked);
	a->address = span_dup(span_of(address));
	a->sender = span_dup(span_of(sender));
	a->failed = !test(s, sender, address, &a->said, e);
	return a->failed ? NULL : a;
}

int64_t
exim_life(struct spool *s, struct exim_asked *a)
{
	const char *args[] = { "-brt", NULL, NULL, NULL };
	struct span host, domain;
	struct buf said = {0};
	struct err none = {0};
	char *one, *two;

	if (a->life != 0)
		return a->life;
	exim_said_where(buf_span(&a->said), &host, &domain);
	one = span_dup(host);
	two = span_dup(domain);
	args[1] = *one != '\0' ? one : two;
	args[2] = *one != '\0' && *two != '\0' ? two : NULL;
	a->life = -1;
	if (*args[1] != '\0' && *one != '-' && *two != '-' &&
	    exim_run(s->conf, args, &said, &none) == 0)
		a->life = exim_retry_life(buf_span(&said));
	buf_free(&said);
	free(one);
	free(two);
	return a->life;
}
