#include "session/turn_half_own.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "session/pump.h"
#include "session/splice.h"

#define OUT_ENOUGH 65536	/* octets of replies that the peer does not read */
#define GRACE_MS 2000		/* for the last words */

/* ---- what is offered ---- */

static void
offer(struct half *h)
{
	struct receiver_terms *t = &h->terms;
	bool secure = h->line->tls != NULL;
	const struct buf *by_word = secure ? &h->tls : &h->clear;

	buf_clear(&h->offered);
	if (h->names.n > 0)
		buf_adds(&h->offered, by_word->n > 0 ? "EXTERNAL " : "EXTERNAL");
	buf_addspan(&h->offered, buf_span(by_word));
	*t = (struct receiver_terms){ .name = h->o->name, .turn = true,
	    .offers = EXT_ENHANCEDSTATUSCODES | EXT_PIPELINING | EXT_ETRN |
	    EXT_ATRN };
	t->mechanisms = buf_str(&h->offered);
	if (h->o->tls != NULL && !secure)
		t->offers |= EXT_STARTTLS;
	if (h->offered.n > 0)
		t->offers |= EXT_AUTH;
}

/* Once the handshake is over. */
static void
look_at_certificate(struct half *h)
{
	struct tls_facts f;
	struct buf b = {0};

	if (h->looked || h->line->tls == NULL || !tls_ready(h->line->tls))
		return;
	h->looked = true;
	tls_facts(h->line->tls, &f);
	buf_addf(&b, "%s %s", f.protocol, f.cipher);
	if (h->o->judge && tls_verified(h->line->tls)) {
		buf_addf(&h->names, "%s", f.names);
		buf_addf(&b, " certificate of %s", f.names);
	}
	turn_half_log(h, buf_str(&b));
	buf_free(&b);
	tls_facts_free(&f);
	offer(h);
	receiver_change(&h->engine, &h->terms);
}

static int
encrypt(struct half *h, struct err *e)
{
	struct tls *t = tls_server(h->o->tls, e);

	return t == NULL ? -1 : line_encrypt(h->line, t, e);
}

/* ---- the line ---- */

static int
write_some(struct half *h, struct err *e)
{
	struct buf *out = &h->engine.out;
	size_t taken = 0, wire = h->line->wire.n;

	if (out->n == 0 && !line_busy(h->line))
		return 0;
	if (line_write(h->line, buf_span(out), (struct span){0}, &taken, e) < 0)
		return -1;
	buf_drop(out, taken);
	return taken > 0 || h->line->wire.n < wire;
}

static bool
all_sent(const struct half *h)
{
	return h->engine.out.n == 0 && !line_busy(h->line);
}

static void
last_words(struct half *h, const char *why)
{
	struct err ignored = {0};
	int64_t until = clock_in(GRACE_MS);
	struct pollfd p = { h->line->io.out, POLLOUT, 0 };

	receiver_dismiss(&h->engine, why);
	while (!all_sent(h) && clock_left(until) > 0 &&
	    write_some(h, &ignored) >= 0)
		if (!all_sent(h))
			poll(&p, 1, clock_left(until));
}

static bool
may_read(const struct half *h)
{
	return !h->eof && h->engine.want == RECEIVER_BYTES &&
	    !receiver_full(&h->engine) && h->engine.out.n < OUT_ENOUGH;
}

static int
read_some(struct half *h, struct err *e)
{
	int got;

	if (!may_read(h))
		return 0;
	if ((got = line_read(h->line, &h->heard, e)) < 0)
		return -1;
	/* not before: the greeting shall not wait, and who says nothing costs nothing */
	if (h->heard.n > 0 && h->o->tls != NULL && tls_shared_ready(h->o->tls, e) < 0) {
		last_words(h, "not now");
		return -1;
	}
	look_at_certificate(h);
	h->eof = got & IO_EOF;
	receiver_feed(&h->engine, buf_take(&h->heard));
	return got != 0;
}

static const char *
late(const struct half *h)
{
	if (interrupt_came())
		return "interrupted";
	if (clock_left(h->o->deadline) == 0 || clock_left(h->known_by) == 0)
		return "it takes too long";
	return clock_left(h->silent) == 0 ? "nothing was said for too long" : NULL;
}

static void
await(const struct half *h)
{
	struct pollfd p[] = {
		{ may_read(h) ? h->line->io.in : -1, POLLIN, 0 },
		{ all_sent(h) ? -1 : h->line->io.out, POLLOUT, 0 },
	};
	int64_t until = clock_sooner(h->silent, h->known_by);

	interrupt_poll(p, 2, clock_left(clock_sooner(until, h->o->deadline)));
}

static int
over(const struct half *h, struct err *e)
{
	if (h->engine.quit || h->refused)
		return 0;
	if (h->failures >= AUTH_MOST)
		return err_set(e, FAULT_PERM, "too many failures to log in");
	return err_set(e, FAULT_PROTO, "what was said broke the protocol");
}

