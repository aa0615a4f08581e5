#include "session/turn_parent.h"

#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/text.h"
#include "wire/domain.h"

/* ---- words ---- */

static void
log_it(struct turn_parent *t, const char *what, struct span more)
{
	struct buf b = {0};

	buf_adds(&b, what);
	text_printable(&b, more);
	t->log(buf_str(&b));
	buf_free(&b);
}

static void
log_err(struct turn_parent *t, const char *what, const struct err *e)
{
	log_it(t, what, span_of(e->text));
}

static int
say(struct turn_parent *t, int code, const char *status, const char *text)
{
	struct err e = {0};
	struct note n;
	int r;

	note_init(&n, NOTE_SAY);
	n.code = code;
	memcpy(n.status, status, strlen(status) < sizeof n.status ?
	    strlen(status) + 1 : 0);
	buf_adds(&n.text, text);
	r = note_send(t->other, &n, &e);
	note_free(&n);
	return r;
}

void
turn_parent_refuse(int other)
{
	struct err ignored = {0};
	struct note n;

	note_init(&n, NOTE_SAY);
	n.code = 421;
	note_send(other, &n, &ignored);
	note_free(&n);
}

/* ---- AUTH ---- */

static void
on_binding(struct turn_parent *t, struct note *n)
{
	buf_clear(&t->exporter);
	buf_clear(&t->unique);
	buf_addspan(&t->exporter, buf_span(&n->text));
	buf_addspan(&t->unique, buf_span(&n->more));
	t->with.encrypted = n->encrypted;
	t->with.exporter = buf_span(&t->exporter);
	t->with.unique = buf_span(&t->unique);
}

static void
forget_auth(struct turn_parent *t)
{
	sasl_server_free(t->sasl);
	t->sasl = NULL;
	if (t->dovecots)
		dovecot_cancel(t->dovecot);
	t->dovecots = false;
}

/* Were there too many failures from there?  `add': here is another. */
static bool
too_often(struct turn_parent *t, bool add)
{
	struct err e = {0};
	int often = rates_count(t->run, &t->tries, t->peer, add, &e);

	if (often != 0)
		log_it(t, often > 0 ? "too many failures from there" : e.text,
		    SPAN(""));
	return often != 0;
}

/*
 * Many connections may have begun before the first of them failed: what is right is
 * told to no more of them than what is wrong.
 */
static int
auth_ended(struct turn_parent *t, enum sasl_outcome r, const char *user)
{
	const struct customer *c = user != NULL ?
	    customers_find(t->customers, user) : NULL;

	log_it(t, r != SASL_YES ? "AUTH failed for " : c == NULL ?
	    "AUTH of one who is no customer: " : "AUTH of ",
	    span_of(user != NULL ? user : "nobody"));
	if (r == SASL_YES && c == NULL)
		r = SASL_NO;
	forget_auth(t);
	if (too_often(t, r != SASL_YES))
		return say(t, 454, "4.7.0", "not now");
	if (r == SASL_YES)
		t->customer = c;
	switch (r) {
	case SASL_YES:
		return say(t, 235, "2.7.0", "welcome");
	case SASL_BROKEN:
		return say(t, 501, "5.5.2", "that is not what the mechanism says");
	case SASL_UNKNOWN:
		return say(t, 504, "5.5.4", "that mechanism is not used here");
	case SASL_CLEAR:
		return say(t, 538, "5.7.11", "not without TLS");
	default:
		return say(t, 535, "5.7.8", "that is not right");
	}
}

static int
auth_went(struct turn_parent *t, enum sasl_outcome r, const char *user,
    struct buf *challenge)
{
	struct err e = {0};
	struct note n;
	int sent;

	if (r != SASL_MORE)
		return auth_ended(t, r, user);
	note_init(&n, NOTE_CHALLENGE);
	buf_addspan(&n.text, buf_span(challenge));
	sent = note_send(t->other, &n, &e);
	note_free(&n);
	return sent;
}

