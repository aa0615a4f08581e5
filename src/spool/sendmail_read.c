/* A Sendmail message: its qf into a struct message, and its text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/sendmail.h"

#define QF_MAX (64 << 20)

/* What mailq calls the size: that of the body alone; 0 without one. */
static int
body_size(struct spool *s, struct message *m, struct span other, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int r = 0;

	sm_df(s, m->ref, other, &path);
	if (lstat(buf_str(&path), &st) == 0)
		m->size = st.st_size;
	else if (errno != ENOENT && errno != ENOTDIR)
		r = err_sys(e, "look for %s", path.p);
	buf_free(&path);
	return r;
}

/* While it is put into quarantine both are there: one message. */
static bool
is_double(const char *ref)
{
	struct buf other = {0};
	struct stat st;
	bool yes;

	if (*ref_name(ref) != 'h')
		return false;
	buf_add(&other, ref, strlen(ref) - strlen(ref_name(ref)));
	buf_addf(&other, "qf%s", ref_name(ref) + 2);
	yes = lstat(buf_str(&other), &st) == 0;
	buf_free(&other);
	return yes;
}

static void
start(struct message *m, const struct entry *at, const struct stat *st)
{
	*m = (struct message){
		.ref = span_dup(buf_span(&at->ref)), .state = at->state,
		.mtime = st->st_mtime, .dev = st->st_dev, .ino = st->st_ino,
	};
	m->id = span_dup(span_of(ref_name(m->ref) + 2));
}

int
sm_read_fd(struct spool *s, const struct entry *at, int fd, const struct stat *st,
    unsigned what, struct message *m, struct buf *df, struct err *e)
{
	struct buf text = {0};
	struct sm_file f = {0};
	int r;

	start(m, at, st);
	r = file_text(fd, QF_MAX, &text, e) < 0 ? err_in(e, "%s", m->ref) : 1;
	if (r == 1 && sm_parse(&f, buf_span(&text), m, e) < 0)
		r = f.ended ? err_in(e, "%s", m->ref) : 0;
	else if (r == 1 && (!f.ended || is_double(m->ref)))
		r = 0;
	if (r == 1 && (what & READ_NO_SIZE))
		m->size = -1;
	else if (r == 1 && body_size(s, m, f.df, e) < 0)
		r = -1;
	if (r == 1 && df != NULL)
		sm_df(s, m->ref, f.df, df);
	if (r == 1 && m->env.rcpts.n == 0 && m->state == STATE_DEFERRED)
		m->state = STATE_DONE;	/* Sendmail drops it when it comes to it */
	if (r == 0)
		err_clear(e);
	if (r != 1)
		message_free(m);
	sm_file_free(&f);
	buf_free(&text);
	return r;
}

/* The reasons stand in the qf itself. */
int
sm_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct stat st;
	int fd, r = 0;

	if (sm_id(ref_name(ref)) != NULL)
		r = file_open_single(ref, &st, &fd, e);
	free(ref);
	if (r <= 0)
		return r;
	r = st.st_size > 0 ? sm_read_fd(s, at, fd, &st, what, m, NULL, e) : 0;
	close(fd);
	return r;
}

/* Envelopes that were split share one df: it may have several names. */
static int
open_df(struct spool *s, const char *ref, struct span other, struct buf *front,
    struct body *b, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int fd, r;

	sm_df(s, ref, other, &path);
	r = file_open(buf_str(&path), &st, &fd, e);
	if (r == 1) {
		body_behind(b, front, fd, 0, st.st_size);
		b->lf = true;
	} else if (r == 0 && access(ref, F_OK) == 0) {
		r = err_set(e, FAULT_DATA, "%s: its body is not there: %s", ref,
		    buf_str(&path));
	}
	buf_free(&path);
	return r;
}

int
sm_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct buf text = {0}, front = {0};
	struct message m = {0};
	struct sm_file f = {0};
	struct err damaged = {0};
	int r = file_read(ref, QF_MAX, &text, e);

	if (r == 1 && sm_parse(&f, buf_span(&text), &m, &damaged) < 0) {
		r = f.ended ? -1 : 0;
		if (r < 0)
			*e = damaged;
		if (r < 0)
			err_in(e, "%s", ref);
	} else if (r == 1 && !f.ended) {
		r = 0;
	}
	if (r == 1) {
		sm_header(&front, &f);
		buf_addc(&front, '\n');
		r = open_df(s, ref, f.df, &front, b, e);
	}
	message_free(&m);
	sm_file_free(&f);
	buf_free(&text);
	buf_free(&front);
	return r;
}
