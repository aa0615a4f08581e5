#include "smtp/client.h"

#include <string.h>

#include "smtp/verbs.h"

#define OUT_ENOUGH 65536	/* octets in `out` that commands are not added to */

static answered_fn on_etrn, on_turn, on_quit;

static const struct {
	const char *word;
	bool alone;	/* ends a pipelined group, RFC 2920 section 3.1 */
	int seconds;	/* patience, RFC 5321 section 4.5.3.2 */
	answered_fn *answered;
} verbs[V_LAST] = {
	[V_GREETING] = { "greeting", true, 300, on_greeting },
	[V_EHLO] = { "EHLO", true, 300, on_ehlo },
	[V_HELO] = { "HELO", true, 300, on_helo },
	[V_LHLO] = { "LHLO", true, 300, on_ehlo },
	[V_STARTTLS] = { "STARTTLS", true, 300, on_starttls },
	[V_AUTH] = { "AUTH", true, 300, on_auth },
	[V_ANSWER] = { "AUTH", true, 300, on_auth },
	[V_RSET] = { "RSET", false, 300, on_rset },
	[V_MAIL] = { "MAIL", false, 300, on_mail },
	[V_RCPT] = { "RCPT", false, 300, on_rcpt },
	[V_DATA] = { "DATA", true, 120, on_data },
	/* the text may begin a group, RFC 2920 section 3.1 */
	[V_TEXT] = { "end of text", false, 600, on_text },
	[V_BDAT] = { "BDAT", false, 600, on_bdat },
	[V_ETRN] = { "ETRN", true, 300, on_etrn },
	[V_ATRN] = { "ATRN", true, 600, on_turn },	/* RFC 2645 section 5.2.1 */
	[V_TURN] = { "TURN", true, 600, on_turn },
	[V_QUIT] = { "QUIT", true, 2, on_quit },
};

void
client_ask(struct client *c, enum verb verb, struct letter *l, size_t rcpt)
{
	*vec_add(&c->asked) = (struct asked){ verb, l, rcpt, false };
	if (l != NULL)
		l->open++;
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

/* False: it is not said but wants a text. */
static bool
say(struct client *c, const struct asked *a)
{
	switch (a->verb) {
	case V_EHLO:
	case V_HELO:
	case V_LHLO:
		buf_addf(&c->out, "%s %s\r\n", verbs[a->verb].word, c->helo);
		break;
	case V_AUTH:
	case V_ANSWER:
		buf_addspan(&c->out, buf_span(&c->line));
		buf_adds(&c->out, "\r\n");
		buf_wipe(&c->line);
		break;
	case V_MAIL:
	case V_RCPT:
		client_say_mail(c, a);
		break;
	case V_BDAT:
		c->want = WANT_TEXT;
		c->texting = a->letter;
		c->text_said = 0;
		return false;
	case V_ETRN:
		buf_addf(&c->out, "ETRN %s\r\n", c->node);
		break;
	case V_ATRN:
		buf_addf(&c->out, "ATRN%s%s\r\n", c->node != NULL ? " " : "",
		    c->node != NULL ? c->node : "");
		break;
	case V_GREETING:
	case V_TEXT:
		break;
	default:
		buf_addf(&c->out, "%s\r\n", verbs[a->verb].word);
	}
	return true;
}

void
client_speak(struct client *c)
{
	while (c->want == WANT_BYTES && may_speak(c) &&
	    say(c, &c->asked.p[c->sent]))
		c->sent++;
}

void
client_start(struct client *c, const char *helo, unsigned flags)
{
	*c = (struct client){ .want = WANT_BYTES, .flags = flags };
	c->helo = span_dup(span_of(helo));
	client_ask(c, V_GREETING, NULL, 0);
	client_speak(c);
}

void
client_idle(struct client *c)
{
	c->asked.n = c->sent = c->answered = 0;
	c->want = WANT_WORK;
}

/* Has the server all of its text, and owes a reply? */
static bool
in_doubt(const struct client *c, const struct letter *l)
{
	return l->text_said && c->taken >= l->end && l->open > 0 && !l->useless;
}

void
client_broken(struct client *c, struct letter *l, const char *why)
{
	if (in_doubt(c, l))
		letter_lost(l, true, "4.5.0", why);
	else
		letter_all(l, FATE_DEFERRED, "4.5.0", why);
	l->lost = true;
	c->want = WANT_NOTHING;
}

static void
on_etrn(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)c, (void)a, (void)r;	/* the reply stands in `said` */
}

