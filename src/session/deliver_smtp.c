/*
 * To a server, by SMTP or LMTP: what the sender says is said on, one command after the
 * other, and what the server answers is answered.  One session serves all messages,
 * and another one those behind its loss.
 */
#include <stdlib.h>

#include "session/deliver_smtp.h"

#define QUEUE_OCTETS 262144	/* of texts that wait for the server */
#define QUEUE_MOST 1000

static struct smtp_out *
own(struct deliver *d)
{
	return (struct smtp_out *)d;
}

static struct client *
client(struct smtp_out *o)
{
	return &o->session.client;
}


static bool
waits(const struct smtp_out *o)
{
	return o->head < o->queue.n;
}

/* ---- going on ---- */

/* The next message has nobody to go to: it is told so, and not before it asks. */
static void
not_reached(struct smtp_out *o, const char *why)
{
	struct question *q = &o->queue.p[o->head];

	if (q->about == ABOUT_MAIL) {
		smtp_out_reset(o);
		smtp_out_refuse(o, q->token, why);
		envelope_free(&q->env);
		o->head++;
	} else {
		smtp_out_kill(o, why);
	}
}

static bool
call(struct smtp_out *o)
{
	struct err e = {0};

	if (o->begun || (!waits(o) && !o->again) || o->dead != NULL)
		return o->begun;
	o->begun = true;
	if (session_begin(&o->session, &o->servers, &o->dial, &e) == 0)
		return true;
	smtp_out_drop(o);
	if (o->again)
		smtp_out_lost(o, e.text);
	else
		not_reached(o, e.text);
	o->again = false;
	return true;
}

/* It hung up on us before anything was accepted, and not at its first message. */
static bool
may_ask_again(const struct smtp_out *o)
{
	return o->awaited != 0 && o->asks && !o->begins && o->letter.mail_code == 0;
}

/*
 * A server that hung up on us while nothing was under way is called again.  What it said
 * before that counts.
 */
static void
over(struct smtp_out *o, const char *why)
{
	bool opened = o->session.step == STEP_OPEN;
	const struct outcome *m = o->awaited != 0 ? smtp_out_verdict(o) : NULL;

	if (opened && m != NULL) {
		smtp_out_pass(o, m);
		smtp_out_drop(o);
	} else if (opened && may_ask_again(o)) {
		smtp_out_drop(o);
		o->again = true;
	} else if (!opened && o->again) {
		o->again = false;
		smtp_out_lost(o, why);
	} else if (opened && (o->awaited != 0 || o->texting || o->letter.mail_code != 0)) {
		smtp_out_lost(o, why);
	} else {
		smtp_out_drop(o);
		if (!opened && waits(o))
			not_reached(o, why);
	}
}

static bool
move(struct deliver *d)
{
	struct smtp_out *o = own(d);
	struct err e = {0};
	bool moved = false, more = true;
	int r;

	while (more) {
		more = false;
		if (o->dead != NULL && waits(o) &&
		    o->queue.p[o->head].about == ABOUT_MAIL)
			smtp_out_reset(o);
		if (call(o) && o->begun) {
			r = session_move(&o->session, &e);
			more = r > 0;
			if (r < 0 || client(o)->want == WANT_NOTHING) {
				over(o, r < 0 ? e.text : "the session ended");
				err_clear(&e);
				more = true;
			} else if (o->session.step == STEP_OPEN && o->again) {
				if (client(o)->want == WANT_WORK)
					smtp_out_ask(o);
				more = true;
			} else if (o->session.step == STEP_OPEN &&
			    (client(o)->want == WANT_WORK ||
			    client(o)->want == WANT_TEXT)) {
				smtp_out_answered(o);
			}
		}
		while (waits(o) && smtp_out_can(o, &o->queue.p[o->head])) {
			smtp_out_deal(o, &o->queue.p[o->head++]);
			more = true;
		}
		moved = moved || more;
	}
	if (!waits(o))
		o->head = o->queue.n = 0;
	return moved;
}

static void
take(struct deliver *d, struct question *q)
{
	struct smtp_out *o = own(d);

	o->octets += q->about == ABOUT_TEXT ? q->text.n : 0;
	*vec_add(&o->queue) = *q;
	*q = (struct question){0};
}

static bool
full(const struct deliver *d)
{
	const struct smtp_out *o = (const struct smtp_out *)d;

	return o->octets >= QUEUE_OCTETS || o->queue.n - o->head >= QUEUE_MOST;
}

static bool
settle(struct deliver *d)
{
	(void)d;
	return false;
}

static bool
owes(const struct deliver *d)
{
	const struct smtp_out *o = (const struct smtp_out *)d;

	return o->awaited != 0 || waits(o);
}

static void
polls(struct deliver *d, struct pollfd p[2], int64_t *deadline)
{
	struct smtp_out *o = own(d);

	if (o->begun)
		session_polls(&o->session, p, deadline);
}

static void
finish(struct deliver *d)
{
	struct smtp_out *o = own(d);

	if (o->begun && client(o)->want == WANT_WORK)
		session_close(&o->session);
	else
		smtp_out_drop(o);
	smtp_out_reset(o);
	for (size_t i = o->head; i < o->queue.n; i++) {
		envelope_free(&o->queue.p[i].env);
		buf_free(&o->queue.p[i].text);
		buf_free(&o->queue.p[i].more);
	}
	vec_free(&o->queue);
	servers_free(&o->servers);
	free(o);
}

static const struct deliver_kind kind = { take, full, move, settle, owes, polls,
    finish };

struct deliver *
deliver_smtp(const struct deliver_opts *opts, struct server *server, bool lmtp)
{
	struct smtp_out *o = must(calloc(1, sizeof *o));

	o->d = (struct deliver){ &kind, *opts };
	o->dial = *opts->dial;
	o->dial.flags |= CLIENT_NO_CHUNKING | (lmtp ? CLIENT_LMTP : 0);
	o->lmtp = lmtp;
	*vec_add(&o->servers) = *server;
	smtp_out_reset(o);
	return &o->d;
}
