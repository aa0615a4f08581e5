/*
 * Postfix's fast-flush logs: flush/DOMAIN, where its flush daemon notes the ID of
 * each message it puts off for a domain in fast_flush_domains; `postqueue -s DOMAIN'
 * moves what is named there, and empties the log.  An index and never the truth: it
 * has IDs that are gone or belong to other messages by now.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/unit.h"
#include "spool/postfix.h"
#include "spool/program.h"

#define LOG_MAX (256 << 20)
#define SERVICES_MAX (1 << 20)	/* of master.cf */

struct ids { const char **p; size_t n, room; };	/* a VEC */

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Cuts the text into its lines, sorted, each once. */
static void
index_lines(struct buf *text, struct ids *ids)
{
	char *p, *next;
	size_t n = 0;

	ids->n = 0;
	for (p = buf_str(text); (next = strchr(p, '\n')) != NULL; p = next + 1) {
		*next = '\0';
		*vec_add(ids) = p;
	}
	if (ids->n > 0)
		qsort(ids->p, ids->n, sizeof *ids->p, by_text);
	for (size_t i = 0; i < ids->n; i++)
		if (n == 0 || strcmp(ids->p[n - 1], ids->p[i]) != 0)
			ids->p[n++] = ids->p[i];
	ids->n = n;
}

/* The daemon names it in lower case, with `_` for all that is no letter or digit. */
static int
log_path(struct spool *s, const char *node, struct buf *path)
{
	struct buf name = {0};
	struct err none = {0};
	int r;

	for (; *node != '\0'; node++)
		buf_addc(&name, isalnum((unsigned char)*node) ?
		    (char)tolower((unsigned char)*node) : '_');
	r = pf_place(s, "flush", buf_str(&name), path, &none);
	buf_free(&name);
	return r;
}

/* ---- for a release: would the command for the domain reach this message? ---- */

/* The log that was read last; good while the file is the same. */
static struct {
	char *path;
	struct stat st;
	struct buf text;
	struct ids ids;
} last;

static bool
reload(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct err none = {0};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (last.path == NULL || strcmp(last.path, path) != 0 ||
	    st.st_ino != last.st.st_ino || st.st_size != last.st.st_size ||
	    st.st_mtim.tv_sec != last.st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != last.st.st_mtim.tv_nsec) {
		free(last.path);
		last.path = span_dup(span_of(path));
		last.st = st;
		buf_clear(&last.text);
		file_text(fd, LOG_MAX, &last.text, &none);
		index_lines(&last.text, &last.ids);
	}
	close(fd);
	return true;
}

/* A log that cannot be read covers nothing: the message is then released by itself. */
bool
pf_covers(struct spool *s, const char *node, const struct message *m)
{
	struct buf path = {0};
	bool yes = false;

	if (!s->live || m->state != STATE_DEFERRED || *node == '@' ||
	    *node == '#')
		return false;
	if (log_path(s, node, &path) > 0 && reload(buf_str(&path)) &&
	    last.ids.n > 0)
		yes = bsearch(&m->id, last.ids.p, last.ids.n,
		    sizeof *last.ids.p, by_text) != NULL;
	buf_free(&path);
	return yes;
}

/* ---- for a listing ---- */

struct settings {
	bool flushed;		/* the domain, or one above it, is named */
	bool unclear;		/* a table, a file, an exception */
	int64_t backoff, delay;	/* seconds */
};

/* `domain`, or one that it lies in (parent_domain_matches_subdomains). */
static void
look_for(struct settings *c, struct span list, const char *node)
{
	size_t n = strlen(node);

	for (size_t i = 0; i < list.n; ) {
		size_t from = i;
		struct span one;

		while (i < list.n && strchr(", \t", list.p[i]) == NULL)
			i++;
		one = (struct span){ list.p + from, i - from };
		i++;
		if (one.n == 0)
			continue;
		if (span_find(one, ':') < one.n || span_find(one, '/') < one.n ||
		    *one.p == '!')
			c->unclear = true;
		else if (n >= one.n && strncasecmp(node + n - one.n, one.p,
		    one.n) == 0 && (n == one.n || node[n - one.n - 1] == '.'))
			c->flushed = true;
	}
}

static void
setting(struct settings *c, struct span line, const char *node)
{
	struct err none = {0};
	struct span name;
	char *value;

	span_cut(&line, '=', &name);
	name = span_trim(name);
	line = span_trim(line);
	value = span_dup(line);
	if (span_is(name, "fast_flush_domains"))
		look_for(c, line, node);
	else if (span_is(name, "maximal_backoff_time"))
		c->unclear |= unit_time("", value, &c->backoff, &none) < 0;
	else if (span_is(name, "queue_run_delay"))
		c->unclear |= unit_time("", value, &c->delay, &none) < 0;
	free(value);
}

