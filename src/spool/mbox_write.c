/* An mbox written anew, without those who are done: see mbox_claim.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/mbox.h"
#include "spool/seize.h"

/*
 * The message at `p` without the lines of those who are done; nothing where nobody
 * waits any more.
 */
static int
copy_rest(const struct mbox *x, const struct mbox_place *p, int to, struct err *e)
{
	struct maildir_head h = { .from = p->start, .to = p->end };
	struct message m = {0};
	int r = 0;

	if (maildir_head(&h, x->fd, "its envelope", e) < 0)
		return -1;
	maildir_envelope(&m.env, &h);
	mbox_marks_apply(x, &p->st, p->at, &m.env);
	if (m.env.rcpts.n == 0 || seize_pending(&m) > 0)
		r = seize_copy(x->fd, p->at, p->start, to) < 0 ||
		    maildir_put_lines(&h, &m, to) < 0 ||
		    seize_copy(x->fd, p->start + h.body, p->next, to) < 0 ?
		    err_sys(e, "write") : 0;
	maildir_head_free(&h);
	message_free(&m);
	return r;
}

/* All of it, from one message with marks to the next. */
static int
copy(const struct mbox *x, int to, struct err *e)
{
	struct mbox_place p = { .fd = x->fd, .st = x->of };
	off_t at = 0;
	int r = 0;

	for (size_t i = 0; i < x->marks.n && r >= 0;
	    i = mbox_marks_before(x, p.at + 1)) {
		p.at = x->marks.p[i].at;
		buf_clear(&p.from);
		/* a mark where no message begins says nothing */
		if ((r = mbox_bounds(&p, e)) <= 0)
			continue;
		r = seize_copy(x->fd, at, p.at, to) < 0 ? err_sys(e, "write") :
		    copy_rest(x, &p, to, e);
		at = p.next;
	}
	buf_free(&p.from);
	if (r >= 0 && seize_copy(x->fd, at, x->of.st_size, to) < 0)
		r = err_sys(e, "write");
	return r;
}

/* Nobody was at it who asks for no lock? */
static bool
as_it_was(const struct mbox *x, const char *name)
{
	struct stat ours, there;

	return fstat(x->fd, &ours) == 0 && mbox_same(&ours, &x->of) &&
	    fstatat(x->dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    mbox_same(&there, &x->of);
}

static int
replace(struct mbox *x, const char *path, const char *new, int to, struct err *e)
{
	const char *name = ref_name(path);

	if (copy(x, to, e) < 0)
		return err_in(e, "%s: write it anew", path);
	/* before it is there: whoever came now would have his journal removed by us */
	if (!mbox_lock(to) || seize_like(x->fd, to) < 0)
		return err_sys(e, "%s: write it anew", path);
	if (!as_it_was(x, name))
		return err_set(e, FAULT_TEMP, "%s: another program has changed it: what "
		    "was delivered is still in it", path);
	if (renameat(x->dir, new, x->dir, name) < 0)
		return err_sys(e, "%s: write it anew", path);
	return fsync(x->dir) == 0 ? 0 : err_sys(e, "%s: sync its directory", path);
}

int
mbox_write(struct mbox *x, const char *path, struct err *e)
{
	struct buf new = {0};
	int to, r = -1;

	buf_addf(&new, "%s" MBOX_JOURNAL ".new", ref_name(path));
	unlinkat(x->dir, buf_str(&new), 0);	/* a crash left it */
	to = openat(x->dir, new.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (to < 0) {
		err_sys(e, "%s" MBOX_JOURNAL ".new: make it", path);
	} else {
		r = replace(x, path, new.p, to, e);
		if (r < 0)
			unlinkat(x->dir, new.p, 0);
		close(r < 0 ? to : x->fd);
		if (r == 0)
			x->fd = to;
	}
	buf_free(&new);
	return r;
}
