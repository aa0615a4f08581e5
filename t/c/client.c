/*
 * Plays every t/talk/NAME.talk against the client engine, in bites of 1, 7 and
 * all octets, with the text of BDAT through `out` and beside it; then cuts the
 * line behind every octet the server says.
 *
 * S:, S-:, C:, B: and X stand for what they do in t/tool/talk.c.  Besides:
 *
 *	! send SENDER RCPT... [WORD...]	when the client takes mail: this letter;
 *			size=N 8bit utf8 ret=full|hdrs envid=ID
 *			notify=never|success|failure|delay (for all of them)
 *	! again		the last letter again, for whoever has no fate yet
 *	! try SENDER [RCPT...]	to see what is said, without a text
 *	! give up	its text is for nobody: no more of it
 *	! etrn NODE, ! atrn [DOMAINS], ! turn, ! rset, ! quit
 *	! starttls, then ! encrypted
 *	! auth MECHANISM [INITIAL], then ! answer BASE64
 *	! helo, ! lmtp, ! data	in front of all: the server hung up on EHLO
 *			before; RFC 2033; no BDAT
 *	! whole		in front: in bites it would be another conversation
 *	= RCPT FATE STATUS TEXT		what became of a recipient; FATE none
 *	= untried RCPT..., = tried RCPT...	shall another session try them?
 *	= reply CODE TEXT		the last reply
 *	= over FAULT TEXT		the session is over; FAULT 0: in peace
 *	= work, = tls, = answer, = turn	what the client wants
 *	= behind TEXT			what came behind the reply to ATRN or TURN
 *	= more, = no more		does it take mail?
 *
 * X is a line that dies: `the line is dead' is what the tool would say.
 */
#include "../tap.h"
#include "script.h"

#include <glob.h>
#include <stdarg.h>

#include "smtp/client.h"

#define NO_CUT ((size_t)-1)

/* A letter, and what the script itself knows of it. */
struct sent {
	struct envelope env;
	struct letter letter;
	bool tried;		/* has no text */
	size_t asked;		/* recipients of this transaction, a bit each */
	bool again;		/* has had a transaction already */
	bool gone;		/* its text has been taken */
	bool early;		/* it was answered before that */
	size_t accepted, verdicts;	/* replies */
	bool answered;		/* no reply to the text is due any more */
};

/* One reply is due; to the end of a text over LMTP, one for each accepted. */
struct due {
	struct sent *of;
	bool rcpt, last;
};

