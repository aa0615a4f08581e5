/*
 * The Postfix instances of this host.
 *
 * A queue is live when an instance's queue_directory is the same directory, by
 * device and inode.  Instances: the one that postconf itself uses ($MAIL_CONFIG
 * or its default), those of `postmulti -l`, /etc/postfix*.
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/file.h"
#include "spool/postfix.h"

struct instance {
	char *conf, *queue;
	bool alone;		/* it says that it is in charge of no others */
};

struct instances { struct instance *p; size_t n, room; };

static void
instances_free(struct instances *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->p[i].conf);
		free(v->p[i].queue);
	}
	vec_free(v);
}

int
pf_conf(const struct spool *s, const char *name, struct buf *value,
    struct err *e)
{
	const char *const args[] = { "-xh", name, NULL };
	struct buf out = {0};
	int r = pf_run(s->conf, "postconf", args, (struct span){0}, &out, e);

	if (r == 0)
		buf_addspan(value, span_trim(buf_span(&out)));
	buf_free(&out);
	return r == 0 ? 0 : -1;
}

/* One line of `name = value`. */
static void
setting(struct instance *i, struct span line)
{
	struct span name;

	span_cut(&line, '=', &name);
	name = span_trim(name);
	if (span_is(name, "config_directory") && i->conf == NULL)
		i->conf = span_dup(span_trim(line));
	else if (span_is(name, "queue_directory") && i->queue == NULL)
		i->queue = span_dup(span_trim(line));
	else if (span_is(name, "multi_instance_directories"))
		i->alone = span_trim(line).n == 0;
}

/* The instance of this configuration, NULL: the one postconf uses.  0, -1. */
static int
ask(struct instances *found, const char *conf, struct err *e)
{
	const char *const args[] = {
		"-x", "queue_directory", "config_directory",
		"multi_instance_directories", PF_FLUSH_NAMES, NULL
	};
	struct instance one = {0};
	struct buf out = {0};
	struct span rest, line;
	int r = pf_run(conf, "postconf", args, (struct span){0}, &out, e);

	rest = buf_span(&out);
	while (r == 0 && span_cut(&rest, '\n', &line))
		setting(&one, line);
	if (r == 0 && one.conf != NULL)
		pf_flush_told(one.conf, buf_span(&out));
	buf_free(&out);
	if (r == 0 && one.conf != NULL && one.queue != NULL) {
		*vec_add(found) = one;
		return 0;
	}
	free(one.conf);
	free(one.queue);
	return r == 0 ? err_set(e, FAULT_CONFIG,
	    "postconf: does not say where the queue is") : -1;
}

static bool
is_known(const struct instances *found, const char *conf)
{
	for (size_t i = 0; i < found->n; i++)
		if (strcmp(found->p[i].conf, conf) == 0 ||
		    dir_same(found->p[i].conf, conf))
			return true;
	return false;
}

static int
ask_new(struct instances *found, const char *conf, struct err *e)
{
	return is_known(found, conf) ? 0 : ask(found, conf, e);
}

/*
 * What `postmulti -l' would list is known, as postconf has answered for the primary
 * instance: a program less to wait for.
 */
static bool
is_only(const struct instances *found)
{
	const char *own = getenv("MAIL_CONFIG");

	return (own == NULL || *own == '\0') && found->n > 0 && found->p[0].alone;
}

/* `name group enabled directory`, a line an instance. */
static int
ask_postmulti(struct instances *found, struct err *e)
{
	const char *const args[] = { "-l", NULL };
	struct err none = {0};
	struct buf out = {0};
	struct span rest, line;
	char *conf;
	int r = 0;

	if (is_only(found))
		return 0;
	if (pf_run(NULL, "postmulti", args, (struct span){0}, &out, &none) != 0) {
		buf_free(&out);
		return 0;	/* older than 2.6, or for root only */
	}
	rest = buf_span(&out);
	while (span_cut(&rest, '\n', &line)) {
		if (span_find(line, '/') == line.n)
			continue;
		conf = span_dup(span_trim(span_from(line, span_find(line, '/'))));
		if (ask_new(found, conf, e) < 0)
			r = -1;
		free(conf);
	}
	buf_free(&out);
	return r;
}

