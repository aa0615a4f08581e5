/* An Exim message: envelope, journal and log into a struct message, and its text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spool/exim.h"

#define HEADER_MAX (64 << 20)
#define JOURNAL_MAX (64 << 20)
#define LOG_MAX (256 << 10)	/* of a longer log only the end is read */

off_t
exim_locked(const char *id)
{
	return (off_t)strlen(id) + 3;
}

/*
 * The size of -D: 1; 0 it is gone.  Exim removes -D first and -H right behind it:
 * when -H stays the message is broken, and that is told.
 */
static int
data_size(const struct message *m, off_t *size, struct err *e)
{
	const struct timespec moment = { 0, 10000000 };
	struct buf path = {0};
	struct stat st;
	int r = 1;

	exim_beside(&path, m->ref, "D");
	if (lstat(buf_str(&path), &st) == 0)
		*size = st.st_size - exim_locked(m->id);
	else if (errno != ENOENT)
		r = err_sys(e, "look for %s", path.p);
	else if (lstat(m->ref, &st) < 0 || nanosleep(&moment, NULL) < 0 ||
	    lstat(m->ref, &st) < 0)
		r = 0;
	else
		r = err_set(e, FAULT_DATA, "%s: its body is not there: %s",
		    m->ref, path.p);
	if (r == 1 && *size < 0)
		*size = 0;
	buf_free(&path);
	return r;
}

/* The end of a message's log, from the beginning of a line. */
static int
read_log(struct message *m, struct err *e)
{
	struct buf path = {0}, text = {0};
	struct stat st;
	struct span log;
	int fd, r;

	exim_beside(&path, m->ref, "msglog");
	r = path.n == 0 ? 0 : file_open_single(buf_str(&path), &st, &fd, e);
	if (r == 1) {
		off_t from = st.st_size > LOG_MAX ? st.st_size - LOG_MAX : 0;
		size_t most = (size_t)(st.st_size - from);
		ssize_t n = pread(fd, buf_room(&text, most), most, from);

		if (n < 0)
			r = err_sys(e, "read %s", path.p);
		else
			text.n = (size_t)n;
		close(fd);
		log = buf_span(&text);
		if (from > 0)
			log = span_from(log, span_find(log, '\n') + 1);
		exim_log_read(m, log, from == 0);
	}
	buf_free(&path);
	buf_free(&text);
	return r < 0 ? -1 : 0;
}

/* `body`: -1 unknown */
static void
conclude(struct message *m, const struct exim_header *h, off_t body)
{
	struct buf note = {0};
	bool pending = false;

	m->size = body < 0 ? -1 : h->octets + 1 + body;
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		pending = pending || !m->env.rcpts.p[i].done;
	m->state = h->frozen ? STATE_HOLD : pending ? STATE_DEFERRED : STATE_DONE;
	if (!h->frozen)
		return;
	buf_adds(&note, "frozen");
	if (h->frozen_at > 0) {
		time_t t = (time_t)h->frozen_at;
		char when[32];
		struct tm tm;

		if (localtime_r(&t, &tm) != NULL && strftime(when, sizeof when,
		    "%Y-%m-%d %H:%M:%S", &tm) > 0)
			buf_addf(&note, " since %s", when);
	}
	m->note = span_dup(buf_span(&note));
	buf_free(&note);
}

static void
start(struct message *m, const struct entry *at, const struct stat *st)
{
	*m = (struct message){
		.ref = span_dup(buf_span(&at->ref)), .attempts = -1,
		.mtime = st->st_mtime, .dev = st->st_dev, .ino = st->st_ino,
	};
	m->id = span_dup((struct span){ ref_name(m->ref),
	    exim_id(ref_name(m->ref)) });
}

/* What the names alone tell is enough: exim_names.c says why. */
static bool
needs_no_data(const struct entry *at, unsigned what)
{
	return (what & READ_NO_SIZE) && (what & READ_AS_WALKED) &&
	    (at->beside & EXIM_NO_JOURNAL) && (at->beside & EXIM_HAS_BODY);
}

static int
read_journal(const struct entry *at, const char *ref, unsigned what,
    struct buf *journal, struct err *e)
{
	struct buf path = {0};
	int r;

	if ((what & READ_AS_WALKED) && (at->beside & EXIM_NO_JOURNAL))
		return 0;
	exim_beside(&path, ref, "J");
	r = file_read(buf_str(&path), JOURNAL_MAX, journal, e);
	buf_free(&path);
	return r < 0 ? -1 : 0;
}

static int
read_fd(const struct entry *at, int fd, const struct stat *st, unsigned what,
    struct span journal, struct message *m, struct err *e)
{
	struct buf text = {0};
	struct exim_header h;
	off_t body = -1;
	int r = 1;

	start(m, at, st);
	if (*m->id == '\0')
		r = 0;
	else if (file_text(fd, HEADER_MAX, &text, e) < 0 ||
	    exim_parse(&h, buf_span(&text), journal, m, e) < 0)
		r = err_in(e, "%s", m->ref);
	if (r == 1 && !needs_no_data(at, what))
		r = data_size(m, &body, e);
	if (r == 1) {
		conclude(m, &h, body);
		if ((what & READ_REASONS) && read_log(m, e) < 0)
			r = -1;
	}
	buf_free(&text);
	if (r != 1)
		message_free(m);
	return r;
}

/*
 * -J before -H is opened: Exim removes the journal when all that it says stands in a
 * new -H, or -H is gone.  So whoever is missing in both was not done when -J was read.
 */
int
exim_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct buf journal = {0};
	struct stat st;
	int fd, r = read_journal(at, ref, what, &journal, e);

	(void)s;
	if (r == 0 && (r = file_open_single(ref, &st, &fd, e)) == 1) {
		r = read_fd(at, fd, &st, what, buf_span(&journal), m, e);
		close(fd);
	}
	buf_free(&journal);
	free(ref);
	return r;
}

int
exim_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct buf text = {0}, front = {0}, path = {0};
	struct message m = { .id = span_dup((struct span){ ref_name(ref),
	    exim_id(ref_name(ref)) }) };
	struct exim_header h;
	struct stat st;
	int fd, r = file_read(ref, HEADER_MAX, &text, e);

	(void)s;
	if (r == 1 && exim_parse(&h, buf_span(&text), (struct span){0}, &m, e) < 0)
		r = err_in(e, "%s", ref);
	exim_beside(&path, ref, "D");
	if (r == 1 && (r = file_open_single(buf_str(&path), &st, &fd, e)) == 1) {
		exim_header_text(&front, &h);
		buf_addc(&front, '\n');
		body_behind(b, &front, fd, exim_locked(m.id), st.st_size);
		b->lf = !h.wireformat;
	}
	message_free(&m);
	buf_free(&text);
	buf_free(&front);
	buf_free(&path);
	return r;
}
