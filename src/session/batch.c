#include "session/batch.h"

#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "session/lane.h"

#define AHEAD 64		/* jobs read while others wait for their hosts */
#define LANES_MAX 100		/* to all destinations */

/* ---- results ---- */

/* Who said it: the server's words and losses carry its name. */
static void
add_text(struct buf *b, const struct outcome *o, const char *server)
{
	struct span text = span_of(o->text != NULL ? o->text : "not tried");

	if (server != NULL && span_starts(text, CLIENT_DOUBT)) {
		buf_adds(b, CLIENT_DOUBT);
		text = span_from(text, strlen(CLIENT_DOUBT));
	}
	if (server != NULL)
		buf_addf(b, "%s: ", server);
	buf_addspan(b, text);
}

/* Without a session, or with a broken one, what was wrong with it counts. */
static int
status_of(const struct outcome *o, const char *server, const struct err *why)
{
	if (o->code == 0 && outcome_status(o) == FAULT_TEMP && why != NULL &&
	    (server == NULL || why->fault == FAULT_PROTO ||
	    why->fault == FAULT_DATA))
		return (int)why->fault;
	return outcome_status(o);
}

static void
tell_one(struct batch *b, const struct job *j, size_t i, const char *server,
    const struct err *why)
{
	const struct outcome *o = &j->letter.met[i];
	bool theirs = o->code > 0 || (why != NULL && server != NULL &&
	    o->fate == FATE_DEFERRED);
	struct buf text = {0};
	struct result r = { .ref = j->ref, .recipient = j->named[i],
	    .fate = o->fate == FATE_NONE ? FATE_DEFERRED : o->fate,
	    .status = (char *)(uintptr_t)(*o->status ? o->status : "4.3.0") };

	add_text(&text, o, theirs ? server : NULL);
	r.text = buf_str(&text);
	b->told(b->arg, &r);
	b->status = status_worse(b->status, status_of(o, server, why));
	buf_free(&text);
}

void
batch_tell(struct batch *b, struct job *j, const char *server,
    const struct err *why)
{
	for (size_t i = 0; i < j->env.rcpts.n; i++)
		if (j->env.rcpts.p[i].selected && !j->env.rcpts.p[i].done)
			tell_one(b, j, i, server, why);
	job_free(j);
}

/* ---- destinations ---- */

static struct dest *
dest_new(struct batch *b)
{
	struct dest *d = must(calloc(1, sizeof *d));

	d->next = b->dests;
	b->dests = d;
	return d;
}

struct dest *
batch_dest(struct batch *b, const struct servers *v)
{
	struct dest *d = dest_new(b);

	d->servers = *v;
	d->given = true;
	return d;
}

static void
add_hop(struct servers *v, const struct hop *h, const char *domain)
{
	struct server *s = vec_add(v);

	s->peer = (struct peer){ .kind = PEER_HOST, .fd = -1,
	    .text = span_dup(span_of(h->host)),
	    .host = span_dup(span_of(h->host)), .literal = h->literal };
	s->domain = span_dup(span_of(domain));
	s->secure = h->secure;
}

/* Domains that go to the same hosts share a destination. */
static struct dest *
dest_for(struct batch *b, struct route *r, const char *domain)
{
	const struct login *l = b->dial->login;
	bool by_name = l->level_given && l->level == TLS_VERIFY;
	struct dest *d;

	/* a certificate for one domain says nothing of another */
	for (d = b->dests; d != NULL && !by_name; d = d->next)
		if (!d->given && route_same(&d->route, r)) {
			route_free(r);
			return d;
		}
	d = dest_new(b);
	d->route = *r;
	for (size_t i = 0; i < r->n; i++)
		add_hop(&d->servers, &r->p[i], domain);
	return d;
}

struct dest *
batch_route(struct batch *b, struct span domain, const struct err **why)
{
	struct domain_dest *x;
	struct route r = {0};

	for (size_t i = 0; i < b->domains.n; i++) {
		x = &b->domains.p[i];
		*why = &x->why;
		if (span_ieq(span_of(x->domain), domain))
			return x->dest;
	}
	x = vec_add(&b->domains);
	x->domain = span_dup(domain);
	*why = &x->why;
	if (route_find(&r, domain, b->dial->helo, b->dial->deadline,
	    &x->why) == 0)
		x->dest = dest_for(b, &r, x->domain);
	return x->dest;
}

/* ---- pending jobs ---- */

void
batch_add(struct batch *b, struct job *j)
{
	if (b->last == NULL)
		b->last = &b->first;
	j->next = NULL;
	*b->last = j;
	b->last = &j->next;
	b->pending++;
	j->dest->waiting++;
}

