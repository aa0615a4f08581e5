/* What Postfix itself says of a message, for queue-list --why. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/unit.h"
#include "spool/postfix.h"
#include "spool/program.h"
#include "wire/domain.h"

#define DAY 86400

/* ---- asked once a queue ---- */

/* Who may not read the file does not know: not down, then. */
static bool
is_down(const struct spool *s)
{
	struct buf path = {0};
	bool yes;

	buf_addf(&path, "%s/pid/master.pid", s->dir);
	yes = (access(buf_str(&path), R_OK) == 0 || errno == ENOENT) &&
	    !program_runs(buf_str(&path));
	buf_free(&path);
	return yes;
}

/* A time without a unit is in the parameter's own, `unit` seconds. */
static void
take_time(struct span value, int64_t unit, int64_t *seconds)
{
	char *text = span_dup(span_trim(value));
	struct err none = {0};
	long long n;

	if (span_number(span_of(text), &n))
		*seconds = n * unit;
	else
		unit_time("time", text, seconds, &none);
	free(text);
}

static int
settings(const struct spool *s, struct pf_own *own, struct err *e)
{
	const char *const args[] = { "-x", "maximal_queue_lifetime",
	    "bounce_queue_lifetime", "queue_run_delay", NULL };
	struct buf out = {0};
	struct span rest, line, name;
	int r = pf_run(s->conf, "postconf", args, (struct span){0}, &out, e);

	rest = buf_span(&out);
	while (r == 0 && span_cut(&rest, '\n', &line)) {
		span_cut(&line, '=', &name);
		name = span_trim(name);
		if (span_is(name, "maximal_queue_lifetime"))
			take_time(line, DAY, &own->lifetime);
		else if (span_is(name, "bounce_queue_lifetime"))
			take_time(line, DAY, &own->report_lifetime);
		else if (span_is(name, "queue_run_delay"))
			take_time(line, 1, &own->scan);
	}
	buf_free(&out);
	return r == 0 ? 0 : -1;
}

struct pf_own *
pf_own(struct spool *s, struct err *e)
{
	struct pf_own *own = s->own;

	if (own != NULL)
		return own;
	s->own = own = must(calloc(1, sizeof *own));
	own->lifetime = own->report_lifetime = own->scan = -1;
	own->down = is_down(s);
	settings(s, own, e);
	return own;
}

void
pf_close(struct spool *s)
{
	free(s->own);
}

/* ---- the message ---- */

static const char *
sender_of(const struct message *m)
{
	return m->env.sender != NULL ? m->env.sender : "";
}

/* The bounce daemon writes the log at every attempt. */
static int64_t
last_attempt(struct spool *s, const struct message *m)
{
	struct buf path = {0};
	struct err none = {0};
	struct stat st = {0};
	int64_t when = 0;

	if (pf_log_path(s, "defer", m->id, &path, &none) == 1 &&
	    lstat(buf_str(&path), &st) == 0)
		when = st.st_mtime;
	buf_free(&path);
	return when;
}

/* A selected recipient that waits, and for this (NULL: for whatever); NULL: none. */
static const struct rcpt *
waits_for(const struct message *m, const char *reason)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		if (!r->done && r->selected && (reason == NULL ||
		    (r->reason != NULL && strstr(r->reason, reason) != NULL)))
			return r;
	}
	return NULL;
}

/* ---- what to type ---- */

struct line {
	struct buf text;
	bool bad;		/* what no line can show is in it */
};

/* `postqueue', with -c where it would mean another instance. */
static void
program(struct line *l, const struct spool *s, const char *name)
{
	buf_adds(&l->text, name);
	if (s->conf == NULL || (strcmp(s->conf, "/etc/postfix") == 0 &&
	    getenv("MAIL_CONFIG") == NULL))
		return;
	buf_adds(&l->text, " -c ");
	if (!text_shell(&l->text, span_of(s->conf)))
		l->bad = true;
}

/* Whatever is done, Postfix has to run for it. */
static void
begin(struct line *l, struct spool *s, const struct outlook *o)
{
	if (!o->down)
		return;
	program(l, s, "postfix");
	buf_adds(&l->text, " start");
}

static void
then(struct line *l, struct spool *s, const char *name, const char *option,
    const char *value)
{
	if (l->text.n > 0)
		buf_adds(&l->text, " && ");
	program(l, s, name);
	buf_addf(&l->text, " %s ", option);
	if (!text_shell(&l->text, span_of(value)))
		l->bad = true;
}

static void
end(struct line *l, struct outlook *o)
{
	if (!l->bad && l->text.n > 0) {
		buf_addspan(&o->commands, buf_span(&l->text));
		buf_addc(&o->commands, '\n');
	}
	buf_free(&l->text);
}

/* What has Postfix try it now, all that waits for `domain' with it; or this alone. */
static void
flush(struct spool *s, const struct message *m, const char *domain,
    struct outlook *o)
{
	struct line l = {0};

	begin(&l, s, o);
	if (m->state == STATE_HOLD)
		then(&l, s, "postsuper", "-H", m->id);
	if (domain != NULL)
		then(&l, s, "postqueue", "-s", domain);
	else
		then(&l, s, "postqueue", "-i", m->id);
	end(&l, o);
}