static void
on_turn(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a;
	if (r->code != 250)
		return;
	client_idle(c);
	c->want = WANT_TURN;
}

static void
on_quit(struct client *c, const struct asked *a, const struct reply *r)
{
	(void)a, (void)r;
	c->want = WANT_NOTHING;
}

/* What a reply is awaited for. */
static enum verb
due(const struct client *c)
{
	return c->answered < c->asked.n ? c->asked.p[c->answered].verb :
	    c->said_to;
}

/* Every letter under way, in order, once. */
#define EACH_LETTER(c, l) \
	for (size_t i_ = (c)->answered; i_ < (c)->asked.n; i_++) \
		if (((l) = (c)->asked.p[i_].letter) != NULL && (l)->under_way)

static void
end_letter(struct letter *l, bool doubt, const char *status, const char *why)
{
	letter_lost(l, doubt, status, why);
	l->under_way = false;
	l->lost = true;
	l->open = 0;
}

/* The letter on whose whole text a reply is due; NULL. */
static struct letter *
verdict_due(const struct client *c)
{
	const struct asked *a = &c->asked.p[c->answered];

	if (c->answered == c->asked.n)
		return NULL;
	return a->verb == V_TEXT || (a->verb == V_BDAT && a->last) ? a->letter :
	    NULL;
}

/* The server goes; what it was asked it has not done, RFC 5321 section 3.8. */
static int
closing(struct client *c, struct err *e)
{
	const char *status = *c->said.status == '4' ? c->said.status : "4.3.2";
	struct buf words = {0};
	struct letter *l;

	reply_words(&words, &c->said);
	err_set(e, FAULT_TEMP, "%s: %s", client_stage(c), buf_str(&words));
	/* LMTP: it is the verdict on one; the next ones may have it already */
	if ((c->flags & CLIENT_LMTP) && (l = verdict_due(c)) != NULL &&
	    in_doubt(c, l)) {
		letter_verdict(l, &c->said, false);
		end_letter(l, true, status, words.p);
	}
	EACH_LETTER(c, l)
		end_letter(l, false, status, words.p);
	if (c->texting != NULL && c->texting->under_way)
		end_letter(c->texting, false, status, words.p);
	c->want = WANT_NOTHING;
	buf_free(&words);
	return -1;
}

static int
unasked(const struct reply *r, struct err *e)
{
	struct buf words = {0};

	reply_words(&words, r);
	err_set(e, FAULT_PROTO, "a reply to nothing: %s", buf_str(&words));
	buf_free(&words);
	return -1;
}

/* One more of what was asked is answered; LMTP answers a text more than once. */
static void
count(struct client *c, const struct asked *a)
{
	bool text = a->verb == V_TEXT || (a->verb == V_BDAT && a->last);

	if ((c->flags & CLIENT_LMTP) && text && letter_awaits_verdict(a->letter))
		return;
	c->answered++;
	if (a->letter != NULL && --a->letter->open == 0 &&
	    a->letter != c->texting)
		a->letter->under_way = false;
}

/* Answered ones go now and then: a session may last for ever. */
static void
compact(struct client *c)
{
	if (c->answered < 1024)
		return;
	memmove(c->asked.p, c->asked.p + c->answered,
	    (c->asked.n - c->answered) * sizeof *c->asked.p);
	c->asked.n -= c->answered;
	c->sent -= c->answered;
	c->answered = 0;
}

