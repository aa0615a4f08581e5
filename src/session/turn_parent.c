#include "session/turn_parent_own.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/text.h"
#include "wire/domain.h"

/* ---- words ---- */

#define LOG_MOST 512		/* octets of others' words in a line of the log */
#define LINES_MOST 50		/* that the other half has for it, in a session */
#define ANSWER_MS 60000		/* until it takes an answer */

void
turn_parent_log(struct turn_parent *t, const char *what, struct span more)
{
	struct buf b = {0};

	buf_adds(&b, what);
	text_printable(&b, (struct span){ more.p, more.n < LOG_MOST ? more.n : LOG_MOST });
	buf_adds(&b, more.n > LOG_MOST ? " ..." : "");
	t->log(buf_str(&b));
	buf_free(&b);
}

void
turn_parent_log_err(struct turn_parent *t, const char *what, const struct err *e)
{
	turn_parent_log(t, what, span_of(e->text));
}

int
turn_parent_say(struct turn_parent *t, int code, const char *status, const char *text)
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

/* ---- ETRN ---- */

/* Too often for this node, or for the customer, who may have nodes without end? */
static bool
flushed_too_often(struct turn_parent *t, const struct customer *c, const char *node,
    struct err *e)
{
	return rates_count(t->run, &t->turns, c->user, true, e) != 0 ||
	    rates_count(t->run, &t->flushes, node, true, e) != 0;
}

static int
flush(struct turn_parent *t, const struct customer *c, const char *node,
    const struct domains *d)
{
	struct err e = {0};
	struct buf b = {0};
	int lock = rates_lock(t->run, "flush", node, &e), r, code = 458;
	long long n = lock < 0 || flushed_too_often(t, c, node, &e) ? -1 :
	    turn_count(t, d, false, &e);

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
			turn_parent_log_err(t, "ETRN: ", &e);
		buf_addf(&b, "unable to queue messages for node %s now", node);
	}
	if (lock >= 0)
		close(lock);
	turn_parent_log(t, "ETRN: ", buf_span(&b));
	r = turn_parent_say(t, code, "", buf_str(&b));
	buf_free(&b);
	return r;
}

