/*
 * Taking mail out of Postfix's deferred and hold queues, under the lock that
 * Postfix itself takes: flock(2), exclusive, on the queue file.  Active is never
 * touched (an agent that finds our lock dies), incoming and maildrop are on
 * their way.  What each step leaves behind when we are killed right after it:
 *
 *	claim	lock, look again, read anew	as before: the lock ends with us
 *		remove defer/ID			good: the queue manager does the
 *						same; only the reasons are lost
 *	settle	trace/ID gets a block		the sender is told, and the
 *	fail	bounce/ID gets one		letter sent again, as when
 *						Postfix itself dies there
 *		R becomes D, synced		that one is done; its next
 *						attempt is when it was
 *		the last R, not synced		likewise, unless the machine fails
 *						before sync(): delivered once more
 *	done	defer/ID anew, synced		good
 *		next attempt			good
 *	or	all done: time is now		the queue manager finds nobody
 *						left, reports, removes it
 *		or, no report owed: remove	good: nobody was left
 *		defer, then the letter
 *	sync	the directories of those	good
 *
 * defer/ID must be gone before anything is sent: a block in it about somebody
 * who has the letter makes `postsuper -e` report him as failed.
 *
 * Our lock stops the queue manager, which then moves the file to incoming; it
 * does not stop postsuper.  So the file is looked for by ID and inode before
 * each mark; where `postsuper -r` has put it in maildrop, or -d removed it, it
 * is gone and nothing more is noted.
 *
 * A message whose expiry was forced (`postsuper -e`, mode 0710) is claimed like
 * any other: who selects it wants it sent; what stays pending expires.
 */
#include "spool/postfix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "spool/seize.h"

#define LOOKS 3			/* it may be moved while being looked for */

struct claimed {
	struct spool spool;	/* borrowed parts: the array of spools may move */
	int fd;
	struct stat was;	/* when it became ours */
	char *id;
	struct buf path;	/* where it was seen last */
	enum state state;	/* likewise */
	struct buf log;		/* defer/ID as it was */
	bool *news;		/* a recipient each: the reason is a new one */
	bool changed;		/* something was settled */
	bool reports;		/* Postfix was said to tell the sender */
};

static void
let_go(struct claimed *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->id);
	buf_free(&c->path);
	buf_free(&c->log);
	free(c->news);
	free(c);
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Its mode is its state: 0700 is a whole message, 0600 unfinished, 0400 bad. */
static bool
is_message(const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_mode & 0700) == 0700;
}

static bool
is_at(const char *path, const struct stat *me)
{
	struct stat st;

	return lstat(path, &st) == 0 && is_same(&st, me);
}

/* Where it is now: 1 path and state are right, 0 gone, -1. */
static int
locate(struct claimed *c, struct err *e)
{
	struct entry at = {0};
	struct stat st;
	int r = is_at(buf_str(&c->path), &c->was);

	if (fstat(c->fd, &st) == 0 && st.st_nlink == 0)
		return 0;
	for (int i = 0; r == 0 && i < LOOKS; i++) {
		r = pf_find(&c->spool, c->id, &at, e);
		if (r <= 0 || !is_at(buf_str(&at.ref), &c->was)) {
			r = r < 0 ? -1 : 0;
			continue;
		}
		buf_clear(&c->path);
		buf_addspan(&c->path, buf_span(&at.ref));
		c->state = at.state;
	}
	buf_free(&at.ref);
	if (c->state == STATE_MAILDROP || c->state == STATE_CORRUPT)
		return 0;
	return r;
}

/* It is not where it was: on its way in Postfix, or gone. */
static enum claim
missed(struct claimed *c, struct err *e)
{
	enum claim r = locate(c, e) > 0 ? CLAIM_BUSY : CLAIM_GONE;

	err_clear(e);
	return r;
}

