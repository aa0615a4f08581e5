#include <inttypes.h>

#include "smtp/carry_own.h"
#include "base/text.h"
#include "wire/command.h"
#include "wire/domain.h"

/* ---- commands ---- */

static void
complain(struct carry *c, struct carry_near *n, const struct complaint *bad)
{
	carry_say(c, n, "%d %s %s", bad->code, bad->status, bad->text);
}

bool
carry_offers(const struct carry *c, unsigned ext)
{
	return c->offers.offers & ext;
}

/* LIMITS' MAILMAX counts for the connection, of which near has but a part: not said. */
static void
write_limits(const struct carry *c, struct buf *b)
{
	if (c->offers.rcptmax == 0 && c->offers.rcptdomainmax == 0)
		return;
	buf_adds(b, "\r\n250-LIMITS");
	if (c->offers.rcptmax > 0)
		buf_addf(b, " RCPTMAX=%" PRId64, c->offers.rcptmax);
	if (c->offers.rcptdomainmax > 0)
		buf_addf(b, " RCPTDOMAINMAX=%" PRId64, c->offers.rcptdomainmax);
}

void
carry_hello(struct carry *c, struct carry_near *n, unsigned offers)
{
	static const struct { const char *word; unsigned ext; } words[] = {
		{ "PIPELINING", EXT_PIPELINING }, { "8BITMIME", EXT_8BITMIME },
		{ "CHUNKING", EXT_CHUNKING }, { "SMTPUTF8", EXT_SMTPUTF8 },
		{ "DSN", EXT_DSN },
		{ "ENHANCEDSTATUSCODES", EXT_ENHANCEDSTATUSCODES },
	};
	struct buf b = {0};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (offers & words[i].ext)
			buf_addf(&b, "\r\n250-%s", words[i].word);
	write_limits(c, &b);
	if ((offers & EXT_SIZE) && c->offers.size > 0)
		buf_addf(&b, "\r\n250-SIZE %" PRId64, c->offers.size);
	else if (offers & EXT_SIZE)
		buf_adds(&b, "\r\n250-SIZE");
	carry_say(c, n, "250-%s%s\r\n250 HELP", c->called, buf_str(&b));
	buf_free(&b);
}

static void
on_ehlo(struct carry *c, struct carry_near *n, struct span arg)
{
	(void)arg;
	n->open = false;
	carry_hello(c, n, c->offers.offers & CARRIED);
}

static void
on_helo(struct carry *c, struct carry_near *n, struct span arg)
{
	(void)arg;
	n->open = false;
	carry_say(c, n, "250 %s", c->called);
}

bool
carry_takes_sender(struct carry *c, struct carry_near *n, struct span arg,
    struct envelope *v, int64_t *size)
{
	struct complaint bad = arguments_mail(arg, c->offers.offers & CARRIED, v, size);

	if (n->open)
		carry_say(c, n, "503 5.5.1 there is a sender already");
	else if (bad.code != 0)
		complain(c, n, &bad);
	else
		return true;
	return false;
}

static void
on_mail(struct carry *c, struct carry_near *n, struct span arg)
{
	struct envelope v = {0};
	int64_t size = -1;

	if (carry_takes_sender(c, n, arg, &v, &size)) {
		command_mail(&c->to_far, &v, &c->offers, size);
		carry_owe(c, DUE_MAIL, n);
		n->open = c->dirty = true;
		n->utf8 = v.smtputf8;
		n->rcpts = 0;
	}
	envelope_free(&v);
}

static bool
is_his(const struct carry *c, const char *address)
{
	struct span rest = c->domains, word, domain = domain_of(span_of(address));
	bool his = false;

	while (!his && span_cut(&rest, ' ', &word)) {
		char *node = span_dup(word);

		his = word.n > 0 && node_has(node, domain);
		free(node);
	}
	return his;
}

bool
carry_takes(struct carry *c, struct carry_near *n, struct span arg, struct envelope *v)
{
	struct complaint bad = arguments_rcpt(arg, c->offers.offers & CARRIED, v);

	if (!n->open)
		carry_say(c, n, "503 5.5.1 MAIL comes first");
	else if (bad.code != 0)
		complain(c, n, &bad);
	else if (!n->utf8 && !text_is_ascii(span_of(v->rcpts.p[0].address)))
		carry_say(c, n, "553 5.6.7 that address needs SMTPUTF8");
	else if (!is_his(c, v->rcpts.p[0].address))
		carry_say(c, n, "450 4.7.1 this connection is for another's mail");
	else
		return true;
	return false;
}

