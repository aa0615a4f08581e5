/*
 * Whatever an MTA and a customer say to each other through what carries them: all that
 * is held is bounded; to the customer no CR or LF goes but as CRLF, no command but those
 * that are carried, no recipient of another domain; to the MTA whole lines.  There are two
 * sessions of the MTA; near's own BDAT, which may hold anything, is said only where it
 * is not offered.
 */
#include "fuzz.h"

#include "smtp/carry.h"

#define HELD_MOST (3 * CARRY_HELD + CARRY_DUE * 600)

static const char *const near_words[] = {
	"EHLO a.test\r\n", "MAIL FROM:<a@x.test>\r\n", "RCPT TO:<b@c.test>\r\n",
	"RCPT TO:<b@evil.test>\r\n", "RCPT TO:<@c.test:b@evil.test>\r\n", "DATA\r\n",
	".\r\n", "\n.\r\n", ".\n", "BDAT 3\r\n", "RSET\r\n", "QUIT\r\n", "\r", "\n",
	"\r\n", ".", "x", "RCPT TO:<", "\"@c.test\"@evil.test>\r\n", "LHLO a.test\r\n",
	"LHLO a.test\r\nMAIL FROM:<>\r\nRCPT TO:<b@c.test>\r\nDATA\r\n",
}, *const far_words[] = {
	"250 ok\r\n", "354 go\r\n", "550 no\r\n", "451 no\r\n", "250-a\r\n", "250 b\n",
	"221 bye\r\n", "2",
};

#define NEARS 2

struct game {
	struct carry c;
	struct carry_near n[NEARS];
	bool session[NEARS], chunks;
	size_t octets;		/* of a chunk, to the customer */
	struct err e;
	char last;		/* to the customer */
	bool text;		/* what goes there is one */
	struct buf line;
};

static void
is_told_chunk(struct game *g, struct span l)
{
	long long n = 0;

	must_hold(g->chunks);
	if (span_ends(l, " LAST"))
		l.n -= sizeof " LAST" - 1;
	must_hold(span_number(l, &n));
	g->octets = (size_t)n;
}

/* A line to the customer; within a text only its end means something. */
static void
is_told(struct game *g)
{
	struct span l = buf_span(&g->line);

	if (g->text)
		g->text = !span_is(l, ".\r\n");
	else if (span_starts(l, "RCPT "))
		must_hold(span_ends(l, "@c.test>\r\n"));
	else if (span_starts(l, "BDAT "))
		is_told_chunk(g, span_trim(span_from(l, 5)));
	else
		must_hold(span_is(l, "DATA\r\n") || span_starts(l, "EHLO isp") ||
		    span_starts(l, "HELO isp") || span_starts(l, "MAIL ") ||
		    span_is(l, "RSET\r\n") || span_is(l, "QUIT\r\n"));
	buf_clear(&g->line);
}

static void
hear(struct game *g, char ch)
{
	must_hold((ch == '\n') == (g->last == '\r'));
	g->last = ch;
	if (g->octets > 0) {
		g->octets--;
		return;
	}
	buf_addc(&g->line, ch);
	if (ch == '\n')
		is_told(g);
}

static void
listen_near(struct carry_near *n)
{
	struct span near = buf_take(&n->to_near);

	must_hold(n->in.n + n->chunk.n + near.n < HELD_MOST);
	must_hold(near.n == 0 || (near.n > 5 && near.p[near.n - 1] == '\n' &&
	    near.p[near.n - 2] == '\r'));
	must_hold(n->said.n == n->v.rcpts.n && n->said.n <= CARRY_RCPTS);
}

static void
listen(struct game *g)
{
	struct span far = buf_take(&g->c.to_far);

	must_hold(far.n + g->c.heard.n < HELD_MOST);
	must_hold(g->c.owed.n <= CARRY_DUE + 4);
	for (size_t i = 0; i < far.n; i++)
		hear(g, far.p[i]);
	for (size_t i = 0; i < NEARS; i++)
		if (g->session[i])
			listen_near(&g->n[i]);
}

static bool
some_wait(const struct game *g)
{
	for (size_t i = 0; i < NEARS; i++)
		if (g->session[i] && g->n[i].waits)
			return true;
	return false;
}

static void
far(struct game *g, struct span s)
{
	/* to what was asked before it would be wrong, and the end */
	bool text = some_wait(g) && g->c.heard.n == 0 && span_starts(s, "354");

	if (g->e.fault == FAULT_NONE)
		carry_far(&g->c, s, &g->e);
	g->text |= text && g->e.fault == FAULT_NONE;
	listen(g);
}

static void
move(struct game *g, uint8_t b)
{
	static const size_t words = sizeof near_words / sizeof *near_words;
	struct err e = {0};
	size_t i = b < 100 ? b / words % NEARS : b % NEARS;
	struct carry_near *n = &g->n[i];

	if (g->e.fault != FAULT_NONE)
		return;
	/* what it holds goes through as it is */
	if (b < 100 && g->chunks && !n->lmtp &&
	    strncmp(near_words[b % words], "BDAT", 4) == 0)
		return;
	if (b < 100) {
		if (g->session[i] && !carry_near_full(n))
			carry_near(&g->c, n, span_of(near_words[b % words]));
	} else if (b < 215) {
		far(g, span_of(far_words[b % (sizeof far_words / sizeof *far_words)]));
	} else if (b < 220 && g->session[i]) {
		carry_keep(&g->c, n);
	} else if (b < 235 && g->c.ready && !g->session[i]) {
		carry_begin(&g->c, n);
		g->session[i] = true;
	} else if (b >= 235 && b < 245 && g->session[i]) {
		g->session[i] = false;
		if (carry_end(&g->c, n, &e) < 0)
			g->e = e;
	}
	listen(g);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct game g = {0};

	carry_start(&g.c, "isp.test", SPAN("c.test"));
	g.chunks = size > 0 && data[0] % 4 == 3;
	if (g.chunks)
		carry_far(&g.c, SPAN("220 c\r\n250-c\r\n250-CHUNKING\r\n"
		    "250 PIPELINING\r\n"), &g.e);
	else if (size > 0 && data[0] & 1)
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