/* What postconf said last, and of which configuration. */
static struct {
	char *conf;
	struct buf text;
} told;

void
pf_flush_told(const char *conf, struct span text)
{
	free(told.conf);
	told.conf = span_dup(span_of(conf));
	buf_clear(&told.text);
	buf_addspan(&told.text, text);
}

static int
ask(struct settings *c, const char *conf, const char *node)
{
	const char *const args[] = { "-x", PF_FLUSH_NAMES, NULL };
	struct buf out = {0};
	struct err none = {0};
	struct span rest, line;
	int r = 0;

	if (told.conf == NULL || strcmp(told.conf, conf) != 0) {
		r = pf_run(conf, "postconf", args, (struct span){0}, &out, &none);
		if (r == 0)
			pf_flush_told(conf, buf_span(&out));
		buf_free(&out);
	}
	rest = buf_span(&told.text);
	while (r == 0 && span_cut(&rest, '\n', &line))
		setting(c, line, node);
	return r == 0 ? 0 : -1;
}

/*
 * So long nothing has changed in the file or directory, be it a link and what it leads
 * to; -1 unknown.
 */
static int64_t
quiet(const char *dir, const char *name)
{
	struct buf path = {0};
	struct stat st, link;
	int64_t age = -1;

	buf_addf(&path, "%s/%s", dir, name);
	if (stat(buf_str(&path), &st) == 0 && lstat(path.p, &link) == 0)
		age = time(NULL) - (st.st_mtime > link.st_mtime ? st.st_mtime :
		    link.st_mtime);
	buf_free(&path);
	return age;
}

/* Is there a daemon that keeps such logs?  Else what lies there is as old as it. */
static bool
is_kept(const char *conf)
{
	struct buf path = {0}, text = {0};
	struct err none = {0};
	struct span rest, line, name, type;
	bool yes = false;

	buf_addf(&path, "%s/master.cf", conf);
	if (file_conf(buf_str(&path), SERVICES_MAX, &text, &none) <= 0)
		buf_clear(&text);
	rest = buf_span(&text);
	while (!yes && span_cut(&rest, '\n', &line)) {
		for (name = line, name.n = 0; name.n < line.n &&
		    line.p[name.n] != ' ' && line.p[name.n] != '\t';)
			name.n++;
		type = span_trim(span_from(line, name.n));
		yes = span_is(name, "flush") && span_starts(type, "unix");
	}
	buf_free(&text);
	buf_free(&path);
	return yes;
}

/*
 * Does its log name all that waits in deferred for this domain?  Only if Postfix runs,
 * and has tried everything since it was started (files may have been brought there,
 * or got other IDs) and its configuration was last changed.  What is let go from hold
 * keeps the time of its next attempt, and may be in no log before that.
 */
static bool
is_covered(struct spool *s, const char *node)
{
	struct settings c = {0};
	struct buf pid = {0};
	bool yes;

	if (!s->live || s->conf == NULL || !text_is_ascii(span_of(node)))
		return false;
	buf_addf(&pid, "%s/pid/master.pid", s->dir);
	yes = program_runs(buf_str(&pid)) && ask(&c, s->conf, node) == 0 &&
	    c.flushed && !c.unclear && c.backoff > 0 && c.delay > 0 &&
	    quiet(s->conf, "main.cf") > 2 * c.backoff &&
	    quiet(s->conf, "master.cf") > 2 * c.backoff && is_kept(s->conf) &&
	    quiet(s->dir, "pid/master.pid") > 2 * c.backoff &&
	    quiet(s->dir, "hold") > 2 * (c.backoff + c.delay) &&
	    !pf_is_hashed(s, "hold");
	buf_free(&pid);
	return yes;
}

struct walk *
pf_walk_node(struct spool *s, const char *node, unsigned states, struct err *e)
{
	struct buf path = {0}, text = {0};
	struct ids ids = {0};
	struct walk *w = NULL;
	struct err none = {0};

	if ((states & STATE_BIT(STATE_CORRUPT)) == 0 &&
	    log_path(s, node, &path) > 0 && is_covered(s, node) &&
	    file_read(buf_str(&path), LOG_MAX, &text, &none) > 0) {
		index_lines(&text, &ids);
		w = pf_walk(s, states, e);
		pf_walk_named(w, ids.p, ids.n);
	}
	vec_free(&ids);
	buf_free(&text);
	buf_free(&path);
	return w;
}
