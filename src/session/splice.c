#include "session/splice.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "wire/arguments.h"
#include "wire/domain.h"
#include "wire/reply.h"

#define FIRST_MS 60000		/* for the MTA's first session */
#define LAST_MS 600000		/* for the verdict on a text, RFC 5321 section 4.5.3.2.6 */
#define QUIT_MS 5000
#define COMMAND_MOST 4096
#define PIECE 65536		/* octets of a text */

/* Somebody who is heard and spoken to with patience. */
struct end {
	struct line *line;
	struct buf in;
	bool eof;
};

struct splice {
	struct end far, mta;
	struct span domains;
	const char *name;
	int64_t quiet_ms, idle_ms, deadline;
	struct ehlo offers;	/* the customer's */
	bool broken;		/* the connection to him is of no use any more */
	size_t sessions;
	int stop;
};

/* ---- waiting ---- */

static int
await(struct splice *s, int fd, short what, int64_t ms, struct err *e)
{
	struct pollfd p = { fd, what, 0 };
	int r = interrupt_poll(&p, 1, clock_left(clock_sooner(clock_in(ms),
	    s->deadline)));

	if (interrupt_came())
		return err_set(e, FAULT_TEMP, "interrupted");
	return r > 0 || (r < 0 && errno == EINTR) ? 0 :
	    err_set(e, FAULT_TEMP, "nothing happened for too long");
}

static int
put(struct splice *s, struct end *to, struct span text, struct err *e)
{
	size_t taken;

	while (text.n > 0 || line_busy(to->line)) {
		if (line_write(to->line, text, (struct span){0}, &taken, e) < 0)
			return -1;
		text = span_from(text, taken);
		if (taken == 0 && (text.n > 0 || line_busy(to->line)) &&
		    await(s, to->line->io.out, POLLOUT, s->idle_ms, e) < 0)
			return -1;
	}
	return 0;
}

static int
puts_to(struct splice *s, struct end *to, const char *text, struct err *e)
{
	return put(s, to, span_of(text), e);
}

/* More into `in'.  1; 0 it closed; -1. */
static int
hear(struct splice *s, struct end *from, int64_t ms, struct err *e)
{
	size_t before = from->in.n;
	int got;

	while (from->in.n == before && !from->eof) {
		if ((got = line_read(from->line, &from->in, e)) < 0)
			return -1;
		from->eof = got & IO_EOF;
		if (got == 0 && await(s, from->line->io.in, POLLIN, ms, e) < 0)
			return -1;
	}
	return from->in.n > before;
}

/* ---- the customer ---- */

/* His next reply; its octets stay at the front of `in', *n of them. */
static int
hear_reply(struct splice *s, struct reply *r, size_t *n, int64_t ms, struct err *e)
{
	ssize_t len;
	int got;

	while ((len = reply_parse(r, buf_span(&s->far.in), e)) == 0) {
		if ((got = hear(s, &s->far, ms, e)) < 0)
			return -1;
		if (got == 0)
			return err_set(e, FAULT_TEMP, "the connection was closed");
	}
	*n = len > 0 ? (size_t)len : 0;
	return len > 0 ? 0 : -1;
}

/* Says it and hears the answer: its code, -1. */
static int
ask(struct splice *s, const char *line, int64_t ms, struct err *e)
{
	struct reply r = {0};
	size_t n;
	int code = -1;

	if (puts_to(s, &s->far, line, e) == 0 &&
	    hear_reply(s, &r, &n, ms, e) == 0) {
		buf_drop(&s->far.in, n);
		code = r.code;
		if (code == 250 && span_starts(span_of(line), "EHLO"))
			ehlo_parse(&s->offers, &r);
	}
	reply_free(&r);
	return code;
}

static int
greet(struct splice *s, struct err *e)
{
	struct buf line = {0};
	int code = ask(s, "", s->idle_ms, e);

	if (code == 220) {
		buf_addf(&line, "EHLO %s\r\n", s->name);
		code = ask(s, buf_str(&line), s->idle_ms, e);
		if (code / 100 == 5) {
			buf_clear(&line);
			buf_addf(&line, "HELO %s\r\n", s->name);
			code = ask(s, buf_str(&line), s->idle_ms, e);
			s->offers = (struct ehlo){0};
		}
		buf_free(&line);
	}
	return code == 250 ? 0 : code < 0 ? -1 :
	    err_set(e, FAULT_TEMP, "the customer greets with %d", code);
}

/* ---- a session of the MTA ---- */

