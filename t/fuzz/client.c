/*
 * Whatever a server says, and whenever: three letters of two recipients each are
 * on their way to it.  The input is what happens, octet by octet: so much is
 * taken, so much of a text is given, this is said.  What was said and taken is
 * counted here, too, and decides what may have become of each letter.
 */
#include "fuzz.h"

#include "smtp/client.h"

#define LETTERS 3
#define OUT_MOST (65536 + 2048)

static const char *const words[] = {
	"250 ok\r\n", "550 5.1.1 no\r\n", "452 4.5.3 many\r\n", "354 go\r\n",
	"503 5.5.1 what\r\n", "421 4.3.2 bye\r\n", "250-half\r\n", "451 4.0.0 no\r\n",
	"220 x\r\n", "334 \r\n", "251 2.1.5 ok\r\n", "554 no\r\n", "552 5.2.2 no\r\n",
	"500 no\r\n", "25", "\r\n",
};

static const char text[] = "Subject: x\r\n\r\n.dot\r\n..\r\nlast\r\n";

/* One reply is due. */
struct due {
	int letter;
	bool rset, mail, rcpt, data, chunk, last;
};

struct game {
	struct client c;
	struct err e;
	bool lmtp, over, refused;	/* refused: 421 */
	bool one;		/* RCPTMAX=1: the second is not asked */
	struct envelope env[LETTERS];
	struct letter letter[LETTERS];
	size_t begun;
	size_t given;		/* of the text under way */

	/* the server's side */
	struct buf wire, heard;
	bool in_data;
	size_t bdat_left;
	bool bdat_last;
	int mail;		/* the letter whose MAIL came last */
	VEC(struct due) due;
	size_t replied;
	/* halved: LMTP, 421 among its verdicts */
	struct { bool gone, early, answered, reset, no, stray, halved;
	    size_t accepted, verdicts,
	    good; } seen[LETTERS];
};

static void
ended(struct game *g)
{
	if (g->mail >= 0)
		g->seen[g->mail].gone = true;
}

static void
command(struct game *g, struct span line)
{
	struct due d = { .letter = g->mail };
	struct span rest = line, word = {0};

	span_cut(&rest, ' ', &word);
	must_hold(line.n > 0 && line.n < 200);
	if (span_is(word, "MAIL"))
		d.letter = ++g->mail;
	d.mail = span_is(word, "MAIL");
	d.rset = span_is(word, "RSET");
	d.letter += d.rset;
	d.rcpt = span_is(word, "RCPT");
	d.data = span_is(word, "DATA");
	if (span_is(word, "BDAT")) {
		g->bdat_left = strtoul(rest.p, NULL, 10);
		d.last = g->bdat_last = span_ends(line, "LAST");
		d.chunk = !d.last;
	}
	*vec_add(&g->due) = d;
	if (g->bdat_last && g->bdat_left == 0) {
		ended(g);
		g->bdat_last = false;
	}
}

/* The server reads what came; false: not all of it yet. */
static bool
read_some(struct game *g)
{
	size_t n = span_find(buf_span(&g->wire), '\n');
	struct span line;

	if (g->bdat_left > 0 && g->wire.n > 0) {
		n = g->wire.n < g->bdat_left ? g->wire.n : g->bdat_left;
		buf_drop(&g->wire, n);
		g->bdat_left -= n;
		if (g->bdat_left == 0 && g->bdat_last) {
			ended(g);
			g->bdat_last = false;
		}
		return true;
	}
	if (g->bdat_left > 0 || n == g->wire.n)
		return false;
	must_hold(n > 0 && g->wire.p[n - 1] == '\r');
	line = (struct span){ g->wire.p, n - 1 };
	if (!g->in_data) {
		command(g, line);
	} else if (span_is(line, ".")) {
		ended(g);
		g->in_data = false;
		*vec_add(&g->due) = (struct due){ .letter = g->mail, .last = true };
	}
	buf_drop(&g->wire, n + 1);
	return true;
}

static void
taken(struct game *g, struct span s)
{
	buf_addspan(&g->wire, s);
	while (read_some(g))
		;
}

static void
verdict(struct game *g, const struct due *d, const struct reply *r)
{
	g->seen[d->letter].verdicts++;
	if (!g->seen[d->letter].gone)
		g->seen[d->letter].early = true;
	else
		g->seen[d->letter].good += r->code / 100 == 2;
	if (g->lmtp && g->seen[d->letter].verdicts < g->seen[d->letter].accepted) {
		g->seen[d->letter].halved = r->code == 421;
		return;
	}
	g->seen[d->letter].answered = true;
	g->replied++;
}

