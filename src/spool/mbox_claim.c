/*
 * Taking mail out of an mbox that nothing is delivered into.
 *
 * Whoever takes locks the whole file, by flock(2) and fcntl(2), from his first claim to
 * his end; both locks end with the process.  A FILE.lock of others counts, too.  What is
 * done is in a journal (mbox_marks.c), and at the end the file is written anew without it,
 * once for all.  What a crash leaves:
 *
 *	claim, the first: FILE.tidegate, synced		a journal without marks
 *	settle: OFFSET, ADDRESS appended; sync		that one is done, the others wait
 *	end: FILE.tidegate.new, synced			the same; it is overwritten
 *	end: renamed to FILE, synced			a journal of a file that is no
 *							more, which says nothing
 *	end: unlink FILE.tidegate			nothing
 *
 * Files are named within a directory that is held open: who may write there could have
 * another one lie at its path meanwhile.
 */
#include "spool/mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "spool/seize.h"

struct claimed {
	struct spool *spool;
	off_t at;
};

/* ---- the lock ---- */

static bool
is_there(const struct mbox *x, const char *path)
{
	struct stat st;

	return fstatat(x->dir, ref_name(path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == x->of.st_dev && st.st_ino == x->of.st_ino;
}

bool
mbox_lock(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
#ifdef F_OFD_SETLK	/* one of the process would end whenever we read the file */
	if (fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK,
	    .l_whence = SEEK_SET }) < 0)
		return false;
#endif
	return true;
}

static enum claim
lock(struct mbox *x, const char *path, struct err *e)
{
	struct buf dot = {0};
	bool busy;

	buf_addf(&dot, "%s.lock", ref_name(path));
	busy = faccessat(x->dir, buf_str(&dot), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	buf_free(&dot);
	if (busy)
		return CLAIM_BUSY;
	if (!mbox_lock(x->fd))
		return errno == EWOULDBLOCK || errno == EACCES ? CLAIM_BUSY :
		    (enum claim)err_sys(e, "lock %s", path);
	/* what it was before we had the lock is a hint at best */
	if (fstat(x->fd, &x->of) < 0)
		return (enum claim)err_sys(e, "stat %s", path);
	if (!is_there(x, path))
		return CLAIM_GONE;
	if (x->of.st_nlink > 1)
		return (enum claim)err_set(e, FAULT_DATA, "%s: the file has %lu "
		    "names", path, (unsigned long)x->of.st_nlink);
	return CLAIM_OURS;
}

static int
open_both(struct mbox *x, const char *path, struct err *e)
{
	char *dir = span_dup((struct span){ path, strlen(path) -
	    strlen(ref_name(path)) });

	x->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x->dir < 0)
		err_sys(e, "open %s", dir);
	free(dir);
	if (x->dir < 0)
		return -1;
	x->fd = openat(x->dir, ref_name(path), O_RDWR | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	return x->fd < 0 ? err_sys(e, "open %s", path) : 0;
}

static void
let_go(struct mbox *x)
{
	int *const fds[] = { &x->journal, &x->fd, &x->dir };

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

/* The file is ours from now on: what others have marked in it meanwhile is read. */
static enum claim
take(struct mbox *x, const char *path, struct err *e)
{
	enum claim r;

	if (open_both(x, path, e) < 0)
		r = CLAIM_ERROR;
	else if ((r = lock(x, path, e)) == CLAIM_OURS &&
	    (mbox_marks_read(x, path, e) < 0 || mbox_journal_begin(x, path, e) < 0))
		r = CLAIM_ERROR;
	if (r != CLAIM_OURS)
		let_go(x);
	else
		x->marked = x->marks.n > 0;
	return r;
}

/* Ours, and nobody was at it who asks for no lock? */
static enum claim
hold(struct mbox *x, const char *path, struct err *e)
{
	struct stat st;

	if (x->fd < 0)
		return take(x, path, e);
	if (fstat(x->fd, &st) < 0)
		return (enum claim)err_sys(e, "stat %s", path);
	return mbox_same(&st, &x->of) && is_there(x, path) ? CLAIM_OURS : (enum claim)
	    err_set(e, FAULT_TEMP, "%s: another program has changed it meanwhile", path);
}

/* ---- messages ---- */

static bool
in_hand(const struct mbox *x, off_t at)
{
	for (size_t i = 0; i < x->in_hand.n; i++)
		if (x->in_hand.p[i] == at)
			return true;
	return false;
}

enum claim
mbox_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **out, struct err *e)
{
	struct mbox *x = s->own;
	long long offset;
	int r = x->refused ? CLAIM_ERROR : (int)hold(x, s->dir, e);

	/* told once for all that is in it */
	x->refused = x->refused || r == CLAIM_ERROR;
	if (r != CLAIM_OURS)
		return (enum claim)r;
	r = mbox_read(s, at, 0, m, e);
	if (r == 1 && (!span_number(span_of(m->id), &offset) ||
	    m->ino != x->of.st_ino || m->dev != x->of.st_dev))
		r = 0;
	if (r == 1 && in_hand(x, (off_t)offset)) {
		message_free(m);
		return CLAIM_BUSY;
	}
	if (r <= 0) {
		message_free(m);
		return r < 0 ? CLAIM_ERROR : CLAIM_GONE;
	}
	*vec_add(&x->in_hand) = (off_t)offset;
	*out = must(calloc(1, sizeof **out));
	**out = (struct claimed){ s, (off_t)offset };
	return CLAIM_OURS;
}

int
mbox_settle(struct claimed *c, struct message *m, size_t i, const struct result *result,
    struct err *e)
{
	struct rcpt *rcpt = &m->env.rcpts.p[i];

	if (!is_there(c->spool->own, c->spool->dir))
		return CLAIM_GONE;
	if (rcpt->done || !seize_is_done(result))
		return 0;	/* an mbox has no place for a reason */
	rcpt->done = true;
	return mbox_journal_add(c->spool->own, c->at, rcpt->address, e);
}

int
mbox_done(struct claimed *c, struct message *m, struct err *e)
{
	struct mbox *x = c->spool->own;
	size_t i = 0;

	(void)m;
	(void)e;
	while (x->in_hand.p[i] != c->at)
		i++;
	x->in_hand.p[i] = x->in_hand.p[--x->in_hand.n];
	free(c);
	return 0;
}

int
mbox_sync(struct spool *s, struct err *e)
{
	struct mbox *x = s->own;

	return x->journal < 0 || fdatasync(x->journal) == 0 ? 0 :
	    err_sys(e, "%s" MBOX_JOURNAL ": sync", s->dir);
}

int
mbox_end(struct spool *s, struct err *e)
{
	struct mbox *x = s->own;
	struct buf journal = {0};
	int r = 0;

	/* what a killed run has left undone, though nothing in it was to be claimed */
	if (x->fd < 0 && (x->marks.n == 0 || x->refused ||
	    take(x, s->dir, e) != CLAIM_OURS))
		return e->fault == FAULT_NONE ? 0 : -1;
	if (x->marked)
		r = mbox_write(x, s->dir, e);
	buf_addf(&journal, "%s" MBOX_JOURNAL, ref_name(s->dir));
	if (r == 0 && (unlinkat(x->dir, buf_str(&journal), 0) < 0 || fsync(x->dir) < 0))
		r = err_sys(e, "%s" MBOX_JOURNAL ": remove it", s->dir);
	buf_free(&journal);
	mbox_marks_free(x);
	let_go(x);
	return r;
}
