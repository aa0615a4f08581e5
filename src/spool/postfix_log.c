/*
 * Postfix's logs of one message, defer/ID, bounce/ID, trace/ID: blocks of
 * name=value lines with empty lines around them.  Why a recipient waits stands
 * in defer/ID only.  Read without a lock, as postqueue does.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/postfix.h"

#define PIECE 16384
#define LINE_MAX_OCTETS 8192	/* the rest of a longer one is not kept */

/* A one-character directory in `dir`: its name, or 0. */
static char
hashed(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char c = '\0';

	while (d != NULL && c == '\0' && (entry = readdir(d)) != NULL)
		if (entry->d_name[1] == '\0' && entry->d_name[0] != '.')
			c = entry->d_name[0];
	if (d != NULL)
		closedir(d);
	return c;
}

/* hash_queue_depth as the directories show it. */
static int
depth_of(const struct spool *s, const char *log)
{
	struct buf dir = {0};
	int depth = 0;
	char c;

	buf_addf(&dir, "%s/%s", s->dir, log);
	while (depth < PF_DEPTH && (c = hashed(buf_str(&dir))) != '\0') {
		buf_addf(&dir, "/%c", c);
		depth++;
	}
	buf_free(&dir);
	return depth;
}

bool
pf_is_hashed(const struct spool *s, const char *queue)
{
	return depth_of(s, queue) > 0;
}

int
pf_log_path(struct spool *s, const char *log, const char *id,
    struct buf *path, struct err *e)
{
	int r = pf_place(s, log, id, path, e);
	char hash[PF_DEPTH + 1];
	int depth;

	if (r != 0)
		return r;
	depth = depth_of(s, log);
	pf_hash(id, hash);
	buf_clear(path);
	buf_addf(path, "%s/%s/", s->dir, log);
	for (int i = 0; i < depth; i++)
		buf_addf(path, "%c/", hash[i]);
	buf_adds(path, id);
	return 0;
}

/* What one block says. */
struct block {
	long long offset;	/* 0: not said, as before Postfix 2.1 */
	char *recipient, *status, *reason, *text;
};

static void
block_free(struct block *b)
{
	free(b->recipient);
	free(b->status);
	free(b->reason);
	free(b->text);
	*b = (struct block){0};
}

static int
by_offset(const void *a, const void *b)
{
	const struct rcpt *const *x = a, *const *y = b;

	return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

/* The recipients in the order of their offsets, so that many are found fast. */
struct index {
	struct rcpt **p;
	size_t n;
};

static struct index
index_of(struct message *m)
{
	struct index x = { NULL, m->env.rcpts.n };

	x.p = must(calloc(x.n + 1, sizeof *x.p));
	for (size_t i = 0; i < x.n; i++)
		x.p[i] = &m->env.rcpts.p[i];
	qsort(x.p, x.n, sizeof *x.p, by_offset);
	return x;
}

/* Only for want of an offset: one address may be there twice. */
static bool
is_about(const struct block *b, const struct rcpt *to)
{
	return strcmp(b->recipient, to->address) == 0;
}

static void
give(const struct block *b, struct rcpt *to)
{
	const char *reason = b->reason != NULL ? b->reason : b->text;

	if (to->done || reason == NULL)
		return;
	free(to->reason);
	to->reason = span_dup(span_of(reason));
	free(to->status);
	to->status = b->status != NULL ? span_dup(span_of(b->status)) : NULL;
}

static void
apply(const struct index *x, struct block *b)
{
	struct rcpt key = { .offset = b->offset }, *at = &key, **found;

	if (b->offset > 0) {
		found = bsearch(&at, x->p, x->n, sizeof *x->p, by_offset);
		if (found != NULL)
			give(b, *found);
	} else if (b->recipient != NULL) {
		for (size_t i = 0; i < x->n; i++)
			if (is_about(b, x->p[i]))
				give(b, x->p[i]);
	}
	block_free(b);
}

static void
keep(char **to, struct span value)
{
	free(*to);
	*to = span_dup(value);
}

/* `<address>: text`: the only line of the oldest logs, the first of others. */
static void
old_form(struct block *b, struct span line)
{
	for (size_t i = 1; i + 2 < line.n; i++) {
		if (line.p[i] != '>' || line.p[i + 1] != ':' ||
		    line.p[i + 2] != ' ')
			continue;
		keep(&b->recipient, (struct span){ line.p + 1, i - 1 });
		keep(&b->text, span_from(line, i + 3));
		return;
	}
}

static void
take(const struct index *x, struct block *b, struct span line)
{
	struct span name;

	if (line.n == 0) {
		apply(x, b);
		return;
	}
	if (*line.p == '<') {
		old_form(b, line);
		return;
	}
	span_cut(&line, '=', &name);
	if (span_is(name, "recipient"))
		keep(&b->recipient, line);
	else if (span_is(name, "status"))
		keep(&b->status, line);
	else if (span_is(name, "reason"))
		keep(&b->reason, line);
	else if (span_is(name, "offset") && !span_number(line, &b->offset))
		b->offset = 0;
}

/* Line by line, however long the log or a line may be. */
static void
scan(struct span in, struct buf *line, const struct index *x, struct block *b)
{
	size_t n, keep_n;

	while (in.n > 0) {
		n = span_find(in, '\n');
		keep_n = n < LINE_MAX_OCTETS - line->n ? n :
		    LINE_MAX_OCTETS - line->n;
		buf_add(line, in.p, keep_n);
		if (n == in.n)
			return;
		take(x, b, buf_span(line));
		buf_clear(line);
		in = span_from(in, n + 1);
	}
}

static int
read_log(int fd, const struct index *x, struct err *e)
{
	char piece[PIECE];
	struct buf line = {0};
	struct block b = {0};
	ssize_t n;

	do {
		n = read(fd, piece, PIECE);
		if (n > 0)
			scan((struct span){ piece, (size_t)n }, &line, x, &b);
	} while (n == PIECE || (n < 0 && errno == EINTR));
	if (n < 0)
		err_sys(e, "read");
	take(x, &b, buf_span(&line));
	apply(x, &b);
	buf_free(&line);
	return n < 0 ? -1 : 0;
}

static int
open_log(const char *path)
{
	return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* deferred/D/ID and defer/D/ID: by default both are hashed alike. */
static void
beside(const struct spool *s, const struct message *m, struct buf *path)
{
	struct span rest = span_of(m->ref), queue;

	if (!span_starts(rest, s->dir))
		return;
	rest = span_from(rest, strlen(s->dir) + 1);
	span_cut(&rest, '/', &queue);
	buf_addf(path, "%s/defer/%.*s", s->dir, (int)rest.n, rest.p);
}

/* qmgr takes the log away when it starts on the message: ENOENT is silence. */
int
pf_log_reasons(struct spool *s, struct message *m, struct err *e)
{
	struct buf path = {0};
	struct index x;
	int fd, r = 0;

	beside(s, m, &path);
	fd = open_log(buf_str(&path));
	if (fd < 0 && errno == ENOENT &&
	    (r = pf_place(s, "defer", m->id, &path, e)) > 0)
		fd = open_log(buf_str(&path));
	if (fd >= 0) {
		x = index_of(m);
		if ((r = read_log(fd, &x, e)) < 0)
			err_in(e, "%s", path.p);
		free(x.p);
		close(fd);
	} else if (r >= 0 && errno != ENOENT && errno != ENOTDIR &&
	    errno != ELOOP) {
		r = err_sys(e, "open %s", path.p);
	}
	buf_free(&path);
	return r < 0 ? -1 : 0;
}
