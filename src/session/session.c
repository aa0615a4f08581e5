#include "session/session.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "net/sock.h"
#include "session/opening.h"
#include "session/show.h"

#define SEND_PATIENCE_S 180	/* a data block, RFC 5321 section 4.5.3.2.5 */
#define GRACE_MS 1500		/* for what is in hand when a signal came */
#define HEARD_ENOUGH 262144

const char *
session_name(struct session *s)
{
	return buf_str(&s->line.io.name);
}

const struct server *
session_server(const struct session *s)
{
	return &s->servers->p[s->server < s->servers->n ? s->server : 0];
}

const char *
session_port(const struct session *s)
{
	const struct server *v = session_server(s);

	return v->peer.port != NULL ? v->peer.port : s->dial->port;
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

/* How long what is awaited now may take. */
static void
renew(struct session *s)
{
	int64_t ms = (int64_t)client_patience(&s->client) * 1000;

	if (s->step < STEP_HELLO || s->step == STEP_HANDSHAKE)
		return;			/* has its own */
	if ((s->client.out.n > 0 || s->beside.n > 0) &&
	    ms < SEND_PATIENCE_S * 1000)
		ms = SEND_PATIENCE_S * 1000;
	if (s->dial->reply_ms > 0 && s->dial->reply_ms < ms)
		ms = s->dial->reply_ms;
	s->deadline = clock_sooner(clock_in(ms), s->dial->deadline);
}

/* Is something awaited that can be late? */
static bool
waits(const struct session *s)
{
	return s->step != STEP_OPEN || s->client.want == WANT_BYTES ||
	    s->client.out.n > 0 || s->beside.n > 0;
}

static const char *
stage(const struct session *s)
{
	switch (s->step) {
	case STEP_CONNECT:
		return "while connecting";
	case STEP_WRAP:
	case STEP_HANDSHAKE:
		return "in the TLS handshake";
	default:
		return NULL;
	}
}

static int
lost(struct session *s, struct err *e, enum fault fault, const char *why,
    bool closed)
{
	struct buf text = {0};

	if (stage(s) != NULL)
		buf_addf(&text, "%s %s", why, stage(s));
	else
		buf_addf(&text, "%s (waiting for the %s%s)", why,
		    s->client.replies == 0 ? "" : "reply to ",
		    client_stage(&s->client));
	/*
	 * A line that comes back after we gave up would still carry what the
	 * kernel holds: more duplicates, that nobody waits for.
	 */
	if (!closed)
		io_forget(&s->line.io);
	client_lost(&s->client, buf_str(&text), closed);
	err_set(e, fault, "%s: %s", session_name(s), text.p);
	buf_free(&text);
	return -1;
}

static int
late(struct session *s, struct err *e)
{
	return lost(s, e, FAULT_TEMP, interrupt_came() ? "interrupted" :
	    clock_left(s->dial->deadline) == 0 ? "the deadline is over" :
	    "no answer in time", false);
}

static int
write_some(struct session *s, struct err *e)
{
	size_t had = s->client.out.n, wire = s->line.wire.n, n = 0, mine;

	/* whose text is not all out was told so: it must not follow after all */
	if (s->client.want == WANT_NOTHING && s->client.greeted)
		return 0;
	if (had == 0 && s->beside.n == 0 && !line_busy(&s->line))
		return 0;
	if (line_write(&s->line, buf_span(&s->client.out), s->beside, &n, e) < 0)
		return -1;
	mine = n < had ? n : had;
	client_sent(&s->client, mine);
	s->shown -= mine < s->shown ? mine : s->shown;
	client_beside(&s->client, n - mine);
	s->beside = span_from(s->beside, n - mine);
	client_speak(&s->client);
	return n > 0 || s->line.wire.n < wire;
}

static int
feed(struct session *s, struct err *e)
{
	struct span in = buf_take(&s->heard);
	struct err ignored = {0};

	show_heard(s, in);
	if (client_feed(&s->client, in, e) == 0)
		return 0;
	/* a last QUIT goes out if it can */
	show_out(s);
	write_some(s, &ignored);
	return err_in(e, "%s", session_name(s));
}

/* Did the handshake end just now? */
static bool
shook_hands(const struct session *s)
{
	return (s->step == STEP_WRAP || s->step == STEP_HANDSHAKE) &&
	    tls_ready(s->line.tls);
}

/* 1 something was heard, 0, -1. */
static int
read_some(struct session *s, struct err *e)
{
	bool shaking = s->step == STEP_WRAP || s->step == STEP_HANDSHAKE;
	int got;

	if (s->heard.n >= HEARD_ENOUGH)
		return 0;
	got = line_read(&s->line, &s->heard, e);
	if (got < 0 && shaking) {
		client_lost(&s->client, e->text, false);
		return err_in(e, "%s: TLS", session_name(s));
	}
	if (got < 0)
		return lost(s, e, FAULT_TEMP, e->text, false);
	if (s->step == STEP_HANDSHAKE && shook_hands(s))
		if (opening_go_on(s, e) < 0)
			return -1;
	if (s->step == STEP_WRAP && shook_hands(s))
		if (opening_go_on(s, e) < 0)
			return -1;
	if (s->heard.n > 0 && feed(s, e) < 0)
		return -1;
	if ((got & IO_EOF) && s->client.want != WANT_NOTHING)
		return lost(s, e, FAULT_TEMP, "the server closed the connection",
		    true);
	return got != 0;
}

/* The steps before there is mail. */
static int
open_further(struct session *s, struct err *e)
{
	while (s->step >= STEP_HELLO && s->step < STEP_OPEN &&
	    s->step != STEP_HANDSHAKE && s->client.want != WANT_BYTES &&
	    s->client.want != WANT_NOTHING) {
		if (opening_go_on(s, e) < 0) {
			/* polite still: the server did nothing wrong */
			if (s->client.want == WANT_WORK)
				client_quit(&s->client);
			show_out(s);
			write_some(s, &(struct err){0});
			return err_in(e, "%s", session_name(s));
		}
		renew(s);
	}
	return 0;
}

/*
 * Is its time over, and would poll() not have us write?  A kernel finds room for a
 * few more octets of ours each time it is asked; that is no life of the peer's.
 */
static bool
stuck(const struct session *s)
{
	struct pollfd p = { s->line.io.out, POLLOUT, 0 };

	return clock_left(s->deadline) == 0 && poll(&p, 1, 0) == 0;
}

static int
move(struct session *s, struct err *e)
{
	size_t answered = s->client.answered;
	int heard, sent, r;
	bool dead;

	if (s->step == STEP_CONNECT) {
		if ((r = sock_finish(&s->line.io, e)) < 0)
			return -1;
		if (r == 0)
			return clock_left(s->deadline) == 0 ? late(s, e) : 0;
		return opening_go_on(s, e) < 0 ? -1 : 1;
	}
	/* What was said before the line broke still counts: read first. */
	if ((heard = read_some(s, e)) < 0 || open_further(s, e) < 0)
		return -1;
	show_out(s);
	dead = stuck(s);
	if ((sent = write_some(s, e)) < 0)
		return heard > 0 ? 1 : lost(s, e, FAULT_TEMP, e->text, false);
	/* whole replies and octets taken count as life, bytes of a reply do not */
	if ((sent > 0 && !dead) || s->client.answered != answered)
		renew(s);
	else if (waits(s) && clock_left(clock_sooner(s->deadline,
	    interrupted())) == 0)
		return late(s, e);
	return heard > 0 || sent > 0;
}

int
session_move(struct session *s, struct err *e)
{
	int r = move(s, e);

	if (r >= 0 || s->step == STEP_OPEN)
		return r;
	return opening_failed(s, e) < 0 ? -1 : 1;
}

void
session_polls(const struct session *s, struct pollfd p[2], int64_t *deadline)
{
	bool writes = s->step == STEP_CONNECT || s->client.out.n > 0 ||
	    s->beside.n > 0 || line_busy(&s->line);

	p[0] = (struct pollfd){ s->step == STEP_CONNECT ||
	    s->heard.n >= HEARD_ENOUGH ? -1 : s->line.io.in, POLLIN, 0 };
	p[1] = (struct pollfd){ writes ? s->line.io.out : -1, POLLOUT, 0 };
	if (waits(s))
		*deadline = clock_sooner(*deadline, s->deadline);
}

void
sessions_wait(struct session *const *v, size_t n, struct pollfd *more,
    int64_t deadline)
{
	VEC(struct pollfd) p = {0};

	deadline = clock_sooner(deadline, interrupted());
	for (size_t i = 0; i < n; i++) {
		struct pollfd two[2];

		session_polls(v[i], two, &deadline);
		*vec_add(&p) = two[0];
		*vec_add(&p) = two[1];
	}
	if (more != NULL)
		*vec_add(&p) = *more;
	interrupt_poll(p.p, p.n, clock_left(deadline));
	if (more != NULL)
		more->revents = p.p[p.n - 1].revents;
	vec_free(&p);
}

int
session_begin(struct session *s, const struct servers *servers,
    const struct dial *dial, struct err *e)
{
	enum step until = s->until;

	*s = (struct session){ .dial = dial, .servers = servers,
	    .until = until, .began = clock_now() };
	s->line.io = (struct io){ .in = -1, .out = -1 };
	return opening_start(s, e);
}

int
session_open(struct session *s, const struct servers *servers,
    const struct dial *dial, struct err *e)
{
	int r = session_begin(s, servers, dial, e);

	while (r >= 0 && s->step != STEP_OPEN) {
		if (r == 0)
			sessions_wait(&s, 1, NULL, NEVER);
		r = session_move(s, e);
	}
	if (r < 0)
		session_drop(s);
	return r < 0 ? -1 : 0;
}

int
session_drive(struct session *s, struct err *e)
{
	int r = 1;

	renew(s);
	while (s->client.want == WANT_BYTES || (s->client.want != WANT_NOTHING &&
	    (s->client.out.n > 0 || s->beside.n > 0))) {
		if (r == 0)
			sessions_wait(&s, 1, NULL, NEVER);
		if ((r = session_move(s, e)) < 0)
			return -1;
	}
	return s->client.want == WANT_NOTHING ? 1 : 0;
}

void
session_drop(struct session *s)
{
	line_close(&s->line);
	client_free(&s->client);
	attempt_free(&s->login);
	addresses_free(&s->addresses);
	tlsas_free(&s->tlsas);
	buf_free(&s->heard);
	buf_free(&s->text);
	s->step = STEP_CLOSED;
}

void
session_close(struct session *s)
{
	struct err ignored = {0};

	if (s->step == STEP_OPEN && s->client.want == WANT_WORK) {
		client_quit(&s->client);
		s->line.io.parted = session_drive(s, &ignored) == 1;
	}
	session_drop(s);
}

void
servers_free(struct servers *v)
{
	for (size_t i = 0; i < v->n; i++) {
		peer_free(&v->p[i].peer);
		free(v->p[i].command);
		free(v->p[i].domain);
	}
	vec_free(v);
}
