#include "smtp/carry_own.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "wire/domain.h"

/* ---- what is owed ---- */

struct owed *
carry_owe(struct carry *c, enum due what, struct carry_near *to)
{
	struct owed *o = vec_add(&c->owed);

	o->what = what;
	o->to = to;
	return o;
}

static bool
is_owed(const struct carry *c, const struct carry_near *n)
{
	for (size_t i = 0; i < c->owed.n; i++)
		if (c->owed.p[i].to == n)
			return true;
	return false;
}

void
carry_detach(struct carry *c, const struct carry_near *n)
{
	for (size_t i = 0; i < c->owed.n; i++)
		if (c->owed.p[i].to == n)
			c->owed.p[i].to = NULL;
}

/* Gives near what stands ready, in order. */
static void
hand_on(struct carry *c)
{
	size_t n = 0;

	for (; n < c->owed.n && c->owed.p[n].ready; n++) {
		struct owed *o = &c->owed.p[n];

		if (o->to != NULL && !o->to->dismissed)
			buf_addspan(&o->to->to_near, buf_span(&o->text));
		buf_free(&o->text);
	}
	if (n == 0)
		return;
	c->owed.n -= n;
	memmove(c->owed.p, c->owed.p + n, c->owed.n * sizeof *c->owed.p);
}

