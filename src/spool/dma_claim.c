/*
 * Taking mail out of a copied dma queue; and `dma -q' for a live one.
 *
 * A claim is dma's own lock, flock(2) on the Q file.  In a live queue the process that was
 * put off keeps it for days, so that nearly everything would be busy; and dma opens by
 * name what it has read of the directory before, without a look behind its lock.  So only
 * copies are worked on.  What a crash leaves:
 *
 *	settle	unlink M			a Q file without text, which is no message
 *		unlink Q, sync			nothing
 *
 * dma writes down neither reasons nor attempts.  The Q file is never written to: its time
 * is the message's age.
 */
#include "spool/dma.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "spool/program.h"
#include "spool/seize.h"

struct claimed {
	char *path;
	int fd;			/* the lock */
};

enum claim
dma_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **out, struct err *e)
{
	char *path = span_dup(buf_span(&at->ref));
	struct stat st;
	int fd, r = (int)seize(path, 1, &fd, &st, e);

	if (r == CLAIM_OURS) {
		r = dma_read(s, at, 0, m, e);
		r = r == 0 ? CLAIM_GONE : r;
		if (r != CLAIM_OURS)
			close(fd);
	}
	if (r == CLAIM_OURS) {
		*out = must(calloc(1, sizeof **out));
		**out = (struct claimed){ path, fd };
		return CLAIM_OURS;
	}
	free(path);
	return (enum claim)r;
}

static int
take_out(struct claimed *c, struct err *e)
{
	struct buf text = {0};
	int r = 0;

	dma_data_path(&text, c->path);
	if (unlink(buf_str(&text)) < 0 && errno != ENOENT)
		r = err_sys(e, "remove %s", text.p);
	buf_free(&text);
	return r < 0 ? -1 : seize_remove(c->path, e);
}

int
dma_settle(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];

	if (!r->done && !seize_is_at(c->fd, c->path))
		return CLAIM_GONE;
	if (r->done || !seize_is_done(result))
		return 0;
	r->done = true;		/* whatever follows: he has it */
	return take_out(c, e);
}

int
dma_done(struct claimed *c, struct message *m, struct err *e)
{
	int r = 0;

	if (seize_pending(m) == 0 && seize_is_at(c->fd, c->path))
		r = take_out(c, e);	/* it failed before */
	close(c->fd);
	free(c->path);
	free(c);
	return r;
}

/* It wakes those that sleep, too. */
int
dma_release_all(struct spool *s, struct err *e)
{
	const char *const args[] = { "-q", NULL };
	struct buf out = {0};
	int r;

	if (!s->live)
		return err_set(e, FAULT_UNAVAILABLE, "%s: a copied queue: its MTA is "
		    "not here", s->dir);
	r = program_run("dma", args, (struct span){0}, &out, e);
	buf_free(&out);
	if (r > 0 && geteuid() != 0)
		e->fault = FAULT_PERM;
	return r == 0 ? 0 : -1;
}
