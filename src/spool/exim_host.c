/* The Exim of this host: one binary, one configuration, one spool. */
#include <stdlib.h>
#include <string.h>

#include "spool/exim.h"
#include "spool/program.h"

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
exim_conf(const char *option, struct buf *value, struct err *e)
{
	const char *const args[] = { "-bP", option, NULL };
	const char *name = exim_name();
	struct buf out = {0};
	struct span rest;
	int r;

	if (name == NULL)
		return err_set(e, FAULT_UNAVAILABLE, "exim: is not on this host");
	r = program_run(name, args, (struct span){0}, &out, e);
	rest = buf_span(&out);
	rest.n = span_find(rest, '\n');
	if (r == 0 && span_find(rest, '=') < rest.n)
		buf_addspan(value, span_trim(span_from(rest,
		    span_find(rest, '=') + 1)));
	else if (r == 0)
		r = err_set(e, FAULT_CONFIG, "%s: does not say its %s", name, option);
	buf_free(&out);
	return r == 0 ? 0 : -1;
}

int
exim_open(struct spool *s, struct err *e)
{
	struct buf own = {0};
	struct err none = {0};

	if (s->dir == NULL) {
		if (exim_conf("spool_directory", &own, e) < 0) {
			if (e->fault == FAULT_UNAVAILABLE)
				err_set(e, FAULT_IO, "no Exim queue was found on this "
				    "host; name one: --spool=exim:DIR");
			buf_free(&own);
			return -1;
		}
		s->dir = span_dup(buf_span(&own));
		s->live = true;
	}
	if (dir_absolute(s, e) < 0) {
		buf_free(&own);
		return -1;
	}
	if (!exim_shape(s->dir)) {
		buf_free(&own);
		return err_set(e, FAULT_IO, "%s: is no Exim spool: it has no "
		    "input and msglog or db", s->dir);
	}
	if (!s->live && exim_conf("spool_directory", &own, &none) == 0)
		s->live = dir_same(buf_str(&own), s->dir);
	buf_free(&own);
	return 0;
}

int
exim_discover(struct spools *found, struct err *e)
{
	struct spool s = { .kind = &spool_exim };
	struct buf own = {0};
	int r;

	if (exim_name() == NULL)
		return 0;
	if ((r = exim_conf("spool_directory", &own, e)) == 0) {
		s.dir = realpath(buf_str(&own), NULL);
		s.live = true;
		/* installed and never used: there is no queue yet */
		if (s.dir != NULL && exim_shape(s.dir))
			*vec_add(found) = s;
		else
			free(s.dir);
	}
	buf_free(&own);
	return r;
}
