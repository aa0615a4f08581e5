#include "session/lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "session/show.h"

#define OUT_ENOUGH 65536	/* octets in `out` before they are written */
#define BESIDE_LEAST 16384	/* a piece of text from here on is not copied */
#define BARREN_MAX 2
#define TRIES_MAX 2
#define ENVELOPE_OCTETS 120	/* of commands, a message */

static struct client *
client(struct lane *l)
{
	return &l->session.client;
}

bool
lane_idle(const struct lane *l)
{
	return l->head == l->jobs.n;
}

bool
lane_takes(const struct lane *l)
{
	const struct client *c = &l->session.client;

	if (l->gone || l->leaving || l->used_up)
		return false;
	return l->session.step != STEP_OPEN || (client_takes_mail(c) &&
	    window_may(&l->window));
}

/* ---- what was answered ---- */

/* Shall it go on over another connection? */
static bool
goes_on(const struct lane *l, const struct job *j)
{
	return job_untried(j) && j->tries <= TRIES_MAX && !j->stream &&
	    l->dest->gave_up.fault == FAULT_NONE && !interrupt_came() &&
	    clock_left(l->batch->dial->deadline) != 0 && !l->batch->deaf;
}

static bool
answered(const struct job *j)
{
	for (size_t i = 0; i < j->env.rcpts.n; i++)
		if (j->letter.met[i].code > 0)
			return true;
	return false;
}

/*
 * OpenSMTPD says 452 to MAIL after so many messages in a session: another
 * session will do.  RSET refused is a goodbye, too.
 */
static bool
turned_away(struct lane *l, struct job *j)
{
	if (j->letter.mail_code == 452 && client(l)->accepted > 0)
		for (size_t i = 0; i < j->env.rcpts.n; i++)
			if (j->letter.met[i].code == 452)
				j->letter.met[i].untried = true;
	return job_untried(j);
}

static bool
some_again(const struct job *j)
{
	for (size_t i = 0; i < j->env.rcpts.n; i++)
		if (j->letter.met[i].again)
			return true;
	return false;
}

static void
finish(struct lane *l, struct job *j, const struct err *why)
{
	window_done(&l->window, &j->flight);
	l->fruitful = l->fruitful || answered(j);
	if (why == NULL && turned_away(l, j)) {
		l->used_up = true;
		j->tries += client(l)->accepted == 0;
	}
	if (goes_on(l, j)) {
		job_retry(j);
		batch_again(l->batch, j);
	} else if (why == NULL && some_again(j) && !j->stream) {
		batch_again(l->batch, j);
	} else {
		job_defer(j, "4.5.3", "too many recipients at once");
		batch_tell(l->batch, j, session_name(&l->session), why);
	}
}

/* The end of letters in their order; `why`: the session is over. */
static void
harvest(struct lane *l, const struct err *why)
{
	size_t from = l->head;

	while (l->head < l->jobs.n && !l->jobs.p[l->head]->letter.under_way &&
	    (why != NULL || !l->jobs.p[l->head]->letter.lost))
		l->head++;
	if (why != NULL) {
		/* put back at the front one by one: the last one first */
		for (size_t i = l->head; i-- > from;)
			finish(l, l->jobs.p[i], why);
	} else {
		for (size_t i = from; i < l->head; i++)
			finish(l, l->jobs.p[i], NULL);
	}
	if (l->head == l->jobs.n)
		l->head = l->jobs.n = 0;
	if (l->head >= WINDOW_MESSAGES) {	/* a line that never runs dry */
		memmove(l->jobs.p, l->jobs.p + l->head,
		    (l->jobs.n - l->head) * sizeof *l->jobs.p);
		l->jobs.n -= l->head;
		l->head = 0;
	}
}

/* ---- the end of a connection ---- */

static void
close_it(struct lane *l)
{
	session_drop(&l->session);
	l->gone = true;
}

/*
 * The first that was not answered may be what ends every session, unless others
 * went well before it and the session is merely worn out; those behind it had no
 * chance.
 */
static void
lost(struct lane *l, const struct err *why)
{
	struct dest *d = l->dest;
	bool only_one = session_server(&l->session)->peer.kind == PEER_FD;

	harvest(l, NULL);
	if (l->head < l->jobs.n)
		l->jobs.p[l->head]->tries += l->fruitful ? 1 : TRIES_MAX + 1;
	for (size_t i = l->head; i < l->jobs.n; i++)
		l->fruitful = l->fruitful || answered(l->jobs.p[i]);
	if (l->head < l->jobs.n || !l->fruitful)
		d->barren = l->fruitful ? 0 : d->barren + 1;
	if ((d->barren >= BARREN_MAX || only_one) && !l->leaving)
		d->gave_up = *why;
	harvest(l, why);
	close_it(l);
}

