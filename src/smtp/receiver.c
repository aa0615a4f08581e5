#include "smtp/receiver_own.h"
#include "base/text.h"

#define IN_ENOUGH 65536		/* octets of commands that wait */
#define SAID_ENOUGH 512
#define PIECE 65536		/* octets of text in one question */
#define REPLY_LINE 512		/* with its end, RFC 5321 section 4.5.3.1.5 */

/* ---- replies ---- */

/* A line of text in a reply: nothing in it ends the line. */
static void
add_words(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		buf_addc(b, c < 0x20 || c == 0x7f ? '?' : s.p[i]);
	}
}

/* RFC 2034: an enhanced code on every line; not with 3xx. */
static void
add_reply(const struct receiver *r, struct buf *b, int code, const char *status,
    const char *text)
{
	struct span rest = span_of(text), line = {0};
	bool coded = status != NULL && code / 100 != 3 &&
	    (r->terms->offers & EXT_ENHANCEDSTATUSCODES);

	do {
		size_t start = b->n;

		span_cut(&rest, '\n', &line);
		buf_addf(b, "%d%c", code, rest.n > 0 ? '-' : ' ');
		if (coded)
			buf_addf(b, "%s ", status);
		add_words(b, text_front(line, REPLY_LINE - 2 - (b->n - start)));
		buf_adds(b, "\r\n");
	} while (rest.n > 0);
}

/* What is answered goes out, up to the first that is not. */
static void
flush(struct receiver *r)
{
	while (r->said < r->answers.n && r->answers.p[r->said].ready) {
		struct answer *a = &r->answers.p[r->said++];

		buf_addspan(&r->out, buf_span(&a->text));
		buf_free(&a->text);
	}
	if (r->said >= SAID_ENOUGH) {	/* a session may never run dry */
		memmove(r->answers.p, r->answers.p + r->said,
		    (r->answers.n - r->said) * sizeof *r->answers.p);
		r->answers.n -= r->said;
		r->said = 0;
	}
	if (r->said < r->answers.n)
		return;
	r->said = r->answers.n = 0;
	if (r->then != RECEIVER_BYTES)
		r->want = r->then;
}

void
receiver_reply(struct receiver *r, int code, const char *status, const char *text)
{
	struct answer *a = vec_add(&r->answers);

	a->ready = true;
	add_reply(r, &a->text, code, status, text);
	flush(r);
}

void
receiver_then(struct receiver *r, enum receiver_want want)
{
	r->then = want;
	r->stop = true;
	flush(r);
}

/* ---- questions ---- */

struct question *
receiver_tell(struct receiver *r, enum about about)
{
	struct question *q = r->questions.n > r->asked ?
	    &r->questions.p[r->questions.n - 1] : NULL;

	if (about == ABOUT_TEXT && q != NULL && q->about == ABOUT_TEXT &&
	    q->text.n < PIECE)
		return q;
	q = vec_add(&r->questions);
	q->about = about;
	q->size = -1;
	q->transaction = about <= ABOUT_FORGET ? r->transaction : 0;
	return q;
}

struct question *
receiver_question(struct receiver *r, enum about about)
{
	struct question *q = receiver_tell(r, about);
	struct answer *a = vec_add(&r->answers);

	if (++r->token == 0)
		r->token++;
	q->token = a->token = r->token;
	a->about = about;
	a->transaction = q->transaction;
	return q;
}

static void
question_free(struct question *q)
{
	envelope_free(&q->env);
	buf_free(&q->text);
	buf_wipe(&q->more);
}

/* ---- hearing ---- */

/* Does it end as it must, and hold no other line end? */
static bool
is_line(struct span s)
{
	size_t n = s.n;

	if (n < 2 || s.p[n - 2] != '\r')
		return false;
	s.n -= 2;
	return span_find(s, '\r') == s.n && span_find(s, '\0') == s.n;
}

static void
heard_answer(struct receiver *r, struct span line)
{
	r->in_what = IN_COMMAND;
	if (span_is(line, "*")) {
		receiver_reply(r, 501, "5.7.0", "given up");
		receiver_tell(r, ABOUT_CANCEL);
		return;
	}
	r->alone = true;
	buf_addspan(&receiver_question(r, ABOUT_ANSWER)->text, line);
}

