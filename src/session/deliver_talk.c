/* One message to a server that is a target: what is said, and what its answers mean. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "session/deliver_smtp.h"

#define OUT_ENOUGH 65536

static struct client *
client(struct smtp_out *o)
{
	return &o->session.client;
}

void
smtp_out_kill(struct smtp_out *o, const char *why)
{
	free(o->dead);
	o->dead = why != NULL ? span_dup(span_of(why)) : NULL;
}

void
smtp_out_reset(struct smtp_out *o)
{
	letter_free_met(&o->letter);
	envelope_free(&o->env);
	o->letter = (struct letter){ .env = &o->env, .size = -1 };
	o->texting = o->ended = o->seven = o->eight = o->asks = o->again = false;
	smtp_out_kill(o, NULL);
	o->code = 0;
}

void
smtp_out_drop(struct smtp_out *o)
{
	if (o->begun)
		session_drop(&o->session);
	o->begun = o->used = o->begins = false;
}

/* ---- answers ---- */

void
smtp_out_refuse(struct smtp_out *o, unsigned token, const char *why)
{
	deliver_fail(&o->d, token, 451, "4.4.0", why);
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

void
smtp_out_lost(struct smtp_out *o, const char *why)
{
	smtp_out_kill(o, why);
	smtp_out_drop(o);
	smtp_out_refuse(o, o->awaited, why);
	o->awaited = 0;
}

const struct outcome *
smtp_out_verdict(const struct smtp_out *o)
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

void
smtp_out_pass(struct smtp_out *o, const struct outcome *m)
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

void
smtp_out_answered(struct smtp_out *o)
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

void
smtp_out_ask(struct smtp_out *o)
{
	o->again = false;
	o->begins = !o->used;
	o->used = true;
	client_try(client(o), &o->letter, false);
}

static void
say_mail(struct smtp_out *o, struct question *q)
{
	const struct ehlo *h = &client(o)->server;

	smtp_out_reset(o);
	o->env = q->env;
	q->env = (struct envelope){0};
	if (o->env.smtputf8 && !(h->offers & EXT_SMTPUTF8)) {
		deliver_say(&o->d, q->token, 554, "5.6.7",
		    "SMTPUTF8 is not spoken there");
		return;
	}
	if (h->size > 0 && q->size > h->size) {
		deliver_say(&o->d, q->token, 552, "5.3.4", "larger than is taken there");
		return;
	}
	o->seven = o->env.body == BODY_8BITMIME && !(h->offers & EXT_8BITMIME);
	o->awaited = q->token;
	o->asks = true;
	smtp_out_ask(o);
}

static void
say_rcpt(struct smtp_out *o, struct question *q)
{
	struct rcpt *r = &q->env.rcpts.p[0];
	size_t n = o->env.rcpts.n;

	if (o->dead != NULL) {
		smtp_out_refuse(o, q->token, o->dead);
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
		smtp_out_refuse(o, q->token, o->dead);
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
		smtp_out_lost(o, "the text was not as long as it was said to be");
}

static void
say_text(struct smtp_out *o, struct span piece)
{
	if (o->dead != NULL || o->code != 0)
		return;
	o->eight = o->seven && !text_is_ascii(piece);
	if (o->eight) {		/* there is no other way to end it */
		smtp_out_drop(o);
		smtp_out_kill(o, "8-bit text");
	} else {
		client_text(client(o), piece);
	}
}

/* In the middle of a text there is no other way than to hang up. */
static void
forget(struct smtp_out *o)
{
	if (o->begun && client(o)->want == WANT_TEXT)
		smtp_out_drop(o);
	smtp_out_reset(o);
}

bool
smtp_out_can(struct smtp_out *o, const struct question *q)
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

void
smtp_out_deal(struct smtp_out *o, struct question *q)
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
