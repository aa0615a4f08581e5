#include "session/opening.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/sock.h"
#include "session/auth.h"
#include "session/show.h"
#include "wire/domain.h"

#define HANDSHAKE_MS 60000

static const struct server *
server(const struct session *s)
{
	return &s->servers->p[s->server];
}

static void
patience(struct session *s, int64_t ms)
{
	s->deadline = clock_sooner(clock_in(ms), s->dial->deadline);
}

/* Of several servers that failed, one that may do later counts most. */
static void
remember(struct session *s, const struct err *e)
{
	bool passes = s->why.fault == FAULT_TEMP || s->why.fault == FAULT_PROTO;

	if (!passes || e->fault == FAULT_TEMP || e->fault == FAULT_PROTO)
		s->why = *e;
}

/* ---- whom to connect to ---- */

/* A secure alias may carry the records, or the name itself (RFC 7672 section 2.2.2). */
static int
find_tlsas(struct session *s, struct err *e)
{
	const struct server *v = server(s);
	const char *alias = s->addresses.canonical;

	if (v->domain != NULL && !v->secure)
		return 0;
	if (alias != NULL && dns_tlsa(&s->tlsas, alias, session_port(s),
	    s->dial->deadline, e) < 0)
		return -1;
	s->aliased = s->tlsas.n > 0;
	if (s->aliased)
		return 0;
	return dns_tlsa(&s->tlsas, v->peer.host, session_port(s), s->dial->deadline,
	    e);
}

static int
resolve(struct session *s, struct err *e)
{
	const struct server *v = server(s);
	bool dane = s->dial->login->level == TLS_DANE && !v->peer.literal;

	addresses_free(&s->addresses);
	tlsas_free(&s->tlsas);
	s->address = 0;
	s->aliased = false;
	if (v->peer.kind != PEER_HOST)
		return 0;
	if (v->domain == NULL && !dane)
		return sock_addresses(&s->addresses, &v->peer, s->dial->family,
		    e);
	if (dns_addresses(&s->addresses, v->peer.host, s->dial->family,
	    s->dial->deadline, e) < 0)
		return -1;
	/* whoever has no secure address has no secure records (section 2.2.2) */
	return dane && s->addresses.secure ? find_tlsas(s, e) : 0;
}

/* ---- TLS ---- */

enum tls_level
opening_asks(const struct session *s)
{
	const struct login *l = s->dial->login;
	enum tls_level level = login_level(l, s->line.io.near);

	if (s->clear)
		return TLS_NONE;
	if (level == TLS_DANE && s->tlsas.n == 0)
		return login_wanted(l) ? TLS_VERIFY : TLS_MAY;
	return level;
}

/* What is done about it. */
static enum tls_level
level(const struct session *s)
{
	enum tls_level asked = opening_asks(s);

	return s->dial->login->lenient &&
	    (asked == TLS_ENCRYPT || asked == TLS_VERIFY) ? TLS_MAY : asked;
}

/* Would going on in the clear be of any use? */
static bool
may_be_clear(const struct session *s)
{
	const struct login *l = s->dial->login;

	return opening_asks(s) <= TLS_MAY && (!login_wanted(l) ||
	    l->in_clear || s->line.io.near);
}

/*
 * The name that somebody typed counts, not one that an unsigned DNS answer gave
 * (RFC 6125 section 6.2.1).  With TLSA records it is the one they stand at
 * (RFC 7672 section 3.2.2).
 */
static void
expect(const struct session *s, struct tls_expect *x)
{
	const struct login *l = s->dial->login;
	const struct server *v = server(s);
	bool host = v->peer.kind == PEER_HOST;

	*x = (struct tls_expect){ .level = level(s),
	    .fingerprint = l->fingerprint, .tlsas = &s->tlsas };
	if (l->name != NULL)
		x->name = l->name;
	else if (s->aliased)
		x->name = s->addresses.canonical;
	else if (v->domain == NULL || v->secure ||
	    opening_asks(s) != TLS_VERIFY)
		x->name = host ? v->peer.host : NULL;
	else
		x->name = v->domain;
	if (l->name == NULL && v->secure)
		x->other = v->domain;
}

