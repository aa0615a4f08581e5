/*
 * mbox: one file, a message behind the other (RFC 4155 and the manual page mbox(5)
 * of several systems).  Each begins with a line `From ADDRESS DATE' at the start of
 * the file or behind an empty line; that line is no part of it.  Content-Length is
 * not believed, and `>From ' stays as it stands: who may have quoted it is not known.
 *
 * The envelope is in the lines in front, as in a Maildir, the sender else in the
 * From line.  A message's ref is the file, `#' and the octet where its From line
 * begins; the number is its ID.
 *
 * Locks: fcntl(2) and FILE.lock, whoever writes.  Looking takes none: a file that
 * becomes shorter meanwhile has lost its messages.
 *
 * Nothing is taken out of one, not of a copy either.  There is no place where it is
 * said who has a message, so a crash would repeat all that was sent since the file was
 * last written anew; and to write it anew moves the messages behind, whose refs would
 * then name others, in our hands and in those of whoever listed them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spool/file.h"
#include "spool/maildir.h"

#define PIECE 65536
#define FROM_MAX 1000		/* octets of a From line that are looked at */

/* Goes over a file from one From line to the next. */
struct scan {
	int fd;
	off_t at;		/* of text.p[0] */
	struct buf text;
	size_t used;
	bool empty;		/* the line before was empty, or there is none */
};

struct walk {
	struct scan scan;
	const char *path;
};