/* Nobody took us.  Servers count connections: those we have must do. */
static void
not_taken(struct lane *l, const struct err *why)
{
	const struct batch *b = l->batch;
	size_t others = 0;

	for (size_t i = 0; i < b->lanes.n; i++)
		others += b->lanes.p[i] != l && b->lanes.p[i]->dest == l->dest &&
		    !b->lanes.p[i]->gone;
	if (others > 0)
		l->dest->enough = others;
	else
		l->dest->gave_up = *why;
	close_it(l);
}

static void
moved(struct lane *l, int r, const struct err *e)
{
	struct err why = *e;

	if (r < 0 && l->session.step != STEP_OPEN) {
		not_taken(l, &why);
	} else if (r < 0 || client(l)->want == WANT_NOTHING) {
		if (why.fault == FAULT_NONE)
			err_set(&why, FAULT_PROTO, "%s: broke the protocol",
			    session_name(&l->session));
		if (l->leaving)
			harvest(l, NULL);
		if (l->leaving && lane_idle(l))
			close_it(l);
		else
			lost(l, &why);
	} else {
		harvest(l, NULL);
		if (l->fruitful)
			l->dest->barren = 0;
	}
}

void
lane_move(struct lane *l)
{
	struct err e = {0};
	int r = session_move(&l->session, &e);

	moved(l, r, &e);
}

void
lane_abandon(struct lane *l, const char *why)
{
	struct err e = {0};

	err_set(&e, FAULT_TEMP, "%s", why);
	if (l->session.step == STEP_OPEN) {
		client_lost(client(l), why, false);
		lost(l, &e);
	} else {
		close_it(l);
	}
}

/* ---- giving ---- */

static struct job *
texting(struct lane *l)
{
	for (size_t i = l->jobs.n; i-- > l->head;)
		if (&l->jobs.p[i]->letter == client(l)->texting)
			return l->jobs.p[i];
	abort();
}

/* Our own text fails in the middle: nothing may follow that could end it. */
static void
spoilt(struct lane *l, struct job *j, const struct err *e)
{
	if (e->fault == FAULT_DATA)	/* it can never be sent as it is */
		letter_all(&j->letter, FATE_FAILED, "5.6.0", e->text);
	client_lost(client(l), e->text, false);
	j->tries = TRIES_MAX + 1;
	lost(l, e);
}

static void
say_text(struct lane *l, struct span piece)
{
	size_t n;

	while (client_text_plain(client(l)) && piece.n > 0) {
		n = client_chunk(client(l), piece.n);
		show_out(&l->session);		/* BDAT */
		buf_add(&client(l)->out, piece.p, n);
		show_hide(&l->session);
		piece = span_from(piece, n);
	}
	show_out(&l->session);
	client_text(client(l), piece);
	show_hide(&l->session);
}

/* A big piece goes beside `out`, without a copy. */
static void
lay_beside(struct lane *l, struct job *j)
{
	size_t n = client_chunk(client(l), j->rest.n);

	show_out(&l->session);
	l->session.beside = (struct span){ j->rest.p, n };
	j->rest = span_from(j->rest, n);
}

static void
text_ends(struct lane *l, struct job *j)
{
	struct err e = {0};
	long long octets = (long long)client(l)->text_said;
	bool plain = client_text_plain(client(l));

	if (!client_text_end(client(l))) {
		err_set(&e, FAULT_TEMP, "%s: it changed while it was sent", j->ref);
		spoilt(l, j, &e);
		return;
	}
	show_line(&l->session, l->session.line.tls ? " ~> " : " -> ",
	    "[%lld octets of text]", octets);
	if (plain)
		show_out(&l->session);		/* BDAT 0 LAST */
	else
		show_line(&l->session, l->session.line.tls ? " ~> " : " -> ", ".");
	show_hide(&l->session);
}

