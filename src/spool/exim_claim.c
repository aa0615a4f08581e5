/*
 * Taking mail out of an Exim queue, under the lock that Exim itself takes: fcntl(2), the
 * first octets of -D, exclusive.  Whoever delivers, freezes, thaws or removes a message
 * takes it, and passes on when it is taken.  What each step leaves behind when we are
 * killed right after it:
 *
 *	claim	lock, look again, read anew	as before: the lock ends with us
 *	settle	the address to -J, synced	that one is done: so Exim itself
 *						notes it, and reads it in its next run
 *		the first time: -J as a file	a file that the next claim in this
 *		beside it, synced, renamed	directory removes; then good
 *	settle, the last one			nobody waits for it, and Exim does not
 *		-H away by a rename, synced	see it; the next claim removes the rest
 *	done	remove log, -D, -J, and -H	the same
 *	or	some pending: nothing		good: their retry times are as they were
 *
 * -H is first, and not -D as Exim has it: one without a -D would be complained of in each
 * queue run.  What is set aside is called tidegate.ID-H (-J), which is no name to Exim.
 *
 * A line that cannot be written to -J is kept, and tried again with the next one and
 * at the end; until then its recipient is done for us alone.
 *
 * -H is not written anew for who is done: it holds what only Exim understands.
 *
 * Exim's retry times are hints in a database of its own, which nobody else writes.  A
 * reason goes to the message's log, where there is one.
 *
 * What cannot be seen: of an alias whose addresses were served in part Exim serves the
 * rest; we know but the alias.  Who has it as another's address may get it twice.
 */
#include "spool/exim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "spool/seize.h"
#include "wire/path.h"

#define ASIDE "tidegate."
#define TAIL_MAX 16384		/* of a line that was cut off */
#define REASON_MAX 1000

#ifdef F_OFD_SETLK
#define SETLK F_OFD_SETLK
#else
/* ends when this process closes the file, however often it had it open */
#define SETLK F_SETLK
#endif

struct claimed {
	char *ref, *id;
	struct buf data;	/* the path of -D */
	struct buf lines;	/* those that -J lacks */
	int fd;			/* -D: the lock */
	struct stat was;
	bool aside;		/* -H is: it is over */
};

static void
let_go(struct claimed *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->ref);
	free(c->id);
	buf_free(&c->data);
	buf_free(&c->lines);
	free(c);
}

static struct claimed *
claimed_new(const char *ref)
{
	struct claimed *c = must(calloc(1, sizeof *c));

	c->ref = span_dup(span_of(ref));
	c->id = span_dup((struct span){ ref_name(ref), exim_id(ref_name(ref)) });
	c->fd = -1;
	exim_beside(&c->data, ref, "D");
	buf_str(&c->data);
	return c;
}

static void
aside_path(struct buf *path, const struct claimed *c, const char *what)
{
	size_t dir = strlen(c->ref) - strlen(ref_name(c->ref));

	buf_clear(path);
	buf_add(path, c->ref, dir);
	buf_addf(path, ASIDE "%s-%s", c->id, what);
	buf_str(path);
}

/* ---- the lock ---- */

static bool
is_there(const struct claimed *c)
{
	struct stat st;

	return seize_is_at(c->fd, c->data.p) && lstat(c->ref, &st) == 0;
}

