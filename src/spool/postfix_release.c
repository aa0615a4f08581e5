/*
 * Orders to Postfix, by its own commands.  postqueue -s moves what the log of a
 * domain in fast_flush_domains names, -i one message; holding, letting go and
 * removing are postsuper's, which only root may run.  Both end with 0 for an ID
 * that is not there.
 */
#include "spool/postfix.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
run(const struct spool *s, const char *name, const char *option,
    const char *value, const char *queue, struct err *e)
{
	const char *const args[] = { option, value, queue, NULL };
	struct buf out = {0};
	int r = pf_run(s->conf, name, args, (struct span){0}, &out, e);

	buf_free(&out);
	return r;
}

static int
not_here(const struct spool *s, struct err *e)
{
	return err_set(e, FAULT_UNAVAILABLE,
	    "%s: a copied queue: its MTA is not here", s->dir);
}

/*
 * postsuper takes the word ALL for every message there is.  No message of Postfix's
 * making is called that; a file may be.
 */
static int
is_everything(const struct message *m, struct err *e)
{
	return strcmp(m->id, "ALL") != 0 ? 0 : err_set(e, FAULT_DATA,
	    "%s: is no queue ID", m->ref != NULL ? m->ref : m->id);
}

/* Exit status 69 says that Postfix is down: try again later. */
static int
failed(int status, struct err *e)
{
	if (status == FAULT_UNAVAILABLE)
		e->fault = FAULT_TEMP;
	else if (status > 0 && geteuid() != 0)
		e->fault = FAULT_PERM;
	return -1;
}

int
pf_release_node(struct spool *s, const char *node, struct err *e)
{
	int status;

	if (!s->live)
		return not_here(s, e);
	if (strchr("@#-[", *node) != NULL)
		return 0;
	status = run(s, "postqueue", "-s", node, NULL, e);
	if (status == 0)
		return 1;
	/* 69 is also its answer for a domain it keeps no such log of */
	if (status == FAULT_UNAVAILABLE && strstr(e->text, "not configured")) {
		err_clear(e);
		return 0;
	}
	return failed(status, e);
}

/* Where the message is now; STATE_LAST: gone. */
static enum state
state_now(struct spool *s, const struct message *m)
{
	struct entry at = {0};
	enum state state = STATE_LAST;
	struct err e = {0};
	struct stat st;

	if (pf_find(s, m->id, &at, &e) > 0 &&
	    lstat(buf_str(&at.ref), &st) == 0 && st.st_ino == m->ino &&
	    st.st_dev == m->dev)
		state = at.state;
	buf_free(&at.ref);
	return state;
}

/*
 * postsuper says with words only, not by its status, that it did nothing; and it
 * may have done all and then fail to write its log, when Postfix is down.  So what
 * counts is whether the message is where it shall be.
 */
static int
super(struct spool *s, const char *option, const struct message *m,
    const char *queue, unsigned there, struct err *e)
{
	int status;

	if (!s->live)
		return not_here(s, e);
	if (m->state == STATE_CORRUPT)
		return err_set(e, FAULT_DATA, "%s: damaged", m->ref);
	if (is_everything(m, e))
		return -1;
	status = run(s, "postsuper", option, m->id, queue, e);
	if ((STATE_BIT(state_now(s, m)) & there) != 0) {
		err_clear(e);
		return 0;
	}
	return status == 0 ? 1 : failed(status, e);
}

#define GONE STATE_BIT(STATE_LAST)

int
pf_hold(struct spool *s, const struct message *m, struct err *e)
{
	if (m->state == STATE_MAILDROP)
		return 1;	/* it has no envelope yet that could wait */
	return super(s, "-h", m, NULL, GONE | STATE_BIT(STATE_HOLD), e);
}

int
pf_unhold(struct spool *s, const struct message *m, struct err *e)
{
	return super(s, "-H", m, NULL, GONE | (STATES_ALL & ~STATE_BIT(STATE_HOLD)), e);
}

int
pf_release(struct spool *s, const struct message *m, struct err *e)
{
	bool held = m->state == STATE_HOLD;
	int r;

	if (!s->live)
		return not_here(s, e);
	if (is_everything(m, e))
		return -1;
	switch (m->state) {
	case STATE_INCOMING: case STATE_ACTIVE: case STATE_MAILDROP:
		return 0;	/* on its way */
	case STATE_CORRUPT: case STATE_UNTOLD: case STATE_LAST:
		return err_set(e, FAULT_DATA, "%s: damaged", m->ref);
	case STATE_HOLD: case STATE_DEFERRED: case STATE_DONE:
		break;
	}
	if (held && (r = pf_unhold(s, m, e)) != 0)
		return r;
	if ((r = run(s, "postqueue", "-i", m->id, NULL, e)) == 0)
		return 0;
	if (held)
		err_in(e, "%s: no longer held, but not tried", m->id);
	return failed(r, e);
}

int
pf_remove(struct spool *s, const struct message *m, struct err *e)
{
	return super(s, "-d", m, m->state == STATE_MAILDROP ? "maildrop" : NULL,
	    GONE, e);
}
