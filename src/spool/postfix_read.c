/*
 * A Postfix queue file into a struct message.
 *
 * Three segments: envelope, M, content, X, extracted, E.  Recipients may stand
 * in the first and the last.  A file without E is not yet a message.  The mode
 * is state too: 0600 is being written, 0400 was declared corrupt by a delivery
 * agent, group execute is a forced expiry (`postsuper -e`).
 */
#include <stdlib.h>
#include <unistd.h>

#include "spool/file.h"
#include "spool/postfix.h"

enum segment { ENVELOPE, CONTENT, EXTRACTED };

enum { MESSAGE = 'M', EXTRACT = 'X', END = 'E', LINE = 'N', PART = 'L' };

struct reading {
	struct pf_reader r;
	struct pf_envelope v;
	enum segment segment;
};

static int
damaged(const struct reading *x, const char *how, struct err *e)
{
	return err_set(e, FAULT_DATA, "damaged at octet %lld: %s",
	    (long long)x->r.record, how);
}

/*
 * Over the content to its X: C tells where that is.  qmgr(8) goes the same way.
 * Where a pointer was followed before, or no X is there, every record is read.
 */
static void
skip_content(struct reading *x)
{
	struct err ignored = {0};
	off_t content = pf_tell(&x->r);
	struct span data;
	long long to;

	if (x->v.counts < 2 || x->r.jumps > 0)
		return;
	if (x->v.count[0] > x->r.end || x->v.count[1] > x->r.end)
		return;
	to = x->v.count[0] + x->v.count[1];
	if (to < content || to >= x->r.end)
		return;
	pf_seek(&x->r, (off_t)to);
	if (pf_record(&x->r, &data, &ignored) != EXTRACT ||
	    x->r.record != (off_t)to || data.n > 0)
		to = content;
	pf_seek(&x->r, (off_t)to);
}

static int
segment(struct reading *x, int type, struct err *e)
{
	if (type == MESSAGE && x->segment == ENVELOPE) {
		x->segment = CONTENT;
		skip_content(x);
		return 0;
	}
	if (type == EXTRACT && x->segment == CONTENT) {
		x->segment = EXTRACTED;
		return 0;
	}
	return damaged(x, "parts in the wrong order", e);
}

/* 1 all read, 0 no E: not yet a message, -1. */
static int
records(struct reading *x, struct err *e)
{
	struct span data;
	int type, r = 0;

	while (r == 0 && (type = pf_record(&x->r, &data, e)) != END) {
		if (type <= 0)
			return type;
		if (type == MESSAGE || type == EXTRACT)
			r = segment(x, type, e);
		else if (x->segment != CONTENT)
			r = pf_take(&x->v, type, x->r.record, data, e);
		else if (type != LINE && type != PART)
			r = damaged(x, "no text where text must be", e);
	}
	if (r < 0)
		return -1;
	if (x->segment != EXTRACTED)
		return damaged(x, "it ends before its text does", e);
	if (x->v.m->env.sender == NULL || !x->v.timed)
		return damaged(x, "no sender or no arrival time", e);
	return 1;
}

/*
 * The sixth number of C: 1 the client asked for SMTPUTF8 (RFC 6531), 2 a header
 * has UTF-8, 4 the sender.  Asking alone needs nothing of the next server; raw
 * UTF-8 in a header that nobody asked for goes as plain 8-bit.
 */
static bool
wants_utf8(const struct reading *x)
{
	long long f = x->v.counts == PF_COUNTS ? x->v.count[5] : 0;

	return (f & 1) != 0 && (f & (2 | 4)) != 0;
}

static void
conclude(struct reading *x, const struct stat *st)
{
	struct envelope *v = &x->v.m->env;
	bool pending = false;

	x->v.m->size = x->v.counts > 0 && x->v.count[0] > 0 ? x->v.count[0] : st->st_size;
	v->smtputf8 = wants_utf8(x);
	for (size_t i = 0; i < v->rcpts.n; i++)
		pending = pending || !v->rcpts.p[i].done;
	/* nothing left to do: qmgr removes it when it comes to it */
	if (!pending && (x->v.m->state == STATE_DEFERRED ||
	    x->v.m->state == STATE_ACTIVE || x->v.m->state == STATE_INCOMING))
		x->v.m->state = STATE_DONE;
}

/* Of a corrupt one what can be had. */
static void
salvage(struct reading *x, const struct stat *st)
{
	if (x->v.m->env.sender == NULL)
		x->v.m->env.sender = span_dup((struct span){0});
	if (!x->v.timed)
		x->v.m->arrival = st->st_mtime;
	x->v.m->size = st->st_size;
}

static void
start(struct message *m, const struct entry *at, const struct stat *st)
{
	*m = (struct message){
		.ref = span_dup(buf_span(&at->ref)), .state = at->state,
		.mtime = st->st_mtime, .dev = st->st_dev, .ino = st->st_ino,
		.attempts = -1, .forced_expire = (st->st_mode & S_IXGRP) != 0,
	};
	m->id = span_dup(span_of(ref_name(m->ref)));
	if (m->state == STATE_DEFERRED)
		m->next_attempt = st->st_mtime;
	if ((st->st_mode & S_IRWXU) == S_IRUSR)
		m->state = STATE_CORRUPT;
}

int
pf_read_fd(struct spool *s, const struct entry *at, int fd,
    const struct stat *st, unsigned what, struct message *m, struct err *e)
{
	struct reading x = {
		.r = { .fd = fd, .end = st->st_size }, .v = { .m = m },
	};
	mode_t owner = st->st_mode & S_IRWXU;
	int r;

	if (!S_ISREG(st->st_mode) || (owner != S_IRWXU && owner != S_IRUSR))
		return 0;
	start(m, at, st);
	r = st->st_size > 0 ? records(&x, e) : 0;
	if (r > 0) {
		conclude(&x, st);
	} else if (m->state == STATE_CORRUPT) {
		err_clear(e);
		salvage(&x, st);
		r = 1;
	} else if (r < 0) {
		err_in(e, "%s", m->ref);
	}
	if (r > 0 && (what & READ_REASONS) && pf_log_reasons(s, m, e) < 0)
		r = -1;
	if (r <= 0)
		message_free(m);
	pf_envelope_end(&x.v);
	pf_reader_free(&x.r);
	return r;
}

int
pf_open_ref(const char *ref, struct stat *st, int *fd, struct err *e)
{
	mode_t owner;
	int r = file_open_single(ref, st, fd, e);

	if (r <= 0)
		return r;
	owner = st->st_mode & S_IRWXU;
	if (owner == S_IRWXU || owner == S_IRUSR)
		return 1;
	close(*fd);
	return 0;
}

int
pf_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct stat st;
	int fd, r = pf_open_ref(ref, &st, &fd, e);

	free(ref);
	if (r <= 0)
		return r;
	r = pf_read_fd(s, at, fd, &st, what, m, e);
	close(fd);
	return r;
}
