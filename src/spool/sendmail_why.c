/* What Sendmail itself says of a message, for queue-list --why. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "spool/sendmail.h"

/* A selected recipient that waits; NULL: none does. */
static const struct rcpt *
waiting(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (m->env.rcpts.p[i].selected && !m->env.rcpts.p[i].done)
			return &m->env.rcpts.p[i];
	return NULL;
}

static bool
holds_expensive(const struct spool *s)
{
	struct buf value = {0};
	struct err none = {0};
	bool yes;

	yes = sm_option(s->conf != NULL ? s->conf : SENDMAIL_CF, "HoldExpensive",
	    &value, &none) == 1 && span_starts(buf_span(&value), "T");
	buf_free(&value);
	return yes;
}

/*
 * Does its mailer keep mail back?  With the flag % it waits for ETRN or for somebody
 * who names it; with e and the option HoldExpensive for the next queue run.
 */
static bool
by_mailer(struct spool *s, const struct message *m, struct buf *b, struct err *e)
{
	const struct rcpt *r = waiting(m);
	const char *route = NULL;
	struct buf name = {0}, flags = {0};
	size_t before = b->n;

	if (r == NULL || sm_ask(s, r->address, &route, e) != 1 ||
	    sm_mailer(s, route, &name, &flags) != 1) {
		buf_free(&name);
		buf_free(&flags);
		return false;
	}
	if (span_find(buf_span(&flags), '%') < flags.n)
		buf_addf(b, "Its mailer %s waits until the mail is asked for (flag %%): "
		    "queue runs leave it alone until somebody asks by ETRN or names "
		    "it.", buf_str(&name));
	else if (m->attempts == 0 && span_find(buf_span(&flags), 'e') < flags.n &&
	    holds_expensive(s))
		buf_addf(b, "Its mailer %s is expensive: it waits for the next queue "
		    "run (HoldExpensive).", buf_str(&name));
	buf_free(&name);
	buf_free(&flags);
	return b->n > before;
}

static void
holder(struct spool *s, const struct message *m, const struct outlook *o,
    struct buf *b, struct err *e)
{
	if (m->state == STATE_HOLD)
		buf_adds(b, "It is in quarantine: queue runners leave it alone until "
		    "it is let go.");
	else if (m->state == STATE_CORRUPT)
		buf_adds(b, "Sendmail took its qf for unsafe (owner, mode or content) "
		    "and renamed it Qf: it is lost until somebody looks.");
	else if (sm_is_client(s))
		buf_adds(b, "It was submitted here and waits for the daemon on this "
		    "host, which did not take it yet.");
	else if (by_mailer(s, m, b, e))
		;
	else if (m->attempts == 0)
		buf_adds(b, "It was never tried: it waits for a queue run.");
	else if (o->next_attempt > 0)
		buf_adds(b, "Queue runs leave it alone until then (MinQueueAge); the "
		    "first one after that tries it again.");
	else
		buf_adds(b, "The next queue run tries it again.");
}

/* ---- what to type ---- */

/* `sendmail', or its path where a shell would find another; false: no line shows it. */
static bool
program(struct buf *b, struct spool *s)
{
	struct sm_own *own = sm_own(s);

	if (own->on_path)
		buf_adds(b, "sendmail");
	else if (own->program == NULL || !text_shell(b, span_of(own->program)))
		return false;
	if (sm_is_client(s))
		buf_adds(b, " -Ac");
	return true;
}

static void
commands(struct spool *s, const struct message *m, struct outlook *o)
{
	struct buf b = {0};
	bool good;

	if (m->state == STATE_CORRUPT) {
		buf_adds(&b, "ls -l ");
		good = text_shell(&b, span_of(m->ref));
	} else {
		good = program(&b, s);
		if (good && m->state == STATE_HOLD) {
			buf_addf(&b, " -Q -qQ -qI%s && ", m->id);
			program(&b, s);
		}
		buf_addf(&b, " -v -OMinQueueAge=0 -qI%s", m->id);
	}
	if (good) {
		buf_addspan(&o->commands, buf_span(&b));
		buf_addc(&o->commands, '\n');
	}
	buf_free(&b);
}

int
sm_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	struct sm_own *own = sm_own(s);
	bool report = m->env.sender == NULL || *m->env.sender == '\0';

	o->down = own->down;
	if (m->state != STATE_HOLD && m->state != STATE_CORRUPT)
		o->expires = m->arrival + (report ? own->report_life : own->life);
	if (m->state == STATE_DEFERRED && m->attempts > 0 && own->rest > 0)
		o->next_attempt = m->last_attempt + own->rest;
	holder(s, m, o, &o->holder, e);
	if (own->program == NULL)
		buf_adds(&o->holder, " Sendmail's own program was not found on this "
		    "host.");
	commands(s, m, o);
	return e->fault == FAULT_NONE ? 0 : -1;
}

int
sm_route(struct spool *s, const struct message *m, const char *address,
    struct buf *route, struct err *e)
{
	const char *said = NULL;
	int r = sm_ask(s, address, &said, e);

	(void)m;
	if (r == 1)
		buf_adds(route, said);
	return r;
}