/* At least `n` octets, unless the file ends: 0 or -1. */
static int
want(struct scan *s, size_t n, struct err *e)
{
	ssize_t got = 1;

	if (s->text.n - s->used >= n)
		return 0;
	s->at += (off_t)s->used;
	buf_drop(&s->text, s->used);
	s->used = 0;
	while (s->text.n < n && got > 0) {
		got = pread(s->fd, buf_room(&s->text, PIECE), PIECE,
		    s->at + (off_t)s->text.n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return err_sys(e, "read");
		else
			s->text.n += (size_t)got;
	}
	return 0;
}

/* `From ann@x.test Thu Nov 26 10:00:00 2026`: has it a time of day? */
static bool
is_from(struct span line)
{
	if (!span_starts(line, "From "))
		return false;
	for (size_t i = 5; i + 3 < line.n; i++)
		if (line.p[i] == ':' && strchr("0123456789", line.p[i - 1]) &&
		    strchr("0123456789", line.p[i + 1]) &&
		    strchr("0123456789", line.p[i + 2]))
			return true;
	return false;
}

static struct span
line_here(const struct scan *s)
{
	struct span rest = span_from(buf_span(&s->text), s->used);

	if (rest.n > FROM_MAX)
		rest.n = FROM_MAX;
	rest.n = span_find(rest, '\n');
	return rest;
}

/* Over the line that begins here, however long it is. */
static int
skip_line(struct scan *s, struct err *e)
{
	struct span rest = span_from(buf_span(&s->text), s->used);
	size_t n = span_find(rest, '\n');

	s->empty = n == 0 || (n == 1 && *rest.p == '\r');
	while (n == rest.n) {
		s->used = s->text.n;
		if (want(s, 1, e) < 0)
			return -1;
		rest = buf_span(&s->text);
		if (rest.n == 0)
			return 0;
		n = span_find(rest, '\n');
	}
	s->used += n + 1;
	return 0;
}

/* The next From line: 1 and where it is, its line skipped; 0 the end; -1. */
static int
next_from(struct scan *s, off_t *at, struct buf *from, struct err *e)
{
	for (;;) {
		if (want(s, FROM_MAX, e) < 0)
			return -1;
		if (s->used == s->text.n)
			return 0;
		if (s->empty && is_from(line_here(s))) {
			*at = s->at + (off_t)s->used;
			if (from != NULL)
				buf_addspan(from, line_here(s));
			return skip_line(s, e) < 0 ? -1 : 1;
		}
		if (skip_line(s, e) < 0)
			return -1;
	}
}

/* ---- refs ---- */

/* PATH#OFFSET; false: it is none. */
static bool
cut_ref(const char *ref, char **path, off_t *offset)
{
	const char *hash = strrchr(ref, '#');
	long long n;

	if (hash == NULL || hash == ref || !span_number(span_of(hash + 1), &n))
		return false;
	*path = span_dup((struct span){ ref, (size_t)(hash - ref) });
	*offset = (off_t)n;
	return true;
}

static void
put_ref(struct entry *at, const char *path, off_t offset)
{
	buf_clear(&at->ref);
	buf_addf(&at->ref, "%s#%lld", path, (long long)offset);
	at->state = STATE_DEFERRED;
	at->whole = false;
}

static int
begins_like_one(const char *path, struct err *e)
{
	char start[5];
	struct stat st;
	int fd, r = file_open(path, &st, &fd, e);

	if (r <= 0)
		return r;
	r = st.st_size == 0 || (pread(fd, start, sizeof start, 0) == sizeof start &&
	    memcmp(start, "From ", sizeof start) == 0);
	close(fd);
	return r;
}

static int
mbox_owns(const char *ref, struct buf *dir)
{
	struct err none = {0};
	char *path;
	off_t offset;
	int r;

	if (!path_is_plain(ref) || !cut_ref(ref, &path, &offset))
		return 0;
	r = begins_like_one(path, &none) == 1;
	if (r)
		buf_adds(dir, path);
	free(path);
	return r;
}

static int
mbox_open(struct spool *s, struct err *e)
{
	const char *mail = getenv("MAIL"), *user = getenv("LOGNAME");
	struct buf usual = {0};
	int r;

	if (s->dir == NULL) {
		buf_addf(&usual, "%s%s", mail != NULL ? "" : "/var/mail/",
		    mail != NULL ? mail : user != NULL ? user : "root");
		s->dir = span_dup(buf_span(&usual));
		buf_free(&usual);
	}
	if (dir_absolute(s, e) < 0)
		return -1;
	r = begins_like_one(s->dir, e);
	return r < 0 ? -1 : r == 1 ? 0 : err_set(e, FAULT_IO, "%s: is no mbox: it "
	    "does not begin with `From '", s->dir);
}

/* ---- looking ---- */

static struct walk *
mbox_walk(struct spool *s, unsigned states, struct err *e)
{
	struct walk *w = must(calloc(1, sizeof *w));
	struct stat st;
	int r = 0;

	w->path = s->dir;
	w->scan = (struct scan){ .fd = -1, .empty = true };
	if (states & STATE_BIT(STATE_DEFERRED))
		r = file_open(s->dir, &st, &w->scan.fd, e);
	if (r >= 0)
		return w;
	free(w);
	return NULL;
}

static int
mbox_next(struct walk *w, struct entry *at, struct err *e)
{
	off_t offset;
	int r;

	if (w->scan.fd < 0)
		return 0;
	r = next_from(&w->scan, &offset, NULL, e);
	if (r == 1)
		put_ref(at, w->path, offset);
	if (r < 0) {
		close(w->scan.fd);
		w->scan.fd = -1;
		return err_in(e, "%s", w->path);
	}
	return r;
}

static void
mbox_walk_end(struct walk *w)
{
	if (w->scan.fd >= 0)
		close(w->scan.fd);
	buf_free(&w->scan.text);
	free(w);
}

/* One message within its file. */
struct place {
	int fd;
	struct stat st;
	off_t start, end;	/* of the message, without From line and empty line */
	struct buf from;
};

/*
 * Where the message ends: at the empty line in front of the next From line, which
 * is the end of one line and an empty one.
 */
static int
bounds(struct place *p, off_t offset, struct err *e)
{
	struct scan s = { .fd = p->fd, .at = offset, .empty = true };
	off_t at;
	int r = next_from(&s, &at, &p->from, e);

	if (r == 1 && at != offset)
		r = 0;
	if (r == 1) {
		p->start = s.at + (off_t)s.used;
		s.empty = false;
		r = next_from(&s, &p->end, NULL, e);
		if (r == 0)
			p->end = p->st.st_size;
		else if (r == 1 && p->end > p->start)
			p->end--;
		if (p->end < p->start)
			p->end = p->start;
		r = r < 0 ? -1 : 1;
	}
	buf_free(&s.text);
	return r;
}

/* 1 open, 0 there is no message, -1. */
static int
open_place(struct place *p, const char *ref, struct err *e)
{
	char *path;
	off_t offset;
	int r;

	*p = (struct place){ .fd = -1 };
	if (!cut_ref(ref, &path, &offset))
		return 0;
	if ((r = file_open(path, &p->st, &p->fd, e)) == 1 &&
	    (r = bounds(p, offset, e)) < 0)
		err_in(e, "%s", ref);
	free(path);
	return r;
}

/* The same with the lines in front of it; `h` is empty before, and is freed. */
static int
open_head(struct place *p, struct maildir_head *h, const char *ref, struct err *e)
{
	int r = open_place(p, ref, e);

	h->from = p->start;
	h->to = p->end;
	return r == 1 && p->end > p->start && maildir_head(h, p->fd, ref, e) < 0 ?
	    -1 : r;
}

static void
close_place(struct place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	buf_free(&p->from);
}

/* The address and the date of a From line; a time zone may stand in it. */
static void
from_line(struct message *m, struct span line)
{
	static const char *const forms[] = {
		"%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Z %Y",
		"%a %b %d %H:%M:%S %z %Y", "%a %b %d %H:%M %Y"
	};
	struct span rest = span_from(line, 5), address = {0};
	char *date;
	bool known = false;

	span_cut(&rest, ' ', &address);
	if (m->env.sender == NULL)
		m->env.sender = span_dup(span_ieq(address, SPAN("MAILER-DAEMON")) ?
		    (struct span){0} : address);
	date = span_dup(span_trim(rest));
	for (size_t i = 0; i < sizeof forms / sizeof *forms && !known; i++) {
		struct tm tm = { .tm_isdst = -1 };
		time_t t;

		known = strptime(date, forms[i], &tm) != NULL &&
		    (t = mktime(&tm)) > 0;
		if (known)
			m->arrival = t;
	}
	free(date);
}

static int
mbox_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct maildir_head h = {0};
	struct place p;
	int r = open_head(&p, &h, ref, e);

	(void)s;
	(void)what;
	if (r == 1) {
		*m = (struct message){ .ref = span_dup(span_of(ref)),
		    .id = span_dup(span_of(strrchr(ref, '#') + 1)),
		    .state = STATE_DEFERRED, .attempts = -1,
		    .arrival = p.st.st_mtime, .mtime = p.st.st_mtime,
		    .size = p.end - p.start, .dev = p.st.st_dev, .ino = p.st.st_ino };
		maildir_envelope(&m->env, &h);
		from_line(m, buf_span(&p.from));
		maildir_head_free(&h);
	}
	close_place(&p);
	free(ref);
	return r;
}