/* Commands and replies go one by one: PIPELINING and CHUNKING are not offered. */
static int
on_ehlo(struct splice *s, bool extended, struct err *e)
{
	static const struct { unsigned ext; const char *word; } handed[] = {
		{ EXT_8BITMIME, "8BITMIME" }, { EXT_SMTPUTF8, "SMTPUTF8" },
		{ EXT_DSN, "DSN" },
		{ EXT_ENHANCEDSTATUSCODES, "ENHANCEDSTATUSCODES" },
	};
	struct buf b = {0};
	int r;

	for (size_t i = 0; extended && i < sizeof handed / sizeof *handed; i++)
		if (s->offers.offers & handed[i].ext)
			buf_addf(&b, "250-%s\r\n", handed[i].word);
	if (extended && (s->offers.offers & EXT_SIZE))
		buf_addf(&b, "250-SIZE %lld\r\n", (long long)s->offers.size);
	buf_addf(&b, "250 %s\r\n", s->name);
	r = put(s, &s->mta, buf_span(&b), e);
	buf_free(&b);
	return r;
}

/* The command to the customer, his reply to the MTA: its code, -1. */
static int
hand_on(struct splice *s, struct span line, int64_t ms, struct err *e)
{
	struct reply r = {0};
	struct err lost = {0};
	size_t n;
	int code = -1;

	s->broken = true;	/* unless all goes well */
	if (put(s, &s->far, line, e) == 0 &&
	    hear_reply(s, &r, &n, ms, e) == 0) {
		code = r.code;
		s->broken = code == 421;
		if (put(s, &s->mta, (struct span){ s->far.in.p, n }, &lost) < 0)
			s->mta.eof = true;
		buf_drop(&s->far.in, n);
	}
	reply_free(&r);
	return code;
}

static bool
is_his(const struct splice *s, const char *address)
{
	struct span rest = s->domains, one;
	bool his = false;

	while (!his && span_cut(&rest, ' ', &one)) {
		char *node = span_dup(one);

		his = node_has(node, domain_of(span_of(address)));
		free(node);
	}
	return his;
}

static int
on_rcpt(struct splice *s, struct span line, struct err *e)
{
	struct envelope v = {0};
	struct complaint c = arguments_rcpt(span_trim(span_from(line, 4)),
	    s->offers.offers, &v);
	int r;

	if (c.code == 0 && v.rcpts.n == 1 && is_his(s, v.rcpts.p[0].address))
		r = hand_on(s, line, s->idle_ms, e) < 0 ? -1 : 0;
	else
		r = puts_to(s, &s->mta, "450 4.7.1 he did not ask for that "
		    "domain\r\n", e);
	envelope_free(&v);
	return r;
}

/*
 * How far the text at the front of `t' can be handed on: up to its end (*ended), or to
 * what needs more to be understood.  False: a CR or LF that is no CRLF.  `at' is where in
 * a line it begins: a line's start, then `.', `.CR'; inside; behind a CR.
 */
enum at { AT_START, AT_DOT, AT_DOT_CR, AT_INSIDE, AT_CR };

static bool
walk(struct span t, enum at *at, size_t *n, bool *ended)
{
	for (*n = 0; *n < t.n && !*ended; ++*n) {
		char c = t.p[*n];
		bool cr = *at == AT_CR || *at == AT_DOT_CR;

		if (cr != (c == '\n'))
			return false;
		if (c == '\n') {
			*ended = *at == AT_DOT_CR;
			*at = AT_START;
		} else if (c == '\r') {
			*at = *at == AT_DOT ? AT_DOT_CR : AT_CR;
		} else {
			*at = *at == AT_START && c == '.' ? AT_DOT : AT_INSIDE;
		}
	}
	return true;
}

static int
text(struct splice *s, struct err *e)
{
	enum at at = AT_START;
	bool ended = false;
	size_t n;

	s->broken = true;	/* until its end is there */
	while (!ended) {
		if (s->mta.in.n == 0 && hear(s, &s->mta, s->idle_ms, e) <= 0)
			return err_set(e, FAULT_TEMP, "the MTA broke off within a "
			    "message");
		if (!walk(buf_span(&s->mta.in), &at, &n, &ended)) {
			puts_to(s, &s->mta, "554 5.6.0 a CR or LF that is no line "
			    "end\r\n", e);
			return err_set(e, FAULT_DATA, "a message has a CR or LF "
			    "that is no line end");
		}
		if (put(s, &s->far, (struct span){ s->mta.in.p, n }, e) < 0)
			return -1;
		buf_drop(&s->mta.in, n);
	}
	return hand_on(s, (struct span){0}, LAST_MS, e) < 0 ? -1 : 0;
}

static int
on_data(struct splice *s, struct span line, struct err *e)
{
	int code = hand_on(s, line, s->idle_ms, e);

	return code == 354 ? text(s, e) : code < 0 ? -1 : 0;
}

static bool
is_verb(struct span line, const char *verb)
{
	struct span word = { line.p, span_find(line, ' ') };

	return span_ieq(span_trim(word), span_of(verb));
}

