#include "spool/spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct spool_kind *const spool_kinds[] = {
	&spool_postfix, &spool_exim, &spool_sendmail, &spool_opensmtpd,
	&spool_nullmailer, &spool_dma, &spool_courier, &spool_qmail,
	&spool_mbox, &spool_maildir,
	NULL,
};

static const char *const states[STATE_LAST] = {
	[STATE_INCOMING] = "incoming", [STATE_ACTIVE] = "active",
	[STATE_DEFERRED] = "deferred", [STATE_HOLD] = "hold",
	[STATE_MAILDROP] = "maildrop", [STATE_CORRUPT] = "corrupt",
	[STATE_DONE] = "done", [STATE_UNTOLD] = "",
};

const char *
state_name(enum state s)
{
	return states[s];
}

int
state_parse(struct span name)
{
	for (int i = 0; i < STATE_UNTOLD; i++)
		if (span_is(name, states[i]))
			return i;
	return -1;
}

static const struct spool_kind *
kind_of(struct span name, struct err *e)
{
	struct buf known = {0};

	for (size_t i = 0; spool_kinds[i] != NULL; i++)
		if (span_is(name, spool_kinds[i]->name))
			return spool_kinds[i];
	for (size_t i = 0; spool_kinds[i] != NULL; i++)
		buf_addf(&known, "%s %s", i > 0 ? "," : "", spool_kinds[i]->name);
	err_set(e, FAULT_USAGE, "--spool: `%.*s' is no kind of queue; "
	    "there are%s", (int)name.n, name.p, buf_str(&known));
	buf_free(&known);
	return NULL;
}

int
spool_open(struct spool *s, const char *spec, struct err *e)
{
	struct span rest = span_of(spec), name = {0};

	*s = (struct spool){0};
	span_cut(&rest, ':', &name);
	if ((s->kind = kind_of(name, e)) == NULL)
		return -1;
	if (spec[name.n] == ':' && rest.n == 0)
		return err_set(e, FAULT_USAGE, "--spool: `%s' names no directory",
		    spec);
	if (spec[name.n] == ':')
		s->dir = span_dup(rest);
	if (s->kind->open(s, e) == 0)
		return 0;
	spool_close(s);
	return -1;
}

int
spool_discover(struct spools *found, struct err *e)
{
	int r = 0;

	for (size_t i = 0; spool_kinds[i] != NULL; i++)
		if (spool_kinds[i]->discover != NULL &&
		    spool_kinds[i]->discover(found, e) < 0)
			r = -1;
	return r;
}

void
spool_close(struct spool *s)
{
	if (s->kind != NULL && s->kind->close != NULL)
		s->kind->close(s);
	free(s->dir);
	free(s->conf);
	*s = (struct spool){0};
}

void
spools_free(struct spools *v)
{
	for (size_t i = 0; i < v->n; i++)
		spool_close(&v->p[i]);
	vec_free(v);
}

static struct spool *
known_dir(struct spools *known, const char *dir)
{
	for (size_t i = 0; i < known->n; i++)
		if (strcmp(known->p[i].dir, dir) == 0)
			return &known->p[i];
	return NULL;
}

static struct spool *
opened(struct spools *known, const struct spool_kind *kind, const char *dir,
    struct err *e)
{
	struct spool s = { .kind = kind, .dir = span_dup(span_of(dir)) };
	struct spool *had;

	if (kind->open(&s, e) < 0) {
		spool_close(&s);
		return NULL;
	}
	if ((had = known_dir(known, s.dir)) != NULL) {
		spool_close(&s);
		return had;
	}
	*vec_add(known) = s;
	return &known->p[known->n - 1];
}

