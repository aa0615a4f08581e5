/*
 * Taking mail out of a nullmailer queue.
 *
 * nullmailer-send keeps a list of names and opens each file when its turn has come:
 * what is not there then, it passes over.  So a claim is a rename from queue into
 * queue.tidegate beside it (failed: failed.tidegate), and flock(2) on the file against
 * our like.  What lies there unlocked was left by a crash, is listed like any other and
 * claimed where it lies.  The order, and what a crash leaves:
 *
 *	claim	lock, look again, rename	all of it waits in queue.tidegate
 *	settle	the LF behind the recipient	that one is done, the others wait
 *		becomes NUL, synced
 *	or	the last one: unlink, sync	nothing
 *	done	.NAME.new without the done, 	the same, and a file that the next
 *		synced				claim writes over
 *		rename over NAME, sync		all that is pending waits
 *		rename back			the same, in queue again
 *
 * The file's times stay as they were: its age is what nullmailer counts.
 *
 * What nullmailer-send has open when we come it would deliver all the same.  Who has
 * the file open stands in /proc: looked at before the rename, such a message is busy;
 * and again after it, when no new opening can come, so that one in between is given
 * back within a millisecond.  What is left is the moment between the end of its
 * delivery, when its file is closed, and its unlink; and a nullmailer-send that cannot
 * be seen from here (another container, no /proc).  There a letter may go twice.
 */
#include "spool/nullmailer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/seen.h"
#include "spool/holders.h"
#include "spool/seize.h"

#define SENDER "nullmailer-send"
#define ENOUGH 10		/* another run may remove the empty directory */

struct claimed {
	struct seen *had;	/* of the spool */
	char *place;		/* its directory, `queue' or `failed', absolute */
	char *home;		/* where it goes back to: the same, mostly */
	char *name;
	struct buf path;	/* where it lies now */
	int fd;			/* locked */
	off_t start;		/* of the text */
};

static void
let_go(struct claimed *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->place);
	free(c->home);
	free(c->name);
	buf_free(&c->path);
	free(c);
}

/* Its name begins with the second in which nullmailer-queue made it. */
static int64_t
born(const struct claimed *c)
{
	return strtoll(c->name, NULL, 10);
}

/*
 * What this process has had in hand is met again by its own walk, where it lies claimed
 * and when it is back.
 */
static bool
had_before(const struct claimed *c)
{
	struct stat st;

	return lstat(c->path.p, &st) == 0 &&
	    seen_has(c->had, st.st_dev, st.st_ino, born(c), 0);
}

static void
remember(const struct claimed *c)
{
	struct stat st;

	if (fstat(c->fd, &st) == 0)
		seen_first(c->had, st.st_dev, st.st_ino, born(c), 0);
}

/* Where it lies while it is ours. */
static void
claimed_path(struct buf *b, const struct claimed *c, const char *front,
    const char *behind)
{
	buf_clear(b);
	buf_addf(b, "%s" NM_CLAIMED "/%s%s%s", c->place, front, c->name, behind);
	buf_str(b);
}

static bool
lies_claimed(const struct claimed *c)
{
	struct buf there = {0};
	bool yes;

	claimed_path(&there, c, "", "");
	yes = strcmp(there.p, c->path.p) == 0;
	buf_free(&there);
	return yes;
}

static struct claimed *
claimed_new(struct spool *s, const struct entry *at)
{
	struct claimed *c = must(calloc(1, sizeof *c));
	struct span dir;

	if (s->own == NULL)
		s->own = must(calloc(1, sizeof *c->had));
	c->had = s->own;
	c->fd = -1;
	buf_addspan(&c->path, buf_span(&at->ref));
	c->name = span_dup(span_of(ref_name(buf_str(&c->path))));
	dir = (struct span){ c->path.p, c->path.n - strlen(c->name) - 1 };
	if (span_ends(dir, NM_CLAIMED))
		dir.n -= sizeof NM_CLAIMED - 1;
	c->place = span_dup(dir);
	c->home = span_dup(dir);
	return c;
}

