/*
 * Taking mail out of a Maildir.
 *
 * Nobody locks a Maildir, so a claim is a rename into DIR/tidegate.claimed,
 * where mail readers do not look; the loser of two renames gets ENOENT.  The
 * claimer holds flock(2) on the file while it lives: a file there without a
 * lock was left by a crash, is listed like any other and claimed again where it
 * lies.  The order, and what a crash leaves:
 *
 *	lock, rename into tidegate.claimed	all of it waits there
 *	settle: the recipient's address into .NAME.done, synced
 *						that one is done, the others wait
 *	settle, the last: unlink NAME, sync, unlink .NAME.done
 *						nothing, or a .done without a
 *						message, which the next claim of
 *						that name removes
 *	done, some pending: .NAME.new without the lines of those done, synced;
 *	rename over NAME, sync			the .done names nobody any more
 *	unlink .NAME.done, rename back to new/ or cur/
 *						all that is pending waits
 *
 * Between a recipient's 250 and its settling a crash repeats it.
 */
#include "spool/maildir.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "spool/seize.h"

#define NAME_LENGTH_MAX 240	/* `.NAME.done` must fit into 255 */

struct claimed {
	struct maildir *own;	/* of the spool */
	char *dir, *name;
	struct buf path;	/* where it lies now */
	int fd;			/* the lock */
	int done;		/* .NAME.done; -1 */
};

static void
claimed_dir(struct buf *b, const char *dir)
{
	buf_clear(b);
	buf_addf(b, "%s/" MAILDIR_CLAIMED, dir);
	buf_str(b);
}

/* Made by root, it belongs to whom the mail belongs. */
static int
keep_owner(int fd, const struct stat *like)
{
	return geteuid() == 0 ? fchown(fd, like->st_uid, like->st_gid) : 0;
}

static int
make_claimed_dir(const char *dir, struct err *e)
{
	struct buf path = {0};
	int r;

	claimed_dir(&path, dir);
	r = seize_make_dir(path.p, dir, e);
	buf_free(&path);
	return r;
}

/* Is it still this file that lies there? */
static bool
in_place(const struct claimed *c)
{
	return seize_is_at(c->fd, c->path.p);
}

static void
touch(const struct claimed *c)
{
	struct stat st;

	if (fstat(c->fd, &st) == 0)
		maildir_touch(c->own, st.st_ino);
}

static void
claimed_free(struct claimed *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->done >= 0)
		close(c->done);
	buf_free(&c->path);
	free(c->dir);
	free(c->name);
	free(c);
}

static void
new_path(struct buf *b, const struct claimed *c)
{
	buf_clear(b);
	buf_addf(b, "%s/" MAILDIR_CLAIMED "/.%s.new", c->dir, c->name);
	buf_str(b);
}

/* What stands beside a claimed message; also what a crash left there. */
static int
remove_done(const struct claimed *c, struct err *e)
{
	struct buf path = {0};
	int r = 0;

	new_path(&path, c);
	unlink(path.p);
	maildir_done_path(&path, c->dir, c->name);
	if (unlink(path.p) < 0 && errno != ENOENT)
		r = err_sys(e, "unlink %s", path.p);
	buf_free(&path);
	return r;
}

/*
 * From new/ or cur/ into tidegate.claimed.  Another run that ends may remove
 * the empty directory in between: once more then.
 */
static int
take(struct claimed *c, struct err *e)
{
	struct buf to = {0};
	struct stat st;
	int r = -1, tries = 0;

	buf_addf(&to, "%s/" MAILDIR_CLAIMED "/%s", c->dir, c->name);
	if (lstat(buf_str(&to), &st) == 0)
		r = CLAIM_BUSY;		/* another message of that name */
	else if (remove_done(c, e) < 0)
		tries = -1;
	while (r < 0 && tries >= 0) {
		if (make_claimed_dir(c->dir, e) < 0)
			break;
		if (seize_move(c->path.p, buf_str(&to)) == 0)
			r = CLAIM_OURS;
		else if (errno == EEXIST)
			r = CLAIM_BUSY;
		else if (errno == ENOENT && (!in_place(c) || tries++ > 9))
			r = CLAIM_GONE;
		else if (errno != ENOENT) {
			err_sys(e, "claim %s", c->path.p);
			break;
		}
	}
	if (r == CLAIM_OURS) {
		buf_free(&c->path);
		c->path = to;
		return r;
	}
	buf_free(&to);
	return r;
}

static bool
lies_claimed(const struct claimed *c)
{
	struct buf there = {0};
	bool yes;

	buf_addf(&there, "%s/" MAILDIR_CLAIMED "/%s", c->dir, c->name);
	yes = strcmp(buf_str(&there), c->path.p) == 0;
	buf_free(&there);
	return yes;
}