struct spool *
spool_of(struct spools *known, const char *ref, struct err *e)
{
	struct buf dir = {0};
	struct spool *s = NULL;
	struct stat st;
	bool owned = false;

	for (size_t i = 0; *ref == '/' && !owned && spool_kinds[i] != NULL; i++) {
		buf_clear(&dir);
		if (spool_kinds[i]->owns == NULL ||
		    !spool_kinds[i]->owns(ref, &dir))
			continue;
		owned = true;
		s = known_dir(known, buf_str(&dir));
		if (s == NULL)
			s = opened(known, spool_kinds[i], buf_str(&dir), e);
	}
	if (!owned && *ref == '/' && lstat(ref, &st) < 0 && errno == EACCES)
		err_sys(e, "look for %s", ref);
	else if (!owned)
		err_set(e, FAULT_DATA, "%s: lies in no queue that is known here",
		    ref);
	buf_free(&dir);
	return s;
}

/* PATH, or PATH#OFFSET: then the file is what has to be there. */
char *
ref_absolute(const char *ref)
{
	const char *hash = strrchr(ref, '#');
	struct buf whole = {0};
	char *path = NULL, *file;

	if (strchr(ref, '/') != NULL && (path = realpath(ref, NULL)) == NULL &&
	    hash != NULL) {
		file = span_dup((struct span){ ref, (size_t)(hash - ref) });
		path = realpath(file, NULL);
		free(file);
		if (path != NULL) {
			buf_addf(&whole, "%s%s", path, hash);
			free(path);
			path = span_dup(buf_span(&whole));
		}
	}
	buf_free(&whole);
	return path != NULL ? path : span_dup(span_of(ref));
}

const char *
ref_name(const char *ref)
{
	const char *slash = strrchr(ref, '/');

	return slash != NULL ? slash + 1 : ref;
}

int
spool_at(struct spool *s, const char *ref, struct entry *at, struct err *e)
{
	/* find() knows every directory of the queue, the ref's own included */
	return s->kind->find(s, ref_name(ref), at, e);
}

void
message_free(struct message *m)
{
	free(m->ref);
	free(m->id);
	free(m->note);
	envelope_free(&m->env);
	*m = (struct message){0};
}

void
outlook_free(struct outlook *o)
{
	buf_free(&o->holder);
	buf_free(&o->commands);
	*o = (struct outlook){0};
}

int
spool_yields(const struct spool *s, struct err *e)
{
	if (s->kind->claim != NULL && !(s->kind->only_copies && s->live))
		return 0;
	if (s->kind->because != NULL)
		return err_set(e, FAULT_UNAVAILABLE, "%s: no mail can be taken out: "
		    "%s", s->dir, s->kind->because);
	return err_set(e, FAULT_UNAVAILABLE, "%s: %s offers no safe way to take mail "
	    "out while it runs", s->dir, s->kind->name);
}

int
spool_end(struct spool *s, struct err *e)
{
	struct err none = {0};

	/* of what yields nothing nothing was claimed */
	return s->kind->end != NULL && spool_yields(s, &none) == 0 ?
	    s->kind->end(s, e) : 0;
}

/* Marks everybody done in what was claimed, and gives it back. */
static int
mark_all(const struct spool_kind *kind, struct claimed *c, struct message *m,
    struct err *e)
{
	const struct result gone = { .fate = FATE_DELIVERED };
	int r = 0;

	for (size_t i = 0; i < m->env.rcpts.n && r == 0; i++)
		r = kind->settle(c, m, i, &gone, e);
	if (kind->done(c, m, e) < 0)
		r = -1;
	return r < 0 ? -1 : 0;
}

int
spool_take_away(struct spool *s, const struct message *m, struct err *e)
{
	struct claimed *claimed;
	struct message ours = {0};
	struct entry at = {0};
	int r = spool_yields(s, e);

	if (r == 0)
		r = spool_at(s, m->ref, &at, e);
	if (r > 0) {
		switch (s->kind->claim(s, &at, &ours, &claimed, e)) {
		case CLAIM_OURS:
			if (ours.ino == m->ino && ours.dev == m->dev &&
			    ours.arrival == m->arrival)
				r = mark_all(s->kind, claimed, &ours, e);
			else
				r = s->kind->done(claimed, &ours, e);
			break;
		case CLAIM_BUSY:
			r = 1;
			break;
		case CLAIM_GONE:
			r = 0;
			break;
		default:
			r = -1;
		}
	}
	message_free(&ours);
	buf_free(&at.ref);
	return r;
}