/* What the engine wants once all is sent: 1 go on, 0 the end, -1. */
static int
next(struct half *h, struct err *e)
{
	switch (h->engine.want) {
	case RECEIVER_TLS:
		if (encrypt(h, e) < 0 || turn_half_forget(h, e) < 0)
			return -1;
		offer(h);
		receiver_encrypted(&h->engine, &h->terms);
		return 1;
	case RECEIVER_OVER:
		return over(h, e);
	case RECEIVER_TURN:
		return 0;
	default:
		return 1;
	}
}

static int
ask_all(struct half *h, struct err *e)
{
	struct question *q;
	int any = 0;

	while ((q = receiver_ask(&h->engine)) != NULL) {
		any = 1;
		if (turn_half_ask(h, q, e) < 0)
			return -1;
		h->silent = clock_in(h->o->idle_ms);
	}
	return any;
}

/* As a server: 0 when that is over. */
static int
serve(struct half *h, struct err *e)
{
	const char *why;
	int moved, said, heard, on = 1;

	while (on > 0) {
		if ((moved = ask_all(h, e)) < 0 || (said = write_some(h, e)) < 0 ||
		    (heard = read_some(h, e)) < 0)
			return -1;
		if (said > 0)
			h->silent = clock_in(h->o->idle_ms);
		if (h->engine.want != RECEIVER_BYTES && all_sent(h)) {
			on = next(h, e);
			continue;
		}
		if (moved > 0 || said > 0 || heard > 0)
			continue;
		if (h->eof && all_sent(h))
			return err_set(e, FAULT_TEMP, "closed without QUIT");
		if ((why = late(h)) != NULL) {
			last_words(h, why);
			return err_set(e, FAULT_TEMP, "%s", why);
		}
		await(h);
	}
	return on;
}

/* ---- as a client ---- */

#define FIRST_MS 60000		/* for the MTA's first session */

static int
carry_sessions(struct half *h, struct err *e)
{
	struct splice s = { .name = h->o->name, .domains = buf_span(&h->turn.more),
	    .listener = h->turn.fd, .stop = h->o->other, .first_ms = FIRST_MS,
	    .quiet_ms = h->o->quiet_ms, .near_ms = h->o->idle_ms,
	    .deadline = h->o->deadline };
	struct buf said = {0};
	int r;

	span_number(buf_span(&h->turn.extra), &s.expected);
	r = splice_run(&s, h->line, (struct span){0}, e);

	buf_addf(&said, "%zu messages carried in %zu sessions, %zu refused",
	    s.messages, s.sessions, s.refused);
	turn_half_log(h, buf_str(&said));
	buf_free(&said);
	return r;
}

static int
turn(struct half *h, struct err *e)
{
	struct line near = { .io = { .in = h->turn.fd, .out = h->turn.fd,
	    .child = { 0, -1, -1, -1 } } };
	struct buf said = {0};
	int64_t octets = 0;
	int r;

	if (h->turn.what == NOTE_SPLICE)
		return carry_sessions(h, e);
	h->turn.fd = -1;
	fcntl(near.io.in, F_SETFL, O_NONBLOCK);
	r = pump_run(h->line, &near, 2 * h->o->idle_ms, h->o->deadline, &octets, e);
	line_close(&near);
	buf_addf(&said, "%lld octets sent", (long long)octets);
	turn_half_log(h, buf_str(&said));
	buf_free(&said);
	return r;
}

/* ---- all of it ---- */

static int
hello(struct half *h, struct err *e)
{
	struct note n;
	int r = note_hear(h->o->other, &n, h->o->deadline, e);

	if (r > 0) {
		buf_addspan(&h->clear, buf_span(&n.text));
		buf_addspan(&h->tls, buf_span(&n.more));
	}
	offer(h);
	receiver_start(&h->engine, &h->terms);
	if (r > 0 && n.what != NOTE_HELLO) {
		buf_clear(&h->engine.out);
		receiver_dismiss(&h->engine, "not now");
		h->refused = true;
	}
	note_free(&n);
	return r > 0 ? 0 : r < 0 ? -1 :
	    err_set(e, FAULT_TEMP, "the other half is gone");
}

static int
run(struct half *h, struct err *e)
{
	if (hello(h, e) < 0 || (h->o->wrap && encrypt(h, e) < 0))
		return -1;
	if (serve(h, e) < 0)
		return -1;
	return h->engine.want == RECEIVER_TURN ? turn(h, e) : 0;
}

int
turn_half_run(struct turn_half *o, struct line *line, struct err *e)
{
	struct half h = { .o = o, .line = line };
	int r;

	h.turn.fd = -1;
	h.silent = clock_in(o->idle_ms);
	h.known_by = clock_in(o->login_ms);
	r = run(&h, e);
	receiver_free(&h.engine);
	note_free(&h.turn);
	buf_free(&h.heard);
	buf_free(&h.clear);
	buf_free(&h.tls);
	buf_free(&h.offered);
	buf_free(&h.names);
	line_close(line);
	return r;
}
