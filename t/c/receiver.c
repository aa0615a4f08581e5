/*
 * Plays every t/talk/server/NAME.talk against the receiving engine, in bites of 1, 7
 * and all octets.
 *
 *	C: LINE		the peer says this; lines that stand together come together
 *	C-: OCTETS	without CRLF
 *	S: LINE		the engine says this next
 *	Q: QUESTION	the driver is asked, or told, this next:
 *			MAIL <SENDER> [size=N] [8bit] [7bit] [utf8] [ret=full|hdrs]
 *			[envid=ID], RCPT <ADDRESS> [notify=BITS] [orcpt=WHO], TEXT OCTETS,
 *			END, FORGET [CODE], AUTH MECHANISM [INITIAL], ANSWER BASE64,
 *			CANCEL, ETRN NODE, ATRN [DOMAINS], TURN, REFUSED [WHOM] CODE
 *	A: CODE STATUS TEXT	the driver answers the first that is not answered yet;
 *			`A2:' the second one of these; STATUS - is none
 *	A: 334 BASE64	AUTH goes on
 *	~ TEXT		as much of a text as was given out, if any
 *	! whole		in bites it would be another conversation
 *	! encrypted	the handshake is done
 *	! dismiss TEXT, ! lost
 *	! provider	in front: what turn-server offers, not what turn-client does
 *	= bytes, = tls, = turn, = over	what the engine wants
 *
 * \r, \n, \0, \\ and \xHH stand for octets.
 */
#include "../tap.h"
#include "script.h"

#include <glob.h>
#include <stdarg.h>

#include "smtp/receiver.h"

struct asked { unsigned token; struct buf text; };

struct play {
	const char *name;
	size_t bite;
	struct receiver r;
	VEC(struct asked) asked;	/* not checked yet */
	size_t checked;
	VEC(unsigned) due;		/* tokens that want an answer */
	int line;
	bool bad;
};

static const struct receiver_terms customer = {
	.name = "gw.customer.test", .mail = true, .max_size = 1000, .max_rcpts = 3,
	.offers = EXT_PIPELINING | EXT_SIZE | EXT_8BITMIME | EXT_SMTPUTF8 | EXT_DSN |
	    EXT_ENHANCEDSTATUSCODES | EXT_CHUNKING | EXT_LIMITS,
}, provider = {
	.name = "isp.test", .turn = true, .mechanisms = "CRAM-MD5",
	.offers = EXT_STARTTLS | EXT_AUTH | EXT_ETRN | EXT_ATRN |
	    EXT_ENHANCEDSTATUSCODES,
}, provider_tls = {
	.name = "isp.test", .turn = true, .mechanisms = "CRAM-MD5 PLAIN",
	.offers = EXT_AUTH | EXT_ETRN | EXT_ATRN | EXT_ENHANCEDSTATUSCODES,
};

static void
complain(struct play *p, const char *fmt, ...)
{
	va_list ap;

	if (p->bad)
		return;
	printf("# %s, line %d, bites of %zu: ", p->name, p->line, p->bite);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	p->bad = true;
}

/* ---- what the driver is asked ---- */

static void
add_mail(struct buf *b, const struct question *q)
{
	const struct envelope *v = &q->env;

	buf_addf(b, " <%s>", v->sender);
	if (q->size >= 0)
		buf_addf(b, " size=%lld", (long long)q->size);
	if (v->body != BODY_UNKNOWN)
		buf_adds(b, v->body == BODY_7BIT ? " 7bit" : " 8bit");
	if (v->smtputf8)
		buf_adds(b, " utf8");
	if (v->ret != RET_NONE)
		buf_adds(b, v->ret == RET_FULL ? " ret=full" : " ret=hdrs");
	if (v->envid != NULL)
		buf_addf(b, " envid=%s", v->envid);
}

static void
add_rcpt(struct buf *b, const struct rcpt *r)
{
	buf_addf(b, " <%s>", r->address);
	if (r->notify != 0)
		buf_addf(b, " notify=%u", r->notify);
	if (r->orcpt != NULL)
		buf_addf(b, " orcpt=%s", r->orcpt);
}

