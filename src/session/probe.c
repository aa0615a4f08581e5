#include "session/probe.h"

#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "session/opening.h"
#include "session/route.h"
#include "wire/domain.h"

/* ---- printing ---- */

struct report {
	FILE *to;
	int64_t began;		/* microseconds, of the step under way */
};

/* `  name text`, printable; a timed one with what it took since the last. */
static void
line(struct report *r, bool timed, const char *name, struct span text)
{
	struct buf b = {0};
	int64_t now = clock_us();

	buf_addf(&b, "  %-12s ", name);
	text_printable(&b, text);
	if (timed)
		buf_addf(&b, " (%lld.%03lld s)",
		    (long long)((now - r->began) / 1000000),
		    (long long)((now - r->began) / 1000 % 1000));
	buf_addc(&b, '\n');
	fwrite(b.p, 1, b.n, r->to);
	buf_free(&b);
	r->began = now;
}

static void
reply_line(struct report *r, const char *name, const struct reply *said)
{
	struct buf words = {0};

	reply_words(&words, said);
	line(r, true, name, buf_span(&words));
	buf_free(&words);
}

/* Who met whom, and when: what the other side's log is searched for. */
static void
connected(struct report *r, struct session *s)
{
	struct buf b = {0};
	char now[32] = "";
	time_t t = time(NULL);
	struct tm tm;

	if (gmtime_r(&t, &tm) != NULL)
		strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_adds(&b, session_name(s));
	if (*s->line.io.local != '\0')
		buf_addf(&b, " from %s", s->line.io.local);
	buf_addf(&b, " at %s", now);
	line(r, true, "connected", buf_span(&b));
	buf_free(&b);
}

static void
offers(struct report *r, const char *name, const struct reply *said)
{
	struct span rest = buf_span(&said->text), keyword = {0};
	struct buf all = {0};

	span_cut(&rest, '\n', &keyword);	/* the greeting of the server */
	while (span_cut(&rest, '\n', &keyword)) {
		buf_adds(&all, all.n > 0 ? ", " : "");
		buf_addspan(&all, span_trim(keyword));
	}
	line(r, true, name, all.n > 0 ? buf_span(&all) : SPAN("nothing"));
	buf_free(&all);
}

static void
certificate(struct report *r, struct session *s)
{
	struct tls_facts f;
	struct buf b = {0};

	tls_facts(s->line.tls, &f);
	buf_addf(&b, "%s %s", f.protocol, f.cipher);
	line(r, true, "TLS", buf_span(&b));
	line(r, false, "certificate", span_of(f.subject));
	line(r, false, "  names", span_of(f.names));
	line(r, false, "  issuer", span_of(f.issuer));
	buf_clear(&b);
	buf_addf(&b, "%s to %s", f.from, f.until);
	line(r, false, "  valid", buf_span(&b));
	line(r, false, "  sha256", span_of(f.fingerprint));
	line(r, false, "  verdict", span_of(f.verdict));
	buf_free(&b);
	tls_facts_free(&f);
}

static void
limits(struct report *r, const struct ehlo *h)
{
	struct buf b = {0};

	if (h->size > 0)
		buf_addf(&b, "size %lld ", (long long)h->size);
	if (h->mailmax > 0)
		buf_addf(&b, "messages %lld ", (long long)h->mailmax);
	if (h->rcptmax > 0)
		buf_addf(&b, "recipients %lld ", (long long)h->rcptmax);
	if (h->rcptdomainmax > 0)
		buf_addf(&b, "domains %lld ", (long long)h->rcptdomainmax);
	line(r, false, "limits", b.n > 0 ? span_trim(buf_span(&b)) :
	    SPAN("none said"));
	buf_free(&b);
}

/* ---- one server ---- */

/* What it says on the way, reply by reply. */
static void
watch(struct report *r, struct session *s, bool *encrypted, size_t *replies)
{
	const struct client *c = &s->client;
	bool tls = s->line.tls != NULL && tls_ready(s->line.tls);
	bool said = c->replies > 0 && c->replies != *replies;

	if (tls && !*encrypted)
		certificate(r, s);
	if (said && c->said_to == V_GREETING) {
		reply_line(r, "greeting", &c->said);
		line(r, false, "we are", span_of(c->helo));
	} else if (said && c->said_to == V_EHLO)
		offers(r, tls ? "offers (TLS)" : "offers", &c->said);
	else if (said && c->said.code != 334)
		reply_line(r, client_stage(c), &c->said);
	*encrypted = tls;
	*replies = c->replies;
}