static int
make_dir(const struct claimed *c, struct err *e)
{
	struct buf path = {0};
	int r;

	claimed_path(&path, c, "", "");
	path.n -= strlen(c->name) + 1;
	r = seize_make_dir(buf_str(&path), c->place, e);
	buf_free(&path);
	return r;
}

static void
remove_dir(const struct claimed *c)
{
	struct buf path = {0};

	claimed_path(&path, c, "", "");
	path.n -= strlen(c->name) + 1;
	rmdir(buf_str(&path));	/* others may still have mail there */
	buf_free(&path);
}

/* Has nullmailer it in delivery?  1, 0, -1 it cannot be known. */
static int
in_delivery(const struct spool *s, const struct claimed *c, struct err *e)
{
	struct stat st;
	int r = fstat(c->fd, &st) < 0 ? err_sys(e, "stat %s", c->path.p) :
	    holders_have(SENDER, &st, e);

	if (r < 0 && !s->live) {
		err_clear(e);	/* it has another queue */
		r = 0;
	}
	return r < 0 ? err_in(e, "%s: may be in delivery", c->name) : r;
}

/* Back to where it came from. */
static int
go_home(struct claimed *c, struct err *e)
{
	struct buf to = {0};
	int r = 0;

	buf_addf(&to, "%s/%s", c->home, c->name);
	if (seize_is_at(c->fd, buf_str(&c->path)) &&
	    seize_move(c->path.p, buf_str(&to)) < 0)
		r = err_sys(e, "%s: stays there: rename to %s", c->path.p, to.p);
	buf_free(&to);
	return r;
}

/* The rename; c->path is right after it. */
static int
take(struct claimed *c, struct err *e)
{
	struct buf to = {0};
	int r = -1;

	claimed_path(&to, c, "", "");
	for (int tries = 0; r < 0; tries++) {
		if (make_dir(c, e) < 0)
			break;
		if (seize_move(c->path.p, to.p) == 0)
			r = CLAIM_OURS;
		else if (errno == EEXIST)
			r = CLAIM_BUSY;		/* another message of that name */
		else if (errno == ENOENT && (!seize_is_at(c->fd, c->path.p) ||
		    tries == ENOUGH))
			r = CLAIM_GONE;
		else if (errno != ENOENT) {
			err_sys(e, "claim %s", c->path.p);
			break;
		}
	}
	if (r == CLAIM_OURS) {
		buf_clear(&c->path);
		buf_addspan(&c->path, buf_span(&to));
		buf_str(&c->path);
	}
	buf_free(&to);
	return r;
}

/* Lock, look, rename, look. */
static int
get(struct spool *s, struct claimed *c, struct stat *st, struct err *e)
{
	int r, held;

	if (had_before(c))
		return CLAIM_GONE;
	r = (int)seize(buf_str(&c->path), 1, &c->fd, st, e);
	if (r != CLAIM_OURS || lies_claimed(c))
		return r;
	if ((held = in_delivery(s, c, e)) != 0)
		return held < 0 ? -1 : CLAIM_BUSY;
	if ((r = take(c, e)) != CLAIM_OURS)
		return r;
	if (!seize_is_at(c->fd, c->path.p))
		r = CLAIM_BUSY;		/* another one took its name meanwhile */
	else if ((held = in_delivery(s, c, e)) != 0)
		r = held < 0 ? -1 : CLAIM_BUSY;
	return r;
}

/* What cannot be ours after all goes back, whoever it is that lies there. */
static void
undo(struct claimed *c)
{
	struct buf to = {0};

	buf_addf(&to, "%s/%s", c->place, c->name);
	if (c->fd >= 0 && lies_claimed(c)) {
		seize_move(c->path.p, buf_str(&to));
		remove_dir(c);
	}
	buf_free(&to);
}

enum claim
nm_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **out, struct err *e)
{
	struct claimed *c = claimed_new(s, at);
	struct entry now = { .state = at->state };
	struct stat st;
	int r = get(s, c, &st, e);

	if (r == CLAIM_OURS) {
		buf_addspan(&now.ref, buf_span(&c->path));
		r = nm_read_fd(&now, c->fd, &st, m, &c->start, e);
		buf_free(&now.ref);
	}
	if (r == CLAIM_OURS) {
		remember(c);
		*out = c;
		return CLAIM_OURS;
	}
	undo(c);
	let_go(c);
	return (enum claim)r;
}