static int
mbox_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct maildir_head h = {0};
	struct place p;
	int r = open_head(&p, &h, ref, e);

	(void)s;
	if (r == 1) {
		body_file(b, p.fd, p.start + h.body, p.end);
		b->end = p.end;
		p.fd = -1;		/* the body's */
		maildir_head_free(&h);
	}
	close_place(&p);
	return r;
}

static int
mbox_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	const char *hash = strrchr(id, '#');
	struct place p;
	long long n;
	int r;

	if (!span_number(span_of(hash != NULL ? hash + 1 : id), &n) ||
	    (hash != NULL && (strncmp(id, ref_name(s->dir), (size_t)(hash - id)) != 0 ||
	    ref_name(s->dir)[hash - id] != '\0')))
		return 0;
	put_ref(at, s->dir, (off_t)n);
	r = open_place(&p, buf_str(&at->ref), e);
	close_place(&p);
	return r;
}

const struct spool_kind spool_mbox = {
	.name = "mbox",
	.open = mbox_open,
	.owns = mbox_owns,
	.walk = mbox_walk,
	.next = mbox_next,
	.walk_end = mbox_walk_end,
	.find = mbox_find,
	.read = mbox_read,
	.body = mbox_body,
	.because = "an mbox has no place to mark who has a message; what "
	    "`queue-list --records | smtp-send --records' sends stays in it",
};