static int
heard(struct client *c, struct err *e)
{
	struct asked a;

	c->replies++;
	c->said_to = due(c);
	/* MAIL may be refused by a server that goes on to the next message */
	c->goodbye = c->said.code >= 400 && c->said_to == V_RSET;
	if (c->said.code == 421)
		return closing(c, e);
	if (c->answered == c->sent)
		return unasked(&c->said, e);
	a = c->asked.p[c->answered];
	if (a.letter == NULL)
		c->answered++;		/* what follows is asked from here */
	verbs[a.verb].answered(c, &a, &c->said);
	if (a.letter != NULL)
		count(c, &a);
	if (c->want != WANT_BYTES)
		return 0;
	client_skip_useless(c);
	if (c->answered == c->asked.n)
		client_idle(c);
	else
		client_speak(c);
	compact(c);
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

/* One reply, `n` octets at the front of `in`, was parsed. */
static int
one_reply(struct client *c, size_t n, size_t had, struct err *e)
{
	if (heard(c, e) < 0)
		return -1;
	/* whoever put them there wants them taken for the encrypted server's */
	if (c->want == WANT_TLS && had > n)
		return err_set(e, FAULT_TEMP, "STARTTLS: octets behind the "
		    "reply, in the clear: somebody may be in between");
	if (c->want == WANT_NOTHING && !c->greeted)
		return turned_away(c, e);
	return 0;
}

static bool
hears(const struct client *c)
{
	return c->want == WANT_BYTES || c->want == WANT_TEXT ||
	    c->want == WANT_WORK;
}

int
client_feed(struct client *c, struct span in, struct err *e)
{
	struct span rest;
	ssize_t n = 1;

	buf_addspan(&c->in, in);
	rest = buf_span(&c->in);
	while (n > 0 && rest.n > 0 && hears(c)) {
		n = reply_parse(&c->said, rest, e);
		if (n > 0 && one_reply(c, (size_t)n, rest.n, e) < 0)
			n = -1;
		rest = span_from(rest, n > 0 ? (size_t)n : 0);
	}
	buf_drop(&c->in, c->in.n - rest.n);
	if (n < 0 || c->want == WANT_NOTHING)
		client_lost(c, n < 0 ? e->text : "the session was broken off",
		    false);
	return n < 0 ? -1 : 0;
}

void
client_sent(struct client *c, size_t n)
{
	c->taken += n;
	buf_drop(&c->out, n);
}

static void
lose(struct client *c, struct letter *l, const char *why, bool sure)
{
	bool doubt = in_doubt(c, l) && !sure;

	if (doubt)
		letter_stray(l);
	end_letter(l, doubt, "4.4.2", why);
}

void
client_lost(struct client *c, const char *why, bool closed)
{
	bool sure = closed && c->goodbye && c->in.n == 0;
	struct letter *l;

	EACH_LETTER(c, l)
		lose(c, l, why, sure);
	if (c->texting != NULL && c->texting->under_way)
		lose(c, c->texting, why, sure);
	c->texting = NULL;
	c->want = WANT_NOTHING;
}

void
client_command(struct client *c, enum verb verb)
{
	c->want = WANT_BYTES;
	client_ask(c, verb, NULL, 0);
	client_speak(c);
}

void
client_etrn(struct client *c, const char *node)
{
	c->node = node;
	client_command(c, V_ETRN);
}

void
client_atrn(struct client *c, const char *domains)
{
	c->node = domains;
	client_command(c, V_ATRN);
}

void
client_turn(struct client *c)
{
	client_command(c, V_TURN);
}

void
client_quit(struct client *c)
{
	client_command(c, V_QUIT);
}

void
client_rset(struct client *c)
{
	client_command(c, V_RSET);
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
	buf_wipe(&c->line);
	reply_free(&c->said);
	vec_free(&c->asked);
	free(c->helo);
	*c = (struct client){ .want = WANT_NOTHING };
}