static void
replied(struct game *g, const struct reply *r)
{
	const struct due *d;

	g->refused = g->refused || r->code == 421;
	if (g->replied == g->due.n)
		return;		/* to what has not been taken, or to nothing */
	d = &g->due.p[g->replied];
	if (d->letter >= 0 && d->last) {
		verdict(g, d, r);
		return;
	}
	g->replied++;
	if (d->letter < 0)
		return;
	if (d->rset && r->code / 100 != 2)
		g->seen[d->letter].reset = true;
	if ((d->rset || d->mail) && r->code / 100 != 2)
		g->seen[d->letter].no = true;
	if (d->rcpt && r->code / 100 == 2 && g->seen[d->letter].no)
		g->seen[d->letter].stray = true;
	g->seen[d->letter].accepted += d->rcpt && r->code / 100 == 2;
	if (d->chunk && r->code / 100 != 2)
		g->seen[d->letter].accepted = 0;	/* its end is nobody's */
	g->in_data = g->in_data || (d->data && r->code == 354);
}

/* What is left for an untaken command to be answered by breaks the game. */
static bool
ahead(const struct game *g)
{
	return g->replied == g->due.n;
}

/* One whole reply at most at a time, so that both count the same. */
static void
say(struct game *g, struct span s)
{
	struct reply r = {0};
	struct err e = {0};
	ssize_t n;

	buf_addspan(&g->heard, s);
	while ((n = reply_parse(&r, buf_span(&g->heard), &e)) > 0 && !g->over &&
	    g->c.want != WANT_NOTHING) {
		if (ahead(g) && g->c.out.n > 0) {
			/* it answers what it cannot know: let it know */
			struct span all = buf_take(&g->c.out);
			struct buf copy = {0};

			buf_addspan(&copy, all);
			taken(g, all);
			g->c.out.n = copy.n;
			client_sent(&g->c, copy.n);
			client_speak(&g->c);
			buf_free(&copy);
		}
		replied(g, &r);
		buf_drop(&g->heard, (size_t)n);
	}
	reply_free(&r);
}

static void
feed(struct game *g, const char *p, size_t n, size_t bite)
{
	for (size_t at = 0; at < n && !g->over && g->c.want != WANT_NOTHING;
	    at += bite) {
		struct span s = { p + at, n - at < bite ? n - at : bite };

		say(g, s);
		g->over = client_feed(&g->c, s, &g->e) < 0;
	}
}

static void
take(struct game *g, size_t n)
{
	n = n < g->c.out.n ? n : g->c.out.n;
	taken(g, (struct span){ g->c.out.p, n });
	client_sent(&g->c, n);
	client_speak(&g->c);
}

static bool
give_beside(struct game *g, size_t n)
{
	struct span piece = { text + g->given, n };

	if ((piece.n = client_chunk(&g->c, n)) == 0)
		return false;
	take(g, g->c.out.n);
	taken(g, piece);
	client_beside(&g->c, piece.n);
	g->given += piece.n;
	return true;
}

static void
give(struct game *g, size_t n, bool beside)
{
	size_t left = (g->c.texting->size == 0 ? 0 : sizeof text - 1) - g->given;

	must_hold(g->c.texting->under_way);
	if (client_text_useless(&g->c)) {
		client_text_give_up(&g->c);
		g->given = 0;
	} else if (left == 0) {
		must_hold(client_text_end(&g->c));
		g->given = 0;
	} else if (beside && client_text_plain(&g->c)) {
		must_hold(give_beside(g, n < left ? n : left));
	} else {
		n = n < left ? n : left;
		must_hold(client_text(&g->c, (struct span){ text + g->given, n }));
		g->given += n;
	}
}

static void
mail(struct game *g, unsigned kind)
{
	struct letter *l = &g->letter[g->begun];

	if (g->begun == LETTERS || !client_takes_mail(&g->c))
		return;
	l->size = kind == 0 ? -1 : kind == 1 ? 0 : (int64_t)sizeof text - 1;
	g->begun++;
	client_mail(&g->c, l);
}

static void
sound(const struct game *g)
{
	const struct client *c = &g->c;
	bool open = false;

	must_hold(c->out.n <= OUT_MOST);
	must_hold(c->sent <= c->asked.n && c->answered <= c->sent);
	must_hold(c->want != WANT_TEXT || c->texting != NULL);
	/* nothing to say and nothing to hear would be for ever */
	must_hold(c->want != WANT_BYTES || c->answered < c->sent || c->out.n > 0);
	for (size_t i = 0; i < g->begun; i++) {
		must_hold(!open || g->letter[i].under_way);
		open = open || g->letter[i].under_way;
	}
	must_hold(c->want != WANT_WORK || !open);
}