/* Who has far to himself gets it behind what far owes him. */
void
carry_say(struct carry *c, struct carry_near *n, const char *fmt, ...)
{
	bool in_line = c->holder == n && !n->lmtp;
	struct owed *o = in_line ? carry_owe(c, DUE_LOCAL, n) : NULL;
	struct buf *b = in_line ? &o->text : &n->to_near;
	char line[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	buf_adds(b, line);
	buf_adds(b, "\r\n");
	if (in_line)
		o->ready = true;
	hand_on(c);
}

void
carry_reset(struct carry *c)
{
	if (c->dirty) {
		buf_adds(&c->to_far, "RSET\r\n");
		carry_owe(c, DUE_RESET, NULL);
	}
	c->dirty = false;
}

static struct owed *
next_of_far(const struct carry *c)
{
	for (size_t i = 0; i < c->owed.n; i++)
		if (!c->owed.p[i].ready)
			return &c->owed.p[i];
	return NULL;
}

int64_t
carry_patience(const struct carry *c)
{
	static const int64_t seconds[] = {
		[DUE_LOCAL] = 300, [DUE_GREETING] = 300, [DUE_EHLO] = 300,
		[DUE_HELO] = 300, [DUE_RESET] = 300, [DUE_QUIT] = 2,
		[DUE_MAIL] = 300, [DUE_RCPT] = 300, [DUE_DATA] = 120,
		[DUE_CHUNK] = 180, [DUE_END] = 600,
	};
	const struct owed *o = next_of_far(c);

	return o != NULL ? seconds[o->what] * 1000 : 0;
}

/* ---- far ---- */

static int
greeted(struct carry *c, const struct reply *r, struct err *e)
{
	if (r->code / 100 != 2)
		return err_set(e, FAULT_TEMP, "it did not greet us: %d %.200s", r->code,
		    buf_str((struct buf *)(uintptr_t)&r->text));
	buf_addf(&c->to_far, "EHLO %s\r\n", c->name);
	carry_owe(c, DUE_EHLO, NULL);
	return 0;
}

static int
welcomed(struct carry *c, enum due how, const struct reply *r, struct err *e)
{
	if (r->code / 100 == 5 && how == DUE_EHLO) {
		buf_addf(&c->to_far, "HELO %s\r\n", c->name);
		carry_owe(c, DUE_HELO, NULL);
		return 0;
	}
	if (r->code / 100 != 2)
		return err_set(e, FAULT_TEMP, "it knows neither EHLO nor HELO: %d",
		    r->code);
	if (how == DUE_EHLO)
		ehlo_parse(&c->offers, r);
	/* an MTA that meets its own name takes it for a loop */
	c->called = span_dup(domain_is_name(span_of(c->offers.name)) &&
	    strcmp(c->offers.name, c->name) != 0 ? span_of(c->offers.name) :
	    SPAN("customer.invalid"));
	c->ready = true;
	return 0;
}

#define WORDS_MOST 506		/* octets behind the code, RFC 5321 section 4.5.3.1.5 */

/* What is not fit for a line of ours is `?'. */
void
carry_write_reply(struct buf *b, const struct reply *r)
{
	struct span rest = buf_span(&r->text), line = {0};
	bool more;

	do {
		more = span_cut(&rest, '\n', &line);
		line = text_front(line, WORDS_MOST);
		buf_addf(b, "%d%c", r->code, rest.n > 0 ? '-' : ' ');
		for (size_t i = 0; more && i < line.n; i++)
			buf_addc(b, ((unsigned char)line.p[i] < ' ' &&
			    line.p[i] != '\t') || line.p[i] == 127 ? '?' :
			    line.p[i]);
		buf_adds(b, "\r\n");
	} while (rest.n > 0);
}

static int
answered_data(struct carry_near *n, int code, struct err *e)
{
	if (n == NULL)
		return code / 100 != 3 ? 0 : err_set(e, FAULT_TEMP,
		    "the MTA went away before the text");
	if (n->lmtp)
		return 0;
	n->waits = false;
	if (code / 100 != 3) {
		n->open = false;	/* as servers see it; RFC 5321 leaves it open */
		return 0;
	}
	n->in_what = CARRY_TEXT;
	n->at = AT_START;
	return 0;
}

/* Near may begin anew, unless it did so before it heard of it. */
static void
refused_mail(const struct carry *c, struct carry_near *n)
{
	for (size_t i = 0; i < c->owed.n; i++)
		if (c->owed.p[i].to == n && c->owed.p[i].what == DUE_MAIL &&
		    !c->owed.p[i].ready)
			return;
	n->open = false;
}

static bool
fits(enum due what, int code)
{
	return code / 100 >= 4 || code / 100 == (what == DUE_DATA ? 3 : 2);
}

static int
answered(struct carry *c, struct owed *o, const struct reply *r, struct err *e)
{
	enum due what = o->what;
	struct carry_near *n = o->to;

	c->answers++;
	o->ready = true;
	if (what == DUE_GREETING)
		return greeted(c, r, e);
	if (what == DUE_EHLO || what == DUE_HELO)
		return welcomed(c, what, r, e);
	if (what == DUE_QUIT) {
		c->parted = true;
		return 0;
	}
	if (r->code == 421 || (what == DUE_RESET && r->code / 100 != 2)) {
		o->ready = false;	/* carry_dismiss() says it */
		return err_set(e, FAULT_TEMP, "it ended the session: %d %.200s",
		    r->code, buf_str((struct buf *)(uintptr_t)&r->text));
	}
	if (!fits(what, r->code)) {
		o->ready = false;
		return err_set(e, FAULT_PROTO, "%d is no answer here", r->code);
	}
	if (what == DUE_END)
		*(r->code / 100 == 2 ? &c->messages : &c->refused) += 1;
	if (n != NULL && n->lmtp)
		carry_lmtp_answered(c, o, r);
	else if (n != NULL)
		carry_write_reply(&o->text, r);
	if (n != NULL && !n->lmtp && what == DUE_MAIL && r->code / 100 != 2)
		refused_mail(c, n);
	return what == DUE_DATA ? answered_data(n, r->code, e) : 0;
}

int
carry_far(struct carry *c, struct span s, struct err *e)
{
	struct reply r = {0};
	ssize_t n = 0;
	size_t at = 0;
	int result = 0;

	buf_addspan(&c->heard, s);
	while (result == 0 && at < c->heard.n &&
	    (n = reply_parse(&r, span_from(buf_span(&c->heard), at), e)) > 0) {
		struct owed *o = next_of_far(c);

		at += (size_t)n;
		if (o != NULL)
			result = answered(c, o, &r, e);
		else
			result = err_set(e, r.code == 421 ? FAULT_TEMP : FAULT_PROTO,
			    "unasked: %d %.200s", r.code, buf_str(&r.text));
		hand_on(c);
	}
	buf_drop(&c->heard, at);
	reply_free(&r);
	if (n < 0 || result < 0)
		return -1;
	carry_go_on(c);
	return 0;
}

void
carry_start(struct carry *c, const char *name, struct span domains)
{
	*c = (struct carry){ .name = name, .domains = domains };
	carry_owe(c, DUE_GREETING, NULL);
}

void
carry_quit(struct carry *c)
{
	buf_adds(&c->to_far, "QUIT\r\n");
	carry_owe(c, DUE_QUIT, NULL);
}

/* ---- sessions ---- */

void
carry_begin(struct carry *c, struct carry_near *n)
{
	*n = (struct carry_near){ .size = -1 };
	*vec_add(&c->nears) = n;
	buf_addf(&n->to_near, "220 %s ESMTP\r\n", c->called);
}

static void
leave(struct carry *c, struct carry_near *n)
{
	size_t i = 0;

	while (c->nears.p[i] != n)
		i++;
	c->nears.n--;
	memmove(c->nears.p + i, c->nears.p + i + 1,
	    (c->nears.n - i) * sizeof *c->nears.p);
	if (c->holder == n)
		c->holder = NULL;
	carry_detach(c, n);
	carry_lmtp_forget(n);
	buf_free(&n->chunk);
	buf_free(&n->in);
	buf_free(&n->to_near);
}

int
carry_end(struct carry *c, struct carry_near *n, struct err *e)
{
	bool chunks = n->lmtp && carry_in_chunks(c, n);
	bool torn = n->in_what == CARRY_CHUNK || (n->in_what == CARRY_TEXT && !chunks);
	/* behind DATA nobody knows yet what far takes it for */
	bool resets = c->holder == n && !n->waits;

	leave(c, n);
	if (torn)
		return err_set(e, FAULT_TEMP, "the MTA went away within a text");
	if (resets)
		carry_reset(c);
	carry_go_on(c);
	return 0;
}

void
carry_dismiss(struct carry_near *n, const char *text)
{
	if (!n->dismissed)
		buf_addf(&n->to_near, "421 4.3.2 %s\r\n", text);
	n->over = n->dismissed = true;
}

bool
carry_is_free(const struct carry *c)
{
	return c->ready && c->nears.n == 0 && c->owed.n == 0;
}

bool
carry_rests(const struct carry *c)
{
	for (size_t i = 0; i < c->nears.n; i++) {
		const struct carry_near *n = c->nears.p[i];

		if (n->open || n->ticket > 0 || n->in_what != CARRY_COMMAND ||
		    n->in.n > 0 || n->to_near.n > 0)
			return false;
	}
	return c->ready && c->owed.n == 0 && c->to_far.n == 0;
}

bool
carry_near_full(const struct carry_near *n)
{
	return n->over || n->in.n >= CARRY_HELD;
}

bool
carry_far_full(const struct carry *c)
{
	for (size_t i = 0; i < c->nears.n; i++)
		if (c->nears.p[i]->to_near.n >= CARRY_HELD)
			return true;
	return false;
}

bool
carry_near_over(const struct carry *c, const struct carry_near *n)
{
	return n->over && n->to_near.n == 0 && (n->dismissed || !is_owed(c, n));
}

/* Half a command that nobody will end; all else waits for far. */
bool
carry_near_done(const struct carry *c, const struct carry_near *n)
{
	return n->to_near.n == 0 && !n->judged &&
	    (n->lmtp || (!is_owed(c, n) && (c->holder != n || c->to_far.n == 0))) &&
	    (n->in.n == 0 || (n->in_what == CARRY_COMMAND &&
	    span_find(buf_span(&n->in), '\n') == n->in.n));
}

bool
carry_near_waits(const struct carry *c, const struct carry_near *n)
{
	return c->holder == n ? c->to_far.n > 0 || next_of_far(c) != NULL :
	    n->ticket > 0 || n->judged;
}

void
carry_free(struct carry *c)
{
	while (c->nears.n > 0)
		leave(c, c->nears.p[0]);
	for (size_t i = 0; i < c->owed.n; i++)
		buf_free(&c->owed.p[i].text);
	vec_free(&c->owed);
	vec_free(&c->nears);
	buf_free(&c->to_far);
	buf_free(&c->heard);
	free(c->called);
	c->called = NULL;
}
