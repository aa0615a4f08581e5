/* An OpenSMTPD envelope into a struct message of one recipient, and its text. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/opensmtpd.h"
#include "spool/status.h"
#include "wire/xtext.h"

#define ENVELOPE_MAX (64 << 10)
#define VERSIONS 3		/* up to this one; higher is refused */

/* Of dsn-notify. */
enum { DSN_SUCCESS = 1, DSN_FAILURE = 2, DSN_DELAY = 4, DSN_NEVER = 8 };

/* What an envelope says, borrowed from its text. */
struct fields {
	struct span version, type, sender, dest, ctime, retry, last_try, errorline,
	    ttl, notify, ret, envid, orcpt;
};

static const struct {
	const char *name;
	size_t at;
} names[] = {
	{ "version", offsetof(struct fields, version) },
	{ "type", offsetof(struct fields, type) },
	{ "sender", offsetof(struct fields, sender) },
	{ "dest", offsetof(struct fields, dest) },
	{ "ctime", offsetof(struct fields, ctime) },
	{ "retry", offsetof(struct fields, retry) },
	{ "last-try", offsetof(struct fields, last_try) },
	{ "errorline", offsetof(struct fields, errorline) },
	{ "ttl", offsetof(struct fields, ttl) },
	{ "dsn-notify", offsetof(struct fields, notify) },
	{ "dsn-ret", offsetof(struct fields, ret) },
	{ "dsn-envid", offsetof(struct fields, envid) },
	{ "dsn-orcpt", offsetof(struct fields, orcpt) },
};

static void
cut_fields(struct fields *f, struct span text)
{
	struct span line, name;

	while (span_find(text, '\n') < text.n && span_cut(&text, '\n', &line)) {
		if (!span_cut(&line, ':', &name))
			continue;
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (span_is(name, names[i].name))
				*(struct span *)(void *)((char *)f + names[i].at) =
				    span_trim(line);
	}
}

static char *
decoded(struct span s, const char *front)
{
	struct buf b = {0};
	char *text = NULL;

	buf_adds(&b, front);
	if (s.n > 0 && xtext_decode(&b, s))
		text = span_dup(buf_span(&b));
	buf_free(&b);
	return text;
}

static unsigned
notify(struct span s)
{
	long long n;

	if (!span_number(s, &n) || n == 0)
		return 0;
	/* 6.8 lets the bits of one recipient leak into the next ones */
	if ((n & DSN_NEVER) && !(n & (DSN_SUCCESS | DSN_FAILURE | DSN_DELAY)))
		return NOTIFY_NEVER;
	return (n & DSN_SUCCESS ? NOTIFY_SUCCESS : 0u) |
	    (n & DSN_FAILURE ? NOTIFY_FAILURE : 0u) |
	    (n & DSN_DELAY ? NOTIFY_DELAY : 0u);
}

static int64_t
number(struct span s, int64_t otherwise)
{
	long long n;

	return s.n > 0 && span_number(s, &n) ? n : otherwise;
}

static void
fill(struct message *m, const struct fields *f)
{
	struct rcpt *r;

	m->env.sender = span_dup(span_is(f->sender, "@") ? (struct span){0} :
	    f->sender);
	m->arrival = number(f->ctime, 0);
	m->attempts = number(f->retry, -1);
	m->last_attempt = number(f->last_try, 0);
	m->env.envid = decoded(f->envid, "");
	m->env.ret = span_is(f->ret, "HDRS") ? RET_HDRS :
	    span_is(f->ret, "FULL") ? RET_FULL : RET_NONE;
	r = envelope_add(&m->env, span_dup(f->dest));
	r->notify = notify(f->notify);
	r->orcpt = decoded(f->orcpt, span_find(f->orcpt, ';') < f->orcpt.n ? "" :
	    "rfc822;");
	if (f->errorline.n > 0) {
		r->reason = span_dup(f->errorline);
		r->status = status_in(r->reason);
	}
}

/* Octets that no envelope has: what `queue compression` and `encryption` write. */
static int
refuse(struct span text, struct err *e)
{
	if (text.n >= 2 && text.p[0] == '\x1f' && (unsigned char)text.p[1] == 0x8b)
		return err_set(e, FAULT_UNAVAILABLE, "is compressed (`queue "
		    "compression'); only smtpctl can read it");
	if (text.n > 0 && text.p[0] == '\x01')
		return err_set(e, FAULT_UNAVAILABLE, "is encrypted (`queue "
		    "encryption'); only smtpctl can read it");
	return 0;
}

static int
parse(struct span text, struct message *m, struct err *e)
{
	struct fields f = {0};

	if (refuse(text, e) < 0)
		return -1;
	cut_fields(&f, text);
	if (f.version.n == 0 || f.sender.n == 0 || f.dest.n == 0 || f.ctime.n == 0)
		return err_set(e, FAULT_DATA, "damaged: no version, sender, dest or "
		    "ctime");
	if (number(f.version, VERSIONS + 1) > VERSIONS)
		return err_set(e, FAULT_DATA, "is version %.*s of the format; known "
		    "are those up to %d", (int)f.version.n, f.version.p, VERSIONS);
	fill(m, &f);
	return 0;
}

/* The text beside an envelope. */
static void
text_path(struct buf *path, const char *ref)
{
	buf_add(path, ref, strlen(ref) - strlen(ref_name(ref)));
	buf_adds(path, "message");
}

/* smtpctl prints no size: it is that of the text.  1, 0 gone, -1. */
static int
text_size(struct message *m, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int r = 1;

	text_path(&path, m->ref);
	if (lstat(buf_str(&path), &st) == 0)
		m->size = st.st_size;
	else
		r = errno == ENOENT ? 0 : err_sys(e, "look for %s", path.p);
	buf_free(&path);
	return r;
}

int
osmtpd_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	struct buf text = {0};
	struct stat st;
	int fd, r;

	(void)what;		/* the reason stands in the envelope */
	*m = (struct message){ .ref = span_dup(buf_span(&at->ref)),
	    .state = at->state };
	if ((r = file_open_single(m->ref, &st, &fd, e)) == 1) {
		m->id = span_dup(span_of(ref_name(m->ref)));
		if (m->state == STATE_UNTOLD)
			m->state = osmtpd_is_held(s->own, m->id) ? STATE_HOLD :
			    STATE_DEFERRED;
		m->mtime = st.st_mtime;
		m->dev = st.st_dev;
		m->ino = st.st_ino;
		if (file_text(fd, ENVELOPE_MAX, &text, e) < 0 ||
		    parse(buf_span(&text), m, e) < 0)
			r = err_in(e, "%s", m->ref);
		else
			r = text_size(m, e);
		close(fd);
	}
	if (r != 1)
		message_free(m);
	buf_free(&text);
	return r;
}

int
osmtpd_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	char start[2] = "";
	int fd, r;

	(void)s;
	text_path(&path, ref);
	r = file_open_single(buf_str(&path), &st, &fd, e);
	if (r == 1 && pread(fd, start, sizeof start, 0) >= 0 &&
	    refuse((struct span){ start, sizeof start }, e) < 0) {
		err_in(e, "%s", buf_str(&path));
		close(fd);
		r = -1;
	}
	if (r == 1) {
		body_file(b, fd, 0, st.st_size);
		b->lf = true;
	}
	buf_free(&path);
	return r;
}
