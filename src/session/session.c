#include "session/session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "net/sock.h"
#include "wire/domain.h"

#define SEND_PATIENCE_S 180	/* a data block, RFC 5321 section 4.5.3.2.5 */
#define GRACE_MS 1500		/* for what is in hand when a signal came */

const char *
session_name(struct session *s)
{
	return buf_str(&s->io.name);
}

static void
show(const char *mark, struct span line)
{
	struct buf b = {0};

	buf_adds(&b, mark);
	text_printable(&b, line);
	buf_addc(&b, '\n');
	fwrite(b.p, 1, b.n, stderr);
	buf_free(&b);
}

void
session_tell(struct session *s, const char *mark, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!s->dial->verbose)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	show(mark, span_of(text));
}

/* The commands that wait in `out` and were not shown yet. */
static void
show_out(struct session *s)
{
	struct span rest = span_from(buf_span(&s->client.out), s->shown), line;

	s->shown = s->client.out.n;
	while (s->dial->verbose && span_cut(&rest, '\n', &line))
		show(" -> ", span_trim(line));
}

void
session_hide(struct session *s)
{
	s->shown = s->client.out.n;
}

static void
show_heard(struct session *s, struct span in)
{
	struct span line;

	if (!s->dial->verbose)
		return;
	for (; in.n > 0; in = span_from(in, 1)) {
		size_t n = span_find(in, '\n');

		buf_add(&s->line, in.p, n);
		if (n == in.n && s->line.n < REPLY_LINE_MAX)
			break;
		line = span_trim(buf_take(&s->line));
		show(line.n > 0 && line.p[0] >= '4' ? "<** " : "<-  ", line);
		in = span_from(in, n);
	}
}

static int
lost(struct session *s, struct err *e, enum fault fault, const char *why)
{
	struct buf text = {0};

	buf_addf(&text, "%s (waiting for the reply to %s)", why,
	    client_stage(&s->client));
	client_lost(&s->client, buf_str(&text));
	err_set(e, fault, "%s: %s", session_name(s), buf_str(&text));
	buf_free(&text);
	return -1;
}

/* When to stop because a signal came; NEVER. */
static int64_t
interrupted(void)
{
	static int64_t at;

	if (!interrupt_came())
		return NEVER;
	if (at == 0)
		at = clock_in(GRACE_MS);
	return at;
}

static int64_t
patience(const struct session *s)
{
	int64_t ms = (int64_t)client_patience(&s->client) * 1000;

	if (s->client.out.n > 0 && ms < SEND_PATIENCE_S * 1000)
		ms = SEND_PATIENCE_S * 1000;
	if (s->dial->reply_ms > 0 && s->dial->reply_ms < ms)
		ms = s->dial->reply_ms;
	return clock_sooner(clock_in(ms), s->dial->deadline);
}

static int
feed(struct session *s, struct err *e)
{
	struct span in = buf_take(&s->heard);

	show_heard(s, in);
	if (client_feed(&s->client, in, e) == 0)
		return 0;
	/* a last QUIT goes out if it can */
	show_out(s);
	if (s->client.out.n > 0 &&
	    write(s->io.out, s->client.out.p, s->client.out.n) < 0)
		session_tell(s, "*** ", "%s", strerror(errno));
	return err_in(e, "%s", session_name(s));
}

/* One exchange: 1 something moved, 0 the deadline passed, -1 it is over. */
static int
step(struct session *s, int64_t deadline, struct err *e)
{
	struct span out = buf_span(&s->client.out);
	size_t had = out.n;
	int got = io_exchange(&s->io, &out, &s->heard, deadline, -1, NULL, e);

	if (got < 0)
		return lost(s, e, FAULT_TEMP, e->text);
	buf_drop(&s->client.out, had - out.n);
	s->shown -= had - out.n < s->shown ? had - out.n : s->shown;
	if ((got & IO_HEARD) && feed(s, e) < 0)
		return -1;
	if ((got & IO_EOF) && s->client.want != WANT_NOTHING)
		return lost(s, e, FAULT_TEMP, "the server closed the connection");
	return got != 0;
}