/* The next piece of the text that is due; false: no more of it now. */
static bool
give_text(struct lane *l)
{
	struct job *j = texting(l);
	struct err e = {0};
	int r = 1;

	if (client_text_useless(client(l))) {
		client_text_give_up(client(l));
		return true;
	}
	/* reading on may wait: what was read goes out first */
	if (j->stream && j->rest.n == 0 && client(l)->out.n > 0)
		return false;
	if (j->rest.n == 0)
		r = job_piece(j, &j->rest, &e);
	if (r < 0) {
		spoilt(l, j, &e);
		return false;
	}
	if (r == 0) {
		text_ends(l, j);
		return !l->gone;
	}
	if (j->letter.size >= 0 &&
	    client(l)->text_said + (int64_t)j->rest.n > j->letter.size) {
		err_set(&e, FAULT_TEMP, "%s: it grew while it was sent", j->ref);
		spoilt(l, j, &e);
		return false;
	}
	if (client_text_plain(client(l)) && j->rest.n >= BESIDE_LEAST) {
		lay_beside(l, j);
		return false;
	}
	say_text(l, j->rest);
	j->rest = (struct span){0};
	return true;
}

/* RFC 9422: after so many transactions another connection is wanted. */
static bool
may_begin(struct lane *l)
{
	const struct ehlo *h = &client(l)->server;

	if (h->mailmax > 0 && client(l)->mails >= (size_t)h->mailmax)
		l->used_up = true;
	return !l->used_up && !l->leaving && !l->batch->stopping &&
	    client_takes_mail(client(l)) &&
	    window_may(&l->window);
}

static bool
begin_next(struct lane *l)
{
	struct job *j = may_begin(l) ? batch_take(l->batch, l->dest) : NULL;

	if (j == NULL)
		return false;
	if (!job_fits(j, &client(l)->server, &l->batch->rules,
	    session_name(&l->session))) {
		batch_tell(l->batch, j, NULL, NULL);
		return true;
	}
	*vec_add(&l->jobs) = j;
	window_add(&l->window, &j->flight, ENVELOPE_OCTETS +
	    (j->letter.size > 0 ? j->letter.size : 0));
	show_out(&l->session);
	client_mail(client(l), &j->letter);
	return true;
}

/*
 * QUIT may go out with the last message (RFC 2920 section 3.1): a round trip less.
 * Not where there is no second connection for what has to be said again; a customer who
 * was turned round takes QUIT for a sign that all his replies were heard, too.
 */
static void
quit_early(struct lane *l)
{
	for (size_t i = l->head; i < l->jobs.n; i++)
		if (some_again(l->jobs.p[i]))
			return;
	if (!l->batch->finishing || l->batch->pending > 0 || l->leaving ||
	    l->batch->keep ||
	    lane_idle(l) || client(l)->want != WANT_BYTES ||
	    !client_takes_mail(client(l)) ||
	    session_server(&l->session)->peer.kind == PEER_FD)
		return;
	l->leaving = true;
	client_quit(client(l));
}

void
lane_fill(struct lane *l)
{
	struct session *s = &l->session;

	if (l->gone || s->step != STEP_OPEN)
		return;
	while (!l->gone && s->beside.n == 0 && s->client.out.n < OUT_ENOUGH)
		if (s->client.want == WANT_TEXT ? !give_text(l) :
		    !begin_next(l))
			break;
	if (l->gone)
		return;
	quit_early(l);
	if (l->used_up && lane_idle(l) && !l->leaving)
		lane_quit(l);
}

void
lane_quit(struct lane *l)
{
	l->leaving = true;
	if (l->session.step == STEP_OPEN && client(l)->want == WANT_WORK)
		client_quit(client(l));
	else
		close_it(l);
}

bool
lane_rests(const struct lane *l)
{
	return !l->gone && !l->leaving && lane_idle(l) &&
	    l->session.step == STEP_OPEN && l->session.client.want == WANT_WORK;
}

void
lane_give(struct lane *l, struct session *to)
{
	*to = l->session;
	l->session = (struct session){ .line.io = { .in = -1, .out = -1 } };
	l->gone = true;
}

struct lane *
lane_new(struct batch *b, struct dest *d)
{
	struct lane *l = must(calloc(1, sizeof *l));
	struct err e = {0};

	*l = (struct lane){ .batch = b, .dest = d, .window.limit = b->limit };
	d->lanes++;
	if (session_begin(&l->session, &d->servers, b->dial, &e) < 0)
		moved(l, -1, &e);
	return l;
}

void
lane_free(struct lane *l)
{
	l->dest->lanes--;
	session_drop(&l->session);
	vec_free(&l->jobs);
	free(l);
}
