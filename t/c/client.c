/*
 * Plays every t/talk/NAME.talk against the client engine, in bites of 1, 7 and
 * all octets; then cuts the line behind every octet the server says.
 *
 * S:, S-:, C:, B: and X stand for what they do in t/tool/talk.c.  Besides:
 *
 *	! send SENDER RCPT... [WORD...]	when the client wants work: this letter;
 *			size=N 8bit utf8 ret=full|hdrs envid=ID
 *			notify=never|success|failure|delay (for all of them)
 *	! again		the same letter again, for whoever has no fate yet
 *	! etrn NODE
 *	! quit
 *	! helo		in front of all: the server hung up on EHLO before
 *	= RCPT FATE STATUS TEXT		what became of a recipient; FATE none
 *	= reply CODE TEXT		the last reply
 *	= over FAULT TEXT		the session is over; FAULT 0: in peace
 *	= work		the client wants more work
 *
 * X is a line that dies: `the line is dead' is what the tool would say.
 */
#include "../tap.h"

#include <glob.h>
#include <stdarg.h>

#include "smtp/client.h"

#define NO_CUT ((size_t)-1)

struct play {
	const char *name;
	size_t bite, cut;	/* the line dies behind so many octets */
	size_t fed;
	struct client c;
	struct err e;
	struct envelope env;
	struct letter letter;
	bool over, dead;	/* client_feed() said -1; the line was cut */
	bool again;		/* the letter has had a transaction already */
	bool dot, answered;	/* the text has gone; its reply has come */
	int line;
	bool bad;
};