static enum claim
lock(struct claimed *c, struct err *e)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_len = exim_locked(c->id) };

	c->fd = open(c->data.p, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (c->fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ?
		    CLAIM_GONE : (enum claim)err_sys(e, "open %s", c->data.p);
	if (fstat(c->fd, &c->was) < 0)
		return (enum claim)err_sys(e, "look at %s", c->data.p);
	if (!S_ISREG(c->was.st_mode))
		return CLAIM_GONE;
	if (fcntl(c->fd, SETLK, &whole) < 0)
		return errno == EAGAIN || errno == EACCES ? CLAIM_BUSY :
		    (enum claim)err_sys(e, "lock %s", c->data.p);
	return seize_is_at(c->fd, c->data.p) ? CLAIM_OURS : CLAIM_GONE;
}

/* ---- what is left of a message that nobody waits for ---- */

static int
discard(struct claimed *c, struct err *e)
{
	static const char *const parts[] = { "msglog", "D", "J" };
	struct buf path = {0};
	int r = 0;

	for (size_t i = 0; i < sizeof parts / sizeof *parts && r == 0; i++) {
		buf_clear(&path);
		exim_beside(&path, c->ref, parts[i]);
		if (path.n > 0 && unlink(buf_str(&path)) < 0 && errno != ENOENT)
			r = err_sys(e, "remove %s", path.p);
	}
	aside_path(&path, c, "H");
	if (r == 0 && unlink(path.p) < 0 && errno != ENOENT)
		r = err_sys(e, "remove %s", path.p);
	buf_free(&path);
	return r;
}

/* `tidegate.ID-H', `-J': what a run that was killed has left, unless it lives. */
static void
sweep_one(const char *dir, const char *name)
{
	const char *of = name + strlen(ASIDE);
	size_t n = strncmp(name, ASIDE, strlen(ASIDE)) == 0 ? exim_id(of) : 0;
	struct buf path = {0};
	struct claimed *c;
	struct err none = {0};
	struct stat st;

	if (n == 0 || of[n] != '-' || strchr("HJ", of[n + 1]) == NULL ||
	    of[n + 1] == '\0' || of[n + 2] != '\0')
		return;
	buf_addf(&path, "%s/%.*s-H", dir, (int)n, of);
	c = claimed_new(buf_str(&path));
	switch (lock(c, &none)) {
	case CLAIM_OURS:
	case CLAIM_GONE:
		aside_path(&path, c, "J");
		unlink(path.p);
		if (of[n + 1] == 'H' && lstat(c->ref, &st) < 0 && errno == ENOENT)
			discard(c, &none);
		break;
	default:
		break;
	}
	let_go(c);
	buf_free(&path);
}

/* Once a directory. */
static void
sweep(struct exim *x, const char *ref)
{
	char *path = span_dup((struct span){ ref, strlen(ref) -
	    strlen(ref_name(ref)) - 1 });
	struct err none = {0};
	struct dirent *d;
	struct stat st;
	DIR *dir;

	if (lstat(path, &st) == 0 && seen_first(&x->swept, st.st_dev, st.st_ino, 0, 0) &&
	    dir_open(path, &dir, &none) == 1) {
		while ((d = readdir(dir)) != NULL)
			sweep_one(path, d->d_name);
		closedir(dir);
	}
	free(path);
}

/* ---- claim ---- */

/* Frozen by somebody meanwhile, it is not what was asked for. */
static int
read_ours(struct spool *s, const struct entry *at, struct message *m, struct err *e)
{
	int r = exim_read(s, at, 0, m, e);

	if (r <= 0)
		return r < 0 ? -1 : CLAIM_GONE;
	if (m->state == STATE_HOLD && at->state != STATE_HOLD)
		return CLAIM_BUSY;
	if (m->only_mta != NULL)
		return err_set(e, FAULT_UNAVAILABLE, "%s: left to Exim: it asks "
		    "for %s", m->id, m->only_mta);
	return CLAIM_OURS;
}

enum claim
exim_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **out, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct claimed *c;
	int r;

	sweep(exim_own(s), ref);
	c = claimed_new(ref);
	free(ref);
	r = (int)lock(c, e);
	if (r == CLAIM_OURS)
		r = read_ours(s, at, m, e);
	if (r == CLAIM_OURS) {
		*out = c;
		return CLAIM_OURS;
	}
	message_free(m);
	let_go(c);
	return (enum claim)r;
}

/* ---- files that Exim appends lines to ---- */

/* Opens one that is there: 1, 0 it is not, -1. */
static int
open_lines(const char *path, int *fd, struct stat *st, struct err *e)
{
	*fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
	if (fstat(*fd, st) == 0 && S_ISREG(st->st_mode) && st->st_nlink == 1)
		return 1;
	close(*fd);
	return err_set(e, FAULT_DATA, "%s: is no file of its own: left alone", path);
}

/*
 * Where the last whole line ends; what a crash has left of another was never said, and
 * with the next one behind it would be an address of nobody, or of somebody else.
 */
static off_t
whole_lines(int fd, off_t size)
{
	off_t from = size > TAIL_MAX ? size - TAIL_MAX : 0;
	struct buf tail = {0};
	ssize_t n = pread(fd, buf_room(&tail, TAIL_MAX), TAIL_MAX, from);
	const char *end = n > 0 ? memrchr(tail.p, '\n', (size_t)n) : NULL;
	off_t whole = end != NULL ? from + (end - tail.p) + 1 :
	    n >= 0 && from == 0 ? 0 : -1;

	buf_free(&tail);
	return whole;
}

static int
add_line(int fd, const char *path, off_t size, struct span line, struct err *e)
{
	off_t whole = whole_lines(fd, size);

	if (whole < 0)
		return err_set(e, FAULT_DATA, "%s: is not made of lines", path);
	if (whole < size && ftruncate(fd, whole) < 0)
		return err_sys(e, "cut %s", path);
	return seize_append(fd, path, line, e);
}