static int
ask_etc(struct instances *found, struct err *e)
{
	glob_t g;
	int r = 0;

	if (glob("/etc/postfix*/main.cf", 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			*strrchr(g.gl_pathv[i], '/') = '\0';
			if (ask_new(found, g.gl_pathv[i], e) < 0)
				r = -1;
		}
	}
	globfree(&g);
	return r;
}

/* The instance whose queue this is; the cheap question first. */
static void
ask_live(struct spool *s)
{
	static int (*const more[])(struct instances *, struct err *) = {
		ask_postmulti, ask_etc
	};
	struct instances found = {0};
	struct err none = {0};
	size_t asked = 0, i = 0;

	if (ask(&found, NULL, &none) < 0 && none.fault == FAULT_UNAVAILABLE)
		asked = 2;		/* no Postfix on this host */
	else if (s->conf != NULL)
		ask_new(&found, s->conf, &none);
	for (;;) {
		for (; i < found.n && !s->live; i++)
			s->live = dir_same(found.p[i].queue, s->dir);
		if (s->live || asked == 2)
			break;
		more[asked++](&found, &none);
	}
	free(s->conf);
	s->conf = s->live ? span_dup(span_of(found.p[i - 1].conf)) : NULL;
	instances_free(&found);
}

/* A directory with main.cf stands for its queue. */
static int
from_conf(struct spool *s, struct err *e)
{
	struct buf main_cf = {0}, queue = {0};
	bool yes;
	int r = 0;

	if (pf_shape(s->dir))
		return 0;
	buf_addf(&main_cf, "%s/main.cf", s->dir);
	yes = access(buf_str(&main_cf), F_OK) == 0;
	buf_free(&main_cf);
	if (!yes)
		return 0;
	s->conf = s->dir;
	s->dir = NULL;
	if ((r = pf_conf(s, "queue_directory", &queue, e)) == 0)
		s->dir = span_dup(buf_span(&queue));
	buf_free(&queue);
	return r;
}

/* The one that postconf itself uses, which is live. */
static int
default_queue(struct spool *s, struct err *e)
{
	struct instances found = {0};
	int r = ask(&found, NULL, e);

	if (r == 0) {
		s->dir = span_dup(span_of(found.p->queue));
		s->conf = span_dup(span_of(found.p->conf));
		s->live = true;
	} else if (e->fault == FAULT_UNAVAILABLE) {
		err_set(e, FAULT_IO, "no Postfix queue was found on this host; "
		    "name one: --spool=postfix:DIR");
	}
	instances_free(&found);
	return r;
}

int
pf_open(struct spool *s, struct err *e)
{
	if (s->dir == NULL) {
		if (default_queue(s, e) < 0 || dir_absolute(s, e) < 0)
			return -1;
	} else if (dir_absolute(s, e) < 0 || from_conf(s, e) < 0 ||
	    dir_absolute(s, e) < 0) {
		return -1;
	}
	if (!pf_shape(s->dir))
		return err_set(e, FAULT_IO, "%s: is no Postfix queue", s->dir);
	if (!s->live)
		ask_live(s);
	return 0;
}

static void
add_queue(struct spools *found, const struct instance *i)
{
	char *dir = dir_real(i->queue);

	if (dir == NULL || !pf_shape(dir)) {
		free(dir);
		return;
	}
	for (size_t k = 0; k < found->n; k++) {
		if (dir_same(found->p[k].dir, dir)) {
			free(dir);
			return;
		}
	}
	*vec_add(found) = (struct spool){
		.kind = &spool_postfix, .dir = dir, .live = true,
		.conf = span_dup(span_of(i->conf)),
	};
}

int
pf_discover(struct spools *found, struct err *e)
{
	struct instances all = {0};
	struct err first = {0};
	int r = ask(&all, NULL, &first);

	if (r < 0 && first.fault == FAULT_UNAVAILABLE)
		return 0;		/* no Postfix on this host */
	if (r < 0)
		*e = first;
	if (ask_postmulti(&all, e) < 0)
		r = -1;
	if (ask_etc(&all, e) < 0)
		r = -1;
	for (size_t i = 0; i < all.n; i++)
		add_queue(found, &all.p[i]);
	instances_free(&all);
	return r;
}