static enum claim
lock(struct claimed *c, struct err *e)
{
	struct stat st;
	const char *path = buf_str(&c->path);

	if (lstat(path, &c->was) < 0)
		return errno == ENOENT ? CLAIM_GONE :
		    (enum claim)err_sys(e, "look at %s", path);
	if (!is_message(&c->was))
		return S_ISREG(c->was.st_mode) ? CLAIM_BUSY : CLAIM_GONE;
	c->fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (c->fd < 0)
		return errno == ENOENT || errno == ELOOP ? CLAIM_GONE :
		    (enum claim)err_sys(e, "open %s", path);
	/* an agent dies of a lock on what became active: looked for before it is
	   taken, and let go before anything else is */
	if (!is_at(path, &c->was))
		return missed(c, e);
	if (flock(c->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? CLAIM_BUSY :
		    (enum claim)err_sys(e, "lock %s", path);
	if (!is_at(path, &c->was)) {
		flock(c->fd, LOCK_UN);
		return missed(c, e);
	}
	if (fstat(c->fd, &st) < 0)
		return (enum claim)err_sys(e, "look at %s", path);
	if (!is_same(&st, &c->was)) {
		flock(c->fd, LOCK_UN);
		return CLAIM_BUSY;
	}
	c->was = st;
	return is_message(&st) ? CLAIM_OURS : CLAIM_BUSY;
}

enum claim
pf_claim(struct spool *s, const struct entry *entry, struct message *m,
    struct claimed **claimed, struct err *e)
{
	struct claimed *c;
	int r;

	if (entry->state != STATE_DEFERRED && entry->state != STATE_HOLD)
		return CLAIM_BUSY;
	c = must(calloc(1, sizeof *c));
	*c = (struct claimed){ .spool = *s, .fd = -1, .state = entry->state };
	buf_addspan(&c->path, buf_span(&entry->ref));
	c->id = span_dup(span_of(ref_name(buf_str(&c->path))));
	r = (int)lock(c, e);
	if (r == CLAIM_OURS) {
		r = pf_read_fd(s, entry, c->fd, &c->was, READ_REASONS, m, e);
		r = r == 0 ? CLAIM_GONE : r;
	}
	if (r == CLAIM_OURS && m->only_mta != NULL)
		r = err_set(e, FAULT_UNAVAILABLE, "%s: left to Postfix: it asks "
		    "for %s", c->id, m->only_mta);
	if (r == CLAIM_OURS && (pf_log_text(s, "defer", c->id, &c->log, e) < 0 ||
	    pf_log_remove(s, "defer", c->id, e) < 0))
		r = -1;
	if (r != CLAIM_OURS) {
		message_free(m);
		let_go(c);
		return (enum claim)r;
	}
	c->news = must(calloc(m->env.rcpts.n + 1, sizeof *c->news));
	*claimed = c;
	return CLAIM_OURS;
}

static void
set(char **field, const char *value)
{
	char *copy = value != NULL ? span_dup(span_of(value)) : NULL;

	free(*field);
	*field = copy;
}

static size_t
pending(const struct message *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->env.rcpts.n; i++)
		n += !m->env.rcpts.p[i].done;
	return n;
}

/*
 * Overwrites the type of one recipient's record, as a delivery agent does, and
 * syncs it, as none does; not the last one's, whose file will go.  Writing sets the file's time, which is that of its
 * next attempt: put back, so that a crash does not leave "at once".
 */
static int
mark(struct claimed *c, const struct message *m, struct rcpt *r, struct err *e)
{
	off_t offset = (off_t)r->offset;
	const char *path = buf_str(&c->path);
	struct stat st;
	char type = 0;

	if (fstat(c->fd, &st) < 0 || pread(c->fd, &type, 1, offset) < 0)
		return err_sys(e, "read %s", path);
	if (type != 'R')
		return err_set(e, FAULT_DATA, "%s: no recipient at octet %lld: "
		    "not marked", path, (long long)offset);
	if (pwrite(c->fd, "D", 1, offset) != 1)
		return err_sys(e, "mark a recipient in %s", path);
	r->done = true;		/* what follows may fail: the file says so */
	if (futimens(c->fd, (struct timespec[]){ st.st_atim, st.st_mtim }) < 0 ||
	    (pending(m) > 0 && fdatasync(c->fd) < 0))
		return err_sys(e, "mark a recipient in %s", path);
	return 0;
}

/* For a report that Postfix shall write: what it is about, in `log`. */
static int
note(struct claimed *c, const struct message *m, const struct rcpt *r,
    const char *log, const char *action, struct err *e)
{
	struct buf text = {0};
	int done;

	pf_log_block(&text, r, action, buf_span(&c->log));
	done = pf_log_append(&c->spool, log, m, &c->was, buf_span(&text), e);
	buf_free(&text);
	return done;
}

/* 1 the result is kept in `r`; 0 it is done already; -1; CLAIM_GONE. */
static int
meet(struct claimed *c, struct rcpt *r, const struct result *result, struct err *e)
{
	int there = locate(c, e);

	if (there <= 0)
		return there < 0 ? -1 : CLAIM_GONE;
	if (r->done || result->fate == FATE_NONE)
		return 0;
	set(&r->reason, result->text);
	set(&r->status, result->status);
	c->changed = true;
	return 1;
}

int
pf_settle(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];
	int met = meet(c, r, result, e);

	if (met != 1)
		return met;
	if (result->fate == FATE_DEFERRED || result->fate == FATE_FAILED) {
		c->news[i] = true;
		return 0;
	}
	/* success was to be reported and the next hop will not */
	if (result->fate == FATE_RELAYED && (r->notify & NOTIFY_SUCCESS) != 0 &&
	    note(c, m, r, "trace", "relayed", e) < 0)
		return -1;
	return mark(c, m, r, e);
}

/*
 * In hold nobody looks at bounce/ID before the message is let go; in a copied
 * queue nobody does.  What is from <> goes to nobody.
 */
bool
pf_reports(struct claimed *c, const struct message *m)
{
	struct err none = {0};

	/* since it was claimed it may have been put on hold */
	c->reports = c->spool.live && locate(c, &none) > 0 &&
	    c->state != STATE_HOLD && m->env.sender != NULL &&
	    *m->env.sender != '\0';
	return c->reports;
}