/* ---- settle ---- */

/* Its owner and mode are those of -D: Exim must be able to open it. */
static int
new_journal(struct claimed *c, const char *path, struct span line, struct err *e)
{
	struct buf aside = {0};
	int fd, r = 0;

	aside_path(&aside, c, "J");
	unlink(aside.p);
	fd = open(aside.p, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || seize_write(fd, line) < 0 || seize_like(c->fd, fd) < 0)
		r = err_sys(e, "write %s", aside.p);
	else if (seize_move(aside.p, path) < 0)
		r = err_sys(e, "name it %s", path);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		unlink(aside.p);
	buf_free(&aside);
	return r < 0 ? -1 : seize_sync_dir(path, e);
}

/* As Exim does: the domain in lower case, since by that it knows who is done. */
static void
journal_line(struct buf *line, const char *address)
{
	const char *at = strrchr(address, '@');

	for (const char *p = address; *p != '\0'; p++)
		buf_addc(line, at != NULL && p > at && *p >= 'A' && *p <= 'Z' ?
		    (char)(*p + 32) : *p);
	buf_addc(line, '\n');
}

/* Writes what -J lacks. */
static int
journal(struct claimed *c, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int fd, r;

	exim_beside(&path, c->ref, "J");
	r = open_lines(buf_str(&path), &fd, &st, e);
	if (r == 0) {
		r = new_journal(c, path.p, buf_span(&c->lines), e);
	} else if (r > 0) {
		r = add_line(fd, path.p, st.st_size, buf_span(&c->lines), e);
		close(fd);
	}
	if (r >= 0)
		buf_clear(&c->lines);
	buf_free(&path);
	return r < 0 ? -1 : 0;
}

/* Nobody is left: from now on it is no message any more. */
static int
set_aside(struct claimed *c, struct err *e)
{
	struct buf path = {0};
	int r = 0;

	aside_path(&path, c, "H");
	if (rename(c->ref, path.p) < 0)
		r = err_sys(e, "rename %s", c->ref);
	else
		c->aside = true;
	buf_free(&path);
	return r == 0 ? seize_sync_dir(c->ref, e) : -1;
}

/* With the zone behind the time (log_timezone), whatever Exim takes for local. */
static void
log_line(struct buf *line, const struct rcpt *r, const char *text)
{
	time_t now = time(NULL);
	struct span why = span_of(text != NULL ? text : "");
	char stamp[64] = "";
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S %z ", &tm);
	buf_adds(line, stamp);
	text_printable(line, span_of(r->address));
	buf_adds(line, " T=dequeue defer (0): ");
	why.n = why.n < REASON_MAX ? why.n : REASON_MAX;
	text_printable(line, why);
	buf_addc(line, '\n');
}

/* Why it waits.  Where message_logs is off there is no log, and none is made. */
static int
note(struct claimed *c, const struct rcpt *r, const struct result *result,
    struct err *e)
{
	struct buf path = {0}, line = {0};
	struct stat st;
	int fd = -1, done = 0;

	exim_beside(&path, c->ref, "msglog");
	if (path.n > 0)
		done = open_lines(buf_str(&path), &fd, &st, e);
	if (done > 0) {
		log_line(&line, r, result->text);
		done = add_line(fd, path.p, st.st_size, buf_span(&line), e);
		close(fd);
	}
	buf_free(&path);
	buf_free(&line);
	return done < 0 ? -1 : 0;
}

/* One line marks an address as often as it is there. */
static void
mark(struct message *m, const char *address)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (path_same(span_of(m->env.rcpts.p[i].address), span_of(address)))
			m->env.rcpts.p[i].done = true;
}

int
exim_settle(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];
	struct err first = {0};

	if (r->done)
		return 0;
	if (!is_there(c))
		return CLAIM_GONE;
	if (result->fate == FATE_NONE)
		return 0;
	if (!seize_is_done(result))
		return note(c, r, result, e);
	mark(m, r->address);	/* whatever follows: he has it */
	journal_line(&c->lines, r->address);
	if (seize_pending(m) > 0)
		return journal(c, e);
	if (set_aside(c, &first) == 0)
		return 0;
	if (!c->aside)
		return journal(c, e);	/* Exim will remove it */
	*e = first;
	return -1;
}

int
exim_done(struct claimed *c, struct message *m, struct err *e)
{
	int r = 0;

	(void)m;
	if (c->aside)
		r = discard(c, e);
	else if (c->lines.n > 0 && is_there(c))
		r = journal(c, e);
	let_go(c);
	return r;
}
