/* MAIL, RCPT, DATA or BDAT, and the text: one transaction or several in a row. */
#include <string.h>

#include "smtp/verbs.h"
#include "wire/command.h"
#include "wire/dot.h"

void
on_rset(struct client *c, const struct asked *a, const struct reply *r)
{
	struct buf words = {0};

	(void)c;
	if (r->code / 100 == 2 || a->letter == NULL)
		return;
	/* even a 5xx: it is not this letter that was refused */
	reply_words(&words, r);
	letter_lost(a->letter, false, "4.5.0", buf_str(&words));
	buf_free(&words);
}

void
on_mail(struct client *c, const struct asked *a, const struct reply *r)
{
	a->letter->mail_code = r->code;
	if (r->code / 100 >= 4)
		letter_refused(a->letter, r);
	else if (r->code / 100 != 2)
		client_broken(c, a->letter, "the server answered MAIL with a 3xx");
}

/*
 * 552 at RCPT means 452 (RFC 5321 section 4.5.3.1.10): too many, not never.
 * Behind accepted recipients, and without words to the contrary, the rest goes
 * in another transaction.
 */
void
on_rcpt(struct client *c, const struct asked *a, const struct reply *r)
{
	struct outcome *o = &a->letter->met[a->rcpt];
	bool room = r->code == 452 || r->code == 552;

	if (o->fate != FATE_NONE) {	/* MAIL was refused: an echo, or not */
		o->stray = r->code / 100 == 2;
		a->letter->stray = a->letter->stray || o->stray;
		return;
	}
	if (r->code / 100 == 2) {
		a->letter->accepted++;
		o->code = r->code;
		return;
	}
	if (r->code / 100 == 3) {
		client_broken(c, a->letter, "the server answered RCPT with a 3xx");
		return;
	}
	outcome_refused(o, r);
	if (!room)
		return;
	o->fate = FATE_DEFERRED;
	o->status[0] = '4';
	if (a->letter->accepted > 0 && (*r->status == '\0' ||
	    strcmp(r->status + 1, ".5.3") == 0)) {
		o->fate = FATE_NONE;
		o->again = true;
	}
}

/*
 * Pipelined DATA may be accepted although every recipient was refused; the
 * server then waits for a text.  An empty one satisfies it, and its verdict
 * changes nothing (RFC 2920 section 3.1).  Unless it has taken recipients behind
 * a RSET or MAIL that it refused: they would get the empty text.
 */
void
on_data(struct client *c, const struct asked *a, const struct reply *r)
{
	struct letter *l = a->letter;

	if (r->code == 354 && l->accepted > 0) {
		c->want = WANT_TEXT;
		c->texting = l;
		c->text_said = 0;
		c->bol = true;
	} else if (r->code == 354 && l->stray) {
		client_broken(c, l, "the server goes on with a transaction it "
		    "refused");
	} else if (r->code == 354) {
		l->useless = true;
		buf_adds(&c->out, ".\r\n");
		client_ask(c, V_TEXT, l, 0);
		c->sent++;
	} else if (r->code / 100 >= 4) {
		letter_refused(l, r);
	} else {
		client_broken(c, l, "the server answered DATA without a 354");
	}
}

/* The reply to the whole text. */
static void
verdict(struct client *c, struct letter *l, const struct reply *r)
{
	static const char odd[] = "the server answered the text with a 3xx";
	bool dsn = c->server.offers & EXT_DSN;

	if (r->code / 100 == 2 && (!l->text_said || c->taken < l->end)) {
		letter_lost(l, true, "4.5.0", "the server answered before it had "
		    "the whole text");
		c->want = WANT_NOTHING;
	} else if (r->code / 100 == 3) {
		if (c->flags & CLIENT_LMTP)
			letter_verdict(l, r, dsn);
		else
			letter_all(l, FATE_DEFERRED, "4.5.0", odd);
		client_broken(c, l, odd);
	} else if (c->flags & CLIENT_LMTP) {
		letter_verdict(l, r, dsn);
	} else if (r->code / 100 == 2) {
		letter_accepted(l, r, dsn);
	} else {
		letter_refused(l, r);
	}
	c->accepted += r->code / 100 == 2;
}

void
on_text(struct client *c, const struct asked *a, const struct reply *r)
{
	if (!a->letter->useless)
		verdict(c, a->letter, r);
}