static void
render(struct buf *b, const struct question *q)
{
	static const char *const words[] = { "MAIL", "RCPT", "TEXT", "END", "FORGET",
	    "AUTH", "ANSWER", "CANCEL", "ETRN", "ATRN", "TURN", "REFUSED" };

	buf_adds(b, words[q->about]);
	if (q->about == ABOUT_MAIL)
		add_mail(b, q);
	else if (q->about == ABOUT_RCPT)
		add_rcpt(b, &q->env.rcpts.p[0]);
	else if (q->text.n > 0 || q->about == ABOUT_ANSWER)
		buf_addc(b, ' ');
	buf_addspan(b, buf_span(&q->text));
	if (q->why.code != 0)
		buf_addf(b, " %d", q->why.code);
	if (q->has_more)
		buf_addf(b, " %.*s", (int)q->more.n, q->more.n > 0 ? q->more.p : "");
}

/* A text may come in as many pieces as it likes. */
static void
gather(struct play *p)
{
	struct question *q;
	struct asked *last;

	while ((q = receiver_ask(&p->r)) != NULL) {
		last = p->asked.n > p->checked ? &p->asked.p[p->asked.n - 1] : NULL;
		if (q->about == ABOUT_TEXT && last != NULL &&
		    span_starts(buf_span(&last->text), "TEXT ")) {
			buf_addspan(&last->text, buf_span(&q->text));
			continue;
		}
		last = vec_add(&p->asked);
		last->token = q->token;
		render(&last->text, q);
		if (q->token != 0)
			*vec_add(&p->due) = q->token;
	}
}

static void
feed(struct play *p, struct buf *said)
{
	struct span s = buf_span(said);

	while (s.n > 0 && p->r.want != RECEIVER_OVER) {
		size_t n = p->bite < s.n ? p->bite : s.n;

		receiver_feed(&p->r, (struct span){ s.p, n });
		gather(p);
		s = span_from(s, n);
	}
	buf_clear(said);
}

static void
check_question(struct play *p, struct span line)
{
	struct buf want = {0};
	struct span got = {0};

	gather(p);
	unescape(&want, line);
	if (p->checked < p->asked.n)
		got = buf_span(&p->asked.p[p->checked++].text);
	if (!span_eq(buf_span(&want), got))
		complain(p, "wanted `%s', was asked `%.*s'", buf_str(&want),
		    (int)got.n, got.n > 0 ? got.p : "");
	buf_free(&want);
}

static void
check_said(struct play *p, struct span line)
{
	struct span out = buf_span(&p->r.out);
	struct buf want = {0};

	unescape(&want, line);
	buf_adds(&want, "\r\n");
	if (out.n < want.n || memcmp(out.p, want.p, want.n) != 0)
		complain(p, "wanted `%.*s' got `%.*s'", (int)want.n - 2, want.p,
		    (int)(out.n < 100 ? out.n : 100), out.n > 0 ? out.p : "");
	else
		buf_drop(&p->r.out, want.n);
	buf_free(&want);
}

static void
answer(struct play *p, size_t which, struct span rest)
{
	struct span code = {0}, status = {0};
	struct buf text = {0};
	char *s;
	unsigned token;
	long long n = 0;

	if (which >= p->due.n) {
		complain(p, "nobody is asked");
		return;
	}
	token = p->due.p[which];
	memmove(p->due.p + which, p->due.p + which + 1,
	    (p->due.n - which - 1) * sizeof *p->due.p);
	p->due.n--;
	span_cut(&rest, ' ', &code);
	span_number(code, &n);
	if (n == 334) {
		receiver_challenge(&p->r, token, rest);
		return;
	}
	span_cut(&rest, ' ', &status);
	s = span_dup(status);
	unescape(&text, rest);
	receiver_say(&p->r, token, (int)n, strcmp(s, "-") == 0 ? NULL : s,
	    buf_str(&text));
	free(s);
	buf_free(&text);
}

