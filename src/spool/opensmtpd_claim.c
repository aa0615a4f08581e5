/*
 * Taking mail out of OpenSMTPD's queue, an envelope (a recipient) at a time.
 *
 * A running smtpd has the queue in memory and looks at no file again: what is to be left
 * alone has to be paused, and removed by smtpctl.  What it is told is in its memory only,
 * so a file in tidegate.claimed says that it was us, should we be killed; flock(2) on the
 * envelope keeps our like away.  The order, and what a crash leaves:
 *
 *	claim	lock, file in tidegate.claimed	as before, and that file, which the next
 *						claim takes for its own
 *		pause, see that it is pending	paused, until the next run takes it up,
 *						or smtpd is started anew
 *	settle	smtpctl remove, wait until the	done, and that file
 *		envelope's file has gone, sync
 *	done	else: resume			the next attempt is when it was
 *		remove the file
 *
 * One that somebody has paused before is left alone, unless held mail is meant; it stays
 * paused.  Between a delivery and its settling a restart of smtpd, or an admin's
 * `smtpctl schedule', has it delivered once more: it forgets, or passes over, a pause.
 *
 * While smtpd is down, and in a copied queue, the files are all there is (opensmtpd_file.c):
 *
 *	claim	lock				as before
 *	settle	remove the envelope; the last	done
 *		one: the message, by a rename
 *	or	the envelope with its reason	good
 *		anew, synced, renamed
 *
 * An smtpd that is started meanwhile reads what it then finds: it is told to remove what
 * we have removed, but may have it in delivery by then.
 */
#include "spool/opensmtpd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/seize.h"

#define PATIENCE_MS 10000	/* for smtpd to remove what it was told to */
#define DOUBT_MS 1000		/* ... or what it has just delivered after all */
#define NAP_MS 2

struct claimed {
	struct osmtpd *own;	/* of the spool */
	char *dir, *id;
	struct buf path;
	int fd;			/* the lock */
	bool live;
	bool ours;		/* smtpd has it paused for us */
};

static void
let_go(struct claimed *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->dir);
	free(c->id);
	buf_free(&c->path);
	free(c);
}

static struct claimed *
claimed_new(struct spool *s, const struct entry *at)
{
	struct claimed *c = must(calloc(1, sizeof *c));

	c->own = osmtpd_own(s);
	c->dir = span_dup(span_of(s->dir));
	c->live = s->live;
	c->fd = -1;
	buf_addspan(&c->path, buf_span(&at->ref));
	c->id = span_dup(span_of(ref_name(buf_str(&c->path))));
	return c;
}

/*
 * What this process has had in hand is done with, wherever its walk meets it: by its
 * ID, 64 bits.  Its file gets another inode, and its inode another file.
 */
static ino_t
key(const struct claimed *c)
{
	return (ino_t)strtoull(c->id, NULL, 16);
}

static bool
had_before(const struct claimed *c)
{
	return seen_has(&c->own->had, 0, key(c), 0, 0);
}

static void
remember(const struct claimed *c)
{
	seen_first(&c->own->had, 0, key(c), 0, 0);
}

/* ---- the file that says that a pause is ours ---- */

static void
note_path(struct buf *b, const struct claimed *c)
{
	buf_clear(b);
	buf_addf(b, "%s/" OSMTPD_CLAIMED "/%s", c->dir, c->id);
	buf_str(b);
}

/* 1 it was there, from a run that was killed; 0 it is now; -1. */
static int
leave_note(const struct claimed *c, struct err *e)
{
	struct buf path = {0}, dir = {0};
	int fd = -1, r = 0;

	note_path(&path, c);
	buf_addf(&dir, "%s/" OSMTPD_CLAIMED, c->dir);
	if (mkdir(buf_str(&dir), 0700) < 0 && errno != EEXIST)
		r = err_sys(e, "mkdir %s", dir.p);
	if (r == 0 && access(path.p, F_OK) == 0)
		r = 1;
	/* another run may have removed the empty directory */
	for (int i = 0; r == 0 && fd < 0 && i < 10; i++) {
		mkdir(dir.p, 0700);
		fd = open(path.p, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != ENOENT)
			break;
	}
	if (r == 0 && fd < 0)
		r = err_sys(e, "create %s", path.p);
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	buf_free(&dir);
	return r;
}

static void
remove_note(const struct claimed *c)
{
	struct buf path = {0};

	note_path(&path, c);
	unlink(path.p);
	path.n -= OSMTPD_ID + 1;
	rmdir(buf_str(&path));	/* others may still have some there */
	buf_free(&path);
}

/* Those of runs that were killed, whose envelopes have gone by other ways since. */
static void
sweep(struct claimed *c)
{
	struct buf path = {0}, dir = {0};
	struct err none = {0};
	struct dirent *d;
	struct stat st;
	DIR *notes = NULL;

	c->own->swept = true;
	buf_addf(&dir, "%s/" OSMTPD_CLAIMED, c->dir);
	if (dir_open(buf_str(&dir), &notes, &none) == 1) {
		while ((d = readdir(notes)) != NULL) {
			buf_clear(&path);
			buf_addf(&path, "%s/queue/%.2s/%.8s/%s", c->dir, d->d_name,
			    d->d_name, d->d_name);
			if (strlen(d->d_name) == OSMTPD_ID &&
			    lstat(buf_str(&path), &st) < 0 && errno == ENOENT)
				unlinkat(dirfd(notes), d->d_name, 0);
		}
		closedir(notes);
		rmdir(dir.p);
	}
	buf_free(&path);
	buf_free(&dir);
}

