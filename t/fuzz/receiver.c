/*
 * Whatever a client says to the receiving engine, with a driver who answers now, later
 * or not: replies are whole lines with a code, everything held is bounded, a text holds
 * no CR or LF but CRLF, and no verdict is asked for what was forgotten.
 */
#include "fuzz.h"

#include "smtp/receiver.h"

#define HELD_MOST (RECEIVER_HELD + (1 << 17))

static const struct receiver_terms customer = {
	.name = "gw.test", .mail = true, .max_size = 300, .max_rcpts = 3,
	.offers = EXT_PIPELINING | EXT_SIZE | EXT_8BITMIME | EXT_SMTPUTF8 | EXT_DSN |
	    EXT_ENHANCEDSTATUSCODES | EXT_CHUNKING | EXT_LIMITS,
}, provider = {
	.name = "isp.test", .turn = true, .mechanisms = "CRAM-MD5", .mail = true,
	.offers = EXT_STARTTLS | EXT_AUTH | EXT_ETRN | EXT_ATRN,
};

static const char *const words[] = {
	"EHLO a.test\r\n", "MAIL FROM:<a@x.test>\r\n", "RCPT TO:<b@y.test>\r\n",
	"DATA\r\n", ".\r\n", "BDAT 3\r\n", "BDAT 3 LAST\r\n", "RSET\r\n",
	"AUTH CRAM-MD5\r\n", "ATRN\r\n", "STARTTLS\r\n", "QUIT\r\n", "\r", "\n", "\r\n", "x",
};

struct game {
	struct receiver r;
	VEC(unsigned) due;
	VEC(enum about) about;
	unsigned forgotten, text;	/* transactions */
	char last;
};

static void
is_told(struct game *g, const struct question *q)
{
	if (q->about == ABOUT_FORGET)
		g->forgotten = q->transaction;
	if (q->about == ABOUT_TEXT || q->about == ABOUT_END)
		must_hold(q->transaction != 0 && q->transaction != g->forgotten);
	if (q->about == ABOUT_TEXT) {
		if (g->text != q->transaction)
			g->last = '\0';
		g->text = q->transaction;
		for (size_t i = 0; i < q->text.n; i++) {
			must_hold((q->text.p[i] == '\n') == (g->last == '\r'));
			g->last = q->text.p[i];
		}
	}
	if (q->about == ABOUT_END && g->text == q->transaction)
		must_hold(g->last != '\r');
	if (q->token != 0) {
		*vec_add(&g->due) = q->token;
		*vec_add(&g->about) = q->about;
	}
}

static void
listen(struct game *g)
{
	struct question *q;

	while ((q = receiver_ask(&g->r)) != NULL)
		is_told(g, q);
	must_hold(g->r.held == 0);
}

static void
answer(struct game *g, size_t which, uint8_t how)
{
	static const int codes[] = { 250, 235, 550, 451 };
	unsigned token;

	if (g->due.n == 0)
		return;
	which %= g->due.n;
	token = g->due.p[which];
	if ((g->about.p[which] == ABOUT_AUTH || g->about.p[which] == ABOUT_ANSWER) &&
	    (how & 4))
		receiver_challenge(&g->r, token, SPAN("YQ=="));
	else
		receiver_say(&g->r, token, codes[how & 3], "5.0.0", "so be it\nor not");
	g->due.p[which] = g->due.p[--g->due.n];
	g->about.p[which] = g->about.p[--g->about.n];
}

static void
check_out(struct game *g)
{
	struct span rest = buf_span(&g->r.out), line;

	while (span_cut(&rest, '\n', &line)) {
		must_hold(line.n >= 5 && line.p[line.n - 1] == '\r');
		must_hold(line.p[0] >= '2' && line.p[0] <= '5');
		must_hold(line.p[3] == ' ' || line.p[3] == '-');
		must_hold(memchr(line.p, '\r', line.n) == line.p + line.n - 1);
	}
	buf_clear(&g->r.out);
}

static void
hear(struct game *g, struct span s)
{
	if (!receiver_full(&g->r))
		receiver_feed(&g->r, s);
	must_hold(g->r.in.n <= HELD_MOST && g->r.held <= HELD_MOST);
}

static void
step(struct game *g, const uint8_t *d, size_t n)
{
	if (d[0] < 64)
		hear(g, span_of(words[d[0] & 15]));
	else if (d[0] < 128)
		hear(g, (struct span){ (const char *)d + 1, n - 1 < (d[0] & 15) ? n - 1 :
		    (size_t)(d[0] & 15) });
	else if (d[0] < 192)
		answer(g, (d[0] >> 3) & 7, d[0] & 7);
	else if (d[0] < 240)
		listen(g);
	else if (d[0] == 255)
		receiver_lost(&g->r);
	if (g->r.want == RECEIVER_TLS)
		receiver_encrypted(&g->r, &customer);
	check_out(g);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct game g = {0};

	if (n == 0)
		return 0;
	receiver_start(&g.r, data[0] & 1 ? &provider : &customer);
	for (size_t i = 1; i < n && g.r.want == RECEIVER_BYTES; i++)
		step(&g, data + i, n - i);
	listen(&g);
	check_out(&g);
	receiver_free(&g.r);
	vec_free(&g.due);
	vec_free(&g.about);
	return 0;
}