static void
complain(struct play *p, const char *fmt, ...)
{
	va_list ap;

	if (p->bad)
		return;
	printf("# %s, line %d, bites of %zu, cut at %zd: ", p->name, p->line,
	    p->bite, (ssize_t)p->cut);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	p->bad = true;
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

static void
unescape(struct buf *b, struct span s)
{
	for (; s.n > 0; s = span_from(s, 1)) {
		if (s.p[0] != '\\' || s.n < 2) {
			buf_addc(b, s.p[0]);
			continue;
		}
		s = span_from(s, 1);
		if (s.p[0] == 'x' && s.n > 2) {
			buf_addc(b, (char)(hex(s.p[1]) << 4 | hex(s.p[2])));
			s = span_from(s, 2);
		} else {
			buf_addc(b, s.p[0] == 'r' ? '\r' : s.p[0] == 'n' ?
			    '\n' : s.p[0] == '0' ? '\0' : s.p[0]);
		}
	}
}

static void
forget(struct play *p)
{
	letter_free_met(&p->letter);
	envelope_free(&p->env);
	p->dot = p->answered = p->again = false;
}

static unsigned
notify_of(struct span s)
{
	return span_is(s, "never") ? NOTIFY_NEVER :
	    span_is(s, "success") ? NOTIFY_SUCCESS :
	    span_is(s, "failure") ? NOTIFY_FAILURE : NOTIFY_DELAY;
}

static bool
take_word(struct play *p, struct span w, unsigned *notify)
{
	struct span value = span_from(w, span_find(w, '=') + 1);
	long long n;

	if (span_starts(w, "size=") && span_number(value, &n))
		p->letter.size = n;
	else if (span_is(w, "8bit"))
		p->env.body = BODY_8BITMIME;
	else if (span_is(w, "utf8"))
		p->env.smtputf8 = true;
	else if (span_starts(w, "ret="))
		p->env.ret = span_is(value, "full") ? RET_FULL : RET_HDRS;
	else if (span_starts(w, "envid="))
		p->env.envid = span_dup(value);
	else if (span_starts(w, "notify="))
		*notify = notify_of(value);
	else
		return false;
	return true;
}

static void
do_send(struct play *p, struct span rest)
{
	struct span w = {0};
	unsigned notify = 0;

	forget(p);
	p->letter = (struct letter){ .env = &p->env, .size = -1 };
	span_cut(&rest, ' ', &w);
	p->env.sender = span_dup(span_is(w, "<>") ? span_of("") : w);
	while (span_cut(&rest, ' ', &w))
		if (!take_word(p, w, &notify))
			envelope_add(&p->env, span_dup(w))->selected = true;
	for (size_t i = 0; i < p->env.rcpts.n; i++)
		p->env.rcpts.p[i].notify = notify;
	p->letter.met = must(calloc(p->env.rcpts.n + 1, sizeof *p->letter.met));
	client_mail(&p->c, &p->letter);
}

static void
request(struct play *p, struct span rest)
{
	struct span verb = {0};
	static char node[256];

	span_cut(&rest, ' ', &verb);
	if (span_is(verb, "helo"))
		return;
	if (p->c.want != WANT_WORK) {
		complain(p, "wants no work, but %d", (int)p->c.want);
		return;
	}
	if (span_is(verb, "send")) {
		do_send(p, rest);
	} else if (span_is(verb, "again")) {
		p->dot = p->answered = false;
		p->again = true;
		client_mail(&p->c, &p->letter);
	} else if (span_is(verb, "etrn")) {
		snprintf(node, sizeof node, "%.*s", (int)rest.n, rest.p);
		client_etrn(&p->c, node);
	} else if (span_is(verb, "quit")) {
		client_quit(&p->c);
	} else {
		complain(p, "what is %.*s?", (int)verb.n, verb.p);
	}
}

/* The server says this. */
static void
feed(struct play *p, struct span s, bool line)
{
	size_t all = s.n;

	if (p->fed == 0 && p->c.out.n > 0)
		complain(p, "speaks before it is greeted");
	while (s.n > 0 && !p->over && !p->dead && p->c.want != WANT_NOTHING) {
		size_t n = p->bite < s.n ? p->bite : s.n;

		if (p->cut - p->fed < n)
			n = p->cut - p->fed;
		if (n > 0 && client_feed(&p->c, (struct span){ s.p, n }, &p->e) < 0)
			p->over = true;
		p->fed += n;
		s = span_from(s, n);
		p->dead = p->fed == p->cut;
	}
	/* cut behind the reply's last octet it is an answer still */
	if (line && s.n == 0 && p->dot && (all == 5 || s.p[3 - (ssize_t)all] == ' '))
		p->answered = true;
}

static void
expect(struct play *p, struct span want)
{
	struct span out = buf_span(&p->c.out);

	if (out.n < want.n || memcmp(out.p, want.p, want.n) != 0) {
		complain(p, "wanted `%.*s' got `%.*s'", (int)want.n, want.p,
		    (int)(out.n < 80 ? out.n : 80), out.n ? out.p : "");
		return;
	}
	buf_drop(&p->c.out, want.n);
	client_speak(&p->c);
}

/* A line of the text, or the dot behind it. */
static void
text(struct play *p, struct buf *line, bool end)
{
	struct buf want = {0};

	if (p->c.want != WANT_TEXT) {
		complain(p, "wants no text, but %d", (int)p->c.want);
		return;
	}
	if (end) {
		p->dot = true;
		client_text_end(&p->c);
		buf_adds(&want, ".\r\n");
	} else {
		if (line->p[0] == '.')
			buf_addc(&want, '.');
		buf_addspan(&want, buf_span(line));
		for (size_t at = 0; at < line->n; at += p->bite)
			client_text(&p->c, (struct span){ line->p + at,
			    line->n - at < p->bite ? line->n - at : p->bite });
	}
	expect(p, buf_span(&want));
	buf_free(&want);
}

static void
check_rcpt(struct play *p, struct span who, struct span want)
{
	struct buf got = {0};
	const struct outcome *o = NULL;

	for (size_t i = 0; i < p->env.rcpts.n && o == NULL; i++)
		if (span_is(who, p->env.rcpts.p[i].address))
			o = &p->letter.met[i];
	if (o == NULL)
		complain(p, "nobody is called %.*s", (int)who.n, who.p);
	else if (o->fate == FATE_NONE)
		buf_adds(&got, "none");
	else
		buf_addf(&got, "%s %s %s", fate_name(o->fate), o->status,
		    o->text);
	if (o != NULL && !span_is(want, buf_str(&got)))
		complain(p, "%.*s: wanted `%.*s' got `%s'", (int)who.n, who.p,
		    (int)want.n, want.p, buf_str(&got));
	buf_free(&got);
}

static void
check(struct play *p, struct span rest)
{
	struct span who = {0}, want;
	struct buf got = {0};

	span_cut(&rest, ' ', &who);
	want = rest;
	if (span_is(who, "reply"))
		reply_words(&got, &p->c.said);
	else if (span_is(who, "over"))
		buf_addf(&got, "%d%s%s", (int)p->e.fault, *p->e.text ? " " : "",
		    p->e.text);
	if (span_is(who, "work")) {
		if (p->c.want != WANT_WORK)
			complain(p, "wants no work");
	} else if (got.n == 0) {
		check_rcpt(p, who, want);
	} else if (!span_eq(want, buf_span(&got))) {
		complain(p, "wanted `%.*s' got `%s'", (int)want.n, want.p,
		    buf_str(&got));
	}
	if (span_is(who, "over") && p->c.want != WANT_NOTHING)
		complain(p, "is not over");
	buf_free(&got);
}

/* The server's lines that stand together are fed together. */
static bool
server_line(struct play *p, struct span line, struct buf *said)
{
	bool raw = span_starts(line, "S-: ");

	if (!raw && !span_starts(line, "S:"))
		return false;
	if (said->n == 0 && p->c.out.n > 0)
		complain(p, "said too much: `%.*s'",
		    (int)(p->c.out.n < 80 ? p->c.out.n : 80), p->c.out.p);
	unescape(said, span_from(line, raw ? 4 : 3));
	if (!raw)
		buf_adds(said, "\r\n");
	return true;
}

/* In bites a line at a time, so that where a reply ends is known. */
static void
feed_lines(struct play *p, struct buf *said)
{
	struct span rest = buf_span(said), line;

	if (p->bite >= said->n) {
		feed(p, rest, false);
	} else {
		while (rest.n > 0) {
			size_t n = span_find(rest, '\n');

			line = (struct span){ rest.p, n < rest.n ? n + 1 : n };
			rest = span_from(rest, line.n);
			feed(p, line, line.n > 4);
		}
	}
	buf_clear(said);
}

static void
step(struct play *p, struct span line)
{
	struct buf b = {0};

	if (span_starts(line, "C: ") && span_is(line, "C: .") &&
	    p->c.want == WANT_TEXT) {
		text(p, &b, true);
	} else if (span_starts(line, "C: ") || span_starts(line, "B:")) {
		unescape(&b, span_from(line, 3));
		buf_adds(&b, "\r\n");
		if (line.p[0] == 'B')
			text(p, &b, false);
		else
			expect(p, buf_span(&b));
	} else if (span_is(line, "X")) {
		client_lost(&p->c, "the line is dead");
	} else if (span_starts(line, "! ")) {
		request(p, span_from(line, 2));
	} else if (span_starts(line, "= ")) {
		check(p, span_from(line, 2));
	} else if (line.n > 0 && line.p[0] != '#') {
		complain(p, "not understood");
	}
	buf_free(&b);
}

/* After the line was cut: everybody has a fate, and the right words to it. */
static void
check_dead(struct play *p)
{
	bool between = p->c.letter == NULL;	/* transactions */
	size_t doubtful = 0;

	if (!p->over)
		client_lost(&p->c, "cut");
	if (p->c.want != WANT_NOTHING)
		complain(p, "is not over when the line is dead");
	for (size_t i = 0; i < p->env.rcpts.n; i++) {
		const struct outcome *o = &p->letter.met[i];

		if (o->again && between)
			continue;
		if (o->fate == FATE_NONE || o->text == NULL || !*o->status)
			complain(p, "%s has no fate", p->env.rcpts.p[i].address);
		else if (span_starts(span_of(o->text), "possible duplicate: "))
			doubtful++;
		if (o->fate == FATE_RELAYED || o->fate == FATE_DELIVERED)
			doubtful += !p->answered && !p->again;
	}
	if (p->dot && !p->answered && !p->over && doubtful == 0)
		complain(p, "nobody knows, and nobody is told");
	if ((!p->dot || p->answered) && doubtful > 0)
		complain(p, "a duplicate is not possible");
}

/* Plays it; returns how many octets the server said. */
static size_t
play(const char *name, struct span script, size_t bite, size_t cut, bool *bad)
{
	struct play p = { .name = name, .bite = bite, .cut = cut };
	struct buf said = {0};
	struct span line;

	client_start(&p.c, "client.test",
	    span_starts(script, "! helo\n") ? CLIENT_HELO : 0);
	while (span_cut(&script, '\n', &line) && !p.dead) {
		p.line++;
		if (server_line(&p, line, &said))
			continue;
		if (said.n > 0)
			feed_lines(&p, &said);
		if (!p.dead)
			step(&p, line);
	}
	if (said.n > 0)
		feed_lines(&p, &said);
	if (p.dead)
		check_dead(&p);
	else if (p.c.out.n > 0)
		complain(&p, "said too much: `%.*s'", (int)p.c.out.n, p.c.out.p);
	*bad = *bad || p.bad;
	forget(&p);
	buf_free(&said);
	client_free(&p.c);
	return p.fed;
}

static void
read_all(struct buf *b, const char *path)
{
	FILE *f = must(fopen(path, "r"));
	size_t n;

	while ((n = fread(buf_room(b, 65536), 1, 65536, f)) > 0)
		b->n += n;
	fclose(f);
}

static void
script(const char *path)
{
	static const size_t bites[] = { 1, 7, 1 << 30 };
	const char *name = strrchr(path, '/') + 1;
	struct buf b = {0};
	bool bad = false;
	size_t octets = 0;

	read_all(&b, path);
	for (size_t i = 0; i < 3; i++)
		octets = play(name, buf_span(&b), bites[i], NO_CUT, &bad);
	ok(!bad, "%s in bites of 1, 7 and all", name);
	bad = false;
	for (size_t cut = 1; cut < octets && !bad; cut++)
		play(name, buf_span(&b), 1, cut, &bad);
	ok(!bad, "%s cut at each of %zu octets", name, octets);
	buf_free(&b);
}

/* A client that is asked for 5,000 recipients says them piece by piece. */
static void
crowd(void)
{
	struct play p = { .name = "crowd", .bite = 1 << 30, .cut = NO_CUT };
	struct buf line = {0};
	size_t most = 0, rcpts = 0;
	struct span rest, one;

	client_start(&p.c, "client.test", 0);
	client_feed(&p.c, SPAN("220 x\r\n"), &p.e);
	buf_clear(&p.c.out);
	client_feed(&p.c, SPAN("250-x\r\n250 PIPELINING\r\n"), &p.e);
	buf_adds(&line, "a@x");
	for (int i = 0; i < 5000; i++)
		buf_addf(&line, " recipient%d@there.test", i);
	do_send(&p, buf_span(&line));
	while (p.c.out.n > 0) {
		most = p.c.out.n > most ? p.c.out.n : most;
		rest = buf_take(&p.c.out);
		while (span_cut(&rest, '\n', &one))
			rcpts += span_starts(one, "RCPT ");
		client_speak(&p.c);
	}
	ok(rcpts == 5000, "5000 recipients");
	ok(most < 40000, "in pieces of at most %zu octets", most);
	client_lost(&p.c, "enough");
	forget(&p);
	buf_free(&line);
	client_free(&p.c);
}

int
main(void)
{
	const char *top = getenv("top");
	struct buf pattern = {0};
	glob_t g;

	buf_addf(&pattern, "%s/t/talk/*.talk", top != NULL ? top : ".");
	if (glob(buf_str(&pattern), 0, NULL, &g) != 0)
		ok(false, "there are scripts in t/talk");
	for (size_t i = 0; i < g.gl_pathc; i++)
		script(g.gl_pathv[i]);
	globfree(&g);
	crowd();
	buf_free(&pattern);
	return done_testing();
}
