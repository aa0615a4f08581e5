/*
 * qmail and its heirs, by the description in qmail's INTERNALS; not tried with a
 * running one.
 *
 * mess/S/N is a message, N the number of its inode, S that modulo conf-split;
 * info/S/N its sender, and its time of arrival by its own; local/S/N and remote/S/N
 * its recipients, `T` to do or `D` done, each ended by a NUL.  While todo/N is there
 * qmail-send has not sorted it yet.  Why a recipient waits stands in no file.
 *
 * Locks: qmail-send has lock/sendmutex as long as it runs, and nobody else may
 * touch anything then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/qmail.h"
#include "spool/shelf.h"

#define USUAL "/var/qmail/queue"
#define LIST_MAX (64 << 20)

const char *const qmail_lists[2] = { "local", "remote" };

static const struct shelf places[] = {
	{ "mess", STATE_UNTOLD, false }, { NULL, 0, false }
};

static shelf_level *const levels[] = { shelf_number, shelf_number, NULL };

static struct walk *
qmail_walk(struct spool *s, unsigned states, struct err *e)
{
	(void)e;
	return shelf_walk(s, places, levels, states);
}

/* By walking over the split directories: their number is compiled in. */
static int
qmail_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	struct buf top = {0};
	struct dirent *d;
	struct stat st;
	DIR *dir = NULL;
	int r;

	if (!shelf_number(id))
		return 0;
	buf_addf(&top, "%s/mess", s->dir);
	r = dir_open(buf_str(&top), &dir, e);
	if (r == 1) {
		for (r = 0; r == 0 && (d = readdir(dir)) != NULL;) {
			if (!shelf_number(d->d_name))
				continue;
			buf_clear(&at->ref);
			buf_addf(&at->ref, "%s/%s/%s", buf_str(&top), d->d_name, id);
			r = lstat(buf_str(&at->ref), &st) == 0;
		}
		closedir(dir);
	}
	at->state = STATE_UNTOLD;
	buf_free(&top);
	return r;
}

static bool
shape(const char *dir)
{
	return dir_is_there(dir, "mess") && dir_is_there(dir, "info") &&
	    dir_is_there(dir, "remote");
}

static const struct usual usual = {
	.name = "qmail", .dir = USUAL, .has = "mess, info and remote", .shape = shape,
};

static int
qmail_owns(const char *ref, struct buf *dir)
{
	return shelf_owns(places, levels, shape, ref, dir);
}

static int
qmail_open(struct spool *s, struct err *e)
{
	return shelf_open(s, &usual, e);
}

static int
qmail_discover(struct spools *found, struct err *e)
{
	(void)e;
	return shelf_discover(found, &spool_qmail, &usual);
}

bool
qmail_parts(const char *ref, size_t *dir, const char **tail)
{
	struct span path = span_of(ref);

	for (int i = 0; i < 2; i++)
		while (path.n > 0 && path.p[--path.n] != '/')
			;
	if (path.n < 5 || !span_ends(path, "/mess"))
		return false;
	*dir = path.n - 5;
	*tail = ref + path.n + 1;
	return true;
}

/* ---- reading ---- */

/* DIR/WHAT/TAIL: 1 and its text and time; 0 it is not there; -1. */
static int
beside(const char *ref, const char *what, bool split, struct buf *text,
    struct stat *st, struct err *e)
{
	struct buf path = {0};
	const char *tail;
	size_t n;
	int fd, r = 0;

	if (qmail_parts(ref, &n, &tail)) {
		buf_add(&path, ref, n);
		buf_addf(&path, "/%s/%s", what, split ? tail : ref_name(ref));
		r = file_open_single(buf_str(&path), st, &fd, e);
	}
	if (r == 1) {
		r = file_text(fd, LIST_MAX, text, e) < 0 ?
		    err_in(e, "%s", path.p) : 1;
		close(fd);
	}
	buf_free(&path);
	return r;
}

/*
 * Entries that a NUL ends; F sender, T and D recipients, u and p whose it is.  `where':
 * what is added to the place of a recipient.
 */
static void
entries(struct message *m, struct span text, int64_t where)
{
	const char *front = text.p;
	struct span one;
	struct rcpt *r;

	while (span_find(text, '\0') < text.n && span_cut(&text, '\0', &one)) {
		if (one.n == 0)
			continue;
		if (*one.p == 'F' && m->env.sender == NULL)
			m->env.sender = span_dup(span_from(one, 1));
		else if ((*one.p == 'T' || *one.p == 'D') && one.n > 1) {
			r = envelope_read(&m->env, span_dup(span_from(one, 1)));
			r->done = *one.p == 'D';
			r->offset = where + (one.p - front);
		}
	}
}

/* The envelope: 1; 0 it is no message (any more); -1. */
static int
envelope(struct message *m, struct err *e)
{
	struct buf text = {0};
	struct stat st;
	bool pending = false;
	int r;

	if ((r = beside(m->ref, "info", true, &text, &st, e)) == 1) {
		entries(m, buf_span(&text), 0);
		m->state = STATE_DEFERRED;
	} else if (r == 0 &&
	    (r = beside(m->ref, "todo", false, &text, &st, e)) == 1) {
		entries(m, buf_span(&text), 0);
		m->state = STATE_INCOMING;
	}
	m->arrival = r == 1 ? st.st_mtime : 0;
	for (size_t i = 0; i < 2 && r == 1 && m->state == STATE_DEFERRED; i++) {
		buf_clear(&text);
		r = beside(m->ref, qmail_lists[i], true, &text, &st, e) < 0 ? -1 : 1;
		entries(m, buf_span(&text), i == 1 ? QMAIL_REMOTE : 0);
	}
	buf_free(&text);
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		pending = pending || !m->env.rcpts.p[i].done;
	if (r == 1 && !pending)
		m->state = STATE_DONE;
	if (r == 1 && envelope_whole(&m->env, e) < 0)
		return err_in(e, "%s", m->ref);
	if (r == 1 && m->env.sender == NULL)
		return err_set(e, FAULT_DATA, "%s: damaged: no sender", m->ref);
	return r;
}

int
qmail_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct stat st;
	int r;

	(void)s;
	(void)what;
	if (lstat(ref, &st) < 0) {
		r = errno == ENOENT ? 0 : err_sys(e, "look for %s", ref);
		free(ref);
		return r;
	}
	free(ref);
	shelf_start(m, at, &st);
	r = S_ISREG(st.st_mode) && st.st_nlink == 1 ? envelope(m, e) : 0;
	if (r != 1) {
		message_free(m);
		return r;
	}
	m->id = span_dup(span_of(ref_name(m->ref)));
	m->size = st.st_size;
	return 1;
}

static int
qmail_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct stat st;
	int fd, r = file_open_single(ref, &st, &fd, e);

	(void)s;
	if (r == 1) {
		body_file(b, fd, 0, st.st_size);
		b->lf = true;
	}
	return r;
}

const struct spool_kind spool_qmail = {
	.name = "qmail",
	.discover = qmail_discover,
	.open = qmail_open,
	.owns = qmail_owns,
	.walk = qmail_walk,
	.next = shelf_next,
	.walk_end = shelf_walk_end,
	.find = qmail_find,
	.read = qmail_read,
	.body = qmail_body,
	.only_copies = true,
	.claim = qmail_claim,
	.settle = qmail_settle,
	.done = qmail_done,
	.release_all = qmail_release_all,
	.remove = spool_take_away,
};
