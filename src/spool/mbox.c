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
 * What is delivered here by others is left alone; mail is taken out of other files
 * (mbox_claim.c), and the messages behind then have other refs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spool/file.h"
#include "spool/mbox.h"
#include "spool/seize.h"

struct walk {
	struct mbox_scan scan;
	const char *path;
};

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
	struct stat st;
	int fd, r = file_open(path, &st, &fd, e);

	if (r <= 0)
		return r;
	r = mbox_begins(fd, e);
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

/* A mailbox that mail for somebody of this host is put into. */
static bool
is_delivered_to(const char *path)
{
	static const char *const spools[] = { "/var/mail", "/var/spool/mail" };
	const char *mail = getenv("MAIL");
	char *dir = span_dup(span_of(path)), *slash;
	bool is = mail != NULL && dir_same(path, mail);

	/* or into a directory of there: some sites have one for each letter */
	while (!is && (slash = strrchr(dir, '/')) != NULL && slash > dir) {
		*slash = '\0';
		for (size_t i = 0; i < sizeof spools / sizeof *spools; i++)
			is = is || dir_same(dir, spools[i]);
	}
	free(dir);
	return is;
}

static int
mbox_open(struct spool *s, struct err *e)
{
	const char *mail = getenv("MAIL"), *user = getenv("LOGNAME");
	struct buf usual = {0};
	struct mbox *x;
	int r;

	if (s->dir == NULL) {
		s->live = true;
		buf_addf(&usual, "%s%s", mail != NULL ? "" : "/var/mail/",
		    mail != NULL ? mail : user != NULL ? user : "root");
		s->dir = span_dup(buf_span(&usual));
		buf_free(&usual);
	}
	if (dir_absolute(s, e) < 0)
		return -1;
	if ((r = begins_like_one(s->dir, e)) < 0)
		return -1;
	if (r == 0)
		return err_set(e, FAULT_IO, "%s: is no mbox: it does not begin with "
		    "`From ADDRESS DATE', which has a time of day", s->dir);
	s->live = s->live || is_delivered_to(s->dir);
	s->own = x = must(calloc(1, sizeof *x));
	x->fd = x->dir = x->journal = -1;
	if (stat(s->dir, &x->of) < 0)
		return err_sys(e, "%s", s->dir);
	/* nothing is taken out of a live one */
	return s->live ? 0 : mbox_marks_read(x, s->dir, e);
}

static void
mbox_close(struct spool *s)
{
	struct mbox *x = s->own;

	if (x == NULL)
		return;
	if (x->fd >= 0)
		close(x->fd);
	if (x->dir >= 0)
		close(x->dir);
	if (x->journal >= 0)
		close(x->journal);
	mbox_marks_free(x);
	vec_free(&x->in_hand);
	free(x);
	s->own = NULL;
}

/* ---- looking ---- */

static struct walk *
mbox_walk(struct spool *s, unsigned states, struct err *e)
{
	struct walk *w = must(calloc(1, sizeof *w));
	struct stat st;
	int r = 0;

	w->path = s->dir;
	w->scan = (struct mbox_scan){ .fd = -1, .empty = true };
	if (states & (STATE_BIT(STATE_DEFERRED) | STATE_BIT(STATE_DONE)))
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
	r = mbox_next_from(&w->scan, &offset, NULL, e);
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

/* 1 open, 0 there is no message, -1. */
static int
open_place(struct mbox_place *p, const char *ref, struct err *e)
{
	char *path;
	int r;

	*p = (struct mbox_place){ .fd = -1 };
	if (!cut_ref(ref, &path, &p->at))
		return 0;
	if ((r = file_open(path, &p->st, &p->fd, e)) == 1 &&
	    (r = mbox_bounds(p, e)) < 0)
		err_in(e, "%s", ref);
	free(path);
	return r;
}

/* The same with the lines in front of it; `h` is empty before, and is freed. */
static int
open_head(struct mbox_place *p, struct maildir_head *h, const char *ref, struct err *e)
{
	int r = open_place(p, ref, e);

	h->from = p->start;
	h->to = p->end;
	return r == 1 && p->end > p->start && maildir_head(h, p->fd, ref, e) < 0 ?
	    -1 : r;
}

static void
close_place(struct mbox_place *p)
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

int
mbox_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct maildir_head h = {0};
	struct mbox_place p;
	int r = open_head(&p, &h, ref, e);

	(void)what;
	if (r == 1) {
		*m = (struct message){ .ref = span_dup(span_of(ref)),
		    .id = span_dup(span_of(strrchr(ref, '#') + 1)),
		    .state = STATE_DEFERRED, .attempts = -1,
		    .arrival = p.st.st_mtime, .mtime = p.st.st_mtime,
		    .size = p.end - p.start, .dev = p.st.st_dev, .ino = p.st.st_ino,
		    .within = p.at };
		maildir_envelope(&m->env, &h);
		from_line(m, buf_span(&p.from));
		maildir_head_free(&h);
		mbox_marks_apply(s->own, &p.st, p.at, &m->env);
		if (m->env.rcpts.n > 0 && seize_pending(m) == 0)
			m->state = STATE_DONE;
	}
	close_place(&p);
	free(ref);
	return r;
}

static int
mbox_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct maildir_head h = {0};
	struct mbox_place p;
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
	struct mbox_place p;
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
	.close = mbox_close,
	.owns = mbox_owns,
	.walk = mbox_walk,
	.next = mbox_next,
	.walk_end = mbox_walk_end,
	.find = mbox_find,
	.read = mbox_read,
	.body = mbox_body,
	.because = "mail is delivered into it; a copy of it can be drained, and what "
	    "`queue-list --records | smtp-send --records' sends stays in it",
	.only_copies = true,
	.claim = mbox_claim,
	.settle = mbox_settle,
	.done = mbox_done,
	.sync = mbox_sync,
	.end = mbox_end,
	.remove = spool_take_away,
};