static void
on_rcpt(struct carry *c, struct carry_near *n, struct span arg)
{
	struct envelope v = {0};

	if (carry_takes(c, n, arg, &v)) {
		command_rcpt(&c->to_far, &v.rcpts.p[0], &c->offers);
		carry_owe(c, DUE_RCPT, n);
		n->rcpts++;
	}
	envelope_free(&v);
}

/* Far would answer the same; but what if it asked for the text? */
static bool
is_for_nobody(struct carry *c, struct carry_near *n)
{
	if (n->open && n->rcpts > 0)
		return false;
	carry_say(c, n, n->open ? "554 5.5.1 no valid recipients" :
	    "503 5.5.1 RCPT comes first");
	return true;
}

static void
on_data(struct carry *c, struct carry_near *n, struct span arg)
{
	if (arg.n > 0) {
		carry_say(c, n, "501 5.5.4 DATA has no argument");
		return;
	}
	if (is_for_nobody(c, n))
		return;
	buf_adds(&c->to_far, "DATA\r\n");
	carry_owe(c, DUE_DATA, n);
	n->waits = true;
}

/* RFC 3030 section 2: the octets are there whatever becomes of them. */
static void
on_bdat(struct carry *c, struct carry_near *n, struct span arg)
{
	struct span number = { arg.p, span_find(arg, ' ') };
	struct span word = span_trim(span_from(arg, number.n));
	bool last = span_ieq(word, SPAN("LAST"));
	long long octets;

	if (!span_number(number, &octets) || (word.n > 0 && !last)) {
		carry_say(c, n, "501 5.5.4 BDAT size [LAST]");
		n->over = true;		/* where they end nobody knows */
		return;
	}
	n->left = (uint64_t)octets;
	n->in_what = CARRY_DROP;
	if (!carry_offers(c, EXT_CHUNKING)) {
		carry_say(c, n, "502 5.5.1 not offered");
	} else if (!is_for_nobody(c, n)) {
		buf_addf(&c->to_far, "BDAT %lld%s\r\n", octets, last ? " LAST" : "");
		carry_owe(c, last ? DUE_END : DUE_CHUNK, n);
		n->in_what = CARRY_CHUNK;
	}
	if (last)
		n->open = false;
	if (n->left == 0)
		n->in_what = CARRY_COMMAND;
}

static void
on_rset(struct carry *c, struct carry_near *n, struct span arg)
{
	(void)arg;
	n->open = false;
	carry_say(c, n, "250 2.0.0 forgotten");
}

static void
on_noop(struct carry *c, struct carry_near *n, struct span arg)
{
	(void)arg;
	carry_say(c, n, "250 2.0.0 nothing done");
}

static void
on_vrfy(struct carry *c, struct carry_near *n, struct span arg)
{
	(void)arg;
	carry_say(c, n, "252 2.0.0 send mail and see");
}

static void
on_quit(struct carry *c, struct carry_near *n, struct span arg)
{
	(void)arg;
	carry_say(c, n, "221 2.0.0 until next time");
	n->over = true;
}

static const struct {
	const char *name;
	void (*smtp)(struct carry *, struct carry_near *, struct span);
	void (*lmtp)(struct carry *, struct carry_near *, struct span);
} verbs[] = {
	{ "EHLO", on_ehlo, NULL }, { "HELO", on_helo, NULL },
	{ "LHLO", NULL, carry_lmtp_hello }, { "MAIL", on_mail, carry_lmtp_mail },
	{ "RCPT", on_rcpt, carry_lmtp_rcpt }, { "DATA", on_data, carry_lmtp_data },
	{ "BDAT", on_bdat, carry_lmtp_bdat }, { "RSET", on_rset, carry_lmtp_rset },
	{ "NOOP", on_noop, on_noop }, { "VRFY", on_vrfy, on_vrfy },
	{ "QUIT", on_quit, on_quit },
};

static void
command(struct carry *c, struct carry_near *n, struct span line)
{
	struct span verb = { line.p, span_find(line, ' ') };
	struct span arg = span_trim(span_from(line, verb.n));

	if (line.n > 0 && (memchr(line.p, '\r', line.n) || memchr(line.p, '\0', line.n))) {
		carry_say(c, n, "500 5.5.2 a CR or NUL in a command");
		return;
	}
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (span_ieq(verb, span_of(verbs[i].name)) &&
		    (n->lmtp ? verbs[i].lmtp : verbs[i].smtp) != NULL) {
			(n->lmtp ? verbs[i].lmtp : verbs[i].smtp)(c, n, arg);
			return;
		}
	carry_say(c, n, "502 5.5.1 that is not carried");
}