/* ---- claim ---- */

/* Nothing of it stays paused that was not. */
static void
undo(struct claimed *c)
{
	struct err none = {0};
	long long n;

	if (c->ours)
		osmtpd_ctl("resume", c->id, &n, &none);
	if (c->live && c->fd >= 0)
		remove_note(c);
}

/*
 * Paused, and pending: CLAIM_OURS, so too when smtpd does not run.  `held': it may have
 * been paused by others, and stays so.
 */
static int
pause_it(struct claimed *c, bool held, struct err *e)
{
	int left = leave_note(c, e), r;
	bool was;

	if (left < 0)
		return -1;
	r = osmtpd_pause(c->id, &was, e);
	if (r == 2) {
		remove_note(c);
		return CLAIM_OURS;
	}
	if (r == 1 && was && left == 0) {
		if (!held)
			r = 0;
	} else if (r == 1) {
		c->ours = true;
	} else if (r == 0 && left == 1) {
		c->ours = was;	/* undo() resumes what the killed run had paused */
	}
	return r < 0 ? -1 : r == 1 ? CLAIM_OURS : CLAIM_BUSY;
}

static int
get(struct claimed *c, const struct entry *at, struct stat *st, struct err *e)
{
	int r;

	if (c->live && !c->own->swept)
		sweep(c);
	if (had_before(c))
		return CLAIM_GONE;
	r = (int)seize(c->path.p, 1, &c->fd, st, e);
	if (r == CLAIM_OURS && c->live)
		r = pause_it(c, at->state == STATE_HOLD, e);
	if (r == CLAIM_OURS && !seize_is_at(c->fd, c->path.p))
		r = CLAIM_BUSY;		/* smtpd had it in hand, and wrote it anew */
	return r;
}

enum claim
osmtpd_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **out, struct err *e)
{
	struct claimed *c = claimed_new(s, at);
	struct stat st;
	int r = get(c, at, &st, e);

	if (r == CLAIM_OURS) {
		r = osmtpd_read(s, at, 0, m, e);
		r = r == 0 ? CLAIM_GONE : r;
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

/* ---- settle ---- */

/* smtpd removes it by and by.  False: it is still there. */
static bool
wait_gone(struct claimed *c, int ms)
{
	int64_t deadline = clock_in(ms);

	while (seize_is_at(c->fd, c->path.p)) {
		if (clock_left(deadline) == 0)
			return false;
		poll(NULL, 0, NAP_MS);
	}
	return true;
}

/* The directory may have gone with its last envelope. */
static int
sync_gone(struct claimed *c, struct err *e)
{
	struct buf path = {0};
	int r = 0;

	buf_addf(&path, "%s/queue/%.2s/%.8s/", c->dir, c->id, c->id);
	for (int up = 0; up < 3; up++) {
		err_clear(e);
		r = seize_sync_dir(buf_str(&path), e);
		if (r == 0 || access(path.p, F_OK) == 0)
			break;
		path.n -= up == 0 ? OSMTPD_MESSAGE + 1 : 3;
	}
	buf_free(&path);
	return r;
}

static int
take_out(struct claimed *c, struct err *e)
{
	struct err none = {0};
	long long n = 0;
	int up = c->live ? osmtpd_ctl("remove", c->id, &n, e) : 0, r;

	if (up < 0)
		return -1;
	if (up == 1 && wait_gone(c, n > 0 ? PATIENCE_MS : DOUBT_MS))
		return sync_gone(c, e);
	if (n > 0)
		return err_set(e, FAULT_TEMP, "%s: smtpd was told to remove it, but "
		    "it is still there", c->path.p);
	/* no smtpd has it in memory */
	r = osmtpd_remove(c->dir, c->path.p, e);
	if (c->live)
		osmtpd_ctl("remove", c->id, &n, &none);	/* unless one was just started */
	return r;
}

/* A running smtpd cannot be told why it waits. */
static int
note(struct claimed *c, const struct result *result, struct err *e)
{
	const char *why = result->text != NULL ? result->text : "";
	int r = c->live ? osmtpd_runs(e) : 0;

	if (r == 0)
		r = osmtpd_note(c->dir, c->path.p, &c->fd, why, e);
	return r < 0 ? -1 : 0;
}

int
osmtpd_settle(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];

	if (r->done)
		return 0;
	if (!seize_is_at(c->fd, c->path.p))
		return CLAIM_GONE;
	if (result->fate == FATE_NONE)
		return 0;
	if (!seize_is_done(result))
		return note(c, result, e);
	r->done = true;		/* whatever follows: he has it */
	return take_out(c, e);
}

int
osmtpd_done(struct claimed *c, struct message *m, struct err *e)
{
	bool pending = seize_pending(m) > 0;
	long long n;
	int r = 0;

	if (c->ours && pending)
		r = osmtpd_ctl("resume", c->id, &n, e);
	else if (!pending && seize_is_at(c->fd, c->path.p))
		r = take_out(c, e);	/* it failed before */
	if (c->live && (r >= 0 || !pending))
		remove_note(c);
	let_go(c);
	return r < 0 ? -1 : 0;
}