static int
begin_tls(struct session *s, enum step step, struct err *e)
{
	struct tls_shared *shared = login_shared(s->dial->login, e);
	struct tls_expect x;
	struct tls *tls;

	expect(s, &x);
	if (x.level == TLS_NONE)	/* --tls-wrap asks for it all the same */
		x.level = TLS_MAY;
	if (shared == NULL || (tls = tls_client(shared, &x, e)) == NULL)
		return -1;
	s->step = step;
	patience(s, s->dial->reply_ms > 0 && s->dial->reply_ms < HANDSHAKE_MS ?
	    s->dial->reply_ms : HANDSHAKE_MS);
	return line_encrypt(&s->line, tls, e);
}

static void
tell_tls(struct session *s)
{
	struct tls_facts f;

	if (!s->dial->verbose)
		return;
	tls_facts(s->line.tls, &f);
	show_line(s, "=== ", "%s %s, %s", f.protocol, f.cipher, f.verdict);
	tls_facts_free(&f);
}

/* ---- greeting and EHLO ---- */

/* The name we give: told, or the host's if it looks like one, or our address. */
static const char *
helo_name(const struct session *s, char *room, size_t size)
{
	if (s->dial->helo != NULL)
		return s->dial->helo;
	if (gethostname(room, size) == 0 && strchr(room, '.') != NULL &&
	    domain_is_name(span_of(room)))
		return room;
	if (*s->line.io.local != '\0')
		return s->line.io.local;
	return domain_is_name(span_of(room)) ? room : "localhost";
}

static void
hello(struct session *s)
{
	char name[HOST_NAME_MAX + 1] = "";

	s->step = STEP_HELLO;
	s->shown = 0;
	client_start(&s->client, helo_name(s, name, sizeof name),
	    s->dial->flags | (s->helo ? CLIENT_HELO : 0));
	patience(s, s->dial->reply_ms > 0 ? s->dial->reply_ms :
	    client_patience(&s->client) * 1000);
}

static bool
wraps(const struct session *s)
{
	return s->dial->login->wrap || (server(s)->peer.kind == PEER_HOST &&
	    strcmp(session_port(s), "465") == 0);
}

static int
connected(struct session *s, struct err *e)
{
	show_line(s, "=== ", "connected to %s", session_name(s));
	if (wraps(s))
		return begin_tls(s, STEP_WRAP, e);
	hello(s);
	return 0;
}

/* ---- one step after the other ---- */

static int
starttls_refused(struct session *s, struct err *e)
{
	struct buf words = {0};

	reply_words(&words, &s->client.said);
	err_set(e, FAULT_TEMP, "STARTTLS: %s", buf_str(&words));
	buf_free(&words);
	return -1;
}

static int
after_tls(struct session *s, struct err *e)
{
	if (s->until != STEP_CLOSED && s->until < STEP_AUTH) {
		s->step = STEP_OPEN;
		return 0;
	}
	if (login_wanted(s->dial->login))
		return auth_begin(s, e);
	s->step = STEP_OPEN;
	return 0;
}

static int
after_hello(struct session *s, struct err *e)
{
	bool offered = s->client.server.offers & EXT_STARTTLS;
	enum tls_level want = level(s);

	if (s->line.tls != NULL || want == TLS_NONE ||
	    s->until == STEP_HELLO)
		return after_tls(s, e);
	if (offered) {
		s->step = STEP_STARTTLS;
		client_starttls(&s->client);
		return 0;
	}
	if (want > TLS_MAY)
		return err_set(e, FAULT_TEMP, "the server offers no STARTTLS, "
		    "and TLS is required");
	return after_tls(s, e);
}

static int
after_starttls(struct session *s, struct err *e)
{
	if (s->client.want == WANT_TLS)
		return begin_tls(s, STEP_HANDSHAKE, e);
	if (!may_be_clear(s))
		return starttls_refused(s, e);
	return after_tls(s, e);
}