/* A line with its end, off `in' already. */
static void
heard_line(struct receiver *r, struct span line)
{
	bool good = is_line(line);

	line.n -= good ? 2 : 0;
	if (!good) {
		receiver_reply(r, 500, "5.5.2", "a line ends in CRLF, and holds no "
		    "other CR, LF or NUL");
		if (r->in_what == IN_AUTH)
			receiver_tell(r, ABOUT_CANCEL);
		r->in_what = IN_COMMAND;
		receiver_bad(r);
	} else if (r->in_what == IN_AUTH) {
		heard_answer(r, line);
	} else {
		receiver_command(r, line);
	}
}

/* The line at the front of `in'; false: it is not to be taken now. */
static bool
take_line(struct receiver *r)
{
	size_t most = r->in_what == IN_AUTH || (r->in.n >= 5 &&
	    span_ieq((struct span){ r->in.p, 5 }, SPAN("AUTH "))) ?
	    RECEIVER_AUTH_LINE : RECEIVER_LINE;
	size_t n = span_find(buf_span(&r->in), '\n');
	struct buf line = {0};

	if (n >= most) {
		receiver_reply(r, 500, "5.5.2", "the line is too long");
		receiver_then(r, RECEIVER_OVER);
		return false;
	}
	if (n == r->in.n || (r->in_what == IN_COMMAND &&
	    receiver_must_wait(r, (struct span){ r->in.p, n })))
		return false;
	buf_add(&line, r->in.p, n + 1);
	buf_drop(&r->in, n + 1);
	heard_line(r, buf_span(&line));
	buf_wipe(&line);
	return true;
}

static bool
busy(const struct receiver *r)
{
	return r->questions.n - r->asked >= RECEIVER_OPEN ||
	    r->answers.n - r->said >= RECEIVER_OPEN || r->held >= RECEIVER_HELD;
}

static void
go_on(struct receiver *r)
{
	bool more = true;
	size_t n;

	while (more && r->in.n > 0 && !r->stop && !r->alone && !busy(r)) {
		if (r->in_what == IN_COMMAND || r->in_what == IN_AUTH) {
			more = take_line(r);
			continue;
		}
		n = receiver_text(r, buf_span(&r->in));
		buf_drop(&r->in, n);
		more = n > 0;
	}
}

void
receiver_feed(struct receiver *r, struct span in)
{
	if (r->want == RECEIVER_OVER)
		return;
	buf_addspan(&r->in, in);
	go_on(r);
}

bool
receiver_full(const struct receiver *r)
{
	return r->want != RECEIVER_BYTES || r->in.n >= IN_ENOUGH || busy(r);
}

/* ---- the driver ---- */

void
receiver_start(struct receiver *r, const struct receiver_terms *terms)
{
	struct buf text = {0};

	*r = (struct receiver){ .terms = terms };
	buf_addf(&text, "%s ESMTP", terms->name);
	receiver_reply(r, 220, NULL, buf_str(&text));
	buf_free(&text);
}

struct question *
receiver_ask(struct receiver *r)
{
	question_free(&r->now);
	r->now = (struct question){0};
	go_on(r);
	if (r->asked == r->questions.n) {
		r->asked = r->questions.n = 0;
		return NULL;
	}
	r->now = r->questions.p[r->asked++];
	if (r->now.about == ABOUT_TEXT)
		r->held -= r->now.text.n;
	return &r->now;
}

static struct answer *
awaited(struct receiver *r, unsigned token)
{
	for (size_t i = r->said; i < r->answers.n; i++)
		if (r->answers.p[i].token == token && !r->answers.p[i].ready)
			return &r->answers.p[i];
	return NULL;
}

