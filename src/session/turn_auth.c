/* turn-server's half with the rights: AUTH, by the octets that the other half hands on. */
#include "session/turn_parent_own.h"

#define ATTEMPTS_MOST 10	/* in a session; the other half ends it at three failures */

void
turn_auth_binding(struct turn_parent *t, struct note *n)
{
	buf_clear(&t->exporter);
	buf_clear(&t->unique);
	buf_addspan(&t->exporter, buf_span(&n->text));
	buf_addspan(&t->unique, buf_span(&n->more));
	t->with.encrypted = n->encrypted;
	t->with.exporter = buf_span(&t->exporter);
	t->with.unique = buf_span(&t->unique);
}

void
turn_auth_forget(struct turn_parent *t)
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
	int often = rates_count(t->run, &t->tries, t->source, add, &e);

	if (often != 0)
		turn_parent_log(t, often > 0 ? "too many failures from there" : e.text,
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

	turn_parent_log(t, r != SASL_YES ? "AUTH failed for " : c == NULL ?
	    "AUTH of one who is no customer: " : "AUTH of ",
	    span_of(user != NULL ? user : "nobody"));
	if (r == SASL_YES && c == NULL)
		r = SASL_NO;
	turn_auth_forget(t);
	if (too_often(t, r != SASL_YES))
		return turn_parent_say(t, 454, "4.7.0", "not now");
	if (r == SASL_YES)
		t->customer = c;
	switch (r) {
	case SASL_YES:
		return turn_parent_say(t, 235, "2.7.0", "welcome");
	case SASL_BROKEN:
		return turn_parent_say(t, 501, "5.5.2", "that is not what the mechanism says");
	case SASL_UNKNOWN:
		return turn_parent_say(t, 504, "5.5.4", "that mechanism is not used here");
	case SASL_CLEAR:
		return turn_parent_say(t, 538, "5.7.11", "not without TLS");
	default:
		return turn_parent_say(t, 535, "5.7.8", "that is not right");
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
		turn_parent_log_err(t, "Dovecot: ", &e);
		t->dovecots = false;
		done = turn_parent_say(t, 454, "4.7.0", "not now");
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

int
turn_auth_begin(struct turn_parent *t, struct note *n)
{
	enum sasl_outcome why;
	const char *mech = buf_str(&n->text);

	turn_auth_forget(t);
	if (++t->attempts > ATTEMPTS_MOST)
		return -1;
	if (t->customer != NULL)
		return turn_parent_say(t, 503, "5.5.1", "that has been done");
	if (too_often(t, false))
		return turn_parent_say(t, 454, "4.7.0", "not now");
	buf_clear(&t->names);
	buf_addspan(&t->names, buf_span(&n->extra));
	t->with.certificate = t->certificates && t->names.n > 0 ?
	    buf_str(&t->names) : NULL;
	if (t->dovecot != NULL && dovecot_offers(t->dovecot, mech,
	    t->with.encrypted))
		return auth_dovecot(t, mech, n);
	t->sasl = sasl_server_start(&t->with, mech, &why);
	return t->sasl == NULL ? auth_ended(t, why, NULL) : auth_step(t, n);
}

int
turn_auth_go_on(struct turn_parent *t, struct note *n)
{
	if (t->dovecots)
		return auth_dovecot(t, NULL, n);
	return t->sasl != NULL ? auth_step(t, n) :
	    turn_parent_say(t, 503, "5.5.1", "no AUTH is under way");
}
