/*
 * To a server, by SMTP or LMTP: what the sender says is said on, one command after the
 * other, and what the server answers is answered.  One session serves all messages,
 * and another one those behind its loss.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "session/deliver_own.h"

#define QUEUE_OCTETS 262144	/* of texts that wait for the server */
#define QUEUE_MOST 1000
#define OUT_ENOUGH 65536

struct smtp_out {
	struct deliver d;
	struct server *server;
	struct servers servers;	/* just that one */
	struct dial dial;
	struct session session;
	bool begun;		/* there is a session */
	bool used;		/* it has had a transaction before this one */
	bool begins;		/* this one is its first */
	bool lmtp;

	VEC(struct question) queue;	/* from `head' on */
	size_t head;
	size_t octets;		/* of texts in it */

	/* the transaction under way */
	struct envelope env;
	struct letter letter;
	unsigned awaited;	/* whose reply is due; 0: none */
	bool asks;		/* that is MAIL's: nothing is accepted yet */
	bool again;		/* it is to be said in the next session */
	bool texting;		/* DATA was said */
	bool ended;		/* the text has ended: its reply is due */
	char *dead;		/* it cannot go on, and this is why; NULL */
	int code;		/* its text was refused with this; 0 */
	bool seven;		/* no octet of it may be over 0x7f */
	bool eight;		/* one was: it was broken off */
};

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

static void
kill_it(struct smtp_out *o, const char *why)
{
	free(o->dead);
	o->dead = why != NULL ? span_dup(span_of(why)) : NULL;
}

static void
reset(struct smtp_out *o)
{
	letter_free_met(&o->letter);
	envelope_free(&o->env);
	o->letter = (struct letter){ .env = &o->env, .size = -1 };
	o->texting = o->ended = o->seven = o->eight = o->asks = o->again = false;
	kill_it(o, NULL);
	o->code = 0;
}

static void
drop_session(struct smtp_out *o)
{
	if (o->begun)
		session_drop(&o->session);
	o->begun = o->used = o->begins = false;
}

/* ---- answers ---- */

static void
refuse(struct smtp_out *o, unsigned token, const char *why)
{
	deliver_say(&o->d, token, 451, "4.4.0", why);
}

/* `250 2.0.0 kept' without the codes. */
static struct span
without_codes(struct span words, bool status)
{
	for (int i = 0; i < 1 + status; i++) {
		size_t n = span_find(words, ' ');

		words = span_from(words, n < words.n ? n + 1 : n);
	}
	return words;
}

/* What the server said; no 3xx, and no 421, which would be about another session. */
static void
pass_on(struct smtp_out *o, unsigned token)
{
	const struct reply *r = &client(o)->said;
	struct buf text = {0};
	struct span words;
	int code = r->code;

	reply_words(&text, r);
	words = without_codes(buf_span(&text), *r->status != '\0');
	if (code / 100 == 2)
		code = 250;
	else if (code / 100 == 3 || code == 421)
		code = 451;
	buf_addc(&text, '\0');
	deliver_say(&o->d, token, code, *r->status != '\0' && *r->status - '0' ==
	    code / 100 ? r->status : code / 100 == 2 ? "2.0.0" : code / 100 == 4 ?
	    "4.0.0" : "5.0.0", words.n > 0 ? words.p : "ok");
	buf_free(&text);
}

/* Whoever waits is told; the rest of the transaction will be. */
static void
lost(struct smtp_out *o, const char *why)
{
	kill_it(o, why);
	drop_session(o);
	refuse(o, o->awaited, why);
	o->awaited = 0;
}

/*
 * The verdict on the text, where it was heard before the session ended: the outcome of
 * somebody who has it, or, if nobody was left without one, of somebody who was refused.
 */
static const struct outcome *
verdict(const struct smtp_out *o)
{
	const struct outcome *refusal = NULL;

	for (size_t i = 0; o->ended && i < o->env.rcpts.n; i++) {
		const struct outcome *m = &o->letter.met[i];

		if (m->fate == FATE_DELIVERED || m->fate == FATE_RELAYED)
			return m;
		if (m->fate == FATE_NONE || m->code == 0)
			return NULL;
		refusal = m;
	}
	return refusal;
}

static void
pass_verdict(struct smtp_out *o, const struct outcome *m)
{
	int code = m->code / 100 == 2 ? 250 : m->code == 421 ? 451 : m->code;
	struct span text = span_of(m->text != NULL ? m->text : ""), rest;
	bool coded;

	rest = without_codes(text, false);
	coded = span_starts(rest, m->status);
	deliver_say(&o->d, o->awaited, code, m->status,
	    without_codes(text, coded).p);
	o->awaited = 0;
}

/* The reply that is due has come. */
static void
answered(struct smtp_out *o)
{
	unsigned token = o->awaited;

	o->awaited = 0;
	o->asks = false;
	if (token != 0)
		pass_on(o, token);
	else if (o->texting && !o->ended && client(o)->want == WANT_WORK) {
		/* DATA was refused: the end will hear of it */
		o->code = client(o)->said.code;
	}
}

/* ---- what is said ---- */

static const char *
unfit(struct smtp_out *o)
{
	const struct ehlo *h = &client(o)->server;

	if (o->env.smtputf8 && !(h->offers & EXT_SMTPUTF8))
		return "5.6.7";
	return NULL;
}

static void
ask_mail(struct smtp_out *o)
{
	o->again = false;
	o->begins = !o->used;
	o->used = true;
	client_try(client(o), &o->letter, false);
}