/* One command: 1 go on, 0 the session is over, -1. */
static int
obey(struct splice *s, struct span line, struct err *e)
{
	int r;

	if (is_verb(line, "QUIT")) {
		puts_to(s, &s->mta, "221 2.0.0 bye\r\n", e);
		return 0;
	}
	if (is_verb(line, "EHLO") || is_verb(line, "HELO"))
		r = on_ehlo(s, is_verb(line, "EHLO"), e);
	else if (is_verb(line, "MAIL") || is_verb(line, "RSET"))
		r = hand_on(s, line, s->idle_ms, e) < 0 ? -1 : 0;
	else if (is_verb(line, "RCPT"))
		r = on_rcpt(s, line, e);
	else if (is_verb(line, "DATA"))
		r = on_data(s, line, e);
	else if (is_verb(line, "NOOP"))
		r = puts_to(s, &s->mta, "250 2.0.0 ok\r\n", e);
	else
		r = puts_to(s, &s->mta, "502 5.5.1 that is not done here\r\n", e);
	return r < 0 ? -1 : 1;
}

/* A whole line with its CRLF, off `in'.  1, 0 closed, -1. */
static int
get_line(struct splice *s, struct buf *line, struct err *e)
{
	size_t n;
	int got;

	buf_clear(line);
	while ((n = span_find(buf_span(&s->mta.in), '\n')) == s->mta.in.n) {
		if (s->mta.in.n > COMMAND_MOST)
			return err_set(e, FAULT_PROTO, "the MTA's line is too long");
		if ((got = hear(s, &s->mta, s->idle_ms, e)) <= 0)
			return got;
	}
	if (n == 0 || s->mta.in.p[n - 1] != '\r' ||
	    memchr(s->mta.in.p, '\r', n - 1) != NULL ||
	    memchr(s->mta.in.p, '\0', n) != NULL)
		return err_set(e, FAULT_PROTO, "the MTA's line does not end in CRLF");
	buf_add(line, s->mta.in.p, n + 1);
	buf_drop(&s->mta.in, n + 1);
	return 1;
}

/* To its end.  What goes wrong on the MTA's side ends this session only. */
static void
session(struct splice *s, struct err *e)
{
	struct buf line = {0};
	struct err its = {0};

	if (puts_to(s, &s->mta, "220 tidegate ESMTP\r\n", &its) == 0)
		while (!s->broken && !s->mta.eof &&
		    get_line(s, &line, &its) > 0 &&
		    obey(s, buf_span(&line), &its) > 0)
			;
	buf_free(&line);
	if (s->broken)
		*e = its.fault != FAULT_NONE ? its : *e;
	else if (ask(s, "RSET\r\n", s->idle_ms, e) != 250)
		s->broken = true;
}

/* ---- all of them ---- */

/*
 * False: none comes any more.  The customer, who has nothing to say now, is not listened
 * to: if he is gone the next command tells.
 */
static bool
await_session(const struct splice *s, int listener)
{
	struct pollfd p[] = { { listener, POLLIN, 0 }, { s->stop, POLLIN, 0 } };
	int64_t until = clock_sooner(s->deadline, clock_in(s->sessions > 0 ?
	    s->quiet_ms : FIRST_MS));

	return interrupt_poll(p, 2, clock_left(until)) > 0 && p[0].revents != 0;
}

/* The next one; 0 none came. */
static int
next(struct splice *s, int listener, struct line *line)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC |
	    SOCK_NONBLOCK)) < 0)
		if ((errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) ||
		    !await_session(s, listener))
			return 0;
	*line = (struct line){ .io = { .in = fd, .out = fd, .near = true,
	    .child = { 0, -1, -1, -1 } } };
	return 1;
}

int
splice_run(struct line *far, int listener, int stop, struct span domains,
    const char *name, int64_t quiet_ms, int64_t idle_ms, int64_t deadline,
    struct err *e)
{
	struct splice s = { .far = { .line = far }, .domains = domains,
	    .name = name, .stop = stop, .quiet_ms = quiet_ms,
	    .idle_ms = idle_ms, .deadline = deadline };
	struct err ignored = {0};
	struct line line;

	if (greet(&s, e) < 0)
		s.broken = true;
	while (!s.broken && next(&s, listener, &line)) {
		s.sessions++;
		s.mta = (struct end){ .line = &line };
		session(&s, e);
		line_close(&line);
		buf_free(&s.mta.in);
	}
	if (!s.broken)
		ask(&s, "QUIT\r\n", QUIT_MS, &ignored);
	buf_free(&s.far.in);
	if (!s.broken)
		return 0;
	return e->fault != FAULT_NONE ? -1 :
	    err_set(e, FAULT_TEMP, "the customer ended it");
}