/*
 * A refused chunk ends the transaction (RFC 3030 section 2); those behind it
 * get an echo.  The text went on its way before anybody was asked: with no
 * recipient a 2xx is for nobody.  But a server that took a recipient behind a MAIL
 * it refused may now have sent it, under a name we do not know; by LMTP it may say
 * so of each, whatever it says first, and that would answer the next command.
 */
void
on_bdat(struct client *c, const struct asked *a, const struct reply *r)
{
	struct letter *l = a->letter;

	if (a->last && l->stray && l->accepted == 0 &&
	    (r->code / 100 == 2 || (c->flags & CLIENT_LMTP))) {
		letter_stray(l);
		letter_lost(l, true, "4.5.0", "the server goes on with a "
		    "transaction it refused");
		c->want = WANT_NOTHING;
	} else if (l->accepted == 0) {
		return;
	} else if (a->last) {
		verdict(c, l, r);
	} else if (r->code / 100 >= 4) {
		letter_refused(l, r);
	} else if (r->code / 100 != 2) {
		client_broken(c, l, "the server answered BDAT with a 3xx");
	}
}

/* Without PIPELINING each chunk would wait for a reply: one, or DATA. */
static bool
chunking(const struct client *c, const struct letter *l)
{
	return (c->server.offers & EXT_CHUNKING) &&
	    !(c->flags & CLIENT_NO_CHUNKING) &&
	    ((c->server.offers & EXT_PIPELINING) ||
	    (l->size >= 0 && l->size <= CLIENT_CHUNK));
}

void
client_skip_useless(struct client *c)
{
	struct asked *a;

	while (c->sent < c->asked.n && c->sent == c->answered) {
		a = &c->asked.p[c->sent];
		if (a->letter == NULL ||
		    (a->verb == V_RCPT ? letter_means(a->letter, a->rcpt) :
		    a->verb == V_DATA || a->verb == V_BDAT ?
		    a->letter->accepted > 0 : true))
			return;
		c->sent++;
		c->answered++;
		if (--a->letter->open == 0)
			a->letter->under_way = false;
	}
}

void
client_say_mail(struct client *c, const struct asked *a)
{
	if (a->verb == V_MAIL)
		command_mail(&c->out, a->letter->env, &c->server,
		    a->letter->size);
	else if (a->verb == V_RCPT)
		command_rcpt(&c->out, &a->letter->env->rcpts.p[a->rcpt],
		    &c->server);
}

bool
client_takes_mail(const struct client *c)
{
	enum verb v;

	if (c->want == WANT_WORK)
		return c->greeted;
	if (c->want != WANT_BYTES || !c->greeted || c->sent < c->asked.n ||
	    c->asked.n == 0 || !(c->server.offers & EXT_PIPELINING))
		return false;
	v = c->asked.p[c->asked.n - 1].verb;
	return v == V_TEXT || v == V_BDAT;
}

static void
begin(struct client *c, struct letter *l)
{
	l->accepted = l->open = 0;
	l->lost = l->text_said = l->useless = l->stray = false;
	l->mail_code = 0;
	l->under_way = true;
	letter_limit(l, &c->server);
	c->want = WANT_BYTES;
	/*
	 * Some servers keep a transaction open that had no valid recipient; the
	 * next message would go out under the previous sender.
	 */
	if (c->mails++ > 0)
		client_ask(c, V_RSET, l, 0);
	client_ask(c, V_MAIL, l, 0);
}

static void
ask_rcpts(struct client *c, struct letter *l)
{
	for (size_t i = 0; i < l->env->rcpts.n; i++)
		if (letter_means(l, i))
			client_ask(c, V_RCPT, l, i);
}

void
client_mail(struct client *c, struct letter *l)
{
	begin(c, l);
	ask_rcpts(c, l);
	client_ask(c, chunking(c, l) ? V_BDAT : V_DATA, l, 0);
	client_speak(c);
}

void
client_try(struct client *c, struct letter *l, bool rcpt_too)
{
	begin(c, l);
	if (rcpt_too)
		ask_rcpts(c, l);
	client_speak(c);
}

void
client_rcpt(struct client *c, struct letter *l, size_t rcpt)
{
	l->under_way = true;
	c->want = WANT_BYTES;
	client_ask(c, V_RCPT, l, rcpt);
	client_speak(c);
}

