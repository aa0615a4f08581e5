/*
 * The Exims of this host: one binary; its usual configuration and that configuration's
 * spool; and those of daemons that were started with another one (-C).
 */
#include <stdlib.h>
#include <string.h>

#include "spool/exim.h"
#include "spool/program.h"

#define ARGS_MAX 12

const char *
exim_name(void)
{
	static const char *const names[] = { "exim4", "exim", NULL };
	struct buf path = {0};
	int i = 0;

	while (names[i] != NULL && !program_find(names[i], &path))
		i++;
	buf_free(&path);
	return names[i];
}

int
exim_run(const char *conf, const char *const args[], struct buf *out, struct err *e)
{
	const char *argv[ARGS_MAX + 3] = { "-C", conf };
	size_t n = conf != NULL ? 2 : 0;

	if (exim_name() == NULL)
		return err_set(e, FAULT_UNAVAILABLE, "exim: is not on this host");
	for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++)
		argv[n++] = args[i];
	argv[n] = NULL;
	return program_run(exim_name(), argv, (struct span){0}, out, e);
}

int
exim_conf(const char *conf, const char *option, struct buf *value, struct err *e)
{
	const char *const args[] = { "-bP", option, NULL };
	struct buf out = {0};
	struct span rest;
	int r = exim_run(conf, args, &out, e);

	rest = buf_span(&out);
	rest.n = span_find(rest, '\n');
	if (r == 0 && span_find(rest, '=') < rest.n)
		buf_addspan(value, span_trim(span_from(rest,
		    span_find(rest, '=') + 1)));
	else if (r == 0)
		r = err_set(e, FAULT_CONFIG, "%s: does not say its %s",
		    exim_name(), option);
	buf_free(&out);
	return r == 0 ? 0 : -1;
}

/* Is it the spool of that configuration? */
static bool
is_of(const char *dir, const char *conf)
{
	struct buf own = {0};
	struct err none = {0};
	bool yes = exim_conf(conf, "spool_directory", &own, &none) == 0 &&
	    dir_same(buf_str(&own), dir);

	buf_free(&own);
	return yes;
}

/* Does an Exim of this host work on it, and with which configuration? */
static void
find_conf(struct spool *s)
{
	struct exim_daemons all = {0};

	if (exim_name() == NULL)
		return;
	s->live = is_of(s->dir, NULL);
	if (!s->live)
		exim_daemons(&all);
	for (size_t i = 0; i < all.n && !s->live; i++) {
		char *conf = exim_daemon_may(&all.p[i], s->dir) ?
		    exim_daemon_conf(&all.p[i]) : NULL;

		s->live = conf != NULL && is_of(s->dir, conf);
		if (s->live)
			s->conf = conf;
		else
			free(conf);
	}
	exim_daemons_free(&all);
}

int
exim_open(struct spool *s, struct err *e)
{
	struct buf own = {0};

	if (s->dir == NULL) {
		if (exim_conf(NULL, "spool_directory", &own, e) < 0) {
			if (e->fault == FAULT_UNAVAILABLE)
				err_set(e, FAULT_IO, "no Exim queue was found on this "
				    "host; name one: --spool=exim:DIR");
			buf_free(&own);
			return -1;
		}
		s->dir = span_dup(buf_span(&own));
		s->live = true;
		buf_free(&own);
	}
	if (dir_absolute(s, e) < 0)
		return -1;
	if (!exim_shape(s->dir))
		return err_set(e, FAULT_IO, "%s: is no Exim spool: it has no "
		    "input and msglog or db", s->dir);
	if (!s->live)
		find_conf(s);
	return 0;
}

/* Adds the spool of this configuration, which becomes the spool's own. */
static int
add_spool(struct spools *found, char *conf, const struct exim_daemon *by,
    struct err *e)
{
	struct spool s = { .kind = &spool_exim, .live = true, .conf = conf };
	struct buf own = {0};
	int r = exim_conf(conf, "spool_directory", &own, e);
	/* installed and never used: there is no queue yet */
	bool new = r == 0 && (s.dir = dir_real(buf_str(&own))) != NULL &&
	    exim_shape(s.dir) && (by == NULL || exim_daemon_may(by, s.dir));

	for (size_t i = 0; i < found->n && new; i++)
		new = found->p[i].kind != &spool_exim ||
		    !dir_same(found->p[i].dir, s.dir);
	if (new) {
		*vec_add(found) = s;
	} else {
		free(s.dir);
		free(conf);
	}
	buf_free(&own);
	return r;
}

int
exim_discover(struct spools *found, struct err *e)
{
	struct exim_daemons all = {0};
	struct err none = {0};
	int r;

	if (exim_name() == NULL)
		return 0;
	r = add_spool(found, NULL, NULL, e);
	exim_daemons(&all);
	for (size_t i = 0; i < all.n; i++) {
		char *conf = exim_daemon_conf(&all.p[i]);

		if (conf != NULL)
			add_spool(found, conf, &all.p[i], &none);
	}
	exim_daemons_free(&all);
	return r;
}
