/*
 * Taking mail out of a Sendmail queue, under the lock that Sendmail itself takes: the
 * whole qf, exclusive; flock(2) or fcntl(2) as it was built, so both.  Mail in a client
 * queue is on its way to the daemon and left alone.  What each step leaves behind when
 * we are killed right after it:
 *
 *	claim	lock, look again, read		as before: the locks end with us
 *	settle	tidegate.qfID with the others,	good: it is no message; the next claim in
 *		synced				this directory removes it
 *		renamed over qf, synced		that one is done; the lock is that of
 *						the new file, taken before
 *	or, the last: qf removed, synced	nobody is left; a df alone is never
 *						delivered
 *	done	df removed			good
 *	or	who waits has a new reason,	good
 *		K and N, by the same rename
 *
 * The df goes last: a qf without one is delivered with an empty text.
 *
 * It is no tfID: where one lies Sendmail waits for whoever is writing it, minutes long
 * and with the message locked, when it has tried to deliver and would write its own.
 *
 * Who is done is in the qf no more; who remains keeps each line as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "spool/seize.h"
#include "spool/sendmail.h"

#define ASIDE "tidegate."
#define QF_MAX (64 << 20)
#define REASON_MAX 900		/* of a line of M */
#define NAP_NS 20000000		/* a listing locks each file for a moment */

struct claimed {
	struct spool *spool;
	char *path, *temp;	/* qfID, tidegate.qfID */
	struct buf df;
	int fd;
	struct buf text;	/* of the qf, as it was claimed */
	VEC(struct span) groups;	/* a recipient each: its lines in that */
	bool *news;		/* likewise: the reason is a new one */
	bool unmarked;		/* somebody is done whom the qf still names */
	bool gone;		/* nobody is left, and the qf is removed */
};

static void
let_go(struct claimed *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->path);
	free(c->temp);
	free(c->news);
	buf_free(&c->df);
	buf_free(&c->text);
	vec_free(&c->groups);
	free(c);
}

/* The lock of a Sendmail that was built for fcntl(2): 1, 0 it has it, -1. */
static int
lock_too(int fd, const char *path, struct err *e)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
#ifdef F_OFD_SETLK
	int how = F_OFD_SETLK;
#else
	int how = F_SETLK;
#endif

	if (fcntl(fd, how, &all) == 0)
		return 1;
	return errno == EAGAIN || errno == EACCES ? 0 : err_sys(e, "lock %s", path);
}

static enum claim
lock(struct claimed *c, struct stat *st, struct err *e)
{
	enum claim r = seize(c->path, 1, &c->fd, st, e);
	int too;

	if (r == CLAIM_BUSY) {
		nanosleep(&(struct timespec){ 0, NAP_NS }, NULL);
		r = seize(c->path, 1, &c->fd, st, e);
	}
	if (r != CLAIM_OURS)
		return r;
	too = lock_too(c->fd, c->path, e);
	return too == 1 ? CLAIM_OURS : too == 0 ? CLAIM_BUSY : CLAIM_ERROR;
}

/* Where each recipient's lines are: M, C, Q, r, and R, which ends them. */
static void
find_groups(struct claimed *c)
{
	struct span rest = buf_span(&c->text), item;
	bool sender = false;
	const char *from = NULL;

	while (sm_cut_item(&rest, &item) && !span_is(item, ".")) {
		if (item.n == 0)
			continue;
		sender = sender || *item.p == 'S';
		if (!sender || strchr("MCQrR", *item.p) == NULL) {
			from = NULL;
			continue;
		}
		if (from == NULL)
			from = item.p;
		if (*item.p == 'R') {
			*vec_add(&c->groups) = (struct span){ from,
			    (size_t)(item.p + item.n + 1 - from) };
			from = NULL;
		}
	}
}