static void
check_want(struct play *p, struct span word)
{
	static const char *const words[] = { "bytes", "tls", "turn", "over" };

	gather(p);
	if (!span_is(word, words[p->r.want]))
		complain(p, "wants %s", words[p->r.want]);
}

static void
request(struct play *p, struct span rest)
{
	struct span word = {0};
	char *text;

	span_cut(&rest, ' ', &word);
	text = span_dup(rest);
	if (span_is(word, "encrypted"))
		receiver_encrypted(&p->r, &provider_tls);
	else if (span_is(word, "dismiss"))
		receiver_dismiss(&p->r, text);
	else if (span_is(word, "lost"))
		receiver_lost(&p->r);
	else if (!span_is(word, "provider") && !span_is(word, "whole"))
		complain(p, "what is that?");
	free(text);
}

static void
step(struct play *p, struct span line)
{
	struct span rest = span_from(line, 3);

	if (span_starts(line, "S: ")) {
		gather(p);
		check_said(p, rest);
	} else if (span_starts(line, "Q: ")) {
		check_question(p, rest);
	} else if (span_is(line, "~ TEXT")) {
		gather(p);
		if (p->checked < p->asked.n && span_starts(buf_span(
		    &p->asked.p[p->checked].text), "TEXT "))
			p->checked++;
	} else if (span_starts(line, "A: ")) {
		answer(p, 0, rest);
	} else if (span_starts(line, "A2: ")) {
		answer(p, 1, span_from(line, 4));
	} else if (span_starts(line, "! ")) {
		request(p, span_from(line, 2));
	} else if (span_starts(line, "= ")) {
		check_want(p, span_from(line, 2));
	} else if (line.n > 0 && line.p[0] != '#') {
		complain(p, "not understood");
	}
}

/* Is there such a line? */
static bool
says(struct span script, const char *words)
{
	struct span line;

	while (span_cut(&script, '\n', &line))
		if (span_is(line, words))
			return true;
	return false;
}

static void
play(struct play p, struct span script, bool *bad)
{
	struct buf said = {0};
	struct span line;

	receiver_start(&p.r, says(script, "! provider") ? &provider : &customer);
	while (span_cut(&script, '\n', &line)) {
		p.line++;
		if (span_starts(line, "C: ") || span_starts(line, "C-: ")) {
			unescape(&said, span_from(line, span_find(line, ' ') + 1));
			if (line.p[1] == ':')
				buf_adds(&said, "\r\n");
			continue;
		}
		feed(&p, &said);
		step(&p, line);
	}
	feed(&p, &said);
	if (p.r.out.n > 0)
		complain(&p, "said too much: `%.*s'", (int)p.r.out.n, p.r.out.p);
	gather(&p);
	if (p.checked < p.asked.n)
		complain(&p, "was asked `%s', too", buf_str(&p.asked.p[p.checked].text));
	for (size_t i = 0; i < p.asked.n; i++)
		buf_free(&p.asked.p[i].text);
	vec_free(&p.asked);
	vec_free(&p.due);
	buf_free(&said);
	receiver_free(&p.r);
	*bad = *bad || p.bad;
}

int
main(void)
{
	glob_t g;

	if (glob("t/talk/server/*.talk", 0, NULL, &g) != 0)
		return 1;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		const char *name = strrchr(g.gl_pathv[i], '/') + 1;
		struct buf script = {0};
		bool bad = false;

		read_all(&script, g.gl_pathv[i]);
		for (size_t bite = 1; bite < 100 && !says(buf_span(&script), "! whole");
		    bite *= 7)
			play((struct play){ .name = name, .bite = bite },
			    buf_span(&script), &bad);
		play((struct play){ .name = name, .bite = (size_t)1 << 30 },
		    buf_span(&script), &bad);
		ok(!bad, "%s in bites of 1, 7, 49 and all", name);
		buf_free(&script);
	}
	globfree(&g);
	return done_testing();
}