static void
say_mail(struct smtp_out *o, struct question *q)
{
	const char *status;

	reset(o);
	o->env = q->env;
	q->env = (struct envelope){0};
	if ((status = unfit(o)) != NULL) {
		deliver_say(&o->d, q->token, 554, status,
		    "SMTPUTF8 is not spoken there");
		return;
	}
	if (client(o)->server.size > 0 && q->size > client(o)->server.size) {
		deliver_say(&o->d, q->token, 552, "5.3.4", "larger than is taken there");
		return;
	}
	o->seven = o->env.body == BODY_8BITMIME &&
	    !(client(o)->server.offers & EXT_8BITMIME);
	o->awaited = q->token;
	o->asks = true;
	ask_mail(o);
}

static void
say_rcpt(struct smtp_out *o, struct question *q)
{
	struct rcpt *r = &q->env.rcpts.p[0];
	size_t n = o->env.rcpts.n;

	if (o->dead != NULL) {
		refuse(o, q->token, o->dead);
		return;
	}
	/* RFC 2033: a verdict for each, and the sender hears one */
	if (o->lmtp && o->letter.accepted > 0) {
		deliver_say(&o->d, q->token, 452, "4.5.3", "one recipient at a time");
		return;
	}
	*vec_add(&o->env.rcpts) = *r;
	*r = (struct rcpt){0};
	o->env.rcpts.p[n].selected = true;
	o->letter.met = must(realloc(o->letter.met, (n + 1) * sizeof *o->letter.met));
	o->letter.met[n] = (struct outcome){0};
	o->awaited = q->token;
	client_rcpt(client(o), &o->letter, n);
}

/* DATA, once: the text can be given when its reply is there. */
static void
begin_text(struct smtp_out *o)
{
	if (o->texting || o->dead != NULL)
		return;
	o->texting = true;
	client_go_on(client(o), &o->letter);
}

static void
say_end(struct smtp_out *o, struct question *q)
{
	if (o->eight) {
		deliver_say(&o->d, q->token, 554, "5.6.3", "8BITMIME is not spoken there");
		return;
	}
	if (o->dead != NULL) {
		refuse(o, q->token, o->dead);
		return;
	}
	o->awaited = q->token;
	if (o->code != 0) {	/* DATA's reply is its, too */
		pass_on(o, q->token);
		o->awaited = 0;
		return;
	}
	o->ended = true;
	if (!client_text_end(client(o)))
		lost(o, "the text was not as long as it was said to be");
}

static void
say_text(struct smtp_out *o, struct span piece)
{
	if (o->dead != NULL || o->code != 0)
		return;
	o->eight = o->seven && !text_is_ascii(piece);
	if (o->eight) {		/* there is no other way to end it */
		drop_session(o);
		kill_it(o, "8-bit text");
	} else {
		client_text(client(o), piece);
	}
}

/* In the middle of a text there is no other way than to hang up. */
static void
forget(struct smtp_out *o)
{
	if (o->begun && client(o)->want == WANT_TEXT)
		drop_session(o);
	reset(o);
}

/* Can this question be dealt with in the state the session is in? */
static bool
can(struct smtp_out *o, const struct question *q)
{
	if (o->awaited != 0)
		return false;
	if (o->dead != NULL && q->about != ABOUT_MAIL)
		return true;
	if (!o->begun && q->about == ABOUT_FORGET)
		return true;
	if (!o->begun || o->session.step != STEP_OPEN)
		return false;
	if (q->about == ABOUT_FORGET)
		return client(o)->want != WANT_BYTES;
	if (q->about == ABOUT_TEXT || q->about == ABOUT_END) {
		if (o->code == 0)
			begin_text(o);
		return o->code != 0 || (client(o)->want == WANT_TEXT &&
		    client(o)->out.n < OUT_ENOUGH);
	}
	return client(o)->want == WANT_WORK;
}

static void
deal_with(struct smtp_out *o, struct question *q)
{
	switch (q->about) {
	case ABOUT_MAIL:
		say_mail(o, q);
		break;
	case ABOUT_RCPT:
		say_rcpt(o, q);
		break;
	case ABOUT_TEXT:
		o->octets -= q->text.n;
		say_text(o, buf_span(&q->text));
		break;
	case ABOUT_END:
		say_end(o, q);
		break;
	default:
		forget(o);
	}
	envelope_free(&q->env);
	buf_free(&q->text);
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
		reset(o);
		refuse(o, q->token, why);
		envelope_free(&q->env);
		o->head++;
	} else {
		kill_it(o, why);
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
	drop_session(o);
	if (o->again)
		lost(o, e.text);
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
	const struct outcome *m = o->awaited != 0 ? verdict(o) : NULL;

	if (opened && m != NULL) {
		pass_verdict(o, m);
		drop_session(o);
	} else if (opened && may_ask_again(o)) {
		drop_session(o);
		o->again = true;
	} else if (!opened && o->again) {
		o->again = false;
		lost(o, why);
	} else if (opened && (o->awaited != 0 || o->texting || o->letter.mail_code != 0)) {
		lost(o, why);
	} else {
		drop_session(o);
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
			reset(o);
		if (call(o) && o->begun) {
			r = session_move(&o->session, &e);
			more = r > 0;
			if (r < 0 || client(o)->want == WANT_NOTHING) {
				over(o, r < 0 ? e.text : "the session ended");
				err_clear(&e);
				more = true;
			} else if (o->session.step == STEP_OPEN && o->again) {
				if (client(o)->want == WANT_WORK)
					ask_mail(o);
				more = true;
			} else if (o->session.step == STEP_OPEN &&
			    (client(o)->want == WANT_WORK ||
			    client(o)->want == WANT_TEXT)) {
				answered(o);
			}
		}
		while (waits(o) && can(o, &o->queue.p[o->head])) {
			deal_with(o, &o->queue.p[o->head++]);
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

static void
settle(struct deliver *d)
{
	(void)d;
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
		drop_session(o);
	reset(o);
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
	reset(o);
	return &o->d;
}
