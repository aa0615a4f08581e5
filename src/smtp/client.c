#include "smtp/client.h"

#include <stdio.h>
#include <string.h>

#include "wire/command.h"
#include "wire/dot.h"

#define OUT_ENOUGH 32768	/* octets of commands in `out` at most */

typedef void answered_fn(struct client *, const struct asked *,
    const struct reply *);

static answered_fn on_greeting, on_ehlo, on_helo, on_rset, on_mail, on_rcpt,
    on_data, on_text, on_etrn, on_quit;

static const struct {
	const char *word;
	bool alone;	/* ends a pipelined group, RFC 2920 section 3.1 */
	int seconds;	/* patience, RFC 5321 section 4.5.3.2 */
	answered_fn *answered;
} verbs[V_LAST] = {
	[V_GREETING] = { "greeting", true, 300, on_greeting },
	[V_EHLO] = { "EHLO", true, 300, on_ehlo },
	[V_HELO] = { "HELO", true, 300, on_helo },
	[V_RSET] = { "RSET", false, 300, on_rset },
	[V_MAIL] = { "MAIL", false, 300, on_mail },
	[V_RCPT] = { "RCPT", false, 300, on_rcpt },
	[V_DATA] = { "DATA", true, 120, on_data },
	[V_TEXT] = { "end of text", true, 600, on_text },
	[V_ETRN] = { "ETRN", true, 300, on_etrn },
	[V_QUIT] = { "QUIT", true, 2, on_quit },
};

static void
ask(struct client *c, enum verb verb, size_t rcpt)
{
	*vec_add(&c->asked) = (struct asked){ verb, rcpt };
}

static bool
may_speak(const struct client *c)
{
	if (c->sent == c->asked.n || c->out.n >= OUT_ENOUGH)
		return false;
	if (c->answered == c->sent)
		return true;			/* nothing unanswered */
	return (c->server.offers & EXT_PIPELINING) &&
	    !verbs[c->asked.p[c->sent - 1].verb].alone;
}

static void
say(struct client *c, const struct asked *a)
{
	const struct envelope *v = c->letter ? c->letter->env : NULL;

	switch (a->verb) {
	case V_EHLO:
	case V_HELO:
		buf_addf(&c->out, "%s %s\r\n", verbs[a->verb].word, c->helo);
		break;
	case V_MAIL:
		command_mail(&c->out, v, &c->server, c->letter->size);
		break;
	case V_RCPT:
		command_rcpt(&c->out, &v->rcpts.p[a->rcpt], &c->server);
		break;
	case V_ETRN:
		buf_addf(&c->out, "ETRN %s\r\n", c->node);
		break;
	case V_GREETING:
	case V_TEXT:
		break;
	default:
		buf_addf(&c->out, "%s\r\n", verbs[a->verb].word);
	}
}

void
client_speak(struct client *c)
{
	while (may_speak(c))
		say(c, &c->asked.p[c->sent++]);
}

void
client_start(struct client *c, const char *helo, unsigned flags)
{
	*c = (struct client){ .want = WANT_BYTES, .flags = flags };
	c->helo = span_dup(span_of(helo));
	ask(c, V_GREETING, 0);
	client_speak(c);
}

/* Back to idle: what was asked is answered. */
static void
idle(struct client *c)
{
	c->asked.n = c->sent = c->answered = 0;
	c->letter = NULL;
	c->want = WANT_WORK;
}

static void
broken(struct client *c, const char *why)
{
	if (c->letter != NULL)
		letter_all(c->letter, FATE_DEFERRED, "4.5.0", why);
	c->want = WANT_NOTHING;
}

static void
on_greeting(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	if (r->code == 220) {
		ask(c, c->flags & CLIENT_HELO ? V_HELO : V_EHLO, 0);
	} else {
		/* a 554 greeting: polite still, RFC 5321 section 3.1 */
		c->want = WANT_NOTHING;
		buf_adds(&c->out, "QUIT\r\n");
	}
}

static void
on_ehlo(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	if (r->code / 100 == 2) {
		ehlo_parse(&c->server, r);
		c->greeted = true;
		idle(c);
	} else if (r->code / 100 == 5) {
		ask(c, V_HELO, 0);	/* RFC 5321 section 3.2 */
	} else {
		c->want = WANT_NOTHING;
		buf_adds(&c->out, "QUIT\r\n");
	}
}

