#include "session/etrn_wait.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "net/sock.h"

/* Sessions are short on a fast line; later it is slow ones that are left. */
#define LOOK_MS 100
#define LOOK_LATER_MS 250
#define LATER_MS 10000

static void
say(const struct etrn_wait *w, struct buf *b)
{
	if (w->verbose)
		warn(w->tool, "%s", buf_str(b));
	buf_free(b);
}

/* ---- whose sessions ---- */

/* All of its addresses: what was asked over one may send from another. */
static void
add_server(struct etrn_wait *w, const struct server *s,
    const struct dial *dial)
{
	struct addresses v = {0};
	struct buf words = {0};
	struct err e = {0};
	int r;

	if (s->peer.kind != PEER_HOST)
		return;
	r = s->domain != NULL ? dns_addresses(&v, s->peer.host, AF_UNSPEC,
	    dial->deadline, &e) :
	    sock_addresses(&v, &s->peer, AF_UNSPEC, &e);
	for (size_t i = 0; i < v.n; i++)
		range_add(&w->arrivals.from, &v.p[i].at);
	if (r < 0) {
		buf_addf(&words, "%s: sessions from there will not be known",
		    e.text);
		say(w, &words);
	}
	addresses_free(&v);
}

static bool
has_host(const struct servers *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i].peer.kind == PEER_HOST)
			return true;
	return false;
}

int
etrn_wait_open(struct etrn_wait *w, const struct servers *servers,
    const struct dial *dial, struct err *e)
{
	if (w->arrivals.from.n == 0 && !has_host(servers))
		return err_set(e, FAULT_USAGE, "--wait: for whose sessions?  "
		    "Name them with --wait-from");
	for (size_t i = 0; i < servers->n; i++)
		add_server(w, &servers->p[i], dial);
	return arrivals_open(&w->arrivals, w->port, e);
}

/* ---- looking ---- */

static void
tell_new(struct etrn_wait *w)
{
	const struct arrivals *a = &w->arrivals;
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++) {
		struct buf b = {0};

		if (a->p[i].before || n++ < w->told)
			continue;
		buf_adds(&b, w->told++ == 0 ? "first session, from " :
		    "session from ");
		range_text(&b, &a->p[i].last.from);
		say(w, &b);
	}
}

static int
look(struct etrn_wait *w, struct err *e)
{
	if (arrivals_look(&w->arrivals, e) < 0)
		return -1;
	if (w->arrivals.busy > 0 || arrivals_count(&w->arrivals) > w->told)
		w->busy = clock_now();
	tell_new(w);
	return 0;
}

void
etrn_wait_answer(struct etrn_wait *w, const struct etrn_answer *a)
{
	struct err ignored = {0};	/* the next look will tell */

	if (a->status == 0 && a->count != 0) {
		w->promised = true;
		w->certain |= a->code == 252 || a->code == 253;
	}
	look(w, &ignored);
}

/* ---- waiting ---- */

static void
say_range(struct buf *b, const struct range *r)
{
	bool four = IN6_IS_ADDR_V4MAPPED(&r->at) && r->bits >= 96;

	range_text(b, &r->at);
	if (r->bits < 128)
		buf_addf(b, "/%d", four ? r->bits - 96 : r->bits);
}

static void
say_start(const struct etrn_wait *w)
{
	const struct ranges *v = &w->arrivals.from;
	struct buf b = {0};

	buf_addf(&b, "waiting %s for a session to port %u from ", w->first,
	    (unsigned)w->port);
	for (size_t i = 0; i < v->n; i++) {
		if (i > 0)
			buf_adds(&b, ", ");
		say_range(&b, &v->p[i]);
	}
	say(w, &b);
}

static void
say_end(const struct etrn_wait *w)
{
	struct buf b = {0};

	etrn_wait_text(w, &b);
	if (arrivals_count(&w->arrivals) > 0)
		buf_addf(&b, ", and none for %s", w->idle);
	else
		buf_addf(&b, " within %s", w->first);
	say(w, &b);
}

static bool
is_over(const struct etrn_wait *w, int64_t give_up)
{
	int64_t now = clock_now();

	if (w->busy > 0 && now - w->busy < w->idle_ms)
		return false;
	return arrivals_count(&w->arrivals) > 0 || now >= give_up;
}

static int
early(const struct etrn_wait *w, const char *why, struct err *e)
{
	struct buf b = {0};

	etrn_wait_text(w, &b);
	err_set(e, FAULT_TEMP, "%s while waiting: %s so far", why, buf_str(&b));
	buf_free(&b);
	return -1;
}

static int
watch(struct etrn_wait *w, int64_t deadline, struct err *e)
{
	int64_t give_up = clock_in(w->first_ms), later = clock_in(LATER_MS);
	int pause;

	for (;;) {
		if (look(w, e) < 0)
			return -1;
		if (is_over(w, give_up))
			return 0;
		if (clock_left(deadline) == 0)
			return early(w, "the deadline is over", e);
		pause = clock_left(later) > 0 ? LOOK_MS : LOOK_LATER_MS;
		interrupt_poll(NULL, 0,
		    clock_left(clock_sooner(deadline, clock_in(pause))));
		if (interrupt_came())
			return early(w, "interrupted", e);
	}
}

int
etrn_wait(struct etrn_wait *w, int64_t deadline, struct err *e)
{
	if (!w->promised)
		return 0;
	if (w->arrivals.from.n == 0)
		return err_set(e, FAULT_TEMP, "--wait: no server's addresses "
		    "are known");
	interrupt_catch();
	say_start(w);
	if (watch(w, deadline, e) < 0)
		return -1;
	say_end(w);
	if (w->certain && arrivals_count(&w->arrivals) == 0)
		return err_set(e, FAULT_TEMP, "mail was said to wait, and no "
		    "session came within %s", w->first);
	return 0;
}

void
etrn_wait_text(const struct etrn_wait *w, struct buf *b)
{
	size_t n = arrivals_count(&w->arrivals);
	int64_t octets = arrivals_octets(&w->arrivals);

	if (n == 0) {
		buf_adds(b, "no session");
		return;
	}
	buf_addf(b, "at least %zu session%s, ", n, n == 1 ? "" : "s");
	if (octets < 0)
		buf_adds(b, "octets unknown");
	else
		buf_addf(b, "%lld octets", (long long)octets);
}

void
etrn_wait_free(struct etrn_wait *w)
{
	arrivals_free(&w->arrivals);
}
