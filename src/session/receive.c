#include "session/receive.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "session/coming.h"
#include "wire/domain.h"

#define OUT_ENOUGH 65536	/* octets of replies that the peer does not read */
#define HEARD_ENOUGH 4096	/* octets that are a sign of life without a command */
#define GRACE_MS 1500		/* for what is in hand when a signal came */

static void
say(const struct receive *x, const char *mark, const char *text)
{
	struct buf b = {0};

	if (!x->verbose)
		return;
	buf_adds(&b, mark);
	text_printable(&b, span_of(text));
	buf_addc(&b, '\n');
	fwrite(b.p, 1, b.n, stderr);
	buf_free(&b);
}

static void
answer(void *arg, unsigned token, int code, const char *status, const char *text,
    bool ours)
{
	struct receive *x = arg;

	coming_decided(x, token, code, status, text);
	receiver_say(&x->engine, token, code, status,
	    ours ? "it cannot be taken now" : text);
}

/* ---- questions ---- */

static bool
is_ours(const struct receive *x, const char *address)
{
	struct span domain = domain_of(span_of(address));

	for (size_t i = 0; i < x->accept.n; i++)
		if (node_has(x->accept.p[i], domain))
			return true;
	return false;
}

/* True: it is somebody of ours. */
static bool
wants(struct receive *x, const struct question *q)
{
	const char *address = q->env.rcpts.p[0].address;

	coming_rcpt(x, q);
	say(x, "<-  RCPT ", address);
	if (is_ours(x, address))
		return true;
	answer(x, q->token, 550, "5.7.1", "no mail for that domain was asked for",
	    false);
	return false;
}

static void
asked(struct receive *x, struct question *q)
{
	struct coming *c = coming_of(x, q->transaction);
	bool over = q->about == ABOUT_FORGET;

	if (q->why.code != 0)
		coming_refused(x, c, q);
	if (q->about == ABOUT_REFUSED)
		return;
	if (q->about == ABOUT_MAIL) {
		coming_begin(x, q);
		say(x, "<-  MAIL ", q->env.sender);
	} else if (q->about == ABOUT_RCPT && !wants(x, q)) {
		return;
	} else if (q->about == ABOUT_TEXT) {
		c->octets += (int64_t)q->text.n;
	} else if (q->about == ABOUT_END) {
		c->token = q->token;
	}
	deliver_take(x->to, q);
	if (over)
		coming_forget(x, c);
}

static bool
ask(struct receive *x)
{
	struct question *q;
	bool any = false;

	while (!deliver_full(x->to) && (q = receiver_ask(&x->engine)) != NULL) {
		any = true;
		if (q->about != ABOUT_TEXT)
			x->silent = clock_in(x->idle_ms);
		asked(x, q);
	}
	return any;
}

/* As somebody said it, if it is one: what else it were would pass for ours. */
static struct span
its_name(const char *helo)
{
	struct span s = span_of(helo != NULL ? helo : "");

	return domain_is_name(s) || domain_is_literal(s) ? s : SPAN("unknown");
}

/* RFC 5321 section 4.4 */
static void
trace(void *arg, struct buf *b)
{
	const struct receive *x = arg;
	struct tm tm;
	time_t now = time(NULL);
	char date[64];

	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S %z", localtime_r(&now, &tm));
	buf_adds(b, "Received: from ");
	buf_addspan(b, its_name(x->engine.helo));
	buf_addf(b, "\n\tby %s with %s; %s\n", x->name, !x->engine.extended ? "SMTP" :
	    x->line->tls != NULL ? "ESMTPS" : "ESMTP", date);
}

/* ---- the line ---- */

/* 1, 0 nothing moved, -1. */
static int
write_some(struct receive *x, struct err *e)
{
	struct buf *out = &x->engine.out;
	size_t taken = 0, wire = x->line->wire.n;

	if (out->n == 0 && !line_busy(x->line))
		return 0;
	if (line_write(x->line, buf_span(out), (struct span){0}, &taken, e) < 0)
		return -1;
	if (x->verbose && taken > 0) {
		struct span rest = { out->p, taken }, l;

		while (span_cut(&rest, '\n', &l)) {
			char *text = span_dup(span_trim(l));

			say(x, " -> ", text);
			free(text);
		}
	}
	buf_drop(out, taken);
	return taken > 0 || x->line->wire.n < wire;
}

static bool
may_read(const struct receive *x)
{
	return !x->eof && !receiver_full(&x->engine) &&
	    x->engine.out.n < OUT_ENOUGH && !deliver_full(x->to);
}