void
batch_again(struct batch *b, struct job *j)
{
	j->next = b->first;
	b->first = j;
	if (b->last == NULL || j->next == NULL)
		b->last = &j->next;
	b->pending++;
	j->dest->waiting++;
}

struct job *
batch_take(struct batch *b, struct dest *d)
{
	if (d->waiting == 0)
		return NULL;
	for (struct job **at = &b->first; *at != NULL; at = &(*at)->next) {
		struct job *j = *at;

		if (j->dest != d)
			continue;
		*at = j->next;
		if (j->next == NULL)
			b->last = at;
		j->next = NULL;
		b->pending--;
		d->waiting--;
		return j;
	}
	return NULL;
}

/* ---- connections ---- */

/* Is the connection there already, and the only one there will ever be? */
static bool
is_there(const struct dest *d)
{
	return d->given && d->servers.p[0].peer.kind == PEER_FD;
}

static size_t
most_lanes(const struct batch *b, const struct dest *d)
{
	if (is_there(d))
		return 1;
	if (d->enough > 0 && d->enough < b->connections)
		return d->enough;
	return b->connections > 0 ? b->connections : 1;
}

/* A place for another one: one leaves that has, and will have, nothing to do. */
static bool
make_room(struct batch *b)
{
	if (b->lanes.n < LANES_MAX)
		return true;
	for (size_t i = 0; i < b->lanes.n; i++)
		if (lane_idle(b->lanes.p[i]) && !b->lanes.p[i]->leaving &&
		    b->lanes.p[i]->session.step == STEP_OPEN &&
		    b->lanes.p[i]->dest->waiting == 0) {
			lane_quit(b->lanes.p[i]);
			return false;
		}
	return false;
}

/* As many connections as there is work for, up to the most. */
static void
open_lanes(struct batch *b, struct dest *d)
{
	size_t work = d->waiting, takers = 0;

	for (size_t i = 0; work > 0 && i < b->lanes.n; i++)
		takers += b->lanes.p[i]->dest == d && lane_takes(b->lanes.p[i]);
	while (takers < work && d->lanes < most_lanes(b, d) &&
	    d->gave_up.fault == FAULT_NONE && make_room(b)) {
		struct lane *l = lane_new(b, d);

		*vec_add(&b->lanes) = l;
		takers++;
	}
}

/* Whoever is at the other end of such a connection is not left without a word. */
static void
answer_those_there(struct batch *b)
{
	for (struct dest *d = b->dests; d != NULL; d = d->next)
		if (is_there(d)) {
			struct lane *l = lane_new(b, d);

			*vec_add(&b->lanes) = l;
		}
}

static void
give_up(struct batch *b, struct dest *d)
{
	struct job *j;

	while (d->gave_up.fault != FAULT_NONE &&
	    (j = batch_take(b, d)) != NULL) {
		job_defer(j, "4.4.1", d->gave_up.text);
		batch_tell(b, j, NULL, &d->gave_up);
	}
}

/* Was there one? */
static bool
bury(struct batch *b)
{
	size_t n = 0, had = b->lanes.n;

	for (size_t i = 0; i < b->lanes.n; i++)
		if (b->lanes.p[i]->gone)
			lane_free(b->lanes.p[i]);
		else
			b->lanes.p[n++] = b->lanes.p[i];
	b->lanes.n = n;
	return n < had;
}

/* ---- going ---- */

static bool
over(const struct batch *b)
{
	return b->deaf || interrupt_came() ||
	    clock_left(b->dial->deadline) == 0;
}

static bool
under_way(const struct batch *b)
{
	for (size_t i = 0; i < b->lanes.n; i++) {
		const struct lane *l = b->lanes.p[i];

		if (!lane_idle(l) || (is_there(l->dest) && !l->gone &&
		    l->session.step != STEP_OPEN))
			return true;
	}
	return false;
}

/* Everybody gets what he can take; nothing is written yet. */
static void
fill(struct batch *b)
{
	for (struct dest *d = b->dests; d != NULL; d = d->next) {
		give_up(b, d);
		open_lanes(b, d);
	}
	for (size_t i = 0; i < b->lanes.n; i++)
		lane_fill(b->lanes.p[i]);
}

static void
await(struct batch *b, int fd)
{
	VEC(struct session *) v = {0};
	struct pollfd more = { fd, POLLIN, 0 };

	b->rests(b->arg);
	for (size_t i = 0; i < b->lanes.n; i++)
		if (!b->lanes.p[i]->gone)
			*vec_add(&v) = &b->lanes.p[i]->session;
	sessions_wait(v.p, v.n, &more, b->dial->deadline);
	vec_free(&v);
}