/* Until the session is open: 0; -1. */
static int
follow(struct report *r, struct session *s, struct err *e)
{
	bool encrypted = s->line.tls != NULL, told = encrypted;
	bool clear = s->clear;
	size_t replies = s->client.replies;
	int moved = 1;

	while (s->step != STEP_OPEN) {
		if (moved == 0)
			sessions_wait(&s, 1, NULL, NEVER);
		if ((moved = session_move(s, e)) < 0)
			return -1;
		if (!told && s->step > STEP_CONNECT) {
			told = true;
			connected(r, s);
		}
		if (s->clear && !clear)
			line(r, true, "TLS failed",
			    span_of(s->tls_failed.text));
		clear = s->clear;
		watch(r, s, &encrypted, &replies);
	}
	return 0;
}

/*
 * Does what the options ask of its certificate hold?  The look itself took any, to
 * show it; nothing secret was said.
 */
static int
judge(struct session *s, struct err *e)
{
	enum tls_level level = opening_asks(s);
	struct tls_facts f;
	int bad = 0;

	if (s->line.tls == NULL && level > TLS_MAY)
		return err_set(e, FAULT_TEMP, "it offers no STARTTLS, and TLS is "
		    "required");
	if (s->line.tls != NULL && level == TLS_VERIFY &&
	    !tls_verified(s->line.tls)) {
		tls_facts(s->line.tls, &f);
		bad = err_set(e, FAULT_TEMP, "its certificate does not hold: %s",
		    f.verdict);
		tls_facts_free(&f);
	}
	return bad;
}

static int
look_at(struct report *r, struct session *s, const struct servers *one,
    const struct dial *dial, struct err *e)
{
	r->began = clock_us();
	if (session_begin(s, one, dial, e) < 0 || follow(r, s, e) < 0)
		return -1;
	limits(r, &s->client.server);
	return 0;
}

/* AUTH, on the session that was looked at. */
static int
log_in(struct report *r, struct session *s, const struct login *asked,
    struct err *e)
{
	bool may = s->line.tls != NULL ? tls_verified(s->line.tls) :
	    s->line.io.near || asked->in_clear;

	if (!login_wanted(asked))
		return 0;
	if (!may)
		return err_set(e, FAULT_TEMP, "AUTH was not tried: no secret "
		    "goes to a server that is not verified");
	s->until = STEP_CLOSED;
	s->step = STEP_HELLO;
	return opening_go_on(s, e) < 0 ? -1 : follow(r, s, e);
}

static int
probe_one(struct report *r, const struct servers *one, const struct dial *dial,
    struct err *e)
{
	struct login any = *dial->login;
	struct dial d = *dial;
	struct session s = { .until = STEP_STARTTLS };
	int bad;

	any.lenient = any.judge = true;
	any.shared = NULL;		/* each has its own, and it goes away */
	any.secret = (struct buf){0};
	any.known_for = NULL;
	d.login = &any;
	bad = look_at(r, &s, one, &d, e);
	if (bad == 0)
		bad = judge(&s, e);
	if (bad == 0)
		bad = log_in(r, &s, dial->login, e);
	session_close(&s);
	login_free(&any);
	if (bad < 0)
		line(r, true, "failed", span_of(e->text));
	return bad;
}

int
probe_servers(const struct servers *v, const struct dial *dial, FILE *to)
{
	struct report r = { .to = to };
	int status = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct servers one = { &v->p[i], 1, 1 };
		struct err e = {0};

		fprintf(to, "%s", v->p[i].peer.text);
		if (v->p[i].domain != NULL)
			fprintf(to, " (MX of %s%s)", v->p[i].domain,
			    v->p[i].secure ? ", by DNSSEC" : "");
		fputc('\n', to);
		if (probe_one(&r, &one, dial, &e) < 0)
			status = status_worse(status, (int)e.fault);
	}
	return status;
}

/* Its mail goes nowhere: a report, too, with the reason. */
static int
no_route(FILE *to, const char *word, const struct err *why)
{
	struct report r = { .to = to };
	char status[ROUTE_STATUS_MAX];

	fprintf(to, "%s\n", word);
	line(&r, false, "failed", route_why(why, status));
	return (int)why->fault;
}

int
probe_add_domain(struct servers *v, const char *word, const struct dial *dial,
    FILE *to)
{
	struct span domain = domain_of(span_of(word));
	struct route route = {0};
	struct err e = {0};

	if (domain.n == 0)
		domain = span_of(word);
	if (route_find(&route, domain, dial->helo, dial->deadline, &e) < 0)
		return no_route(to, word, &e);
	for (size_t i = 0; i < route.n; i++) {
		struct server *s = vec_add(v);

		fprintf(to, "%.*s MX %d %s\n", (int)domain.n, domain.p,
		    route.p[i].preference, route.p[i].host);
		s->peer = (struct peer){ .kind = PEER_HOST, .fd = -1,
		    .text = span_dup(span_of(route.p[i].host)),
		    .host = span_dup(span_of(route.p[i].host)),
		    .literal = route.p[i].literal };
		s->domain = span_dup(domain);
		s->secure = route.p[i].secure;
	}
	route_free(&route);
	return 0;
}
