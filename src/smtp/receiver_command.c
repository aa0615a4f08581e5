/* The commands, each a row; what it means for the engine's state. */
#include <ctype.h>

#include "smtp/receiver_own.h"
#include "base/text.h"
#include "wire/arguments.h"

typedef void command_fn(struct receiver *, struct span arguments);

static command_fn on_ehlo, on_helo, on_mail, on_rcpt, on_data, on_bdat, on_rset,
    on_noop, on_quit, on_vrfy, on_starttls, on_auth, on_etrn, on_atrn, on_turn;

/* `offer': 0 always; the bit that offers it; MAIL and TURN by the terms' own words. */
#define BY_MAIL (1U << 30)
#define BY_TURN (1U << 31)

static const struct command {
	const char *word;
	command_fn *said;
	unsigned offer;
	bool waits;		/* until the driver has decided on those before */
	bool idle;		/* who says no more than these wants nothing */
} commands[] = {
	{ "EHLO", on_ehlo, 0, true, true },
	{ "HELO", on_helo, 0, true, true },
	{ "MAIL", on_mail, BY_MAIL, true, false },
	{ "RCPT", on_rcpt, BY_MAIL, false, false },
	{ "DATA", on_data, BY_MAIL, true, false },
	{ "BDAT", on_bdat, BY_MAIL, true, false },
	{ "RSET", on_rset, 0, true, true },
	{ "NOOP", on_noop, 0, false, true },
	{ "QUIT", on_quit, 0, true, false },
	{ "VRFY", on_vrfy, BY_MAIL, false, true },
	{ "STARTTLS", on_starttls, EXT_STARTTLS, true, false },
	{ "AUTH", on_auth, EXT_AUTH, true, false },
	{ "ETRN", on_etrn, EXT_ETRN, true, false },
	{ "ATRN", on_atrn, EXT_ATRN, true, false },
	{ "TURN", on_turn, BY_TURN, true, false },
};

static const struct command *
command_of(struct span line)
{
	struct span word = { line.p, span_find(line, ' ') };

	word = span_trim(word);
	if (word.p != line.p)
		return NULL;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (span_ieq(word, span_of(commands[i].word)))
			return &commands[i];
	return NULL;
}

bool
receiver_must_wait(const struct receiver *r, struct span line)
{
	const struct command *c = command_of(line);

	return r->undecided > 0 && (c == NULL || c->waits);
}

static bool
is_offered(const struct receiver *r, const struct command *c)
{
	return c->offer == 0 || (c->offer == BY_MAIL ? r->terms->mail :
	    c->offer == BY_TURN ? r->terms->turn :
	    (r->terms->offers & c->offer) != 0);
}

/* No command is looked at any more. */
static void
leave(struct receiver *r, int code, const char *status, const char *text)
{
	receiver_reply(r, code, status, text);
	receiver_forget(r);
	receiver_then(r, RECEIVER_OVER);
}

void
receiver_bad(struct receiver *r)
{
	if (++r->bad == RECEIVER_BAD)
		leave(r, 421, "4.7.0", "too many bad commands");
}

static void
wrong(struct receiver *r, int code, const char *status, const char *text)
{
	receiver_reply(r, code, status, text);
	receiver_bad(r);
}

void
receiver_command(struct receiver *r, struct span line)
{
	const struct command *c = command_of(line);

	if (c == NULL)
		wrong(r, 500, "5.5.2", "that command is not known here");
	else if (!is_offered(r, c))
		wrong(r, 502, "5.5.1", "that is not done here");
	else if (c->idle && ++r->idle > RECEIVER_IDLE)
		leave(r, 421, "4.7.0", "too many commands without a message");
	else
		c->said(r, span_trim(span_from(line, strlen(c->word))));
}

/* ---- hello ---- */

static void
add_offers(const struct receiver *r, struct buf *b)
{
	static const struct { unsigned ext; const char *word; } plain[] = {
		{ EXT_PIPELINING, "PIPELINING" }, { EXT_8BITMIME, "8BITMIME" },
		{ EXT_SMTPUTF8, "SMTPUTF8" }, { EXT_CHUNKING, "CHUNKING" },
		{ EXT_DSN, "DSN" },
		{ EXT_ENHANCEDSTATUSCODES, "ENHANCEDSTATUSCODES" },
		{ EXT_ETRN, "ETRN" }, { EXT_ATRN, "ATRN" },
	};
	const struct receiver_terms *t = r->terms;

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (t->offers & plain[i].ext)
			buf_addf(b, "\n%s", plain[i].word);
	if (t->offers & EXT_SIZE)
		buf_addf(b, "\nSIZE %lld", (long long)t->max_size);
	if ((t->offers & EXT_LIMITS) && t->max_rcpts > 0)
		buf_addf(b, "\nLIMITS RCPTMAX=%zu", t->max_rcpts);
	if ((t->offers & EXT_STARTTLS) && !r->encrypted)
		buf_adds(b, "\nSTARTTLS");
	if ((t->offers & EXT_AUTH) && !r->authenticated)
		buf_addf(b, "\nAUTH %s", t->mechanisms);
	if (t->turn)
		buf_adds(b, "\nTURN");
}

