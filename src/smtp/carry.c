#include "smtp/carry_own.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "wire/domain.h"

/* ---- what is owed ---- */

static bool
is_ours(enum due d)
{
	return d >= DUE_GREETING && d <= DUE_QUIT;
}

void
carry_owe(struct carry *c, enum due what)
{
	vec_add(&c->owed)->what = what;
}

/* Gives near what stands ready, in order. */
static void
hand_on(struct carry *c)
{
	size_t n = 0;

	for (; n < c->owed.n && c->owed.p[n].ready; n++) {
		if (c->session && !c->dismissed && !is_ours(c->owed.p[n].what))
			buf_addspan(&c->to_near, buf_span(&c->owed.p[n].text));
		buf_free(&c->owed.p[n].text);
	}
	if (n == 0)
		return;
	c->owed.n -= n;
	memmove(c->owed.p, c->owed.p + n, c->owed.n * sizeof *c->owed.p);
}

void
carry_say(struct carry *c, const char *fmt, ...)
{
	struct owed *o = vec_add(&c->owed);
	char line[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	o->what = DUE_LOCAL;
	o->ready = true;
	buf_adds(&o->text, line);
	buf_adds(&o->text, "\r\n");
	hand_on(c);
}

void
carry_reset(struct carry *c)
{
	if (c->dirty) {
		buf_adds(&c->to_far, "RSET\r\n");
		carry_owe(c, DUE_RESET);
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
	carry_owe(c, DUE_EHLO);
	return 0;
}

static int
welcomed(struct carry *c, enum due how, const struct reply *r, struct err *e)
{
	if (r->code / 100 == 5 && how == DUE_EHLO) {
		buf_addf(&c->to_far, "HELO %s\r\n", c->name);
		carry_owe(c, DUE_HELO);
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
static void
write_reply(struct buf *b, const struct reply *r)
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
answered_data(struct carry *c, int code, struct err *e)
{
	c->waits = false;
	if (code / 100 != 3) {
		c->open = false;	/* as servers see it; RFC 5321 leaves it open */
		return 0;
	}
	if (!c->session)
		return err_set(e, FAULT_TEMP, "the MTA went away before the text");
	c->in_what = CARRY_TEXT;
	c->at = AT_START;
	return 0;
}

/* Near may begin anew, unless it did so before it heard of it. */
static void
refused_mail(struct carry *c)
{
	for (size_t i = 0; i < c->owed.n; i++)
		if (c->owed.p[i].what == DUE_MAIL && !c->owed.p[i].ready)
			return;
	c->open = false;
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
	if (what != DUE_RESET)
		write_reply(&o->text, r);
	if (what == DUE_END)
		*(r->code / 100 == 2 ? &c->messages : &c->refused) += 1;
	if (what == DUE_MAIL && r->code / 100 != 2)
		refused_mail(c);
	return what == DUE_DATA ? answered_data(c, r->code, e) : 0;
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
	carry_owe(c, DUE_GREETING);
}

void
carry_quit(struct carry *c)
{
	buf_adds(&c->to_far, "QUIT\r\n");
	carry_owe(c, DUE_QUIT);
}

/* ---- sessions ---- */

void
carry_begin(struct carry *c)
{
	buf_clear(&c->in);
	buf_clear(&c->to_near);
	c->session = true;
	c->over = c->dismissed = false;
	c->in_what = CARRY_COMMAND;
	buf_addf(&c->to_near, "220 %s ESMTP\r\n", c->called);
}

int
carry_end(struct carry *c, struct err *e)
{
	c->session = false;
	c->open = false;
	c->rcpts = 0;
	buf_clear(&c->in);
	buf_clear(&c->to_near);
	if (c->in_what == CARRY_TEXT || c->in_what == CARRY_CHUNK)
		return err_set(e, FAULT_TEMP, "the MTA went away within a text");
	c->in_what = CARRY_COMMAND;
	/* behind DATA nobody knows yet what far takes it for */
	if (!c->waits)
		carry_reset(c);
	return 0;
}

void
carry_dismiss(struct carry *c, const char *text)
{
	if (c->session && !c->dismissed)
		buf_addf(&c->to_near, "421 4.3.2 %s\r\n", text);
	c->over = c->dismissed = true;
}

bool
carry_is_free(const struct carry *c)
{
	return c->ready && !c->session && c->owed.n == 0;
}

bool
carry_near_full(const struct carry *c)
{
	return !c->session || c->over || c->in.n >= CARRY_HELD;
}

bool
carry_far_full(const struct carry *c)
{
	return c->to_near.n >= CARRY_HELD;
}

void
carry_free(struct carry *c)
{
	for (size_t i = 0; i < c->owed.n; i++)
		buf_free(&c->owed.p[i].text);
	vec_free(&c->owed);
	buf_free(&c->to_far);
	buf_free(&c->to_near);
	buf_free(&c->in);
	buf_free(&c->heard);
	free(c->called);
	c->called = NULL;
}
