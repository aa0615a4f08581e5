#include <inttypes.h>

#include "smtp/carry_own.h"
#include "base/text.h"
#include "wire/arguments.h"
#include "wire/command.h"
#include "wire/domain.h"

#define CARRIED (EXT_8BITMIME | EXT_CHUNKING | EXT_DSN | EXT_PIPELINING | \
	EXT_ENHANCEDSTATUSCODES | EXT_SIZE | EXT_SMTPUTF8)

/* ---- commands ---- */

static void
complain(struct carry *c, const struct complaint *bad)
{
	carry_say(c, "%d %s %s", bad->code, bad->status, bad->text);
}

static bool
offers(const struct carry *c, unsigned ext)
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

static void
on_ehlo(struct carry *c, struct span arg)
{
	static const struct { const char *word; unsigned ext; } words[] = {
		{ "PIPELINING", EXT_PIPELINING }, { "8BITMIME", EXT_8BITMIME },
		{ "CHUNKING", EXT_CHUNKING }, { "SMTPUTF8", EXT_SMTPUTF8 },
		{ "DSN", EXT_DSN },
		{ "ENHANCEDSTATUSCODES", EXT_ENHANCEDSTATUSCODES },
	};
	struct buf b = {0};

	(void)arg;
	c->open = false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (offers(c, words[i].ext))
			buf_addf(&b, "\r\n250-%s", words[i].word);
	write_limits(c, &b);
	if (offers(c, EXT_SIZE) && c->offers.size > 0)
		buf_addf(&b, "\r\n250-SIZE %" PRId64, c->offers.size);
	else if (offers(c, EXT_SIZE))
		buf_adds(&b, "\r\n250-SIZE");
	carry_say(c, "250-%s%s\r\n250 HELP", c->called, buf_str(&b));
	buf_free(&b);
}

static void
on_helo(struct carry *c, struct span arg)
{
	(void)arg;
	c->open = false;
	carry_say(c, "250 %s", c->called);
}

