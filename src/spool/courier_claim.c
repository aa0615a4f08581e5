/*
 * Taking mail out of a copied Courier queue; and `courier flush' for a live one.
 *
 * courierd keeps the queue in memory and knows no lock: only copies are worked on, with
 * flock(2) on the control file against our like.  What a crash leaves:
 *
 *	settle	S<n>, F<n> or D<n> is added	that one is done, or put off; half a line
 *		to the control file, synced	is none, and is cut off by the next claim
 *	the last one: then the name in msgq,	a message with nobody left; or a control
 *		D, C, sync			file without text, which is no message
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "spool/courier.h"
#include "spool/file.h"
#include "spool/program.h"
#include "spool/seize.h"

struct claimed {
	char *dir, *path;
	int fd;			/* the lock */
};

static void
let_go(struct claimed *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->dir);
	free(c->path);
	free(c);
}

/* A line that a crash cut: `S1' may have been meant for the thirteenth. */
static int
cut_half_line(int fd, const char *path, struct err *e)
{
	struct stat st;
	off_t end;
	char c = '\n';

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", path);
	for (end = st.st_size; end > 0; end--) {
		if (pread(fd, &c, 1, end - 1) != 1)
			return err_sys(e, "read %s", path);
		if (c == '\n')
			break;
	}
	if (end == st.st_size || ftruncate(fd, end) == 0)
		return 0;
	return err_sys(e, "cut %s", path);
}

enum claim
courier_claim(struct spool *s, const struct entry *at, struct message *m,
    struct claimed **out, struct err *e)
{
	struct claimed *c = must(calloc(1, sizeof *c));
	struct stat st;
	int r;

	c->path = span_dup(buf_span(&at->ref));
	c->dir = span_dup(span_of(s->dir));
	r = (int)seize(c->path, 2, &c->fd, &st, e);
	if (r == CLAIM_OURS && cut_half_line(c->fd, c->path, e) < 0)
		r = -1;
	if (r == CLAIM_OURS) {
		r = courier_read(s, at, 0, m, e);
		r = r == 0 ? CLAIM_GONE : r;
	}
	if (r == CLAIM_OURS)
		*out = c;
	else
		let_go(c);
	return (enum claim)r;
}

/* Nobody is left. */
static int
take_out(struct claimed *c, const struct message *m, struct err *e)
{
	struct buf path = {0};
	const char *name = ref_name(c->path);
	int r = 0;

	buf_addf(&path, "%s/msgq/%lld/%s.%lld", c->dir,
	    (long long)m->next_attempt / 10000, name, (long long)m->next_attempt);
	if (unlink(buf_str(&path)) < 0 && errno != ENOENT && errno != ENOTDIR)
		r = err_sys(e, "remove %s", path.p);
	buf_clear(&path);
	buf_add(&path, c->path, strlen(c->path) - strlen(name));
	buf_addf(&path, "D%s", name + 1);
	if (r == 0 && unlink(buf_str(&path)) < 0 && errno != ENOENT)
		r = err_sys(e, "remove %s", path.p);
	buf_free(&path);
	return r < 0 ? -1 : seize_remove(c->path, e);
}

/* `I<n> R text' and the verdict, in one write. */
static int
add(struct claimed *c, size_t i, char verdict, const char *why, struct err *e)
{
	struct buf lines = {0}, text = {0};
	int r;

	if (why != NULL) {
		text_printable(&text, span_of(why));
		buf_addf(&lines, "I%zu R %s\n", i, buf_str(&text));
	}
	buf_addf(&lines, "%c%zu %lld\n", verdict, i, (long long)time(NULL));
	r = seize_append(c->fd, c->path, buf_span(&lines), e);
	buf_free(&lines);
	buf_free(&text);
	return r;
}

static int
meet(struct claimed *c, struct message *m, size_t i, char verdict, const char *why,
    struct err *e)
{
	struct rcpt *r = &m->env.rcpts.p[i];

	if (r->done)
		return 0;
	if (!seize_is_at(c->fd, c->path))
		return CLAIM_GONE;
	r->done = verdict != 'D';	/* whatever follows */
	if (add(c, i, verdict, why, e) < 0)
		return -1;
	return seize_pending(m) == 0 ? take_out(c, m, e) : 0;
}

int
courier_settle(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	if (result->fate == FATE_NONE)
		return 0;
	return seize_is_done(result) ? meet(c, m, i, 'S', NULL, e) :
	    meet(c, m, i, 'D', result->text, e);
}

int
courier_fail(struct claimed *c, struct message *m, size_t i,
    const struct result *result, struct err *e)
{
	return meet(c, m, i, 'F', result->text, e);
}

int
courier_done(struct claimed *c, struct message *m, struct err *e)
{
	int r = 0;

	if (seize_pending(m) == 0 && seize_is_at(c->fd, c->path))
		r = take_out(c, m, e);	/* it failed before */
	let_go(c);
	return r;
}

/* It exits with 0 also when it knows no such message, and says so. */
int
courier_release(struct spool *s, const struct message *m, struct err *e)
{
	const char *const args[] = { "flush", m->id, NULL };
	struct buf out = {0};
	int r;

	if (!s->live)
		return err_set(e, FAULT_UNAVAILABLE, "%s: a copied queue: its MTA is "
		    "not here", s->dir);
	r = program_run("courier", args, (struct span){0}, &out, e);
	if (r == 0 && strstr(buf_str(&out), "No such message") != NULL)
		r = err_set(e, FAULT_DATA, "%s: courierd does not know it", m->id);
	buf_free(&out);
	if (r > 0 && geteuid() != 0)
		e->fault = FAULT_PERM;
	return r == 0 ? 0 : -1;
}