static void
move(struct batch *b)
{
	for (size_t i = 0; i < b->lanes.n; i++)
		if (!b->lanes.p[i]->gone)
			lane_move(b->lanes.p[i]);
	bury(b);
}

/* What nobody waits for any more. */
static void
abandon(struct batch *b)
{
	const char *why = b->deaf ? "nobody hears of it" : interrupt_came() ?
	    "interrupted" : "the deadline is over";
	struct job *j;

	for (size_t i = 0; i < b->lanes.n; i++)
		if (!b->lanes.p[i]->gone && (!lane_idle(b->lanes.p[i]) ||
		    b->lanes.p[i]->session.step != STEP_OPEN))
			lane_abandon(b->lanes.p[i], why);
	bury(b);
	while ((j = b->first) != NULL) {
		batch_take(b, j->dest);
		job_defer(j, "4.3.0", why);
		batch_tell(b, j, NULL, NULL);
	}
}

/* Is there one that leaves? */
static bool
some_leave(const struct batch *b)
{
	for (size_t i = 0; i < b->lanes.n; i++)
		if (b->lanes.p[i]->leaving)
			return true;
	return false;
}

/* All leave at the same time, but one where one is to be kept. */
static void
part(struct batch *b)
{
	bool keep = b->keep;

	for (size_t i = 0; i < b->lanes.n; i++) {
		struct lane *l = b->lanes.p[i];

		if (l->gone || l->leaving)
			continue;
		if (keep && lane_rests(l))
			keep = false;
		else
			lane_quit(l);
	}
	bury(b);
	while (some_leave(b)) {
		move(b);
		if (some_leave(b))
			await(b, -1);
	}
}

bool
batch_kept(struct batch *b, struct session *to)
{
	for (size_t i = 0; i < b->lanes.n; i++)
		if (lane_rests(b->lanes.p[i])) {
			lane_give(b->lanes.p[i], to);
			bury(b);
			return true;
		}
	return false;
}

/*
 * Jobs are asked for when somebody could take one; with several destinations some
 * more are read, so that one that is not there holds up none of the others.
 */
static bool
hungry(const struct batch *b)
{
	size_t most = b->connections > 0 ? b->connections : 1;

	if (b->domains.n > 0 && most < AHEAD)
		most = AHEAD;
	return b->pending < most;
}

/* The descriptor to wait for, if jobs are wanted and none is there, in *fd. */
static int
eat(struct batch *b, const struct batch_source *src, bool *more, int *fd,
    struct err *e)
{
	int r = BATCH_JOB;

	*fd = -1;
	while (*more && hungry(b) && !b->deaf && r == BATCH_JOB) {
		r = src->next(src->arg, b, e);
		*more = r == BATCH_JOB || r == BATCH_NOT_YET;
		b->finishing = !*more;
		fill(b);
	}
	if (r == BATCH_NOT_YET)
		*fd = src->fd;
	return r < 0 ? -1 : 0;
}

int
batch_run(struct batch *b, const struct batch_source *src, struct err *e)
{
	bool more = true, gone;
	int fd = -1, r = 0;

	answer_those_there(b);
	for (;;) {
		if (over(b))
			b->stopping = true;
		else if (eat(b, src, &more, &fd, e) < 0)
			r = -1;
		fill(b);
		gone = bury(b);
		if (!under_way(b) && (b->stopping || (!more && b->pending == 0)))
			break;
		if (b->deaf)
			break;
		if (more && fd < 0 && hungry(b) && !over(b))
			continue;	/* somebody was given up: room for more */
		if (gone)
			continue;	/* its jobs may have nobody else to wait for */
		await(b, b->stopping ? -1 : fd);
		move(b);
	}
	if (b->stopping && (more || b->pending > 0))
		b->status = status_worse(b->status, b->deaf ? FAULT_IO :
		    FAULT_TEMP);
	if (b->stopping)
		abandon(b);
	part(b);
	return r;
}

void
batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->lanes.n; i++)
		lane_free(b->lanes.p[i]);
	while (b->dests != NULL) {
		struct dest *d = b->dests;

		b->dests = d->next;
		if (!d->given)
			servers_free(&d->servers);
		route_free(&d->route);
		free(d);
	}
	for (size_t i = 0; i < b->domains.n; i++)
		free(b->domains.p[i].domain);
	vec_free(&b->domains);
	vec_free(&b->lanes);
}