static int
read_some(struct receive *x, struct err *e)
{
	int got;

	if (!may_read(x))
		return 0;
	got = line_read(x->line, &x->heard, e);
	if (got < 0)
		return -1;
	x->unnoticed += x->heard.n;
	if (x->unnoticed >= HEARD_ENOUGH) {
		x->silent = clock_in(x->idle_ms);
		x->unnoticed = 0;
	}
	receiver_feed(&x->engine, buf_take(&x->heard));
	x->eof = got & IO_EOF;
	return got != 0;
}

/* Nothing has come that could be read now. */
static bool
is_dry(const struct receive *x)
{
	struct pollfd p = { x->line->io.in, POLLIN, 0 };

	return !may_read(x) || poll(&p, 1, 0) == 0;
}

static void
await(struct receive *x)
{
	struct pollfd p[4];
	int64_t until = deliver_owes(x->to) ? x->deadline :
	    clock_sooner(x->silent, x->deadline);
	bool writes = x->engine.out.n > 0 || line_busy(x->line);

	deliver_polls(x->to, p, &until);
	p[2] = (struct pollfd){ may_read(x) ? x->line->io.in : -1, POLLIN, 0 };
	p[3] = (struct pollfd){ writes ? x->line->io.out : -1, POLLOUT, 0 };
	interrupt_poll(p, 4, clock_left(until));
}

/* Why it cannot go on, however busy it is; NULL. */
static const char *
cut_short(const struct receive *x)
{
	return interrupt_came() ? "interrupted" :
	    clock_left(x->deadline) == 0 ? "the deadline is over" : NULL;
}

/* Why it is not waited any more; NULL. */
static const char *
late(const struct receive *x)
{
	return clock_left(x->silent) == 0 && !deliver_owes(x->to) ?
	    "nothing was said for too long" : NULL;
}

/* The peer is told, if he listens, and what is in hand is made safe. */
static int
break_off(struct receive *x, const char *why, struct err *e)
{
	struct err ignored = {0};
	int64_t until = clock_in(GRACE_MS);
	struct pollfd p = { x->line->io.out, POLLOUT, 0 };

	while (deliver_settle(x->to))
		;
	receiver_dismiss(&x->engine, why);
	while ((x->engine.out.n > 0 || line_busy(x->line)) && clock_left(until) > 0 &&
	    write_some(x, &ignored) >= 0)
		if (x->engine.out.n > 0 || line_busy(x->line))
			poll(&p, 1, clock_left(until));
	return err_set(e, FAULT_TEMP, "%s", why);
}

static bool
is_over(const struct receive *x)
{
	return x->engine.want == RECEIVER_OVER && x->engine.out.n == 0 &&
	    !line_busy(x->line);
}

static int
go_on(struct receive *x, struct err *e)
{
	const char *why;
	int heard, said;
	bool moved;

	while (!is_over(x)) {
		moved = ask(x);
		moved |= deliver_move(x->to);
		if ((why = cut_short(x)) != NULL)
			return break_off(x, why, e);
		if ((said = write_some(x, e)) < 0 ||
		    (heard = read_some(x, e)) < 0)
			return -1;
		if (moved || said > 0 || heard > 0)
			continue;
		if (deliver_owes(x->to) && is_dry(x) && deliver_settle(x->to))
			continue;
		if (x->eof && !deliver_owes(x->to))
			return err_set(e, FAULT_TEMP, "the connection was closed %s",
			    receiver_busy(&x->engine) ? "in the middle of a message" :
			    "without QUIT");
		if ((why = late(x)) != NULL)
			return break_off(x, why, e);
		await(x);
	}
	return x->engine.quit ? 0 : err_set(e, FAULT_PROTO,
	    "what was said broke the protocol");
}

int
receive_open(struct receive *x, const struct deliver_opts *opts, struct err *e)
{
	struct deliver_opts o = *opts;

	o.said = answer;
	o.trace = trace;
	o.arg = x;
	x->to = deliver_open(&o, e);
	return x->to != NULL ? 0 : -1;
}

int
receive_run(struct receive *x, struct line *line, struct span early, struct err *e)
{
	int r;

	x->line = line;
	x->terms = (struct receiver_terms){ .name = x->name, .mail = true,
	    .offers = EXT_8BITMIME | EXT_CHUNKING | EXT_DSN | EXT_PIPELINING |
	    EXT_ENHANCEDSTATUSCODES | EXT_SIZE | EXT_SMTPUTF8 | EXT_LIMITS,
	    .max_size = x->max_size, .max_rcpts = x->max_rcpts };
	x->silent = clock_in(x->idle_ms);
	receiver_start(&x->engine, &x->terms);
	receiver_feed(&x->engine, early);
	r = go_on(x, e);
	coming_settle(x);
	return r < 0 ? err_in(e, "%s", x->peer) : 0;
}

void
receive_close(struct receive *x)
{
	deliver_close(x->to);
	x->to = NULL;
	receiver_free(&x->engine);
	coming_free(x);
	buf_free(&x->heard);
}