struct play {
	const char *name;
	size_t bite, cut;	/* the line dies behind so many octets */
	bool beside;		/* the text of BDAT */
	bool lmtp;
	size_t fed;
	struct client c;
	struct err e;
	VEC(struct sent *) letters;
	VEC(struct sent *) begun;	/* transactions, and how many MAILs came */
	size_t mails;
	VEC(struct due) due;
	size_t replied;
	struct span bdat;	/* the command that is to come with its text */
	size_t bdat_left;
	bool bdat_last;
	struct buf chunk;	/* of a text of unknown size */
	bool over, dead;	/* client_feed() said -1; the line was cut */
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

static void
forget(struct play *p)
{
	for (size_t i = 0; i < p->letters.n; i++) {
		letter_free_met(&p->letters.p[i]->letter);
		envelope_free(&p->letters.p[i]->env);
		free(p->letters.p[i]);
	}
	vec_free(&p->letters);
	vec_free(&p->begun);
	vec_free(&p->due);
	buf_free(&p->chunk);
}

static struct sent *
last_letter(struct play *p)
{
	return p->letters.p[p->letters.n - 1];
}

static unsigned
notify_of(struct span s)
{
	return span_is(s, "never") ? NOTIFY_NEVER :
	    span_is(s, "success") ? NOTIFY_SUCCESS :
	    span_is(s, "failure") ? NOTIFY_FAILURE : NOTIFY_DELAY;
}

static bool
take_word(struct sent *l, struct span w, unsigned *notify)
{
	struct span value = span_from(w, span_find(w, '=') + 1);
	long long n;

	if (span_starts(w, "size=") && span_number(value, &n))
		l->letter.size = n;
	else if (span_is(w, "8bit"))
		l->env.body = BODY_8BITMIME;
	else if (span_is(w, "utf8"))
		l->env.smtputf8 = true;
	else if (span_starts(w, "ret="))
		l->env.ret = span_is(value, "full") ? RET_FULL : RET_HDRS;
	else if (span_starts(w, "envid="))
		l->env.envid = span_dup(value);
	else if (span_starts(w, "notify="))
		*notify = notify_of(value);
	else
		return false;
	return true;
}

static struct sent *
new_letter(struct play *p, struct span rest)
{
	struct sent *l = must(calloc(1, sizeof *l));
	struct span w = {0};
	unsigned notify = 0;

	*vec_add(&p->letters) = l;
	*vec_add(&p->begun) = l;
	l->letter = (struct letter){ .env = &l->env, .size = -1 };
	span_cut(&rest, ' ', &w);
	l->env.sender = span_dup(span_is(w, "<>") ? span_of("") : w);
	while (span_cut(&rest, ' ', &w))
		if (!take_word(l, w, &notify))
			envelope_add(&l->env, span_dup(w))->selected = true;
	for (size_t i = 0; i < l->env.rcpts.n; i++)
		l->env.rcpts.p[i].notify = notify;
	l->letter.met = must(calloc(l->env.rcpts.n + 1, sizeof *l->letter.met));
	return l;
}

static void
send_again(struct play *p)
{
	struct sent *l = last_letter(p);

	l->again = true;
	l->gone = l->early = l->answered = false;
	l->accepted = l->verdicts = l->asked = 0;
	*vec_add(&p->begun) = l;
	client_mail(&p->c, &l->letter);
}

static bool
request_mail(struct play *p, struct span verb, struct span rest)
{
	struct sent *l;

	if (!span_is(verb, "send") && !span_is(verb, "again") &&
	    !span_is(verb, "try"))
		return false;
	if (!client_takes_mail(&p->c)) {
		complain(p, "takes no mail");
	} else if (span_is(verb, "again")) {
		send_again(p);
	} else {
		l = new_letter(p, rest);
		l->tried = span_is(verb, "try");
		if (l->tried)
			client_try(&p->c, &l->letter, l->env.rcpts.n > 0);
		else
			client_mail(&p->c, &l->letter);
	}
	return true;
}

/* In the middle of something; false: it is another request. */
static bool
request_within(struct play *p, struct span verb, struct span rest)
{
	enum want want = WANT_TEXT;

	if (span_is(verb, "encrypted"))
		want = WANT_TLS;
	else if (span_is(verb, "answer"))
		want = WANT_ANSWER;
	else if (!span_is(verb, "give"))
		return false;
	if (p->c.want != want)
		complain(p, "wants something else, %d", (int)p->c.want);
	else if (want == WANT_TLS)
		client_encrypted(&p->c);
	else if (want == WANT_ANSWER)
		client_answer(&p->c, rest);
	else if (!client_text_useless(&p->c))
		complain(p, "it is not useless");
	else
		client_text_give_up(&p->c);
	return true;
}

static void
request(struct play *p, struct span rest)
{
	struct span verb = {0}, word = {0};
	static char node[256], mechanism[64];

	span_cut(&rest, ' ', &verb);
	if (span_is(verb, "helo") || span_is(verb, "whole") || span_is(verb, "lmtp") ||
	    span_is(verb, "data") || request_mail(p, verb, rest) ||
	    request_within(p, verb, rest))
		return;
	if (p->c.want != WANT_WORK) {
		complain(p, "wants no work, but %d", (int)p->c.want);
	} else if (span_is(verb, "etrn")) {
		snprintf(node, sizeof node, "%.*s", (int)rest.n, rest.p);
		client_etrn(&p->c, node);
	} else if (span_is(verb, "atrn")) {
		snprintf(node, sizeof node, "%.*s", (int)rest.n, rest.p);
		client_atrn(&p->c, rest.n > 0 ? node : NULL);
	} else if (span_is(verb, "turn")) {
		client_turn(&p->c);
	} else if (span_is(verb, "starttls")) {
		client_starttls(&p->c);
	} else if (span_is(verb, "auth")) {
		span_cut(&rest, ' ', &word);
		snprintf(mechanism, sizeof mechanism, "%.*s", (int)word.n, word.p);
		client_auth(&p->c, mechanism, rest);
	} else if (span_is(verb, "rset")) {
		client_rset(&p->c);
	} else if (span_is(verb, "quit")) {
		client_quit(&p->c);
	} else {
		complain(p, "what is %.*s?", (int)verb.n, verb.p);
	}
}

/* A whole reply has been fed: whose was it? */
static void
replied(struct play *p, char class)
{
	struct due d;

	if (p->replied == p->due.n)
		return;
	d = p->due.p[p->replied];
	if (d.rcpt && class == '2')
		d.of->accepted++;
	if (d.last) {
		d.of->verdicts++;
		d.of->early = d.of->early || !d.of->gone;
		if (p->lmtp && d.of->verdicts < d.of->accepted)
			return;
		d.of->answered = true;
	}
	p->replied++;
}

static void
note_rcpt(struct sent *l, struct span path)
{
	path = span_from(path, span_find(path, '<') + 1);
	path.n = span_find(path, '>');
	for (size_t i = 0; i < l->env.rcpts.n && i < 32; i++)
		if (span_is(path, l->env.rcpts.p[i].address))
			l->asked |= (size_t)1 << i;
}

/* What the client said makes a reply due. */
static void
note_command(struct play *p, struct span line)
{
	struct sent *l;

	if (span_starts(line, "MAIL") && p->mails < p->begun.n)
		p->mails++;
	l = p->mails > 0 ? p->begun.p[p->mails - 1] : NULL;
	*vec_add(&p->due) = (struct due){ l, span_starts(line, "RCPT"),
	    span_is(line, ".") || (span_starts(line, "BDAT") &&
	    span_ends(line, "LAST")) };
	if (span_is(line, "."))
		l->gone = true;
	if (span_starts(line, "RCPT"))
		note_rcpt(l, line);
}

/* The server says this; in small bites it is one line. */
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
	s.p -= all - s.n;
	if (line && s.n == 0 && (all <= 5 || s.p[3] != '-'))
		replied(p, s.p[0]);
}