static void
start(struct spool *s, const struct message *m, struct outlook *o)
{
	struct line l = {0};

	begin(&l, s, o);
	if (m->state == STATE_MAILDROP)
		then(&l, s, "postkick", "public pickup", "W");
	end(&l, o);
}

/* ---- why it waits ---- */

static void
waits_for_flush(struct spool *s, const struct message *m, const struct rcpt *r,
    struct outlook *o)
{
	char *domain = span_dup(domain_of(span_of(r->address)));
	bool by_domain = pf_covers(s, domain, m);

	buf_addf(&o->holder, "Its transport is one of defer_transports: Postfix keeps "
	    "it until %s asks for it (ETRN)%s or somebody flushes the queue.", domain,
	    by_domain ? "" : ", which Postfix does not offer for this mail,");
	if (by_domain)
		flush(s, m, domain, o);
	flush(s, m, NULL, o);
	free(domain);
}

/* A transport that does nothing but put mail off. */
static bool
is_put_off(struct spool *s, const struct message *m, struct err *e)
{
	const struct rcpt *r = waits_for(m, NULL);
	struct pf_answer a = {0};
	bool yes;

	yes = r != NULL && m->only_mta == NULL &&
	    pf_resolve(s, sender_of(m), r->address, &a, e) == 1 &&
	    strcmp(buf_str(&a.transport), "retry") == 0;
	pf_answer_free(&a);
	return yes;
}

static void
deferred(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	const struct rcpt *r = waits_for(m, "deferred transport");
	int64_t scan = pf_own(s, e)->scan;

	if (r != NULL) {
		waits_for_flush(s, m, r, o);
		return;
	}
	if (is_put_off(s, m, e))
		buf_adds(&o->holder, "Postfix's configuration puts it off (transport "
		    "retry): every try ends so until that is changed.");
	else if (waits_for(m, "delivery temporarily suspended") != NULL)
		buf_adds(&o->holder, "Its next hop failed for other mail and is left "
		    "alone for a while; then qmgr tries it again.");
	else
		buf_adds(&o->holder, "qmgr tries it again when its time has come.");
	if (scan > 0)
		buf_addf(&o->holder, " It looks every %lld%s.", (long long)
		    (scan < 120 ? scan : scan / 60), scan < 120 ? "s" : "m");
	flush(s, m, NULL, o);
}

static void
by_state(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	switch (m->state) {
	case STATE_HOLD:
		buf_adds(&o->holder, "It is on hold: Postfix leaves it alone until it "
		    "is let go (who put it there is not recorded).");
		flush(s, m, NULL, o);
		break;
	case STATE_ACTIVE:
		buf_adds(&o->holder, o->down ? "qmgr had it in its hands." :
		    "qmgr has it, and delivers it or is about to.");
		start(s, m, o);
		break;
	case STATE_INCOMING:
		buf_adds(&o->holder, "It has come in, and waits for qmgr.");
		start(s, m, o);
		break;
	case STATE_MAILDROP:
		buf_adds(&o->holder, "It was submitted here, and waits for pickup.");
		start(s, m, o);
		break;
	case STATE_CORRUPT:
		buf_adds(&o->holder, "Postfix found the file damaged, and put it aside.");
		break;
	case STATE_DONE:
		buf_adds(&o->holder, "Nobody is left to deliver it to; qmgr takes it "
		    "away when it comes to it.");
		flush(s, m, NULL, o);
		break;
	default:
		deferred(s, m, o, e);
	}
}

int
pf_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	struct pf_own *own = pf_own(s, e);
	/* without a sender it is a report */
	int64_t life = *sender_of(m) == '\0' ? own->report_lifetime : own->lifetime;

	o->down = own->down;
	if (life >= 0 && m->state != STATE_HOLD && m->state != STATE_CORRUPT)
		o->expires = m->arrival + life;
	if (m->state == STATE_DEFERRED)
		o->last_attempt = last_attempt(s, m);
	by_state(s, m, o, e);
	if (m->forced_expire)
		buf_adds(&o->holder, " It expires when it is next looked at (postsuper "
		    "-e).");
	return e->fault == FAULT_NONE ? 0 : -1;
}

int
pf_route(struct spool *s, const struct message *m, const char *address,
    struct buf *route, struct err *e)
{
	struct pf_answer a = {0};
	int r;

	/* qmgr does not ask the resolver then; see pf_take() */
	if (m->only_mta != NULL && strstr(m->only_mta, "content filter") != NULL) {
		buf_adds(route, "the content filter that was chosen when it came");
		return 1;
	}
	if (m->only_mta != NULL && strstr(m->only_mta, "redirect") != NULL)
		return 0;
	r = pf_resolve(s, sender_of(m), address, &a, e);
	if (r == 1 && a.failed)
		buf_adds(route, "no transport: Postfix's resolver fails (is a lookup "
		    "table missing?)");
	else if (r == 1)
		buf_addf(route, "transport %s, next hop %s", buf_str(&a.transport),
		    a.hop.n > 0 ? buf_str(&a.hop) : "-");
	pf_answer_free(&a);
	return r;
}