int
opening_go_on(struct session *s, struct err *e)
{
	switch (s->step) {
	case STEP_CONNECT:
		return connected(s, e);
	case STEP_WRAP:
		tell_tls(s);
		hello(s);
		return 0;
	case STEP_HANDSHAKE:
		tell_tls(s);
		s->step = STEP_HELLO;
		client_encrypted(&s->client);
		return 0;
	case STEP_HELLO:
		return after_hello(s, e);
	case STEP_STARTTLS:
		return after_starttls(s, e);
	case STEP_AUTH:
		return auth_go_on(s, e);
	default:
		return 0;
	}
}

/* ---- trying ---- */

static int
connect_now(struct session *s, struct err *e)
{
	const struct server *v = server(s);
	struct sock_opts o = { s->dial->bind, s->dial->family,
	    s->dial->connect_ms, (const char *const *)v->command };

	s->step = STEP_CONNECT;
	patience(s, s->dial->connect_ms);
	if (v->peer.kind == PEER_HOST)
		return sock_start(&s->line.io,
		    &s->addresses.p[s->address], v->peer.host, session_port(s), &o, e);
	if (sock_open(&s->line.io, &v->peer, &o, e) < 0)
		return -1;
	return connected(s, e);
}

int
opening_start(struct session *s, struct err *e)
{
	for (; s->server < s->servers->n; s->server++) {
		show_line(s, "=== ", "%s", server(s)->peer.text);
		if (resolve(s, e) == 0) {
			if (connect_now(s, e) == 0)
				return 0;
			return opening_failed(s, e);
		}
		show_line(s, "*** ", "%s", e->text);
		remember(s, e);
		if (clock_left(s->dial->deadline) == 0)
			break;
	}
	*e = s->why;
	s->step = STEP_CLOSED;
	return -1;
}

static void
hang_up(struct session *s)
{
	line_close(&s->line);
	client_free(&s->client);
	s->client = (struct client){0};		/* not over: there may be a next */
	attempt_free(&s->login);
	buf_clear(&s->heard);
	buf_clear(&s->text);
	s->beside = (struct span){0};
}

/* Some servers of old hang up on EHLO (RFC 5321 section 3.2). */
static bool
hung_up_on_ehlo(const struct session *s, const struct err *e)
{
	return !s->helo && s->step == STEP_HELLO && s->line.tls == NULL &&
	    s->client.said_to == V_GREETING && s->client.said.code == 220 &&
	    strstr(e->text, "closed the connection") != NULL;
}

static bool
tls_was_not_needed(const struct session *s, const struct err *e)
{
	return !s->clear && s->step == STEP_HANDSHAKE && may_be_clear(s) &&
	    e->fault == FAULT_TEMP;
}

/* Trying elsewhere would not help, or would give a password to more of them. */
static bool
is_final(const struct session *s, const struct err *e)
{
	return server(s)->peer.kind == PEER_FD || e->fault == FAULT_PERM ||
	    e->fault == FAULT_CONFIG || e->fault == FAULT_USAGE ||
	    clock_left(s->dial->deadline) == 0;
}

int
opening_failed(struct session *s, struct err *e)
{
	bool final = is_final(s, e);

	show_line(s, "*** ", "%s", e->text);
	if (!final && hung_up_on_ehlo(s, e)) {
		s->helo = true;
	} else if (!final && tls_was_not_needed(s, e)) {
		s->clear = true;
		s->tls_failed = *e;
	} else {
		remember(s, e);
		s->helo = s->clear = false;
		s->address++;
	}
	hang_up(s);
	if (final) {
		s->step = STEP_CLOSED;
		return -1;
	}
	err_clear(e);
	if (s->address >= s->addresses.n && server(s)->peer.kind == PEER_HOST) {
		s->server++;
		return opening_start(s, e);
	}
	if (s->address > 0 && server(s)->peer.kind != PEER_HOST) {
		s->address = 0;
		s->server++;
		return opening_start(s, e);
	}
	return connect_now(s, e) == 0 ? 0 : opening_failed(s, e);
}
