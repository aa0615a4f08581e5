/*
 * Orders to Exim, by its own commands: -Mf freezes, -Mt thaws, -Mrm removes; they end
 * with 0 only for what they have done, and with 1 too for what was so already, so then
 * the queue is looked at.  Each takes Exim's lock: what is in delivery, or in another's
 * hand, is left alone ("is locked").
 *
 * -M delivers, by itself, whether a daemon runs or not, and has ended only when all has
 * been tried: minutes a message where a host does not answer.  So what is released is
 * noted, and in the end a few of them are started that share it, and go on without us.
 * -M thaws what is frozen.  Its status says nothing of any message.
 *
 * There is no order for a domain: -R looks for a part of an address.
 */
#include "spool/exim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "spool/program.h"

#define NOBODY "000000-000000-00"

static int
not_here(const struct spool *s, struct err *e)
{
	return err_set(e, FAULT_UNAVAILABLE,
	    "%s: a copied queue: its MTA is not here", s->dir);
}

/* `-qGNAME` for a message of a queue with a name (SPOOL/NAME/input/...); NULL. */
static char *
queue_option(const struct spool *s, const struct message *m)
{
	struct span rest = span_from(span_of(m->ref), strlen(s->dir) + 1), name = {0};
	struct buf option = {0};
	char *all;

	span_cut(&rest, '/', &name);
	if (span_is(name, "input") || span_is(name, "Finput"))
		return NULL;
	buf_addf(&option, "-qG%.*s", (int)name.n, name.p);
	all = span_dup(buf_span(&option));
	buf_free(&option);
	return all;
}

/* Where Exim puts what is frozen for long, and looks for nothing but to thaw it. */
static bool
is_put_aside(const struct message *m)
{
	return strstr(m->ref, "/Finput/") != NULL;
}

/* ---- hold, unhold, remove ---- */

/* Its state now; STATE_LAST: gone. */
static enum state
state_now(struct spool *s, const struct message *m)
{
	struct message now = {0};
	struct entry at = {0};
	struct err e = {0};
	enum state state = STATE_UNTOLD;
	int r = exim_find(s, m->id, &at, &e);

	if (r > 0)
		r = exim_read(s, &at, 0, &now, &e);
	if (r == 0)
		state = STATE_LAST;
	else if (r > 0)
		state = now.state;
	message_free(&now);
	buf_free(&at.ref);
	return state;
}

static bool
has_words(const struct buf *out, const char *words)
{
	return out->n > 0 && memmem(out->p, out->n, words, strlen(words)) != NULL;
}

/* What it says of one message is on its stdout. */
static int
refused(const char *action, const struct message *m, const struct buf *out,
    struct err *e)
{
	struct span words = span_trim(buf_span(out));

	words.n = span_find(words, '\n');
	if (words.n > 0)
		err_set(e, e->fault, "%s %s %s: %.*s", exim_name(), action, m->id,
		    (int)words.n, words.p);
	if (geteuid() != 0 && strstr(e->text, "ermission denied") != NULL)
		e->fault = FAULT_PERM;
	return -1;
}

/* 0 done; 1 it is locked; -1. */
static int
run(const struct spool *s, const char *action, const struct message *m,
    struct err *e)
{
	char *queue = queue_option(s, m);
	const char *args[] = { action, m->id, NULL, NULL };
	struct buf out = {0};
	int status;

	if (queue != NULL) {
		args[0] = queue;
		args[1] = action;
		args[2] = m->id;
	}
	status = exim_run(s->conf, args, &out, e);
	if (status > 0 && has_words(&out, " is locked")) {
		err_clear(e);
		status = 1;
	} else if (status > 0) {
		status = refused(action, m, &out, e);
	}
	buf_free(&out);
	free(queue);
	return status;
}

/* `there': the states, in bits, in which it shall be then. */
static int
act(struct spool *s, const char *action, const struct message *m, unsigned there,
    struct err *e)
{
	int r;

	if (!s->live)
		return not_here(s, e);
	r = run(s, action, m, e);
	if (r < 0 && (STATE_BIT(state_now(s, m)) & there) != 0) {
		err_clear(e);
		return 0;
	}
	return r;
}

#define GONE STATE_BIT(STATE_LAST)

int
exim_hold(struct spool *s, const struct message *m, struct err *e)
{
	return act(s, "-Mf", m, GONE | STATE_BIT(STATE_HOLD), e);
}

