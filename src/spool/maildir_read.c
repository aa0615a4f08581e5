#include "spool/maildir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/file.h"
#include "wire/path.h"

#define PIECE 4096
#define HEAD_MAX (4 << 20)	/* some ten thousand recipients */
#define DONE_MAX (64 << 20)

static enum maildir_field
field_of(struct span name)
{
	if (span_ieq(name, SPAN("Return-Path")))
		return FIELD_SENDER;
	if (span_ieq(name, SPAN("Delivered-To")))
		return FIELD_RCPT;
	if (span_ieq(name, SPAN("X-Original-To")))
		return FIELD_ORIGINAL;
	return FIELD_NONE;
}

/*
 * The address in a field, as it goes on the wire.  What is none stays as it
 * stands: it is shown, and whoever sends refuses it.
 */
static char *
address_of(struct span s)
{
	struct buf quoted = {0};

	s = span_trim(s);
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = (struct span){ s.p + 1, s.n - 2 };
	if (s.n == 0 || path_is_mailbox(s))
		return span_dup(s);
	path_quote(&quoted, s);
	if (path_is_mailbox(buf_span(&quoted)))
		return buf_str(&quoted);
	buf_free(&quoted);
	return span_dup(s);
}

/* More of the file; 0 at its end, -1. */
static int
more(struct maildir_head *h, int fd, struct err *e)
{
	off_t at = h->from + (off_t)h->text.n;
	size_t most = h->to > 0 && h->to - at < PIECE ? (size_t)(h->to - at) : PIECE;
	ssize_t n;

	do
		n = pread(fd, buf_room(&h->text, PIECE), most, at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read");
	h->text.n += (size_t)n;
	return n > 0;
}

/*
 * The length of the field at `at`, its folded lines (RFC 5322 section 2.2.3)
 * included; what the file's end cut counts as ended.
 */
static int
field_length(struct maildir_head *h, int fd, size_t at, size_t *length,
    struct err *e)
{
	size_t n = 0;

	for (;;) {
		struct span rest = span_from(buf_span(&h->text), at + n);
		size_t lf = span_find(rest, '\n');

		if (lf + 1 < rest.n) {
			n += lf + 1;
			if (rest.p[lf + 1] == ' ' || rest.p[lf + 1] == '\t')
				continue;
			break;
		}
		switch (h->text.n > HEAD_MAX ? 0 : more(h, fd, e)) {
		case -1:
			return -1;
		case 0:
			n = h->text.n - at;
			goto out;
		}
	}
out:
	*length = n;
	return 0;
}

/* 1 the field at `at` is one of the envelope's, 0 it is not, -1. */
static int
add_line(struct maildir_head *h, int fd, size_t at, struct err *e)
{
	struct maildir_line *l;
	struct span s;
	size_t n, colon;

	if (field_length(h, fd, at, &n, e) < 0)
		return -1;
	s = (struct span){ h->text.p + at, n };
	colon = span_find(s, ':');
	if (field_of((struct span){ s.p, colon }) == FIELD_NONE)
		return 0;
	if (memchr(s.p, '\0', n) != NULL)
		return err_set(e, FAULT_DATA, "a NUL in its envelope");
	if (n == 0 || s.p[n - 1] != '\n' || h->text.n > HEAD_MAX)
		return err_set(e, FAULT_DATA, "its envelope does not end");
	l = vec_add(&h->lines);
	*l = (struct maildir_line){
		.field = field_of((struct span){ s.p, colon }),
		.start = at, .end = at + n,
		.address = address_of(span_from(s, colon + 1)),
	};
	return 1;
}

int
maildir_head(struct maildir_head *h, int fd, const char *ref, struct err *e)
{
	size_t at = 0;
	int r;

	while ((r = add_line(h, fd, at, e)) > 0)
		at = h->lines.p[h->lines.n - 1].end;
	if (r < 0) {
		maildir_head_free(h);
		return err_in(e, "%s", ref);
	}
	h->body = (off_t)at;
	h->rcpts = FIELD_ORIGINAL;
	for (size_t i = 0; i < h->lines.n; i++)
		if (h->lines.p[i].field == FIELD_RCPT)
			h->rcpts = FIELD_RCPT;
	return 0;
}

void
maildir_head_free(struct maildir_head *h)
{
	for (size_t i = 0; i < h->lines.n; i++)
		free(h->lines.p[i].address);
	vec_free(&h->lines);
	buf_free(&h->text);
	*h = (struct maildir_head){0};
}

static int
by_address(const void *a, const void *b)
{
	const struct maildir_line *x = *(const struct maildir_line *const *)a;
	const struct maildir_line *y = *(const struct maildir_line *const *)b;
	int way = strcmp(x->address, y->address);

	return way != 0 ? way : (x->start > y->start) - (x->start < y->start);
}

/* One address is one recipient, however often it stands there: marks the later ones. */
static void
mark_again(const struct maildir_head *h, bool *again)
{
	VEC(const struct maildir_line *) sorted = {0};

	for (size_t i = 0; i < h->lines.n; i++)
		if (h->lines.p[i].field == h->rcpts)
			*vec_add(&sorted) = &h->lines.p[i];
	if (sorted.n > 0)
		qsort(sorted.p, sorted.n, sizeof *sorted.p, by_address);
	for (size_t i = 1; i < sorted.n; i++)
		again[sorted.p[i] - h->lines.p] = strcmp(sorted.p[i]->address,
		    sorted.p[i - 1]->address) == 0;
	vec_free(&sorted);
}

void
maildir_envelope(struct envelope *v, const struct maildir_head *h)
{
	bool *again = must(calloc(h->lines.n + 1, sizeof *again));

	mark_again(h, again);
	for (size_t i = 0; i < h->lines.n; i++) {
		const struct maildir_line *l = &h->lines.p[i];

		if (l->field == FIELD_SENDER && v->sender == NULL)
			v->sender = span_dup(span_of(l->address));
		else if (l->field == h->rcpts && *l->address != '\0' && !again[i])
			envelope_read(v, span_dup(span_of(l->address)));
	}
	free(again);
}

void
maildir_done_path(struct buf *b, const char *dir, const char *name)
{
	buf_clear(b);
	buf_addf(b, "%s/" MAILDIR_CLAIMED "/.%s.done", dir, name);
	buf_str(b);
}

static int
by_bytes(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int way = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return way != 0 ? way : (x->n > y->n) - (x->n < y->n);
}

/* A line that was not finished was not acknowledged either. */
static void
mark_done(struct envelope *v, struct span rest)
{
	VEC(struct span) lines = {0};
	struct buf field = {0};
	struct span line;

	while (span_find(rest, '\n') < rest.n && span_cut(&rest, '\n', &line))
		*vec_add(&lines) = line;
	if (lines.n > 0)
		qsort(lines.p, lines.n, sizeof *lines.p, by_bytes);
	for (size_t i = 0; i < v->rcpts.n && lines.n > 0; i++) {
		buf_clear(&field);
		field_add(&field, span_of(v->rcpts.p[i].address));
		line = buf_span(&field);
		if (bsearch(&line, lines.p, lines.n, sizeof line, by_bytes) != NULL)
			v->rcpts.p[i].done = true;
	}
	buf_free(&field);
	vec_free(&lines);
}

/* Recipients that a program which then died had done with: a line each. */
static int
subtract_done(struct envelope *v, const char *dir, const char *name,
    struct err *e)
{
	struct buf path = {0}, text = {0};
	struct stat st;
	int r;

	maildir_done_path(&path, dir, name);
	/* no such name fits: nothing can have been recorded */
	r = lstat(path.p, &st) < 0 && errno == ENAMETOOLONG ? 0 :
	    file_read(path.p, DONE_MAX, &text, e);
	if (r == 0 && lstat(path.p, &st) == 0 && !S_ISREG(st.st_mode))
		r = err_set(e, FAULT_DATA, "%s: is no regular file", path.p);
	if (r == 1)
		mark_done(v, buf_span(&text));
	buf_free(&text);
	buf_free(&path);
	return r < 0 ? -1 : 0;
}

/* A name begins with the second it was made in. */
static int64_t
arrival_of(const char *name, const struct stat *st)
{
	struct span digits = { name, strspn(name, "0123456789") };
	long long v;

	if (digits.n >= 9 && name[digits.n] == '.' && span_number(digits, &v))
		return v;
	return st->st_mtime;
}

static bool
all_done(const struct envelope *v)
{
	for (size_t i = 0; i < v->rcpts.n; i++)
		if (!v->rcpts.p[i].done)
			return false;
	return v->rcpts.n > 0;
}

static bool
is_claimed(const char *dir, const char *ref)
{
	size_t n = strlen(dir);

	return strncmp(ref, dir, n) == 0 &&
	    strncmp(ref + n, "/" MAILDIR_CLAIMED "/",
	    sizeof "/" MAILDIR_CLAIMED) == 0;
}

/* *text: where its text begins. */
static int
read_fd(const char *dir, const char *ref, int fd, const struct stat *st,
    struct message *m, off_t *text, struct err *e)
{
	const char *name = ref_name(ref);
	struct maildir_head h = {0};

	if (maildir_head(&h, fd, ref, e) < 0)
		return -1;
	maildir_envelope(&m->env, &h);
	if (m->env.sender == NULL)
		m->env.sender = span_dup(SPAN(""));
	*text = h.body;
	maildir_head_free(&h);
	if (is_claimed(dir, ref) && subtract_done(&m->env, dir, name, e) < 0) {
		message_free(m);
		return -1;
	}
	m->ref = span_dup(span_of(ref));
	m->id = span_dup((struct span){ name, maildir_id(name) });
	m->state = all_done(&m->env) ? STATE_DONE : STATE_DEFERRED;
	m->arrival = arrival_of(name, st);
	m->size = st->st_size;
	m->attempts = -1;
	m->dev = st->st_dev;
	m->ino = st->st_ino;
	m->mtime = st->st_mtime;
	return 1;
}

int
maildir_read_fd(const char *dir, const char *ref, int fd, struct message *m,
    struct err *e)
{
	struct stat st;
	off_t text;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", ref);
	return S_ISREG(st.st_mode) ? read_fd(dir, ref, fd, &st, m, &text, e) : 0;
}

int
maildir_read_body(struct spool *s, const struct entry *at, struct message *m,
    struct body *b, struct err *e)
{
	struct buf ref = {0};
	struct stat st;
	off_t text;
	int fd, r;

	buf_addspan(&ref, buf_span(&at->ref));
	r = file_open(buf_str(&ref), &st, &fd, e);
	if (r == 1) {
		r = read_fd(s->dir, ref.p, fd, &st, m, &text, e);
		if (r == 1 && b != NULL)
			body_file(b, fd, text, m->size);
		else
			close(fd);
	}
	buf_free(&ref);
	return r;
}

int
maildir_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	(void)what;
	return maildir_read_body(s, at, m, NULL, e);
}

int
maildir_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct maildir_head h = {0};
	struct stat st;
	int fd, r = file_open(ref, &st, &fd, e);

	(void)s;
	if (r <= 0)
		return r;
	if (maildir_head(&h, fd, ref, e) < 0) {
		close(fd);
		return -1;
	}
	body_file(b, fd, h.body, st.st_size);
	maildir_head_free(&h);
	return 1;
}
