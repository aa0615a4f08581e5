#include "session/batch.h"

#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "session/pick.h"

#define BARREN_MAX 2

static void
tell(struct batch *b, const char *ref, const char *rcpt, enum fate fate,
    const char *status, const char *text)
{
	struct result r = { (char *)(uintptr_t)ref, (char *)(uintptr_t)rcpt,
	    fate, (char *)(uintptr_t)status, (char *)(uintptr_t)text, 0 };

	b->told(b->arg, &r);
}

/* How the session went. */
struct went {
	char *server;		/* its name; NULL: there was none */
	bool lost;
	struct err why;
};

/* Who said it: the server's words and losses carry its name. */
static void
add_text(struct buf *b, const struct outcome *o, const struct went *w)
{
	struct span text = span_of(o->text != NULL ? o->text : "not tried");

	if (w->lost && span_starts(text, CLIENT_DOUBT)) {
		buf_adds(b, CLIENT_DOUBT);
		text = span_from(text, strlen(CLIENT_DOUBT));
	}
	if (w->server != NULL && (o->code > 0 || w->lost))
		buf_addf(b, "%s: ", w->server);
	buf_addspan(b, text);
}

/* Without a session, or with a broken one, what was wrong with it counts. */
static int
status_of(const struct outcome *o, const struct went *w)
{
	if (o->code == 0 && outcome_status(o) == FAULT_TEMP &&
	    (w->server == NULL || (w->lost && w->why.fault == FAULT_PROTO)))
		return (int)w->why.fault;
	return outcome_status(o);
}

static void
tell_outcome(struct batch *b, const char *ref, const char *rcpt,
    const struct outcome *o, const struct went *w)
{
	struct buf text = {0};

	add_text(&text, o, w);
	tell(b, ref, rcpt, o->fate == FATE_NONE ? FATE_DEFERRED : o->fate,
	    *o->status ? o->status : "4.3.0", buf_str(&text));
	b->status = status_worse(b->status, status_of(o, w));
	buf_free(&text);
}

static void
hang_up(struct batch *b)
{
	if (b->connected)
		session_close(&b->session);
	b->connected = false;
}

/* A session that wants work; -1: there is none to be had. */
static int
ready(struct batch *b, struct err *e)
{
	if (b->gave_up.fault != FAULT_NONE) {
		*e = b->gave_up;
		return -1;
	}
	if (b->connected)
		return 0;
	if (session_first(&b->session, b->servers, b->dial, e) < 0) {
		b->gave_up = *e;
		return -1;
	}
	b->connected = true;
	return 0;
}

static bool
some_answer(const struct sending *m)
{
	for (size_t i = 0; i < m->env->rcpts.n; i++)
		if (m->met[i].code > 0)
			return true;
	return false;
}

static void
lost(struct batch *b, const struct sending *m, const struct err *why)
{
	bool only_one = b->servers->p[0].peer.kind == PEER_FD;

	b->barren = some_answer(m) ? 0 : b->barren + 1;
	if (b->barren == BARREN_MAX || only_one ||
	    clock_left(b->dial->deadline) == 0)
		b->gave_up = *why;
	hang_up(b);
}

static struct went
send(struct batch *b, struct sending *m)
{
	struct went w = {0};

	if (ready(b, &w.why) < 0) {
		sending_defer(m, "4.4.1", w.why.text);
		return w;
	}
	w.server = span_dup(span_of(session_name(&b->session)));
	w.lost = sending_run(m, &b->session, &w.why) < 0;
	if (w.lost)
		lost(b, m, &w.why);
	else
		b->barren = 0;
	return w;
}

void
batch_message(struct batch *b, const char *ref, struct envelope *env,
    struct body *body)
{
	struct sending m;
	struct went w;
	VEC(char *) named = {0};	/* on the wire they may be spelled otherwise */

	for (size_t i = 0; i < env->rcpts.n; i++)
		*vec_add(&named) = span_dup(span_of(env->rcpts.p[i].address));
	sending_start(&m, env, body);
	w = send(b, &m);
	for (size_t i = 0; i < env->rcpts.n; i++) {
		if (env->rcpts.p[i].selected && !env->rcpts.p[i].done)
			tell_outcome(b, ref, named.p[i], &m.met[i], &w);
		free(named.p[i]);
	}
	vec_free(&named);
	free(w.server);
	sending_free(&m);
}

/* Nothing was sent: everybody the record names is deferred. */
static void
untouched(struct batch *b, const struct record *r, const char *text,
    enum fault why)
{
	if (r->rcpts.n == 0)
		tell(b, r->ref, "*", FATE_DEFERRED, "4.3.0", text);
	for (size_t i = 0; i < r->rcpts.n; i++)
		tell(b, r->ref, r->rcpts.p[i], FATE_DEFERRED, "4.3.0", text);
	b->status = status_worse(b->status, (int)why);
}

void
batch_record(struct batch *b, const struct record *r)
{
	struct entry at = {0};
	struct message m = {0};
	struct body body = {0};
	struct spool *spool;
	struct err e = {0};
	int found = pick_message(&b->known, r, &spool, &at, &m, &e);

	if (found == PICK_OK)
		found = spool->kind->body(spool, buf_str(&at.ref), &body, &e);
	if (found == 1)
		batch_message(b, r->ref, &m.env, &body);
	else if (found < 0)
		untouched(b, r, e.text, e.fault);
	else
		untouched(b, r, found == PICK_CHANGED ?
		    "the queue has another message under this name" :
		    "no longer in the queue", FAULT_TEMP);
	body_close(&body);
	message_free(&m);
	buf_free(&at.ref);
}

void
batch_rest(struct batch *b, int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	struct err e = {0};

	if (b->connected && session_rest(&b->session, fd, &e) < 0)
		hang_up(b);
	if (!b->connected)
		interrupt_poll(&p, 1, clock_left(b->dial->deadline));
}

void
batch_end(struct batch *b)
{
	hang_up(b);
	spools_free(&b->known);
}