int
exim_unhold(struct spool *s, const struct message *m, struct err *e)
{
	return act(s, "-Mt", m, GONE | STATE_BIT(STATE_DEFERRED) |
	    STATE_BIT(STATE_DONE), e);
}

int
exim_remove(struct spool *s, const struct message *m, struct err *e)
{
	int r = is_put_aside(m) ? exim_unhold(s, m, e) : 0;

	return r != 0 ? r : act(s, "-Mrm", m, GONE, e);
}

/* ---- release ---- */

struct due {
	char *queue;		/* an option; NULL */
	char *id;
};

void
exim_due_free(struct exim *x)
{
	for (size_t i = 0; i < x->due.n; i++) {
		free(x->due.p[i].queue);
		free(x->due.p[i].id);
	}
	vec_free(&x->due);
}

int
exim_release(struct spool *s, const struct message *m, struct err *e)
{
	struct exim *x = exim_own(s);
	int r;

	if (!s->live)
		return not_here(s, e);
	if (is_put_aside(m) && (r = exim_unhold(s, m, e)) != 0)
		return r;
	*vec_add(&x->due) = (struct due){ queue_option(s, m),
	    span_dup(span_of(m->id)) };
	return 0;
}

/* Plain users may be told no: a message that is not there asks nothing else. */
static int
may_deliver(const struct spool *s, struct err *e)
{
	const char *const args[] = { "-M", NOBODY, NULL };
	struct buf out = {0};
	int status = geteuid() == 0 ? 0 :
	    exim_run(s->conf, args, &out, e);

	if (status > 0)
		e->fault = FAULT_PERM;
	buf_free(&out);
	return status == 0 ? 0 : -1;
}

static int
same_queue(const struct due *a, const struct due *b)
{
	return strcmp(a->queue != NULL ? a->queue : "",
	    b->queue != NULL ? b->queue : "") == 0;
}

static int
by_queue(const void *a, const void *b)
{
	const struct due *x = a, *y = b;
	int r = strcmp(x->queue != NULL ? x->queue : "",
	    y->queue != NULL ? y->queue : "");

	return r != 0 ? r : strcmp(x->id, y->id);	/* the oldest first */
}

/* How many of these, of one queue, are not being delivered. */
static size_t
deliver(const char *conf, const struct due *of, size_t n, struct err *e)
{
	const char *argv[8] = {0}, **ids = must(calloc(n, sizeof *ids));
	struct buf path = {0};
	size_t words = 0, not = n;

	for (size_t i = 0; i < n; i++)
		ids[i] = of[i].id;
	if (program_find(exim_name(), &path)) {
		argv[words++] = buf_str(&path);
		if (conf != NULL) {
			argv[words++] = "-C";
			argv[words++] = conf;
		}
		if (of->queue != NULL)
			argv[words++] = of->queue;
		argv[words] = "-M";
		not = program_share(argv, ids, n, e);
	} else {
		err_set(e, FAULT_UNAVAILABLE, "exim: is not on this host");
	}
	free(ids);
	buf_free(&path);
	return not;
}

size_t
exim_release_end(struct spool *s, struct err *e)
{
	struct exim *x = exim_own(s);
	size_t not = 0, n = 0;

	if (x->due.n > 0 && may_deliver(s, e) < 0) {
		not = x->due.n;
	} else if (x->due.n > 0) {
		qsort(x->due.p, x->due.n, sizeof *x->due.p, by_queue);
		for (size_t i = 0; i < x->due.n; i += n) {
			for (n = 1; i + n < x->due.n && same_queue(&x->due.p[i],
			    &x->due.p[i + n]); n++)
				;
			not += deliver(s->conf, x->due.p + i, n, e);
		}
	}
	exim_due_free(x);
	return not;
}

/* Is its lock taken?  Looking needs none. */
bool
exim_at_work(struct spool *s, const struct message *m)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_len = exim_locked(m->id) };
	struct buf path = {0};
	struct err none = {0};
	struct stat st;
	bool yes = false;
	int fd;

	(void)s;
	exim_beside(&path, m->ref, "D");
	if (file_open_single(buf_str(&path), &st, &fd, &none) == 1) {
		yes = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
		close(fd);
	}
	buf_free(&path);
	return yes;
}
