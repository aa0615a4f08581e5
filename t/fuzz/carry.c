/*
 * Whatever an MTA and a customer say to each other through what carries them: all that
 * is held is bounded; to the customer no CR or LF goes but as CRLF (no BDAT is offered
 * here), no command but those that are carried, no recipient of another domain; to the MTA
 * whole lines.
 */
#include "fuzz.h"

#include "smtp/carry.h"

#define HELD_MOST (3 * CARRY_HELD + CARRY_DUE * 600)

static const char *const near_words[] = {
	"EHLO a.test\r\n", "MAIL FROM:<a@x.test>\r\n", "RCPT TO:<b@c.test>\r\n",
	"RCPT TO:<b@evil.test>\r\n", "RCPT TO:<@c.test:b@evil.test>\r\n", "DATA\r\n",
	".\r\n", "\n.\r\n", ".\n", "BDAT 3\r\n", "RSET\r\n", "QUIT\r\n", "\r", "\n",
	"\r\n", ".", "x", "RCPT TO:<", "\"@c.test\"@evil.test>\r\n",
}, *const far_words[] = {
	"250 ok\r\n", "354 go\r\n", "550 no\r\n", "451 no\r\n", "250-a\r\n", "250 b\n",
	"221 bye\r\n", "2",
};

struct game {
	struct carry c;
	struct err e;
	char last;		/* to the customer */
	bool text;		/* what goes there is one */
	struct buf line;
};

/* A line to the customer; within a text only its end means something. */
static void
is_told(struct game *g)
{
	struct span l = buf_span(&g->line);

	if (g->text)
		g->text = !span_is(l, ".\r\n");
	else if (span_starts(l, "RCPT "))
		must_hold(span_ends(l, "@c.test>\r\n"));
	else
		must_hold(span_is(l, "DATA\r\n") || span_starts(l, "EHLO isp") || span_starts(l, "HELO isp") ||
		    span_starts(l, "MAIL ") || span_is(l, "RSET\r\n") ||
		    span_is(l, "QUIT\r\n"));
	buf_clear(&g->line);
}

static void
listen(struct game *g)
{
	struct span far = buf_take(&g->c.to_far), near = buf_take(&g->c.to_near);

	must_hold(g->c.in.n + far.n + near.n + g->c.heard.n < HELD_MOST);
	must_hold(g->c.owed.n <= CARRY_DUE + 4);
	for (size_t i = 0; i < far.n; i++) {
		must_hold((far.p[i] == '\n') == (g->last == '\r'));
		g->last = far.p[i];
		buf_addc(&g->line, far.p[i]);
		if (far.p[i] == '\n')
			is_told(g);
	}
	must_hold(near.n == 0 || (near.n > 5 && near.p[near.n - 1] == '\n' &&
	    near.p[near.n - 2] == '\r'));
}

static void
far(struct game *g, struct span s)
{
	/* to what was asked before it would be wrong, and the end */
	bool text = g->c.waits && g->c.heard.n == 0 && span_starts(s, "354");

	if (g->e.fault == FAULT_NONE)
		carry_far(&g->c, s, &g->e);
	g->text |= text && g->e.fault == FAULT_NONE;
	listen(g);
}

static void
move(struct game *g, uint8_t b)
{
	struct err e = {0};

	if (g->e.fault != FAULT_NONE)
		return;
	if (b < 100) {
		if (g->c.session && !carry_near_full(&g->c))
			carry_near(&g->c, span_of(near_words[b %
			    (sizeof near_words / sizeof *near_words)]));
	} else if (b < 220) {
		far(g, span_of(far_words[b % (sizeof far_words / sizeof *far_words)]));
	} else if (b < 235 && carry_is_free(&g->c)) {
		carry_begin(&g->c);
	} else if (b < 245 && g->c.session && carry_end(&g->c, &e) < 0) {
		g->e = e;
	}
	listen(g);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct game g = {0};

	carry_start(&g.c, "isp.test", SPAN("c.test"));
	if (size > 0 && data[0] & 1)
		carry_far(&g.c, SPAN("220 c\r\n250-c\r\n250 PIPELINING\r\n"), &g.e);
	else
		carry_far(&g.c, SPAN("220 c\r\n250 c\r\n"), &g.e);
	listen(&g);
	for (size_t i = 1; i < size; i++)
		move(&g, data[i]);
	carry_free(&g.c);
	buf_free(&g.line);
	return 0;
}