static int
auth_step(struct turn_parent *t, struct note *n)
{
	struct buf challenge = {0};
	enum sasl_outcome r;
	int done;

	r = sasl_server_step(t->sasl, n->has_more, buf_span(&n->more), &challenge);
	done = auth_went(t, r, sasl_server_user(t->sasl), &challenge);
	buf_wipe(&challenge);
	return done;
}

/* Dovecot's exchange: `mech' NULL goes on with it. */
static int
auth_dovecot(struct turn_parent *t, const char *mech, struct note *n)
{
	struct buf challenge = {0}, user = {0};
	struct err e = {0};
	enum dovecot_outcome d;
	int done;

	t->dovecots = true;
	d = mech != NULL ? dovecot_start(t->dovecot, mech, t->with.encrypted,
	    t->peer, n->has_more, buf_span(&n->more), &challenge, &user, &e) :
	    dovecot_go_on(t->dovecot, buf_span(&n->more), &challenge, &user, &e);
	if (d == DOVECOT_LATER) {
		log_err(t, "Dovecot: ", &e);
		t->dovecots = false;
		done = say(t, 454, "4.7.0", "not now");
	} else {
		t->dovecots = d == DOVECOT_MORE;
		done = auth_went(t, d == DOVECOT_MORE ? SASL_MORE :
		    d == DOVECOT_YES ? SASL_YES : SASL_NO,
		    user.n > 0 ? buf_str(&user) : NULL, &challenge);
	}
	buf_wipe(&challenge);
	buf_free(&user);
	return done;
}

static int
on_auth(struct turn_parent *t, struct note *n)
{
	enum sasl_outcome why;
	const char *mech = buf_str(&n->text);

	forget_auth(t);
	if (t->customer != NULL)
		return say(t, 503, "5.5.1", "that has been done");
	if (too_often(t, false))
		return say(t, 454, "4.7.0", "not now");
	buf_clear(&t->names);
	buf_addspan(&t->names, buf_span(&n->extra));
	t->with.certificate = t->names.n > 0 ? buf_str(&t->names) : NULL;
	if (t->dovecot != NULL && dovecot_offers(t->dovecot, mech,
	    t->with.encrypted))
		return auth_dovecot(t, mech, n);
	t->sasl = sasl_server_start(&t->with, mech, &why);
	return t->sasl == NULL ? auth_ended(t, why, NULL) : auth_step(t, n);
}

static int
on_answer(struct turn_parent *t, struct note *n)
{
	if (t->dovecots)
		return auth_dovecot(t, NULL, n);
	return t->sasl != NULL ? auth_step(t, n) :
	    say(t, 503, "5.5.1", "no AUTH is under way");
}

/* ---- ETRN ---- */

static int
flush(struct turn_parent *t, const char *node, const struct domains *d)
{
	struct err e = {0};
	struct buf b = {0};
	int lock = rates_lock(t->run, "flush", node, &e), r, code = 458;
	long long n = lock < 0 ? -1 : rates_count(t->run, &t->flushes, node, true,
	    &e) == 0 ? turn_count(t, d, false, &e) : -1;

	if (n == 0) {
		code = 251;
		buf_addf(&b, "OK, no messages waiting for node %s", node);
	} else if (n > 0 && ((r = turn_release(t, d, &e)) == 0 || r == FAULT_TEMP)) {
		code = r == 0 ? 253 : 252;
		if (r == 0)
			buf_addf(&b, "OK, %lld pending messages for node %s "
			    "started", n, node);
		else
			buf_addf(&b, "OK, pending messages for node %s started",
			    node);
	} else {
		if (e.fault != FAULT_NONE)
			log_err(t, "ETRN: ", &e);
		buf_addf(&b, "unable to queue messages for node %s now", node);
	}
	if (lock >= 0)
		close(lock);
	log_it(t, "ETRN: ", buf_span(&b));
	r = say(t, code, "", buf_str(&b));
	buf_free(&b);
	return r;
}