int
session_drive(struct session *s, struct err *e)
{
	int64_t deadline = patience(s);
	size_t answered = s->client.answered;
	int r;

	while (s->client.want == WANT_BYTES ||
	    (s->client.want != WANT_NOTHING && s->client.out.n > 0)) {
		size_t had = s->client.out.n;

		deadline = clock_sooner(deadline, interrupted());
		show_out(s);
		if ((r = step(s, deadline, e)) < 0)
			return -1;
		if (r == 0 && clock_left(deadline) == 0)
			return lost(s, e, FAULT_TEMP, interrupt_came() ?
			    "interrupted" : clock_left(s->dial->deadline) == 0 ?
			    "the deadline is over" : "no answer in time");
		client_speak(&s->client);
		/* whole replies and octets taken count as life, bytes of a reply do not */
		if (s->client.answered != answered || s->client.out.n < had)
			deadline = patience(s);
		answered = s->client.answered;
	}
	return s->client.want == WANT_NOTHING ? 1 : 0;
}

int
session_rest(struct session *s, int fd, struct err *e)
{
	struct span none = {0};
	bool woken = false;
	int got;

	for (;;) {
		got = io_exchange(&s->io, &none, &s->heard, s->dial->deadline,
		    fd, &woken, e);
		if (got == 0)
			return 0;	/* fd, or the deadline: the caller looks */
		if (got < 0)
			return lost(s, e, FAULT_TEMP, e->text);
		if ((got & IO_HEARD) && feed(s, e) < 0)
			return -1;
		if (got & IO_EOF)
			return lost(s, e, FAULT_TEMP,
			    "the server closed the connection");
	}
}

/* The name we give: told, or the host's if it looks like one, or our address. */
static const char *
helo_name(const struct session *s, char *room, size_t size)
{
	if (s->dial->helo != NULL)
		return s->dial->helo;
	if (gethostname(room, size) == 0 && strchr(room, '.') != NULL &&
	    domain_is_name(span_of(room)))
		return room;
	if (*s->io.local != '\0')
		return s->io.local;
	return domain_is_name(span_of(room)) ? room : "localhost";
}

static int
greet(struct session *s, const struct server *to, unsigned flags,
    struct err *e)
{
	struct sock_opts o = { s->dial->port, s->dial->bind, s->dial->family,
	    s->dial->connect_ms, s->dial->deadline,
	    (const char *const *)to->command };
	char name[HOST_NAME_MAX + 1] = "";

	if (s->dial->verbose)
		show("=== ", span_of(to->peer.text));
	if (sock_open(&s->io, &to->peer, &o, e) < 0)
		return -1;
	s->open = true;
	s->shown = 0;
	client_start(&s->client, helo_name(s, name, sizeof name), flags);
	return session_drive(s, e) == 0 ? 0 : -1;
}

/* Leaves nothing open. */
static void
forget(struct session *s)
{
	if (s->open)
		io_close(&s->io);
	client_free(&s->client);
	buf_free(&s->heard);
	buf_free(&s->line);
	s->open = false;
}

int
session_open(struct session *s, const struct server *to,
    const struct dial *dial, struct err *e)
{
	bool on_ehlo;

	*s = (struct session){ .dial = dial };
	if (greet(s, to, 0, e) == 0)
		return 0;
	/* some servers of old hang up on EHLO (RFC 5321 section 3.2) */
	on_ehlo = s->open && s->client.said_to == V_GREETING &&
	    s->client.said.code == 220 && e->fault == FAULT_TEMP &&
	    to->peer.kind != PEER_FD && clock_left(dial->deadline) != 0 &&
	    strstr(e->text, "closed the connection") != NULL;
	forget(s);
	if (on_ehlo && greet(s, to, CLIENT_HELO, e) == 0) {
		err_clear(e);	/* of the first greeting */
		return 0;
	}
	forget(s);
	return -1;
}

int
session_first(struct session *s, const struct servers *v,
    const struct dial *dial, struct err *e)
{
	for (size_t i = 0; i < v->n; i++) {
		if (i > 0)
			err_clear(e);
		if (session_open(s, &v->p[i], dial, e) == 0)
			return 0;
		if (clock_left(dial->deadline) == 0)
			break;
	}
	return -1;
}

void
session_close(struct session *s)
{
	struct err ignored = {0};

	if (!s->open)
		return;
	if (s->client.want == WANT_WORK) {
		client_quit(&s->client);
		session_drive(s, &ignored);
	}
	forget(s);
}

void
servers_free(struct servers *v)
{
	for (size_t i = 0; i < v->n; i++) {
		peer_free(&v->p[i].peer);
		free(v->p[i].command);
	}
	vec_free(v);
}