static void
on_mail(struct carry *c, struct span arg)
{
	struct envelope v = {0};
	int64_t size = -1;
	struct complaint bad = arguments_mail(arg, c->offers.offers & CARRIED, &v, &size);

	if (c->open) {
		carry_say(c, "503 5.5.1 there is a sender already");
	} else if (bad.code != 0) {
		complain(c, &bad);
	} else {
		command_mail(&c->to_far, &v, &c->offers, size);
		carry_owe(c, DUE_MAIL);
		c->open = c->dirty = true;
		c->utf8 = v.smtputf8;
		c->rcpts = 0;
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

static void
on_rcpt(struct carry *c, struct span arg)
{
	struct envelope v = {0};
	struct complaint bad = arguments_rcpt(arg, c->offers.offers & CARRIED, &v);

	if (!c->open) {
		carry_say(c, "503 5.5.1 MAIL comes first");
	} else if (bad.code != 0) {
		complain(c, &bad);
	} else if (!c->utf8 && !text_is_ascii(span_of(v.rcpts.p[0].address))) {
		carry_say(c, "553 5.6.7 that address needs SMTPUTF8");
	} else if (!is_his(c, v.rcpts.p[0].address)) {
		carry_say(c, "450 4.7.1 this connection is for another's mail");
	} else {
		command_rcpt(&c->to_far, &v.rcpts.p[0], &c->offers);
		carry_owe(c, DUE_RCPT);
		c->rcpts++;
	}
	envelope_free(&v);
}

/* Far would answer the same; but what if it asked for the text? */
static bool
is_for_nobody(struct carry *c)
{
	if (c->open && c->rcpts > 0)
		return false;
	carry_say(c, c->open ? "554 5.5.1 no valid recipients" :
	    "503 5.5.1 RCPT comes first");
	return true;
}

static void
on_data(struct carry *c, struct span arg)
{
	if (arg.n > 0) {
		carry_say(c, "501 5.5.4 DATA has no argument");
		return;
	}
	if (is_for_nobody(c))
		return;
	buf_adds(&c->to_far, "DATA\r\n");
	carry_owe(c, DUE_DATA);
	c->waits = true;
}

/* RFC 3030 section 2: the octets are there whatever becomes of them. */
static void
on_bdat(struct carry *c, struct span arg)
{
	struct span number = { arg.p, span_find(arg, ' ') };
	struct span word = span_trim(span_from(arg, number.n));
	bool last = span_ieq(word, SPAN("LAST"));
	long long n;

	if (!span_number(number, &n) || (word.n > 0 && !last)) {
		carry_say(c, "501 5.5.4 BDAT size [LAST]");
		c->over = true;		/* where they end nobody knows */
		return;
	}
	c->left = (uint64_t)n;
	c->in_what = CARRY_DROP;
	if (!offers(c, EXT_CHUNKING)) {
		carry_say(c, "502 5.5.1 not offered");
	} else if (!is_for_nobody(c)) {
		buf_addf(&c->to_far, "BDAT %lld%s\r\n", n, last ? " LAST" : "");
		carry_owe(c, last ? DUE_END : DUE_CHUNK);
		c->in_what = CARRY_CHUNK;
	}
	if (last)
		c->open = false;
	if (c->left == 0)
		c->in_what = CARRY_COMMAND;
}

static void
on_rset(struct carry *c, struct span arg)
{
	(void)arg;
	c->open = false;
	carry_say(c, "250 2.0.0 forgotten");
}

static void
on_noop(struct carry *c, struct span arg)
{
	(void)arg;
	carry_say(c, "250 2.0.0 nothing done");
}

static void
on_vrfy(struct carry *c, struct span arg)
{
	(void)arg;
	carry_say(c, "252 2.0.0 send mail and see");
}

static void
on_quit(struct carry *c, struct span arg)
{
	(void)arg;
	carry_say(c, "221 2.0.0 until next time");
	c->over = true;
}

static const struct {
	const char *name;
	void (*run)(struct carry *, struct span);
} verbs[] = {
	{ "EHLO", on_ehlo }, { "HELO", on_helo }, { "MAIL", on_mail },
	{ "RCPT", on_rcpt }, { "DATA", on_data }, { "BDAT", on_bdat },
	{ "RSET", on_rset }, { "NOOP", on_noop }, { "VRFY", on_vrfy },
	{ "QUIT", on_quit },
};

static void
command(struct carry *c, struct span line)
{
	struct span verb = { line.p, span_find(line, ' ') };
	struct span arg = span_trim(span_from(line, verb.n));

	if (line.n > 0 && (memchr(line.p, '\r', line.n) || memchr(line.p, '\0', line.n))) {
		carry_say(c, "500 5.5.2 a CR or NUL in a command");
		return;
	}
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (span_ieq(verb, span_of(verbs[i].name))) {
			verbs[i].run(c, arg);
			return;
		}
	carry_say(c, "502 5.5.1 that is not carried");
}

/* How much of `s' was a command; 0: nothing can be done now. */
static size_t
take_command(struct carry *c, struct span s)
{
	size_t n = span_find(s, '\n');
	struct span verb = { s.p, s.n < 4 ? s.n : 4 };

	if (c->waits || c->owed.n >= CARRY_DUE ||
	    (!offers(c, EXT_PIPELINING) && c->owed.n > 0))
		return 0;
	if (n >= CARRY_LINE) {
		carry_say(c, "500 5.5.2 too long");
		c->over = true;
		return 0;
	}
	if (n == s.n)
		return 0;
	/* the last sender is forgotten first */
	if (c->dirty && !c->open && span_ieq(verb, SPAN("MAIL"))) {
		carry_reset(c);
		if (!offers(c, EXT_PIPELINING))
			return 0;
	}
	if (n > 0 && s.p[n - 1] == '\r')
		command(c, (struct span){ s.p, n - 1 });
	else
		carry_say(c, "500 5.5.2 a LF without CR");
	return n + 1;
}

/* ---- the text ---- */

/* An octet where a line begins, or after a CR or dot that was kept back. */
static void
octet(struct carry *c, char ch)
{
	struct buf *b = &c->to_far;

	if (c->at == AT_CR && ch != '\n') {
		buf_adds(b, "\r\n");
		c->at = AT_BARE_START;
	} else if (c->at == AT_DOT_CR && ch != '\n') {
		buf_adds(b, "..\r\n");
		c->at = AT_BARE_START;
	}
	if (c->at == AT_DOT_CR) {
		buf_adds(b, ".\r\n");
		carry_owe(c, DUE_END);
		c->open = false;
		c->in_what = CARRY_COMMAND;
		return;
	}
	if (c->at == AT_DOT && ch == '\r') {
		c->at = AT_DOT_CR;
		return;
	}
	if (c->at == AT_DOT)
		buf_adds(b, ch == '\n' ? ".." : ".");
	if (ch == '\r') {
		c->at = AT_CR;
	} else if (ch == '\n') {
		buf_adds(b, "\r\n");
		c->at = c->at == AT_CR ? AT_START : AT_BARE_START;
	} else if (ch == '.' && c->at == AT_START) {
		c->at = AT_DOT;
	} else {
		buf_adds(b, ch == '.' && c->at == AT_BARE_START ? "." : "");
		buf_addc(b, ch);
		c->at = AT_WITHIN;
	}
}

static size_t
take_text(struct carry *c, struct span s)
{
	size_t i = 0;

	s.n = s.n < CARRY_HELD ? s.n : CARRY_HELD;
	while (i < s.n && c->in_what == CARRY_TEXT) {
		struct span rest = span_from(s, i);
		size_t n = 0;

		if (c->at == AT_WITHIN) {
			n = span_find(rest, '\n');
			n = span_find((struct span){ rest.p, n }, '\r');
			buf_add(&c->to_far, rest.p, n);
		}
		i += n;
		if (n < rest.n) {
			octet(c, s.p[i]);
			i++;
		}
	}
	return i;
}

static size_t
take_chunk(struct carry *c, struct span s)
{
	size_t n = s.n < c->left ? s.n : (size_t)c->left;

	n = n < CARRY_HELD ? n : CARRY_HELD;
	if (c->in_what == CARRY_CHUNK)
		buf_add(&c->to_far, s.p, n);
	c->left -= n;
	if (c->left == 0)
		c->in_what = CARRY_COMMAND;
	return n;
}

static size_t
take(struct carry *c, struct span s)
{
	if (c->to_far.n >= CARRY_HELD || c->to_near.n >= CARRY_HELD)
		return 0;
	if (c->in_what == CARRY_COMMAND)
		return take_command(c, s);
	return c->in_what == CARRY_TEXT ? take_text(c, s) : take_chunk(c, s);
}

void
carry_go_on(struct carry *c)
{
	size_t at = 0, n = 1;

	while (n > 0 && c->session && !c->over && at < c->in.n) {
		n = take(c, span_from(buf_span(&c->in), at));
		at += n;
	}
	if (c->over)
		buf_clear(&c->in);
	else
		buf_drop(&c->in, at);
}

void
carry_near(struct carry *c, struct span s)
{
	buf_addspan(&c->in, s);
	carry_go_on(c);
}

bool
carry_near_over(const struct carry *c)
{
	return c->over && c->to_near.n == 0 && (c->dismissed || c->owed.n == 0);
}

/* Half a command that nobody will end; all else waits for far. */
bool
carry_near_done(const struct carry *c)
{
	return c->owed.n == 0 && c->to_far.n == 0 && c->to_near.n == 0 && (c->in.n == 0 ||
	    (c->in_what == CARRY_COMMAND &&
	    span_find(buf_span(&c->in), '\n') == c->in.n));
}