static int
on_etrn(struct turn_parent *t, struct note *n)
{
	const struct customer *c = t->customer != NULL ? t->customer :
	    t->at_known ? customers_from(t->customers, &t->at) : NULL;
	struct domains d = {0};
	struct err e = {0};
	char *node;
	int r;

	if (c == NULL)
		return say(t, 530, "5.7.0", "authentication required");
	node = node_parse("node", buf_str(&n->text), &e);
	if (node == NULL)
		return say(t, 501, "5.5.4", "that is no node");
	if (*node != '#' && customer_has(c, node)) {
		*vec_add(&d) = node;
		r = flush(t, node, &d);
		domains_free(&d);
		return r;
	}
	free(node);
	log_it(t, "ETRN for what is not his: ", buf_span(&n->text));
	return say(t, 459, "4.7.1", "that node is not allowed");
}

/* ---- the turn ---- */

static void
log_drain(struct turn_parent *t, const struct drain *x, int status)
{
	struct buf b = {0};

	buf_addf(&b, "drain of %s: delivered %zu, deferred %zu, failed %zu, "
	    "status %d", t->customer->user, x->delivered, x->deferred, x->failed,
	    status);
	t->log(buf_str(&b));
	buf_free(&b);
}

static int
drain(struct turn_parent *t, const struct domains *d)
{
	struct err e = {0};
	struct drain x;
	struct note n;
	int r;

	if (turn_drain(&x, t, d, &e) < 0) {
		log_err(t, "drain: ", &e);
		return say(t, 451, "4.3.0", "unable now");
	}
	note_init(&n, NOTE_DRAIN);
	n.code = 250;
	n.fd = x.fd;
	memcpy(n.status, "2.0.0", sizeof "2.0.0");
	buf_adds(&n.text, "OK now reversing the connection");
	r = note_send(t->other, &n, &e);
	note_free(&n);
	t->status = turn_drained(&x, t->deadline);
	log_drain(t, &x, t->status);
	return r;
}

static void
add_domains(struct buf *b, const struct domains *d)
{
	for (size_t i = 0; i < d->n; i++)
		buf_addf(b, "%s%s", i > 0 ? " " : "", d->p[i]);
}

/* The MTA delivers, to where the other half listens now. */
static int
splice_to(struct turn_parent *t, const struct domains *d)
{
	struct err e = {0};
	struct note n;
	int r;

	note_init(&n, NOTE_SPLICE);
	if ((n.fd = turn_listen(t->customer, &e)) < 0) {
		log_err(t, "splice: ", &e);
		return say(t, 451, "4.3.0", "unable now");
	}
	n.code = 250;
	memcpy(n.status, "2.0.0", sizeof "2.0.0");
	buf_adds(&n.text, "OK now reversing the connection");
	add_domains(&n.more, d);
	r = note_send(t->other, &n, &e);
	note_free(&n);
	if (r < 0)
		return -1;
	r = turn_release(t, d, &e);
	if (r != 0)
		log_it(t, r < 0 ? "splice: " : "splice: not all could be released",
		    span_of(r < 0 ? e.text : ""));
	t->status = r < 0 ? (int)e.fault : r;
	/* nobody will come: it need not wait */
	return r == 0 || r == FAULT_TEMP ? 0 : say(t, 421, "", "");
}

/*
 * 453 if there is nothing, RFC 2645 section 5.2.1.  What the MTA has in hand is mail, too,
 * but none that could be drained.
 */
static int
turn(struct turn_parent *t, const struct domains *d)
{
	struct err e = {0};
	bool drains = !t->splice && t->drain_command == NULL;
	long long free = turn_count(t, d, drains, &e);
	long long n = drains && free == 0 ? turn_count(t, d, false, &e) : free;

	if (n < 0) {
		log_err(t, "looking into the queue: ", &e);
		return say(t, 451, "4.3.0", "unable to look into the queue now");
	}
	if (n == 0)
		return say(t, 453, "4.0.0", "you have no mail");
	if (free == 0) {
		log_it(t, "the MTA has all his mail in hand", SPAN(""));
		return say(t, 451, "4.3.2", "your mail is being delivered just now");
	}
	return t->splice ? splice_to(t, d) : drain(t, d);
}