/* What a run that was killed has left of messages that went their way since. */
static void
sweep(struct spool *s, const char *ref)
{
	char *path = span_dup((struct span){ ref, strlen(ref) -
	    strlen(ref_name(ref)) - 1 });
	const size_t n = sizeof ASIDE - 1;
	struct err none = {0};
	struct dirent *d;
	struct stat st;
	DIR *dir;

	if (lstat(path, &st) == 0 &&
	    seen_first(&sm_kept(s)->swept, st.st_dev, st.st_ino, 0, 0) &&
	    dir_open(path, &dir, &none) == 1) {
		while ((d = readdir(dir)) != NULL)
			if (strncmp(d->d_name, ASIDE, n) == 0 &&
			    sm_id(d->d_name + n) != NULL &&
			    fstatat(dirfd(dir), d->d_name + n, &st,
			    AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
				unlinkat(dirfd(dir), d->d_name, 0);
		closedir(dir);
	}
	free(path);
}

static char *
temp_path(const char *ref)
{
	size_t dir = strlen(ref) - strlen(ref_name(ref));
	struct buf path = {0};
	char *own;

	buf_addf(&path, "%.*s" ASIDE "%s", (int)dir, ref, ref + dir);
	own = span_dup(buf_span(&path));
	buf_free(&path);
	return own;
}

static enum claim
take(struct claimed *c, const struct entry *at, struct message *m, struct err *e)
{
	struct stat st;
	enum claim r = lock(c, &st, e);
	int read;

	if (r != CLAIM_OURS)
		return r;
	if (file_text(c->fd, QF_MAX, &c->text, e) < 0)
		return (enum claim)err_in(e, "%s", c->path);
	read = sm_read_fd(c->spool, at, c->fd, &st, 0, m, &c->df, e);
	if (read <= 0)
		return read < 0 ? CLAIM_ERROR : CLAIM_GONE;
	find_groups(c);
	return c->groups.n == m->env.rcpts.n ? CLAIM_OURS :
	    (enum claim)err_set(e, FAULT_DATA, "%s: damaged: recipients that cannot "
	    "be told apart", c->path);
}

enum claim
sm_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **claimed, struct err *e)
{
	struct claimed *c;
	enum claim r;

	if (at->state != STATE_DEFERRED && at->state != STATE_HOLD)
		return CLAIM_BUSY;
	c = must(calloc(1, sizeof *c));
	c->spool = s;
	c->fd = -1;
	c->path = span_dup(buf_span(&at->ref));
	c->temp = temp_path(c->path);
	sweep(s, c->path);
	r = take(c, at, m, e);
	if (r != CLAIM_OURS) {
		message_free(m);
		let_go(c);
		return r;
	}
	c->news = must(calloc(m->env.rcpts.n + 1, sizeof *c->news));
	unlink(c->temp);	/* we have the lock, so nobody is writing it */
	*claimed = c;
	return CLAIM_OURS;
}

/* ---- writing it anew ---- */

/* One line, as short as Sendmail makes it. */
static void
add_reason(struct buf *b, const char *why)
{
	struct span s = span_of(why);

	buf_adds(b, "MDeferred: ");
	for (size_t i = 0; i < s.n && i < REASON_MAX; i++)
		buf_addc(b, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' :
		    s.p[i]);
	buf_addc(b, '\n');
}

/*
 * What stays of a recipient's lines.  C holds for those behind it, too, so it stays
 * when he is done.
 */
static void
add_group(struct buf *b, const struct claimed *c, const struct message *m, size_t i)
{
	const struct rcpt *r = &m->env.rcpts.p[i];
	struct span rest = c->groups.p[i], item;

	if (c->news[i] && !r->done)
		add_reason(b, r->reason);
	while (sm_cut_item(&rest, &item)) {
		if (r->done ? *item.p != 'C' : c->news[i] && *item.p == 'M')
			continue;
		buf_addspan(b, item);
		buf_addc(b, '\n');
	}
}

/* A line that counts tries or tells the last one, or as it was. */
static void
add_line(struct buf *b, struct span item, bool tried)
{
	long long n;

	if (tried && *item.p == 'K')
		buf_addf(b, "K%" PRId64, (int64_t)time(NULL));
	else if (tried && *item.p == 'N' && span_number(span_from(item, 1), &n))
		buf_addf(b, "N%lld", n + 1);
	else
		buf_addspan(b, item);
	buf_addc(b, '\n');
}

static void
compose(struct buf *b, const struct claimed *c, const struct message *m, bool tried)
{
	struct span rest = buf_span(&c->text), item;
	size_t i = 0;

	while (rest.n > 0) {
		if (i < c->groups.n && rest.p == c->groups.p[i].p) {
			rest = span_from(rest, c->groups.p[i].n);
			add_group(b, c, m, i++);
		} else if (sm_cut_item(&rest, &item) && item.n > 0) {
			add_line(b, item, tried);
		} else if (item.n > 0) {
			break;
		}
	}
}

/* The new file has our locks before it has the name. */
static int
replace(struct claimed *c, struct span text, struct err *e)
{
	int fd = open(c->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);

	if (fd < 0)
		return err_sys(e, "make %s", c->temp);
	if (seize_write(fd, text) < 0 || seize_like(c->fd, fd) < 0) {
		err_sys(e, "write %s", c->temp);
	} else if (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    lock_too(fd, c->temp, e) == 1 && rename(c->temp, c->path) == 0) {
		close(c->fd);
		c->fd = fd;
		return seize_sync_dir(c->path, e);
	} else {
		err_sys(e, "rename %s", c->temp);
	}
	unlink(c->temp);
	close(fd);
	return -1;
}

static int
rewrite(struct claimed *c, const struct message *m, bool tried, struct err *e)
{
	struct buf text = {0};
	int r;

	compose(&text, c, m, tried);
	r = replace(c, buf_span(&text), e);
	buf_free(&text);
	return r;
}

int
sm_settle(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];
	int done;

	if (!seize_is_at(c->fd, c->path))
		return CLAIM_GONE;
	if (r->done || result->fate == FATE_NONE)
		return 0;
	if (!seize_is_done(result)) {
		free(r->reason);
		r->reason = span_dup(span_of(result->text));
		c->news[i] = true;
		return 0;
	}
	r->done = true;		/* whatever follows: he has it */
	if (seize_pending(m) > 0) {
		done = rewrite(c, m, false, e);
	} else {
		done = seize_remove(c->path, e);
		c->gone = done == 0;
	}
	c->unmarked = done < 0;	/* else the new file names nobody who is done */
	return done;
}

static bool
any_news(const struct claimed *c, const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (c->news[i] && !m->env.rcpts.p[i].done)
			return true;
	return false;
}

int
sm_done(struct claimed *c, struct message *m, struct err *e)
{
	int r = 0;

	if (c->unmarked && seize_pending(m) == 0 && seize_is_at(c->fd, c->path)) {
		r = seize_remove(c->path, e);
		c->gone = r == 0;
	}
	if (c->gone)
		r = seize_remove(buf_str(&c->df), e);
	else if (seize_pending(m) > 0 && (c->unmarked || any_news(c, m)) &&
	    seize_is_at(c->fd, c->path))
		r = rewrite(c, m, any_news(c, m), e);
	let_go(c);
	return r;
}
