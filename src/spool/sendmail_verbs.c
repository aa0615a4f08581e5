/*
 * Orders to Sendmail: a queue run for these IDs, which delivers by itself, whether a
 * daemon runs or not; holding is its quarantine.  -qI looks for a part of an ID, so one
 * that is the beginning of another's is not touched.  Its status says nothing of a
 * message: where that is afterwards does.
 *
 * A run goes into the background.  One for each message would be as many at once, each
 * with a connection of its own, so what is released is noted, and a few runs share it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "spool/program.h"
#include "spool/sendmail.h"

#define SAID_MAX (1 << 20)
#define RUN_MS (30 * 60 * 1000)		/* a delivery may take long */

/* Would -qI mean another message, too?  IDs grow by a digit when pids do. */
static int
is_exact(struct spool *s, const struct message *m, struct err *e)
{
	struct buf longer = {0};
	struct entry at = {0};
	int r = 0;

	for (char digit = '0'; digit <= '9' && r == 0; digit++) {
		buf_clear(&longer);
		buf_addf(&longer, "%s%c", m->id, digit);
		r = sm_find(s, buf_str(&longer), &at, e);
	}
	if (r > 0)
		r = err_set(e, FAULT_UNAVAILABLE, "%s: Sendmail would take %s, too",
		    m->id, longer.p);
	buf_free(&longer);
	buf_free(&at.ref);
	return r;
}

/* May it be told of this message?  0 or -1. */
static int
check(struct spool *s, const struct message *m, struct err *e)
{
	if (!s->live)
		return err_set(e, FAULT_UNAVAILABLE, "%s: a copied queue: its MTA is "
		    "not here", s->dir);
	if (sm_own(s)->program == NULL)
		return err_set(e, FAULT_UNAVAILABLE, "Sendmail's own program was not "
		    "found on this host");
	return is_exact(s, m, e);
}

/* sendmail [-Ac] and these words; 0 or -1. */
static int
run(struct spool *s, const char *const words[], struct err *e)
{
	const char *argv[8] = {0};
	struct buf out = {0}, said = {0};
	struct span line, all;
	size_t n = 0;
	int r;

	argv[n++] = sm_own(s)->program;
	if (sm_is_client(s))
		argv[n++] = "-Ac";
	for (; *words != NULL; words++)
		argv[n++] = *words;
	r = child_ask(argv, &out, &said, SAID_MAX, clock_in(RUN_MS), e);
	all = buf_span(said.n > 0 ? &said : &out);
	span_cut(&all, '\n', &line);
	if (r > 0)
		err_set(e, r == FAULT_PERM || geteuid() != 0 ? FAULT_PERM : FAULT_TEMP,
		    "sendmail: exit status %d%s%.*s", r, line.n > 0 ? ": " : "",
		    (int)line.n, line.p);
	buf_free(&out);
	buf_free(&said);
	return r == 0 ? 0 : -1;
}

static char *
only(const struct message *m)
{
	struct buf option = {0};
	char *text;

	buf_addf(&option, "-qI%s", m->id);
	text = span_dup(buf_span(&option));
	buf_free(&option);
	return text;
}

/* sendmail OPTION OPTION -qIID */
static int
order(struct spool *s, const struct message *m, const char *a, const char *b,
    struct err *e)
{
	char *id = only(m);
	int r = check(s, m, e) < 0 ? -1 : run(s, (const char *const[]){ a,
	    b != NULL ? b : id, b != NULL ? id : NULL, NULL }, e);

	free(id);
	return r;
}

static enum state
state_now(struct spool *s, const struct message *m)
{
	struct entry at = {0};
	struct err none = {0};
	int r = sm_find(s, m->id, &at, &none);
	enum state state = r == 1 ? at.state : r == 0 ? STATE_LAST : STATE_UNTOLD;

	buf_free(&at.ref);
	return state;
}

int
sm_hold(struct spool *s, const struct message *m, struct err *e)
{
	enum state now;

	if (m->state == STATE_HOLD)
		return 0;
	if (order(s, m, "-Qheld by dequeue", NULL, e) < 0)
		return -1;
	now = state_now(s, m);
	return now != STATE_HOLD && now != STATE_LAST;
}

int
sm_unhold(struct spool *s, const struct message *m, struct err *e)
{
	if (m->state != STATE_HOLD)
		return 0;
	if (order(s, m, "-Q", "-qQ", e) < 0)
		return -1;
	return state_now(s, m) == STATE_HOLD;
}

/* ---- release ---- */

#define NOW "-OMinQueueAge=0"

int
sm_release(struct spool *s, const struct message *m, struct err *e)
{
	int r = sm_unhold(s, m, e);

	if (r != 0)
		return r;
	if (check(s, m, e) < 0)
		return -1;
	*vec_add(&sm_own(s)->due) = only(m);
	return 0;
}

/* Plain users are told no: no ID has a dot in it. */
static int
may_deliver(struct spool *s, struct err *e)
{
	return geteuid() == 0 ? 0 : run(s, (const char *const[]){ NOW, "-qI.", NULL }, e);
}

size_t
sm_release_end(struct spool *s, struct err *e)
{
	struct sm_own *own = sm_kept(s);
	bool client = sm_is_client(s);
	const char *const argv[] = { own->program, client ? "-Ac" : NOW,
	    client ? NOW : NULL, NULL };
	size_t n = own->due.n, not = n == 0 ? 0 : may_deliver(s, e) < 0 ? n :
	    program_share(argv, (const char *const *)own->due.p, n, e);

	sm_due_free(own);
	return not;
}

void
sm_due_free(struct sm_own *own)
{
	for (size_t i = 0; i < own->due.n; i++)
		free(own->due.p[i]);
	vec_free(&own->due);
}