static int
turn_once(struct turn_parent *t, const struct domains *d)
{
	struct err e = {0};

	if (t->lock >= 0)	/* ours, from an ATRN before */
		close(t->lock);
	t->lock = -1;
	int often = rates_count(t->run, &t->turns, t->customer->user, true, &e);
	int lock = often == 0 ? rates_lock(t->run, "turn", t->customer->user, &e) :
	    -1, r;

	if (lock < 0) {
		log_it(t, often > 0 ? "turns too often" : lock == -2 ?
		    "another one of this customer is at it" : e.text, SPAN(""));
		return say(t, 451, "4.3.2", lock == -2 ?
		    "another connection of yours is at it" : "not now");
	}
	r = turn(t, d);
	t->lock = lock;		/* until all is over, or the next turn */
	return r;
}

static int
on_turn(struct turn_parent *t, struct note *n)
{
	struct domains d = {0};
	int code, r;

	if (t->customer == NULL)
		return say(t, 530, "5.7.0", "authentication required");
	code = customer_asks(t->customer, buf_span(&n->text), &d);
	log_it(t, code == 0 ? "ATRN " : code == 450 ?
	    "ATRN for what is not his: " : "ATRN that is no list: ",
	    n->text.n > 0 ? buf_span(&n->text) : SPAN("for all that is his"));
	r = code == 0 ? turn_once(t, &d) :
	    code == 450 ? say(t, 450, "4.7.1", "request refused") :
	    say(t, 501, "5.5.4", "it is ATRN domain,domain");
	domains_free(&d);
	return r;
}

/* ---- all of it ---- */

static int
hello(struct turn_parent *t)
{
	struct sasl_case secure = { .users = t->passwords, .encrypted = true,
	    .exporter = SPAN("some") }, clear = { .users = t->passwords };
	struct err e = {0};
	struct note n;
	int r;

	note_init(&n, NOTE_HELLO);
	if (t->dovecot != NULL) {
		dovecot_list(t->dovecot, false, &n.text);
		dovecot_list(t->dovecot, true, &n.more);
	} else {
		sasl_server_offers(&clear, &n.text);
		sasl_server_offers(&secure, &n.more);
	}
	r = note_send(t->other, &n, &e);
	note_free(&n);
	return r;
}

static int
serve(struct turn_parent *t, struct note *n)
{
	switch (n->what) {
	case NOTE_AUTH:
		return on_auth(t, n);
	case NOTE_BINDING:
		on_binding(t, n);
		return 0;
	case NOTE_ANSWER:
		return on_answer(t, n);
	case NOTE_CANCEL:
		forget_auth(t);
		return 0;
	case NOTE_ETRN:
		return on_etrn(t, n);
	case NOTE_TURN:
		buf_clear(&n->text);
		return on_turn(t, n);
	case NOTE_ATRN:
		return on_turn(t, n);
	case NOTE_LOG:
		log_it(t, "", buf_span(&n->text));
		return 0;
	default:
		return -1;
	}
}

int
turn_parent_run(struct turn_parent *t)
{
	struct err e = {0};
	struct note n;
	int r = hello(t);

	t->lock = -1;
	t->with.users = t->passwords;
	while (r == 0 && (r = note_hear(t->other, &n, t->deadline, &e)) > 0) {
		r = serve(t, &n);
		note_free(&n);
	}
	if (r < 0 && e.fault != FAULT_NONE)
		log_err(t, "", &e);
	forget_auth(t);
	if (t->lock >= 0)
		close(t->lock);
	buf_wipe(&t->exporter);
	buf_wipe(&t->unique);
	buf_free(&t->names);
	return status_worse(t->status, r < 0 ? FAULT_TEMP : 0);
}