void
client_go_on(struct client *c, struct letter *l)
{
	l->under_way = true;
	c->want = WANT_BYTES;
	client_ask(c, chunking(c, l) ? V_BDAT : V_DATA, l, 0);
	client_speak(c);
}

bool
client_text_plain(const struct client *c)
{
	return c->asked.n > 0 && c->asked.p[c->asked.n - 1].verb == V_BDAT;
}

/* The BDAT that was asked for and not said yet, or another one. */
static void
announce(struct client *c, size_t n, bool last)
{
	struct asked *a;

	if (c->sent == c->asked.n)
		client_ask(c, V_BDAT, c->texting, 0);
	a = &c->asked.p[c->sent++];
	a->last = last;
	c->last_chunk = last;
	c->chunk_left = n;
	buf_addf(&c->out, last ? "BDAT %zu LAST\r\n" : "BDAT %zu\r\n", n);
}

/* The last octet is, or comes `beside` octets behind what is in `out`. */
static void
all_said(struct client *c, size_t beside)
{
	c->texting->text_said = true;
	c->texting->end = c->taken + c->out.n + beside;
}

size_t
client_chunk(struct client *c, size_t n)
{
	int64_t left = c->texting->size - c->text_said;

	if (c->chunk_left == 0 && c->texting->size < 0)
		announce(c, n, false);
	else if (c->chunk_left == 0 && left <= 0)
		return 0;
	else if (c->chunk_left == 0)
		announce(c, left < CLIENT_CHUNK ? (size_t)left : CLIENT_CHUNK,
		    left <= CLIENT_CHUNK);
	n = n < c->chunk_left ? n : c->chunk_left;
	c->chunk_left -= n;
	c->text_said += (int64_t)n;
	if (c->chunk_left == 0 && c->last_chunk)
		all_said(c, n);		/* whether the driver knows it or not */
	return n;
}

void
client_beside(struct client *c, size_t n)
{
	c->taken += n;
}

bool
client_text(struct client *c, struct span piece)
{
	size_t n;

	if (!client_text_plain(c)) {
		c->text_said += (int64_t)piece.n;
		dot_stuff(&c->out, piece, &c->bol);
		return true;
	}
	while (piece.n > 0) {
		if ((n = client_chunk(c, piece.n)) == 0)
			return false;
		buf_add(&c->out, piece.p, n);
		piece = span_from(piece, n);
	}
	return true;
}

static void
text_is_out(struct client *c)
{
	if (c->texting->open == 0)	/* refused before it was all said */
		c->texting->under_way = false;
	c->texting = NULL;
	c->last_chunk = false;
	c->text_said = 0;
	c->want = WANT_BYTES;
	client_speak(c);
	if (c->answered == c->asked.n)
		client_idle(c);
}

bool
client_text_end(struct client *c)
{
	struct letter *l = c->texting;

	if (c->chunk_left > 0 || (l->size >= 0 && c->text_said != l->size))
		return false;
	if (!client_text_plain(c)) {
		buf_adds(&c->out, c->bol ? ".\r\n" : "\r\n.\r\n");
		client_ask(c, V_TEXT, l, 0);
		c->sent++;
	} else if (!c->last_chunk) {
		announce(c, 0, true);	/* an empty text, or its size was not known */
	}
	all_said(c, 0);
	text_is_out(c);
	return true;
}

/* Is everything about this letter answered, so that nobody else will be accepted? */
static bool
rcpts_answered(const struct client *c)
{
	for (size_t i = c->answered; i < c->sent; i++)
		if (c->asked.p[i].letter == c->texting &&
		    c->asked.p[i].verb != V_BDAT)
			return false;
	return true;
}

bool
client_text_useless(const struct client *c)
{
	if (!client_text_plain(c) || c->chunk_left > 0 || c->last_chunk ||
	    !rcpts_answered(c))
		return false;
	for (size_t i = 0; i < c->texting->env->rcpts.n; i++)
		if (letter_means(c->texting, i))
			return false;
	return true;
}

void
client_text_give_up(struct client *c)
{
	struct letter *l = c->texting;

	if (c->sent < c->asked.n) {	/* the BDAT was never said */
		c->asked.n--;
		l->open--;
	}
	text_is_out(c);
}