static int
on_etrn(struct turn_parent *t, struct note *n)
{
	struct err e = {0};
	char *node = node_parse("node", buf_str(&n->text), &e);
	const struct customer *c = t->customer != NULL ? t->customer :
	    t->at_known ? customers_from(t->customers, &t->at, node) : NULL;
	struct domains d = {0};
	int r;

	if (c == NULL) {
		free(node);
		return turn_parent_say(t, 530, "5.7.0", "authentication required");
	}
	if (node == NULL)
		return turn_parent_say(t, 501, "5.5.4", "that is no node");
	if (*node != '#' && customer_has(c, node)) {
		*vec_add(&d) = node;
		r = flush(t, c, node, &d);
		domains_free(&d);
		return r;
	}
	free(node);
	turn_parent_log(t, "ETRN for what is not his: ", buf_span(&n->text));
	return turn_parent_say(t, 459, "4.7.1", "that node is not allowed");
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
		turn_parent_log_err(t, "drain: ", &e);
		return turn_parent_say(t, 451, "4.3.0", "unable now");
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
splice_to(struct turn_parent *t, const struct domains *d, long long messages)
{
	struct err e = {0};
	struct note n;
	int r;

	note_init(&n, NOTE_SPLICE);
	if ((n.fd = turn_listen(t->customer, &e)) < 0) {
		turn_parent_log_err(t, "splice: ", &e);
		return turn_parent_say(t, 451, "4.3.0", "unable now");
	}
	n.code = 250;
	memcpy(n.status, "2.0.0", sizeof "2.0.0");
	buf_adds(&n.text, "OK now reversing the connection");
	add_domains(&n.more, d);
	buf_addi(&n.extra, messages);
	r = note_send(t->other, &n, &e);
	note_free(&n);
	if (r < 0)
		return -1;
	r = turn_release(t, d, &e);
	if (r != 0)
		turn_parent_log(t, r < 0 ? "splice: " : "splice: not all could be released",
		    span_of(r < 0 ? e.text : ""));
	t->status = r < 0 ? (int)e.fault : r;
	/* nobody will come: it need not wait */
	return r == 0 || r == FAULT_TEMP ? 0 : turn_parent_say(t, 421, "", "");
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
	long long takeable = turn_count(t, d, drains, &e);
	long long n = drains && takeable == 0 ? turn_count(t, d, false, &e) :
	    takeable;

	if (n < 0) {
		turn_parent_log_err(t, "looking into the queue: ", &e);
		return turn_parent_say(t, 451, "4.3.0", "unable to look into the queue now");
	}
	if (n == 0) {
		turn_parent_log(t, "no mail waits for him", SPAN(""));
		return turn_parent_say(t, 453, "4.0.0", "you have no mail");
	}
	if (takeable == 0) {
		turn_parent_log(t, "the MTA has all his mail in hand", SPAN(""));
		return turn_parent_say(t, 451, "4.3.2", "your mail is being delivered just now");
	}
	return t->splice ? splice_to(t, d, n) : drain(t, d);
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
		turn_parent_log(t, often > 0 ? "turns too often" : lock == -2 ?
		    "another one of this customer is at it" : e.text, SPAN(""));
		return turn_parent_say(t, 451, "4.3.2", lock == -2 ?
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
		return turn_parent_say(t, 530, "5.7.0", "authentication required");
	code = customer_asks(t->customer, buf_span(&n->text), &d);
	turn_parent_log(t, code == 0 ? "ATRN " : code == 450 ?
	    "ATRN for what is not his: " : "ATRN that is no list: ",
	    n->text.n > 0 ? buf_span(&n->text) : SPAN("for all that is his"));
	r = code == 0 ? turn_once(t, &d) :
	    code == 450 ? turn_parent_say(t, 450, "4.7.1", "request refused") :
	    turn_parent_say(t, 501, "5.5.4", "it is ATRN domain,domain");
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
		return turn_auth_begin(t, n);
	case NOTE_BINDING:
		turn_auth_binding(t, n);
		return 0;
	case NOTE_ANSWER:
		return turn_auth_go_on(t, n);
	case NOTE_CANCEL:
		turn_auth_forget(t);
		return 0;
	case NOTE_FORGET:
		turn_auth_forget(t);
		t->customer = NULL;
		return 0;
	case NOTE_ETRN:
		return on_etrn(t, n);
	case NOTE_TURN:
		buf_clear(&n->text);
		return on_turn(t, n);
	case NOTE_ATRN:
		return on_turn(t, n);
	case NOTE_LOG:
		/* so that it cannot pass for a line of ours */
		turn_parent_log(t, "network: ", buf_span(&n->text));
		return ++t->logged < LINES_MOST ? 0 : -1;
	default:
		return -1;
	}
}

/* One who reads no answers is not waited for beyond the end. */
static void
be_patient(struct turn_parent *t)
{
	int left = clock_left(clock_sooner(t->deadline, clock_in(ANSWER_MS)));
	struct timeval most = { left / 1000, left % 1000 * 1000 + 1 };

	setsockopt(t->other, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
}

int
turn_parent_run(struct turn_parent *t)
{
	struct err e = {0};
	struct note n;
	int r;

	t->lock = -1;
	be_patient(t);
	t->with.users = t->passwords;
	r = hello(t);
	while (r == 0 && (r = note_hear(t->other, &n, t->deadline, &e)) > 0) {
		r = serve(t, &n);
		note_free(&n);
	}
	if (r < 0 && e.fault != FAULT_NONE)
		turn_parent_log_err(t, "", &e);
	turn_auth_forget(t);
	if (t->lock >= 0)
		close(t->lock);
	buf_wipe(&t->exporter);
	buf_wipe(&t->unique);
	buf_free(&t->names);
	return status_worse(t->status, r < 0 ? FAULT_TEMP : 0);
}