static void
on_helo(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	if (r->code / 100 == 2) {
		c->server = (struct ehlo){0};
		c->greeted = true;
		idle(c);
	} else {
		c->want = WANT_NOTHING;
		buf_adds(&c->out, "QUIT\r\n");
	}
}

static void
on_rset(struct client *c, const struct asked *a, const struct reply *r)
{
	struct buf words = {0};

	(void)a;
	if (r->code / 100 == 2)
		return;
	/* even a 5xx: it is not this letter that was refused */
	reply_words(&words, r);
	letter_all(c->letter, FATE_DEFERRED, "4.5.0", buf_str(&words));
	buf_free(&words);
}

static void
on_mail(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	if (r->code / 100 >= 4)
		letter_refused(c->letter, r);
	else if (r->code / 100 != 2)
		broken(c, "the server answered MAIL with a 3xx");
}

/*
 * 552 at RCPT means 452 (RFC 5321 section 4.5.3.1.10): too many, not never.
 * Behind accepted recipients, and without words to the contrary, the rest goes
 * in another transaction.
 */
static void
on_rcpt(struct client *c, const struct asked *a, const struct reply *r)
{
	struct outcome *o = &c->letter->met[a->rcpt];
	bool room = r->code == 452 || r->code == 552;

	if (o->fate != FATE_NONE) {	/* MAIL was refused: an echo, or not */
		c->stray = c->stray || r->code / 100 == 2;
		return;
	}
	if (r->code / 100 == 2) {
		c->letter->accepted++;
		o->code = r->code;
		return;
	}
	if (r->code / 100 == 3) {
		broken(c, "the server answered RCPT with a 3xx");
		return;
	}
	outcome_refused(o, r);
	if (!room)
		return;
	o->fate = FATE_DEFERRED;
	o->status[0] = '4';
	if (c->letter->accepted > 0 && (*r->status == '\0' ||
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
static void
on_data(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	if (r->code == 354 && c->letter->accepted > 0) {
		c->want = WANT_TEXT;
		c->bol = true;
	} else if (r->code == 354 && c->stray) {
		broken(c, "the server goes on with a transaction it refused");
	} else if (r->code == 354) {
		c->useless = true;
		buf_adds(&c->out, ".\r\n");
		ask(c, V_TEXT, 0);
	} else if (r->code / 100 >= 4) {
		letter_refused(c->letter, r);
	} else {
		broken(c, "the server answered DATA without a 354");
	}
}

static void
on_text(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	c->text_out = false;
	if (c->useless) {
		c->useless = false;
		return;
	}
	if (r->code / 100 == 2 && c->out.n > 0)
		broken(c, CLIENT_DOUBT "the server answered before it had "
		    "the whole text");
	else if (r->code / 100 == 2)
		letter_accepted(c->letter, r, c->server.offers & EXT_DSN);
	else if (r->code / 100 >= 4)
		letter_refused(c->letter, r);
	else
		broken(c, "the server answered the text with a 3xx");
}

static void
on_etrn(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)c, (void)a, (void)r;	/* the reply stands in `said` */
}

static void
on_quit(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a, (void)r;
	c->want = WANT_NOTHING;
}

/* DATA is only worth saying in lock step when somebody was accepted. */
static void
skip_useless(struct client *c)
{
	const struct asked *a;

	while (c->letter != NULL && c->sent < c->asked.n &&
	    c->sent == c->answered) {
		a = &c->asked.p[c->sent];
		if (a->verb == V_RCPT ? letter_means(c->letter, a->rcpt) :
		    a->verb == V_DATA ? c->letter->accepted > 0 : true)
			return;
		c->sent++;
		c->answered++;
	}
}

/* What a reply is awaited for. */
static enum verb
due(const struct client *c)
{
	return c->answered < c->asked.n ? c->asked.p[c->answered].verb :
	    c->said_to;
}

static int
closing(struct client *c, struct err *e)
{
	struct buf words = {0};

	reply_words(&words, &c->said);
	if (c->letter != NULL)
		letter_all(c->letter, FATE_DEFERRED,
		    *c->said.status == '4' ? c->said.status : "4.3.2",
		    buf_str(&words));
	c->want = WANT_NOTHING;
	err_set(e, FAULT_TEMP, "%s: %s", client_stage(c), buf_str(&words));
	buf_free(&words);
	return -1;
}

static int
heard(struct client *c, struct err *e)
{
	struct asked a;

	if (c->said.code == 421) {
		c->said_to = due(c);
		return closing(c, e);
	}
	if (c->answered == c->sent) {
		struct buf words = {0};

		reply_words(&words, &c->said);
		err_set(e, FAULT_PROTO, "a reply to nothing: %s",
		    buf_str(&words));
		buf_free(&words);
		return -1;
	}
	a = c->asked.p[c->answered++];
	c->said_to = a.verb;
	verbs[a.verb].answered(c, &a, &c->said);
	if (c->want != WANT_BYTES)
		return 0;
	skip_useless(c);
	if (c->answered == c->asked.n)
		idle(c);
	else
		client_speak(c);
	return 0;
}

/* A greeting or EHLO that ended the session. */
static int
turned_away(struct client *c, struct err *e)
{
	struct buf words = {0};

	reply_words(&words, &c->said);
	err_set(e, c->said.code / 100 == 3 || c->said.code / 100 == 2 ?
	    FAULT_PROTO : FAULT_TEMP, "%s: %s", verbs[c->said_to].word,
	    buf_str(&words));
	buf_free(&words);
	return -1;
}

int
client_feed(struct client *c, struct span in, struct err *e)
{
	ssize_t n;

	buf_addspan(&c->in, in);
	while (c->want != WANT_NOTHING && c->in.n > 0 &&
	    (c->want == WANT_BYTES || c->want == WANT_TEXT ||
	    c->want == WANT_WORK)) {
		n = reply_parse(&c->said, buf_span(&c->in), e);
		if (n == 0)
			return 0;
		if (n > 0 && heard(c, e) == 0) {
			buf_drop(&c->in, (size_t)n);
			if (c->want == WANT_NOTHING && !c->greeted)
				return turned_away(c, e);
			continue;
		}
		client_lost(c, e->text);
		return -1;
	}
	return 0;
}

/* It was not in this transaction: what it was told is all that is known. */
static void
not_again(struct outcome *o)
{
	if (o->again)
		o->fate = FATE_DEFERRED;
	o->again = false;
}

void
client_lost(struct client *c, const char *why)
{
	struct buf text = {0};

	if (c->letter != NULL) {
		if (c->text_out && !c->useless)
			buf_adds(&text, CLIENT_DOUBT);
		buf_adds(&text, why);
		for (size_t i = 0; i < c->letter->env->rcpts.n; i++)
			not_again(&c->letter->met[i]);
		letter_all(c->letter, FATE_DEFERRED, "4.4.2", buf_str(&text));
	}
	buf_free(&text);
	c->want = WANT_NOTHING;
}

void
client_mail(struct client *c, struct letter *l)
{
	c->letter = l;
	l->accepted = 0;
	c->stray = false;
	c->want = WANT_BYTES;
	/*
	 * Some servers keep a transaction open that had no valid recipient; the
	 * next message would go out under the previous sender.
	 */
	if (c->mails++ > 0)
		ask(c, V_RSET, 0);
	ask(c, V_MAIL, 0);
	for (size_t i = 0; i < l->env->rcpts.n; i++) {
		l->met[i].again = false;
		if (letter_means(l, i))
			ask(c, V_RCPT, i);
	}
	ask(c, V_DATA, 0);
	client_speak(c);
}

void
client_etrn(struct client *c, const char *node)
{
	c->node = node;
	c->want = WANT_BYTES;
	ask(c, V_ETRN, 0);
	client_speak(c);
}

void
client_quit(struct client *c)
{
	c->want = WANT_BYTES;
	ask(c, V_QUIT, 0);
	client_speak(c);
}

void
client_text(struct client *c, struct span piece)
{
	dot_stuff(&c->out, piece, &c->bol);
}

void
client_text_end(struct client *c)
{
	buf_adds(&c->out, c->bol ? ".\r\n" : "\r\n.\r\n");
	c->text_out = true;
	c->want = WANT_BYTES;
	ask(c, V_TEXT, 0);
	client_speak(c);
}

int
client_patience(const struct client *c)
{
	return verbs[due(c)].seconds;
}

const char *
client_stage(const struct client *c)
{
	return verbs[due(c)].word;
}

void
client_free(struct client *c)
{
	buf_free(&c->out);
	buf_free(&c->in);
	reply_free(&c->said);
	vec_free(&c->asked);
	free(c->helo);
	*c = (struct client){ .want = WANT_NOTHING };
}