/* What it means for the session. */
static void
decided(struct receiver *r, const struct answer *a, int code)
{
	bool current = a->transaction == r->transaction;

	switch (a->about) {
	case ABOUT_MAIL:
		r->undecided -= current;
		r->open = r->open && (!current || code / 100 == 2);
		break;
	case ABOUT_RCPT:
		r->undecided -= current;
		r->accepted += current && code / 100 == 2;
		break;
	case ABOUT_AUTH:
	case ABOUT_ANSWER:
		r->authenticated = r->authenticated || code == 235;
		r->alone = false;
		break;
	case ABOUT_ETRN:
	case ABOUT_ATRN:
	case ABOUT_TURN:
		r->alone = false;
		break;
	default:
		break;
	}
}

/* Nobody says anything behind ATRN before it is answered. */
static bool
turns(const struct answer *a, int code)
{
	return (a->about == ABOUT_ATRN || a->about == ABOUT_TURN) && code == 250;
}

void
receiver_say(struct receiver *r, unsigned token, int code, const char *status,
    const char *text)
{
	struct answer *a = awaited(r, token);
	enum receiver_want then = RECEIVER_BYTES;

	if (a == NULL || r->want == RECEIVER_OVER)
		return;
	if (turns(a, code) && r->in.n > 0) {
		code = 503;
		status = "5.5.0";
		text = "something was said behind it";
		then = RECEIVER_OVER;
	} else if (turns(a, code)) {
		then = RECEIVER_TURN;
	}
	add_reply(r, &a->text, code, status, text);
	a->ready = true;
	decided(r, a, code);
	if (then != RECEIVER_BYTES)
		receiver_then(r, then);
	flush(r);
	go_on(r);
}

void
receiver_challenge(struct receiver *r, unsigned token, struct span base64)
{
	struct answer *a = awaited(r, token);

	if (a == NULL)
		return;
	buf_addf(&a->text, "334 %.*s\r\n", (int)base64.n, base64.n > 0 ? base64.p : "");
	a->ready = true;
	r->in_what = IN_AUTH;
	r->alone = false;
	flush(r);
	go_on(r);
}

void
receiver_change(struct receiver *r, const struct receiver_terms *terms)
{
	r->terms = terms;
}

void
receiver_encrypted(struct receiver *r, const struct receiver_terms *terms)
{
	receiver_forget(r);
	r->terms = terms;
	r->encrypted = true;
	r->greeted = r->extended = r->authenticated = false;
	free(r->helo);
	r->helo = NULL;
	buf_clear(&r->in);
	r->want = r->then = RECEIVER_BYTES;
	r->stop = false;
}

/* What is not answered now never will be. */
static void
cut_answers(struct receiver *r)
{
	size_t n = r->said;

	while (n < r->answers.n && r->answers.p[n].ready)
		n++;
	for (size_t i = n; i < r->answers.n; i++)
		buf_free(&r->answers.p[i].text);
	r->answers.n = n;
}

void
receiver_dismiss(struct receiver *r, const char *text)
{
	if (r->want == RECEIVER_OVER || r->then == RECEIVER_OVER)
		return;
	cut_answers(r);
	receiver_forget(r);
	receiver_reply(r, 421, "4.3.2", text);
	receiver_then(r, RECEIVER_OVER);
}

void
receiver_lost(struct receiver *r)
{
	cut_answers(r);
	buf_clear(&r->out);
	receiver_forget(r);
	r->stop = true;
	r->then = r->want = RECEIVER_OVER;
}

bool
receiver_busy(const struct receiver *r)
{
	for (size_t i = r->said; i < r->answers.n; i++)
		if (r->answers.p[i].about == ABOUT_END && !r->answers.p[i].ready)
			return true;
	return r->in_what == IN_DATA || r->in_what == IN_CHUNK;
}

void
receiver_free(struct receiver *r)
{
	for (size_t i = r->asked; i < r->questions.n; i++)
		question_free(&r->questions.p[i]);
	for (size_t i = r->said; i < r->answers.n; i++)
		buf_free(&r->answers.p[i].text);
	question_free(&r->now);
	vec_free(&r->questions);
	vec_free(&r->answers);
	buf_free(&r->out);
	buf_wipe(&r->in);
	free(r->helo);
	*r = (struct receiver){ .want = RECEIVER_OVER };
}
