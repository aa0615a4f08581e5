/*
 * Taking mail out of a copied qmail queue; and SIGALRM to qmail-send for a live one.
 *
 * qmail-send keeps positions in memory and never looks again, so only copies are worked
 * on.  It has lock/sendmutex as long as it runs: we share a lock on it, which keeps it
 * from starting; and flock(2) on the message's text keeps our like away.  What a crash
 * leaves:
 *
 *	settle	T becomes D, synced		that one is done
 *		the last one: local, remote,	a message with nobody left, or a text of
 *		bounce, info, text		which nothing is known: no message
 */
#include "spool/qmail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "spool/holders.h"
#include "spool/seize.h"

struct claimed {
	char *ref;
	int fd;			/* the lock on the text */
	int mutex;		/* -1: the copy has none */
};

static void
let_go(struct claimed *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->mutex >= 0)
		close(c->mutex);
	free(c->ref);
	free(c);
}

/* DIR/WHAT/S/N, or DIR/WHAT/N. */
static void
beside(struct buf *path, const char *ref, const char *what, bool split)
{
	const char *tail = ref;
	size_t n = 0;

	qmail_parts(ref, &n, &tail);
	buf_clear(path);
	buf_add(path, ref, n);
	buf_addf(path, "/%s/%s", what, split ? tail : ref_name(ref));
	buf_str(path);
}

/* 0, or -1: it runs. */
static int
keep_stopped(struct claimed *c, const char *dir, struct err *e)
{
	struct buf path = {0};
	int r = 0;

	buf_addf(&path, "%s/lock/sendmutex", dir);
	c->mutex = open(buf_str(&path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (c->mutex >= 0 && flock(c->mutex, LOCK_SH | LOCK_NB) < 0)
		r = err_set(e, FAULT_UNAVAILABLE, "%s: qmail-send is at work here", dir);
	buf_free(&path);
	return r;
}

enum claim
qmail_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **out, struct err *e)
{
	struct claimed *c = must(calloc(1, sizeof *c));
	struct stat st;
	int r;

	c->ref = span_dup(buf_span(&at->ref));
	c->fd = c->mutex = -1;
	r = keep_stopped(c, s->dir, e) < 0 ? -1 : (int)seize(c->ref, 1, &c->fd, &st, e);
	if (r == CLAIM_OURS) {
		r = qmail_read(s, at, 0, m, e);
		r = r == 0 ? CLAIM_GONE : r;
	}
	if (r == CLAIM_OURS && m->state != STATE_DEFERRED)
		r = CLAIM_BUSY;		/* not sorted yet, or nobody is left */
	if (r == CLAIM_OURS) {
		*out = c;
		return CLAIM_OURS;
	}
	message_free(m);
	let_go(c);
	return (enum claim)r;
}

static int
mark(struct claimed *c, const struct rcpt *r, struct err *e)
{
	bool remote = r->offset >= QMAIL_REMOTE;
	struct buf path = {0};
	int fd, done;

	beside(&path, c->ref, qmail_lists[remote], true);
	fd = open(path.p, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		done = err_sys(e, "open %s", path.p);
	else
		done = seize_mark(fd, path.p, (off_t)(r->offset - (remote ?
		    QMAIL_REMOTE : 0)), 'T', 'D', e);
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return done;
}

static int
take_out(struct claimed *c, struct err *e)
{
	static const struct {
		const char *what;
		bool split;
	} order[] = { { "local", true }, { "remote", true }, { "bounce", false },
	    { "info", true } };
	struct buf path = {0};
	int r = 0;

	for (size_t i = 0; i < sizeof order / sizeof *order && r == 0; i++) {
		beside(&path, c->ref, order[i].what, order[i].split);
		if (unlink(path.p) < 0 && errno != ENOENT && errno != ENOTDIR)
			r = err_sys(e, "remove %s", path.p);
	}
	buf_free(&path);
	return r < 0 ? -1 : seize_remove(c->ref, e);
}

int
qmail_settle(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];

	if (!r->done && !seize_is_at(c->fd, c->ref))
		return CLAIM_GONE;
	if (r->done || !seize_is_done(result))
		return 0;	/* why one waits stands in qmail's log only */
	r->done = true;		/* whatever follows: he has it */
	if (mark(c, r, e) < 0)
		return -1;
	return seize_pending(m) == 0 ? take_out(c, e) : 0;
}

int
qmail_done(struct claimed *c, struct message *m, struct err *e)
{
	int r = 0;

	if (seize_pending(m) == 0 && seize_is_at(c->fd, c->ref))
		r = take_out(c, e);	/* it failed before */
	let_go(c);
	return r;
}

/* qmail-send works in the queue's directory, by which it is told from another. */
int
qmail_release_all(struct spool *s, struct err *e)
{
	long pid;

	if (!s->live)
		return err_set(e, FAULT_UNAVAILABLE, "%s: a copied queue: its MTA is "
		    "not here", s->dir);
	if ((pid = holders_at("qmail-send", s->dir)) == 0)
		return err_set(e, FAULT_TEMP, "qmail-send is not running, or may not be "
		    "seen");
	return kill((pid_t)pid, SIGALRM) == 0 ? 0 :
	    err_sys(e, "signal qmail-send (%ld)", pid);
}