/* Nobody waits for it any more. */
static int
finish(struct claimed *c, struct err *e)
{
	struct buf left = {0};

	claimed_path(&left, c, ".", ".new");
	unlink(left.p);		/* a crash may have left it */
	buf_free(&left);
	return seize_remove(c->path.p, e);
}

/* He is done; the last one needs no mark: the message goes. */
static int
mark(struct claimed *c, struct message *m, size_t i, struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];

	if (!seize_is_at(c->fd, c->path.p))
		return CLAIM_GONE;
	if (r->done)
		return 0;
	r->done = true;		/* whatever follows: he has it */
	return seize_pending(m) == 0 ? finish(c, e) :
	    seize_mark(c->fd, c->path.p, (off_t)r->offset, '\n', '\0', e);
}

/* nullmailer has no place for the reason of what is put off. */
int
nm_settle(struct claimed *c, struct message *m, size_t i, const struct result *result,
    struct err *e)
{
	if (seize_is_done(result))
		return mark(c, m, i, e);
	return seize_is_at(c->fd, c->path.p) ? 0 : CLAIM_GONE;
}

/* Sender and pending recipients, as nullmailer-queue writes them. */
static void
envelope_text(struct buf *b, const struct message *m)
{
	buf_addf(b, "%s\n", m->env.sender);
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (!m->env.rcpts.p[i].done)
			buf_addf(b, "%s\n", m->env.rcpts.p[i].address);
	buf_addc(b, '\n');
}

/*
 * The file without those who are done.  The new one is locked before it takes the
 * name: at no moment does an unlocked file of ours lie there.
 */
static int
narrow(struct claimed *c, const struct message *m, struct err *e)
{
	struct buf new = {0}, text = {0};
	int to, r = 0;

	claimed_path(&new, c, ".", ".new");
	envelope_text(&text, m);
	to = open(new.p, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0 || flock(to, LOCK_EX | LOCK_NB) < 0 ||
	    seize_write(to, buf_span(&text)) < 0 ||
	    seize_copy(c->fd, c->start, -1, to) < 0 || seize_like(c->fd, to) < 0 ||
	    rename(new.p, c->path.p) < 0)
		r = err_sys(e, "%s: write it anew", c->path.p);
	if (r == 0) {
		close(c->fd);
		c->fd = to;
		remember(c);
		r = seize_sync_dir(c->path.p, e);
	} else if (to >= 0) {
		unlink(new.p);
		close(to);
	}
	buf_free(&new);
	buf_free(&text);
	return r;
}

static int
settle_up(struct claimed *c, const struct message *m, struct err *e)
{
	size_t pending = seize_pending(m);

	if (!seize_is_at(c->fd, c->path.p))
		return 0;
	if (pending == 0)
		return finish(c, e);
	if (pending < m->env.rcpts.n && narrow(c, m, e) < 0)
		return -1;
	return go_home(c, e);
}

int
nm_done(struct claimed *c, struct message *m, struct err *e)
{
	int r = settle_up(c, m, e);

	remove_dir(c);
	let_go(c);
	return r;
}

enum claim
nm_put(struct spool *s, const struct message *about, const char *where, struct err *e)
{
	struct entry at = { .state = about->state };
	struct message m = {0};
	struct buf home = {0};
	struct claimed *c;
	enum claim r;

	buf_adds(&at.ref, about->ref);
	r = nm_claim(s, &at, &m, &c, e);
	buf_free(&at.ref);
	if (r != CLAIM_OURS)
		return r;
	buf_addf(&home, "%s/%s", s->dir, where);
	free(c->home);
	c->home = span_dup(buf_span(&home));
	buf_free(&home);
	r = nm_done(c, &m, e) == 0 ? CLAIM_OURS : CLAIM_ERROR;
	message_free(&m);
	return r;
}