static void
expect(struct play *p, struct span want)
{
	struct span out = buf_span(&p->c.out);

	if (want.n == 0)
		return;
	if (out.n < want.n || memcmp(out.p, want.p, want.n) != 0) {
		complain(p, "wanted `%.*s' got `%.*s'", (int)want.n, want.p,
		    (int)(out.n < 80 ? out.n : 80), out.n ? out.p : "");
		return;
	}
	client_sent(&p->c, want.n);
	client_speak(&p->c);
}

/* A line of a text behind DATA, or the dot behind it. */
static void
text(struct play *p, struct buf *line, bool end)
{
	struct buf want = {0};

	if (p->c.want != WANT_TEXT) {
		complain(p, "wants no text, but %d", (int)p->c.want);
		return;
	}
	if (end) {
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

/* So much of a BDAT's text goes, behind the command if it is the first. */
static void
bdat_piece(struct play *p, struct span piece)
{
	struct buf want = {0};

	if (p->bdat.n > 0)
		buf_addspan(&want, p->bdat);
	p->bdat = (struct span){0};
	if (!p->beside) {
		if (!client_text(&p->c, piece))
			complain(p, "the text is too long");
		buf_addspan(&want, piece);
		expect(p, buf_span(&want));
	} else {
		if (client_chunk(&p->c, piece.n) != piece.n)
			complain(p, "the text is too long");
		expect(p, buf_span(&want));
		client_beside(&p->c, piece.n);
	}
	buf_free(&want);
}

/* As the driver does it: in bites where the size is known, else as one piece. */
static void
bdat_text(struct play *p, struct span line)
{
	size_t bite = p->bite;

	if (line.n > p->bdat_left || p->c.want != WANT_TEXT ||
	    client_text_useless(&p->c)) {
		complain(p, "wants no text or not so much, but %d",
		    (int)p->c.want);
		return;
	}
	p->bdat_left -= line.n;
	if (p->c.texting->size < 0) {
		buf_addspan(&p->chunk, line);
		if (p->bdat_left > 0)
			return;
		line = buf_take(&p->chunk);
		bite = line.n;
	}
	for (size_t at = 0; at < line.n; at += bite)
		bdat_piece(p, (struct span){ line.p + at,
		    line.n - at < bite ? line.n - at : bite });
}

static void
bdat_end(struct play *p)
{
	if (!p->bdat_last || p->bdat_left > 0)
		return;
	p->bdat_last = false;
	if (p->c.want != WANT_TEXT)
		complain(p, "wants no text, but %d", (int)p->c.want);
	else if (!client_text_end(&p->c))
		complain(p, "the text cannot end here");
	if (p->bdat.n > 0)
		expect(p, p->bdat);
	p->bdat = (struct span){0};
	p->begun.p[p->mails - 1]->gone = true;
}

/* BDAT n [LAST]: the client says it when its text comes. */
static void
bdat(struct play *p, struct span line)
{
	static char command[64];
	struct span rest = span_from(line, 5), n = {0};
	long long octets = 0;

	span_cut(&rest, ' ', &n);
	if (!span_number(n, &octets))
		complain(p, "BDAT what?");
	snprintf(command, sizeof command, "%.*s\r\n", (int)line.n, line.p);
	p->bdat = span_of(command);
	p->bdat_left = (size_t)octets;
	p->bdat_last = rest.n > 0;
	bdat_end(p);
}

static const struct outcome *
outcome_of(const struct play *p, struct span who)
{
	for (size_t n = p->letters.n; n-- > 0;) {
		const struct sent *l = p->letters.p[n];

		for (size_t i = 0; i < l->env.rcpts.n; i++)
			if (span_is(who, l->env.rcpts.p[i].address))
				return &l->letter.met[i];
	}
	return NULL;
}

static void
check_rcpt(struct play *p, struct span who, struct span want)
{
	struct buf got = {0};
	const struct outcome *o = outcome_of(p, who);

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

/* Shall another session try them? */
static void
check_untried(struct play *p, struct span rest, bool want)
{
	const struct outcome *o;
	struct span who;

	while (span_cut(&rest, ' ', &who))
		if ((o = outcome_of(p, who)) == NULL || o->untried != want)
			complain(p, "%.*s is not so", (int)who.n, who.p);
}

static bool
check_want(struct play *p, struct span who, struct span rest)
{
	static const struct { const char *word; enum want want; } words[] = {
		{ "work", WANT_WORK }, { "tls", WANT_TLS },
		{ "answer", WANT_ANSWER }, { "turn", WANT_TURN },
	};

	if (span_is(who, "more") || (span_is(who, "no") && span_is(rest, "more"))) {
		if (client_takes_mail(&p->c) != span_is(who, "more"))
			complain(p, "takes more, or not");
		return true;
	}
	if (span_is(who, "untried") || span_is(who, "tried")) {
		check_untried(p, rest, span_is(who, "untried"));
		return true;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (span_is(who, words[i].word)) {
			if (p->c.want != words[i].want)
				complain(p, "wants %d", (int)p->c.want);
			return true;
		}
	return false;
}

static void
check(struct play *p, struct span rest)
{
	struct span who = {0}, want;
	struct buf got = {0};

	span_cut(&rest, ' ', &who);
	want = rest;
	if (check_want(p, who, rest))
		return;
	if (span_is(who, "reply"))
		reply_words(&got, &p->c.said);
	else if (span_is(who, "behind"))
		buf_addspan(&got, span_trim(buf_span(&p->c.in)));
	else if (span_is(who, "over"))
		buf_addf(&got, "%d%s%s", (int)p->e.fault, *p->e.text ? " " : "",
		    p->e.text);
	if (got.n == 0)
		check_rcpt(p, who, want);
	else if (!span_eq(want, buf_span(&got)))
		complain(p, "wanted `%.*s' got `%s'", (int)want.n, want.p,
		    buf_str(&got));
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
step_text(struct play *p, struct span line)
{
	struct buf b = {0};

	unescape(&b, line);
	buf_adds(&b, "\r\n");
	if (p->bdat_left > 0) {
		bdat_text(p, buf_span(&b));
		bdat_end(p);
	} else {
		text(p, &b, false);
	}
	buf_free(&b);
}

static void
step_command(struct play *p, struct span line)
{
	struct buf b = {0};

	note_command(p, line);
	if (span_is(line, ".") && p->c.want == WANT_TEXT) {
		text(p, &b, true);
	} else if (span_starts(line, "BDAT ")) {
		bdat(p, line);
	} else {
		unescape(&b, line);
		buf_adds(&b, "\r\n");
		expect(p, buf_span(&b));
	}
	buf_free(&b);
}

static void
step(struct play *p, struct span line)
{
	if (span_starts(line, "C: "))
		step_command(p, span_from(line, 3));
	else if (span_starts(line, "B:"))
		step_text(p, span_from(line, 3));
	else if (span_is(line, "X"))
		client_lost(&p->c, "the line is dead", true);
	else if (span_starts(line, "! "))
		request(p, span_from(line, 2));
	else if (span_starts(line, "= "))
		check(p, span_from(line, 2));
	else if (line.n > 0 && line.p[0] != '#')
		complain(p, "not understood");
}

/*
 * The words to one recipient after the line was cut.  Only who may have it is in
 * doubt: the text has gone, and not every reply to it has come.
 */
static void
check_end(struct play *p, const struct sent *l, size_t i, bool doubt)
{
	const struct outcome *o = &l->letter.met[i];
	const char *who = l->env.rcpts.p[i].address;
	bool doubted = o->text != NULL &&
	    span_starts(span_of(o->text), "possible duplicate: ");

	if (o->fate == FATE_NONE || o->text == NULL || !*o->status)
		complain(p, "%s has no fate", who);
	else if (doubted && (!doubt || o->untried || o->fate != FATE_DEFERRED))
		complain(p, "%s: a duplicate is not possible", who);
	else if (!doubted && doubt && o->code == 0)
		complain(p, "%s: nobody knows, and nobody is told", who);
	else if ((o->fate == FATE_RELAYED || o->fate == FATE_DELIVERED) &&
	    l->verdicts == 0 && !l->again)
		complain(p, "%s: nobody said so", who);
}

/* Everybody has a fate, letter by letter, and the letters end in their order. */
static void
check_dead(struct play *p)
{
	bool refused = p->over && p->c.said.code == 421;

	if (!p->over)
		client_lost(&p->c, "cut", false);
	if (p->c.want != WANT_NOTHING)
		complain(p, "is not over when the line is dead");
	for (size_t n = 0; n < p->letters.n; n++) {
		const struct sent *l = p->letters.p[n];
		bool doubt = l->gone && !l->answered && !refused;

		if (l->letter.under_way)
			complain(p, "letter %zu has no end", n + 1);
		for (size_t i = 0; i < l->env.rcpts.n; i++)
			if ((!l->letter.met[i].again && !l->tried) ||
			    l->letter.lost)
				check_end(p, l, i, (doubt || l->early) &&
				    l->asked >> i & 1);
	}
}

static unsigned
flags_of(struct span script)
{
	return span_starts(script, "! helo\n") ? CLIENT_HELO :
	    span_starts(script, "! lmtp\n") ? CLIENT_LMTP :
	    span_starts(script, "! data\n") ? CLIENT_NO_CHUNKING : 0;
}

/* Plays it; returns how many octets the server said. */
static size_t
play(struct play p, struct span script, bool *bad)
{
	struct buf said = {0};
	struct span line;

	p.lmtp = flags_of(script) == CLIENT_LMTP;
	client_start(&p.c, "client.test", flags_of(script));
	*vec_add(&p.due) = (struct due){0};	/* the greeting */
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
script(const char *path)
{
	static const size_t bites[] = { 1, 7, 1 << 30 };
	struct play p = { .name = strrchr(path, '/') + 1 };
	struct buf b = {0};
	bool bad = false;
	size_t octets = 0;

	read_all(&b, path);
	p.cut = NO_CUT;
	for (size_t i = 0; i < 6; i++) {
		p.bite = bites[i / 2];
		if (i < 4 && span_starts(buf_span(&b), "! whole\n"))
			continue;
		p.beside = i % 2 > 0;
		octets = play(p, buf_span(&b), &bad);
	}
	ok(!bad, "%s in bites of 1, 7 and all", p.name);
	bad = false;
	p.bite = 1;
	for (p.cut = 1; p.cut < octets && !bad; p.cut++) {
		p.beside = p.cut % 2;
		play(p, buf_span(&b), &bad);
	}
	ok(!bad, "%s cut at each of %zu octets", p.name, octets);
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
	client_mail(&p.c, &new_letter(&p, buf_span(&line))->letter);
	while (p.c.out.n > 0) {
		most = p.c.out.n > most ? p.c.out.n : most;
		rest = buf_take(&p.c.out);
		while (span_cut(&rest, '\n', &one))
			rcpts += span_starts(one, "RCPT ");
		client_speak(&p.c);
	}
	ok(rcpts == 5000, "5000 recipients");
	ok(most < 70000, "in pieces of at most %zu octets", most);
	client_lost(&p.c, "enough", false);
	forget(&p);
	buf_free(&line);
	client_free(&p.c);
}

/* Half of a text is refused: the other half is not sent, the next one is. */
static void
half(void)
{
	struct play p = { .name = "half", .bite = 1 << 30, .cut = NO_CUT };
	struct client *c = &p.c;
	struct sent *first, *next;
	size_t n;

	client_start(c, "client.test", 0);
	client_feed(c, SPAN("220 x\r\n"), &p.e);
	client_feed(c, SPAN("250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n"), &p.e);
	first = new_letter(&p, SPAN("a@x b@y size=1500000"));
	client_mail(c, &first->letter);
	n = client_chunk(c, 2000000);
	ok(n == CLIENT_CHUNK, "one chunk at most");
	ok(strstr(buf_str(&c->out), "BDAT 1048576\r\n") != NULL, "not the LAST");
	ok(!client_text_end(c), "the text is too short");
	client_sent(c, c->out.n);
	client_beside(c, n);
	ok(!client_text_useless(c), "somebody may get it");
	client_feed(c, SPAN("250 ok\r\n250 ok\r\n552 no\r\n"), &p.e);
	ok(client_text_useless(c), "nobody will");
	client_text_give_up(c);
	ok(!first->letter.under_way && first->letter.met[0].fate == FATE_FAILED,
	    "it has an end");
	next = new_letter(&p, SPAN("a@x c@y size=0"));
	client_mail(c, &next->letter);
	client_text_end(c);
	ok(strcmp(buf_str(&c->out), "RSET\r\nMAIL FROM:<a@x>\r\n"
	    "RCPT TO:<c@y>\r\nBDAT 0 LAST\r\n") == 0, "RSET, and the next");
	client_lost(c, "enough", false);
	ok(next->letter.met[0].untried, "which was not taken");
	forget(&p);
	client_free(c);
}

/*
 * Lost when all but `left` octets of what was said were taken: in doubt is who is
 * in doubt with none left.
 */
static bool
doubted(const char *hello, bool beside, size_t left)
{
	struct play p = { .name = "taken", .bite = 1 << 30, .cut = NO_CUT };
	struct client *c = &p.c;
	struct sent *l;
	bool yes;

	client_start(c, "client.test", 0);
	client_feed(c, SPAN("220 x\r\n"), &p.e);
	client_feed(c, span_of(hello), &p.e);
	client_sent(c, c->out.n);
	l = new_letter(&p, SPAN("a@x b@y size=4"));
	client_mail(c, &l->letter);
	if (c->want == WANT_BYTES) {
		client_sent(c, c->out.n);
		client_feed(c, SPAN("250 ok\r\n250 ok\r\n354 go\r\n"), &p.e);
	}
	if (beside) {
		client_chunk(c, 4);
		client_sent(c, c->out.n);
		client_beside(c, 4 - left);
	} else {
		client_text(c, SPAN("hi\r\n"));
		client_text_end(c);
		client_sent(c, c->out.n - left);
	}
	client_lost(c, "cut", false);
	yes = span_starts(span_of(l->letter.met[0].text), CLIENT_DOUBT);
	if (yes == l->letter.met[0].untried)
		complain(&p, "in doubt and untried");
	forget(&p);
	client_free(c);
	return yes && !p.bad;
}

static void
taken(void)
{
	static const char data[] = "250-x\r\n250 PIPELINING\r\n",
	    bdat[] = "250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n";

	ok(doubted(data, false, 0), "DATA: the last octet was taken");
	ok(!doubted(data, false, 1), "DATA: it was not");
	ok(doubted(bdat, false, 0), "BDAT: the last octet was taken");
	ok(!doubted(bdat, false, 1), "BDAT: it was not");
	ok(doubted(bdat, true, 0), "beside: the last octet was taken");
	ok(!doubted(bdat, true, 1), "beside: it was not");
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
	half();
	taken();
	buf_free(&pattern);
	return done_testing();
}