int
pf_fail(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];
	bool told = r->notify == 0 || (r->notify & NOTIFY_FAILURE) != 0;
	int met = meet(c, r, result, e);

	if (met != 1)
		return met;
	/* what was said holds, wherever it has been moved since */
	if (told && c->reports &&
	    note(c, m, r, "bounce", "failed", e) < 0)
		return -1;
	return mark(c, m, r, e);
}

/*
 * The file's time is that of the next attempt: no earlier than it was, and not
 * in the past after we have tried.  What is on hold has no next attempt.
 */
static int
set_next(struct claimed *c, struct err *e)
{
	struct timespec t[2] = { c->was.st_atim, c->was.st_mtim };

	if (c->changed && c->state != STATE_HOLD &&
	    c->was.st_mtim.tv_sec <= time(NULL))
		t[0].tv_nsec = t[1].tv_nsec = UTIME_NOW;
	if (futimens(c->fd, t) < 0)
		return err_sys(e, "set the time of %s", buf_str(&c->path));
	return 0;
}

static int
give_back(struct claimed *c, const struct message *m, struct err *e)
{
	struct buf text = {0};
	int r;

	if (c->changed)
		pf_log_blocks(&text, m, c->news, buf_span(&c->log));
	else
		buf_addspan(&text, buf_span(&c->log));
	r = pf_log_write(&c->spool, "defer", m, &c->was, buf_span(&text), e);
	buf_free(&text);
	if (set_next(c, e) < 0)
		r = -1;
	return r;
}

static bool
has_log(struct claimed *c, const char *log)
{
	struct buf path = {0};
	struct err e = {0};
	struct stat st;
	bool yes;

	yes = pf_log_path(&c->spool, log, c->id, &path, &e) != 0 &&
	    (stat(buf_str(&path), &st) < 0 || st.st_size > 0);
	buf_free(&path);
	return yes;
}

/* A report that only Postfix writes, from these logs. */
static bool
owes_report(struct claimed *c)
{
	return has_log(c, "bounce") || has_log(c, "trace");
}

/* Directories that messages were removed from since they were last synced. */
static struct { char **p; size_t n, room; } unsynced;

static void
sync_later(const char *path)
{
	struct span dir = { path, strlen(path) - strlen(ref_name(path)) };

	for (size_t i = 0; i < unsynced.n; i++)
		if (span_is(dir, unsynced.p[i]))
			return;
	*vec_add(&unsynced) = span_dup(dir);
}

int
pf_sync(struct spool *s, struct err *e)
{
	int r = 0;

	(void)s;
	for (size_t i = 0; i < unsynced.n; i++) {
		if (seize_sync_dir(unsynced.p[i], e) < 0)
			r = -1;
		free(unsynced.p[i]);
	}
	unsynced.n = 0;
	return r;
}

/*
 * Removes what nobody waits for.  Where its queue manager has it (active) it
 * will remove it itself.
 */
static int
discard(struct claimed *c, struct err *e)
{
	if (locate(c, e) <= 0)
		return e->fault != FAULT_NONE ? -1 : 0;
	if (c->state == STATE_ACTIVE)
		return 0;
	if (pf_log_remove(&c->spool, "defer", c->id, e) < 0 ||
	    pf_log_remove(&c->spool, "bounce", c->id, e) < 0 ||
	    pf_log_remove(&c->spool, "trace", c->id, e) < 0)
		return -1;
	if (is_at(buf_str(&c->path), &c->was) && unlink(c->path.p) < 0 &&
	    errno != ENOENT)
		return err_sys(e, "remove %s", c->path.p);
	sync_later(c->path.p);
	return 0;
}

/*
 * Nobody is left.  Where reports are owed the queue manager is asked to send
 * them, and it removes the message; the lock is given up for that.  With Postfix
 * down, or in a copied queue, the message waits for it with no recipients.
 * Otherwise nobody needs it any more and it goes at once, without two commands
 * a message.
 */
static int
finish(struct claimed *c, const struct message *m, struct err *e)
{
	struct message now = *m;	/* borrowed, but for where it is */
	struct err told = {0};

	if (futimens(c->fd, NULL) < 0)
		return err_sys(e, "set the time of %s", buf_str(&c->path));
	if (!owes_report(c))
		return discard(c, e);
	if (fdatasync(c->fd) < 0)
		return err_sys(e, "sync %s", buf_str(&c->path));
	if (!c->spool.live)
		return 0;
	/* in incoming, where our lock made it go, it has to be asked for too */
	now.state = c->state == STATE_HOLD ? STATE_HOLD : STATE_DEFERRED;
	flock(c->fd, LOCK_UN);
	pf_release(&c->spool, &now, &told);
	return 0;
}

int
pf_done(struct claimed *c, struct message *m, struct err *e)
{
	int r = locate(c, e);

	if (r > 0)
		r = pending(m) > 0 ? give_back(c, m, e) : finish(c, m, e);
	let_go(c);
	return r < 0 ? -1 : 0;
}