static void
check_end(const struct game *g, size_t n, size_t i)
{
	const struct outcome *o = &g->letter[n].met[i];
	bool doubt = g->seen[n].gone && !g->seen[n].answered && !g->refused &&
	    !(g->one && i > 0);
	bool doubted = o->text != NULL && strncmp(o->text, CLIENT_DOUBT,
	    strlen(CLIENT_DOUBT)) == 0;

	must_hold(o->fate != FATE_NONE && *o->status && o->text != NULL);
	if (o->fate == FATE_DELIVERED)
		must_hold(g->seen[n].good > 0);
	if (doubted)
		must_hold(!o->untried && (doubt || g->seen[n].early ||
		    g->seen[n].stray || g->seen[n].halved));
	else if (doubt && o->code == 0 && !g->seen[n].reset)
		must_hold(o->fate != FATE_DEFERRED);
	if (o->untried)
		must_hold(o->fate == FATE_DEFERRED);
}

static void
end(struct game *g, bool closed)
{
	if (!g->over)
		client_lost(&g->c, "lost", closed);
	must_hold(g->c.want == WANT_NOTHING && g->c.texting == NULL);
	for (size_t n = 0; n < g->begun; n++) {
		struct letter *l = &g->letter[n];
		size_t delivered = 0;

		must_hold(!l->under_way);
		for (size_t i = 0; i < 2; i++) {
			/* `again`: left to another transaction */
			if (!l->met[i].again)
				check_end(g, n, i);
			delivered += l->met[i].fate == FATE_DELIVERED;
		}
		must_hold(!g->lmtp || delivered <= g->seen[n].good);
	}
}

static void
start(struct game *g, unsigned how)
{
	static const char greeting[] = "220 x\r\n";
	struct buf hello = {0};

	for (size_t n = 0; n < LETTERS; n++) {
		g->env[n].sender = span_dup(SPAN("a@x"));
		for (int i = 0; i < 2; i++)
			envelope_add(&g->env[n], span_dup(SPAN("b@y")))->selected =
			    true;
		g->letter[n].env = &g->env[n];
		g->letter[n].met = must(calloc(2, sizeof *g->letter[n].met));
	}
	g->mail = -1;
	g->lmtp = how & 4;
	g->one = how & 16;
	*vec_add(&g->due) = (struct due){ .letter = -1 };
	client_start(&g->c, "h", (g->lmtp ? CLIENT_LMTP : 0) |
	    (how & 8 ? CLIENT_NO_CHUNKING : 0));
	feed(g, greeting, strlen(greeting), 64);
	take(g, g->c.out.n);
	buf_addf(&hello, "250-x\r\n%s%s%s250 SIZE\r\n", how & 1 ? "" :
	    "250-PIPELINING\r\n", how & 2 ? "" : "250-CHUNKING\r\n",
	    how & 16 ? "250-LIMITS RCPTMAX=1\r\n" : "");
	feed(g, hello.p, hello.n, 64);
	buf_free(&hello);
	must_hold(g->c.want == WANT_WORK);
}

/* What happens next, for one octet of the input. */
static void
happen(struct game *g, uint8_t op)
{
	unsigned much = op >> 2 & 15;

	switch (op >> 6) {
	case 0:
		if (op & 1)
			take(g, much * much);
		else
			mail(g, much % 3);
		break;
	case 1:
		if (g->c.want == WANT_TEXT && g->c.out.n < 65536)
			give(g, much * 3 + 1, op & 1);
		break;
	default:
		/* what may be taken is, mostly */
		if (op & 64)
			take(g, g->c.out.n);
		feed(g, words[much], strlen(words[much]), op & 1 ? 1 : 64);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct game g = {0};

	if (n < 1)
		return 0;
	start(&g, data[0]);
	for (size_t i = 1; i < n && !g.over && g.c.want != WANT_NOTHING; i++) {
		happen(&g, data[i]);
		if (!g.over && g.c.want != WANT_NOTHING)
			sound(&g);
	}
	end(&g, false);
	for (size_t i = 0; i < LETTERS; i++) {
		letter_free_met(&g.letter[i]);
		envelope_free(&g.env[i]);
	}
	vec_free(&g.due);
	buf_free(&g.wire);
	buf_free(&g.heard);
	client_free(&g.c);
	return 0;
}