static void
hello(struct receiver *r, struct span name, bool extended)
{
	struct buf b = {0};

	if (name.n == 0) {
		wrong(r, 501, "5.5.4", "who are you?  EHLO name");
		return;
	}
	receiver_forget(r);
	free(r->helo);
	r->helo = span_dup(name);
	r->greeted = true;
	r->extended = extended;
	buf_adds(&b, r->terms->name);
	if (extended)
		add_offers(r, &b);
	receiver_reply(r, 250, NULL, buf_str(&b));
	buf_free(&b);
}

static void
on_ehlo(struct receiver *r, struct span name)
{
	hello(r, name, true);
}

static void
on_helo(struct receiver *r, struct span name)
{
	hello(r, name, false);
}

/* ---- a transaction ---- */

static unsigned
offers(const struct receiver *r)
{
	return r->extended ? r->terms->offers : 0;
}

void
receiver_forget(struct receiver *r)
{
	if (r->open)
		receiver_tell(r, ABOUT_FORGET);
	r->open = false;
	r->undecided = 0;
	r->in_what = IN_COMMAND;
}

/* A sender, or this recipient; what came out of order is about none. */
static void
refuse(struct receiver *r, struct complaint c, struct span rcpt)
{
	struct question *q;

	receiver_reply(r, c.code, c.status, c.text);
	if (c.code == 503)
		return;
	q = receiver_tell(r, ABOUT_REFUSED);
	q->why = c;
	buf_addspan(&q->text, rcpt);
}

static void
on_mail(struct receiver *r, struct span rest)
{
	struct envelope v = {0};
	struct complaint c = {0};
	struct question *q;
	int64_t size;

	r->idle = 0;
	if (!r->greeted)
		c = (struct complaint){ 503, "5.5.1", "EHLO comes first" };
	else if (r->open)
		c = (struct complaint){ 503, "5.5.1", "a message is under way" };
	else
		c = arguments_mail(rest, offers(r), &v, &size);
	if (c.code == 0 && r->terms->max_size > 0 && size > r->terms->max_size)
		c = (struct complaint){ 552, "5.3.4", "larger than is taken here" };
	if (c.code != 0) {
		refuse(r, c, (struct span){0});
		envelope_free(&v);
		return;
	}
	r->open = true;
	r->utf8 = v.smtputf8;
	r->chunked = false;
	r->rcpts = r->accepted = 0;
	r->octets = 0;
	r->spoilt = SPOILT_NOT;
	r->undecided = 1;
	if (++r->transaction == 0)
		r->transaction++;
	q = receiver_question(r, ABOUT_MAIL);
	q->env = v;
	q->size = size;
}

static void
on_rcpt(struct receiver *r, struct span rest)
{
	struct envelope v = {0};
	struct complaint c = {0};

	if (!r->open || r->chunked)
		c = (struct complaint){ 503, "5.5.1", "MAIL comes first" };
	else
		c = arguments_rcpt(rest, offers(r), &v);
	if (c.code == 0 && !r->utf8 && !text_is_ascii(span_of(v.rcpts.p->address)))
		c = (struct complaint){ 553, "5.6.7", "that address needs SMTPUTF8" };
	if (c.code == 0 && r->terms->max_rcpts > 0 && r->rcpts >= r->terms->max_rcpts)
		c = (struct complaint){ 452, "4.5.3", "too many recipients at once" };
	if (c.code != 0) {
		refuse(r, c, v.rcpts.n > 0 ? span_of(v.rcpts.p->address) : rest);
		envelope_free(&v);
		return;
	}
	r->rcpts++;
	r->undecided++;
	receiver_question(r, ABOUT_RCPT)->env = v;
}

/* Why no text can come now; 0: it can. */
static struct complaint
no_text(const struct receiver *r)
{
	if (!r->open)
		return (struct complaint){ 503, "5.5.1", "MAIL comes first" };
	if (r->accepted == 0)
		return (struct complaint){ 554, "5.5.1", "no valid recipient" };
	return (struct complaint){0};
}

static void
on_data(struct receiver *r, struct span rest)
{
	struct complaint c = no_text(r);

	if (rest.n > 0)
		c = (struct complaint){ 501, "5.5.4", "DATA has no argument" };
	else if (r->open && r->chunked)
		c = (struct complaint){ 503, "5.5.1", "behind BDAT comes BDAT" };
	if (c.code != 0) {
		receiver_reply(r, c.code, c.status, c.text);
		return;
	}
	receiver_reply(r, 354, NULL, "go on, and end it with a dot");
	receiver_begin_text(r, false, 0, true);
}

