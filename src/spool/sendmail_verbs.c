/*
 * Orders to Sendmail: a queue run for one ID, which delivers by itself, whether a
 * daemon runs or not; holding is its quarantine.  -qI looks for a part of an ID, so one
 * that is the beginning of another's is not touched.  Its status says nothing of the
 * message: where that is afterwards does.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
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

/* sendmail [-Ac] OPTION OPTION -qIID; 0 or -1. */
static int
run(struct spool *s, const struct message *m, const char *a, const char *b,
    struct err *e)
{
	const char *argv[8] = {0};
	struct buf id = {0}, out = {0}, said = {0};
	struct span line, all;
	size_t n = 0;
	int r;

	if (!s->live)
		return err_set(e, FAULT_UNAVAILABLE, "%s: a copied queue: its MTA is "
		    "not here", s->dir);
	if (sm_own(s)->program == NULL)
		return err_set(e, FAULT_UNAVAILABLE, "Sendmail's own program was not "
		    "found on this host");
	if (is_exact(s, m, e) < 0)
		return -1;
	argv[n++] = sm_own(s)->program;
	if (sm_is_client(s))
		argv[n++] = "-Ac";
	argv[n++] = a;
	if (b != NULL)
		argv[n++] = b;
	buf_addf(&id, "-qI%s", m->id);
	argv[n++] = buf_str(&id);
	r = child_ask(argv, &out, &said, SAID_MAX, clock_in(RUN_MS), e);
	all = buf_span(said.n > 0 ? &said : &out);
	span_cut(&all, '\n', &line);
	if (r > 0)
		err_set(e, r == FAULT_PERM || geteuid() != 0 ? FAULT_PERM : FAULT_TEMP,
		    "sendmail: exit status %d%s%.*s", r, line.n > 0 ? ": " : "",
		    (int)line.n, line.p);
	buf_free(&id);
	buf_free(&out);
	buf_free(&said);
	return r == 0 ? 0 : -1;
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
	if (run(s, m, "-Qheld by dequeue", NULL, e) < 0)
		return -1;
	now = state_now(s, m);
	return now != STATE_HOLD && now != STATE_LAST;
}

int
sm_unhold(struct spool *s, const struct message *m, struct err *e)
{
	if (m->state != STATE_HOLD)
		return 0;
	if (run(s, m, "-Q", "-qQ", e) < 0)
		return -1;
	return state_now(s, m) == STATE_HOLD;
}

int
sm_release(struct spool *s, const struct message *m, struct err *e)
{
	int r = sm_unhold(s, m, e);

	return r != 0 ? r : run(s, m, "-OMinQueueAge=0", NULL, e);
}