/* The lock, then another look, then the rename. */
static int
get(struct claimed *c, struct err *e)
{
	if (strlen(c->name) > NAME_LENGTH_MAX)
		return err_set(e, FAULT_DATA, "%s: its name is too long",
		    c->path.p);
	c->fd = open(c->path.p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (c->fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENXIO))
		return CLAIM_GONE;
	if (c->fd < 0)
		return err_sys(e, "open %s", c->path.p);
	if (flock(c->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? CLAIM_BUSY :
		    err_sys(e, "lock %s", c->path.p);
	if (!in_place(c))
		return CLAIM_GONE;
	return lies_claimed(c) ? CLAIM_OURS : take(c, e);
}

/* Back to where a file of its name belongs; flags make it cur/. */
static int
go_home(struct claimed *c, struct err *e)
{
	bool flags = c->name[maildir_id(c->name)] != '\0';
	struct buf to = {0};
	int r;

	buf_addf(&to, "%s/%s/%s", c->dir, flags ? "cur" : "new", c->name);
	r = seize_move(c->path.p, buf_str(&to));
	if (r < 0 && errno == ENOENT && in_place(c)) {
		/* a Maildir that has only one of the two */
		buf_clear(&to);
		buf_addf(&to, "%s/%s/%s", c->dir, flags ? "new" : "cur", c->name);
		r = seize_move(c->path.p, buf_str(&to));
	}
	if (r < 0 && in_place(c))
		err_sys(e, "%s: stays there: rename to %s", c->path.p, to.p);
	else
		r = 0;
	buf_free(&to);
	return r;
}

static void
remove_claimed_dir(const char *dir)
{
	struct buf path = {0};

	claimed_dir(&path, dir);
	rmdir(path.p);		/* others may still have mail there */
	buf_free(&path);
}

enum claim
maildir_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **out, struct err *e)
{
	struct claimed *c = must(calloc(1, sizeof *c));
	int r, n;

	buf_addspan(&c->path, buf_span(&at->ref));
	c->own = s->own;
	c->dir = span_dup(span_of(s->dir));
	c->name = span_dup(span_of(ref_name(buf_str(&c->path))));
	c->fd = c->done = -1;
	r = get(c, e);
	if (r == CLAIM_OURS) {
		touch(c);
		n = maildir_read_fd(c->dir, c->path.p, c->fd, m, e);
		if (n == 1) {
			*out = c;
			return CLAIM_OURS;
		}
		r = n < 0 ? -1 : CLAIM_GONE;
		go_home(c, &(struct err){0});
		remove_claimed_dir(c->dir);
	}
	claimed_free(c);
	return (enum claim)r;
}

/*
 * A line that a crash or a full disk cut must not go on with the next address:
 * `an` and `na@x` would be anna@x.  What stands there alone names nobody.
 */
static int
end_half_line(int fd)
{
	struct stat st;
	char last = '\n';

	if (fstat(fd, &st) < 0 ||
	    (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
		return -1;
	return last == '\n' || write(fd, "\\\n", 2) == 2 ? 0 : -1;
}

static int
open_done(struct claimed *c, struct err *e)
{
	struct buf path = {0};
	struct stat st;

	maildir_done_path(&path, c->dir, c->name);
	c->done = open(path.p, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (c->done < 0)
		err_sys(e, "open %s", path.p);
	buf_free(&path);
	if (c->done < 0)
		return -1;
	if (fstat(c->fd, &st) < 0 || keep_owner(c->done, &st) < 0)
		return err_sys(e, "chown %s", c->name);
	if (end_half_line(c->done) < 0)
		return err_sys(e, "%s: end a line of its .done", c->name);
	return seize_sync_dir(c->path.p, e);
}

/* Nobody waits for it any more. */
static int
finish(struct claimed *c, struct err *e)
{
	return seize_remove(c->path.p, e) < 0 ? -1 : remove_done(c, e);
}

static int
record_done(struct claimed *c, const char *address, struct err *e)
{
	struct buf line = {0};
	ssize_t n;
	bool whole;

	if (c->done < 0 && open_done(c, e) < 0)
		return -1;
	field_add(&line, span_of(address));
	buf_addc(&line, '\n');
	n = end_half_line(c->done) < 0 ? -1 : write(c->done, line.p, line.n);
	whole = n == (ssize_t)line.n;
	buf_free(&line);
	if (!whole || fdatasync(c->done) < 0)
		return err_sys(e, "%s: its recipient %s is done but could not "
		    "be marked", c->path.p, address);
	return 0;
}

static bool
all_done(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (!m->env.rcpts.p[i].done)
			return false;
	return m->env.rcpts.n > 0;
}

/* The last recipient needs no record: the message goes. */
int
maildir_settle(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	struct rcpt *rcpt = &m->env.rcpts.p[i];
	int r;

	assert(i < m->env.rcpts.n);
	if (!in_place(c))
		return CLAIM_GONE;
	if (result->fate != FATE_DELIVERED && result->fate != FATE_RELAYED)
		return 0;	/* a Maildir has no place for a reason */
	rcpt->done = true;
	r = all_done(m) ? finish(c, e) : record_done(c, rcpt->address, e);
	return r;	/* he has it, marked or not: maildir_done() goes by that */
}

/* Its recipients that are done are taken out of it. */
static int
narrow(struct claimed *c, const struct message *m, struct err *e)
{
	struct buf path = {0};
	int to;

	new_path(&path, c);
	to = maildir_narrow(c->fd, c->path.p, path.p, m, e);
	buf_free(&path);
	if (to < 0)
		return -1;
	close(c->fd);
	c->fd = to;
	touch(c);
	return seize_sync_dir(c->path.p, e);
}

static int
settle_up(struct claimed *c, const struct message *m, struct err *e)
{
	bool done = false;

	if (!in_place(c))
		return remove_done(c, e);
	if (all_done(m))
		return finish(c, e);
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		done = done || m->env.rcpts.p[i].done;
	if (done && (narrow(c, m, e) < 0 || remove_done(c, e) < 0))
		return -1;
	return go_home(c, e);
}

int
maildir_done(struct claimed *c, struct message *m, struct err *e)
{
	int r = settle_up(c, m, e);

	remove_claimed_dir(c->dir);
	claimed_free(c);
	return r;
}