/* `1000', `0 LAST' */
static bool
read_chunk(struct span rest, uint64_t *octets, bool *last)
{
	struct span number;
	long long n;

	span_cut(&rest, ' ', &number);
	rest = span_trim(rest);
	*last = span_ieq(rest, SPAN("LAST"));
	if (!span_number(number, &n) || (rest.n > 0 && !*last))
		return false;
	*octets = (uint64_t)n;
	return true;
}

/*
 * RFC 3030 section 2: the octets come whatever is answered, and are passed over
 * where nobody wants them.
 */
static void
on_bdat(struct receiver *r, struct span rest)
{
	uint64_t octets;
	bool last;

	if (!(offers(r) & EXT_CHUNKING)) {
		/* the octets that nobody offered to take would be commands */
		leave(r, 502, "5.5.1", "that is not done here");
	} else if (rest.n == 0 || !read_chunk(rest, &octets, &last)) {
		/* where the next command begins nobody knows */
		leave(r, 501, "5.5.4", "it is BDAT octets [LAST]");
	} else {
		if (no_text(r).code != 0) {
			receiver_forget(r);
			r->spoilt = SPOILT_ORDER;
		}
		r->chunked = true;
		receiver_begin_text(r, true, octets, last);
	}
}

static void
on_rset(struct receiver *r, struct span rest)
{
	(void)rest;
	receiver_forget(r);
	receiver_reply(r, 250, "2.0.0", "ok");
}

/* ---- the rest ---- */

static void
on_noop(struct receiver *r, struct span rest)
{
	(void)rest;
	receiver_reply(r, 250, "2.0.0", "ok");
}

static void
on_quit(struct receiver *r, struct span rest)
{
	(void)rest;
	r->quit = true;
	receiver_forget(r);
	receiver_reply(r, 221, "2.0.0", "bye");
	receiver_then(r, RECEIVER_OVER);
}

static void
on_vrfy(struct receiver *r, struct span rest)
{
	(void)rest;
	receiver_reply(r, 252, "2.5.0", "send it and see");
}

/* RFC 3207 section 4.2 */
static void
on_starttls(struct receiver *r, struct span rest)
{
	if (rest.n > 0) {
		wrong(r, 501, "5.5.4", "STARTTLS has no argument");
	} else if (r->encrypted || r->open || !r->greeted) {
		wrong(r, 503, "5.5.1", r->encrypted ? "it is encrypted already" :
		    "not now");
	} else if (r->in.n > 0) {
		/* somebody put them there to be taken for what is encrypted */
		leave(r, 554, "5.7.0", "something was said behind STARTTLS");
	} else {
		receiver_reply(r, 220, "2.0.0", "go on");
		receiver_then(r, RECEIVER_TLS);
	}
}

/* Between messages only. */
static bool
may_ask(struct receiver *r)
{
	if (r->greeted && !r->open)
		return true;
	wrong(r, 503, "5.5.1", r->greeted ? "not while a message is under way" :
	    "EHLO comes first");
	return false;
}

static void
ask(struct receiver *r, enum about about, struct span argument)
{
	buf_addspan(&receiver_question(r, about)->text, argument);
	r->alone = true;
}

static void
on_auth(struct receiver *r, struct span rest)
{
	struct span word = {0};
	struct question *q;

	if (!may_ask(r))
		return;
	span_cut(&rest, ' ', &word);
	if (r->authenticated) {
		wrong(r, 503, "5.5.1", "that has been done");
	} else if (word.n == 0) {
		wrong(r, 501, "5.5.4", "it is AUTH mechanism");
	} else {
		q = receiver_question(r, ABOUT_AUTH);
		for (size_t i = 0; i < word.n; i++)
			buf_addc(&q->text, (char)toupper((unsigned char)word.p[i]));
		q->has_more = rest.n > 0;
		buf_addspan(&q->more, span_trim(rest));
		r->alone = true;
	}
}

static void
on_etrn(struct receiver *r, struct span rest)
{
	if (!may_ask(r))
		return;
	if (rest.n == 0)
		wrong(r, 501, "5.5.4", "it is ETRN node");
	else
		ask(r, ABOUT_ETRN, rest);
}

static void
on_atrn(struct receiver *r, struct span rest)
{
	if (may_ask(r))
		ask(r, ABOUT_ATRN, rest);
}

static void
on_turn(struct receiver *r, struct span rest)
{
	if (rest.n > 0)
		wrong(r, 501, "5.5.4", "TURN has no argument");
	else if (may_ask(r))
		ask(r, ABOUT_TURN, rest);
}