/*
 * May he be heard now?  Who speaks SMTP has far to himself first; who speaks LMTP
 * says nothing while he waits for his turn, or for what became of his text.
 */
static bool
may_speak(struct carry *c, struct carry_near *n, struct span verb)
{
	if (!n->lmtp && c->holder != n && span_ieq(verb, SPAN("LHLO")))
		n->lmtp = true;
	if (n->lmtp)
		return n->ticket == 0 && c->holder != n && !n->judged;
	if (c->holder == n)
		return !n->waits && c->owed.n < CARRY_DUE &&
		    (carry_offers(c, EXT_PIPELINING) || c->owed.n == 0);
	if (n->ticket == 0 && !span_ieq(verb, SPAN("QUIT")))
		n->ticket = ++c->tickets;
	return n->ticket == 0;
}

/* How much of `s' was a command; 0: nothing can be done now. */
static size_t
take_command(struct carry *c, struct carry_near *n, struct span s)
{
	size_t end = span_find(s, '\n');
	struct span verb = { s.p, s.n < 4 ? s.n : 4 };

	if (end >= CARRY_LINE) {
		carry_say(c, n, "500 5.5.2 too long");
		n->over = true;
		return 0;
	}
	if (end == s.n || !may_speak(c, n, verb))
		return 0;
	/* the last sender is forgotten first */
	if (!n->lmtp && c->dirty && !n->open && span_ieq(verb, SPAN("MAIL"))) {
		carry_reset(c);
		if (!carry_offers(c, EXT_PIPELINING))
			return 0;
	}
	if (end > 0 && s.p[end - 1] == '\r')
		command(c, n, (struct span){ s.p, end - 1 });
	else
		carry_say(c, n, "500 5.5.2 a LF without CR");
	return end + 1;
}

/* ---- all that they say ---- */

static size_t
take_chunk(struct carry *c, struct carry_near *n, struct span s)
{
	size_t taken = s.n < n->left ? s.n : (size_t)n->left;

	taken = taken < CARRY_HELD ? taken : CARRY_HELD;
	if (n->in_what == CARRY_CHUNK)
		buf_add(&c->to_far, s.p, taken);
	n->left -= taken;
	if (n->left == 0)
		n->in_what = CARRY_COMMAND;
	return taken;
}

static size_t
take(struct carry *c, struct carry_near *n, struct span s)
{
	if (c->to_far.n >= CARRY_HELD || n->to_near.n >= CARRY_HELD)
		return 0;
	if (n->in_what == CARRY_COMMAND)
		return take_command(c, n, s);
	if (n->in_what != CARRY_TEXT)
		return take_chunk(c, n, s);
	return n->lmtp && c->owed.n >= CARRY_DUE ? 0 : carry_take_text(c, n, s);
}

/* Was there something to do? */
static bool
goes_on(struct carry *c, struct carry_near *n)
{
	size_t at = 0, taken = 1;
	bool spoke = false;

	while (carry_lmtp_speaks(c, n))
		spoke = true;
	while (taken > 0 && !n->over && at < n->in.n) {
		taken = take(c, n, span_from(buf_span(&n->in), at));
		at += taken;
	}
	if (n->over)
		buf_clear(&n->in);
	else
		buf_drop(&n->in, at);
	return spoke || at > 0;
}

/* What far is asked for a text may belong to one who is gone. */
static bool
is_asked(const struct carry *c)
{
	for (size_t i = 0; i < c->owed.n; i++)
		if (c->owed.p[i].what == DUE_DATA && !c->owed.p[i].ready)
			return true;
	return false;
}

/* Whose turn is it, if it is nobody's? */
static bool
next_turn(struct carry *c)
{
	struct carry_near *first = NULL;

	for (size_t i = 0; c->holder == NULL && i < c->nears.n; i++) {
		struct carry_near *n = c->nears.p[i];

		if (n->ticket > 0 && (first == NULL || n->ticket < first->ticket))
			first = n;
	}
	if (first == NULL || (first->lmtp ? is_asked(c) : c->owed.n > 0))
		return false;
	c->holder = first;
	first->ticket = 0;
	return true;
}

void
carry_go_on(struct carry *c)
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (size_t i = 0; i < c->nears.n; i++)
			moved |= goes_on(c, c->nears.p[i]);
		moved |= next_turn(c);
	}
}

void
carry_near(struct carry *c, struct carry_near *n, struct span s)
{
	buf_addspan(&n->in, s);
	carry_go_on(c);
}
