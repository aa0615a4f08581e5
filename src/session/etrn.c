#include "session/etrn.h"

#include <string.h>

#include "base/clock.h"

/* What the real ones answer; RFC 1985 section 5 and the MTAs themselves. */
static const struct {
	int code;
	int status;
} codes[] = {
	{ 458, FAULT_TEMP },	/* unable to queue; Exim: already processing */
	{ 459, FAULT_PERM },	/* node not allowed; Postfix: any it has not */
	{ 500, FAULT_UNAVAILABLE }, { 502, FAULT_UNAVAILABLE },
	{ 503, FAULT_PROTO },
	{ 530, FAULT_PERM }, { 550, FAULT_PERM }, { 554, FAULT_PERM },
};

/* 253 `OK, <n> pending messages for node <x> started`: its first number. */
static int64_t
count_of(const struct reply *r)
{
	struct span rest = buf_span(&r->text), word;
	long long n;

	if (r->code == 251)
		return 0;
	while (r->code == 253 && span_cut(&rest, ' ', &word))
		if (span_number(word, &n))
			return n;
	return -1;
}

/* The exit class of a reply to ETRN, and how many messages it says are waiting. */
static int
status_of(const struct reply *r, int64_t *count)
{
	*count = count_of(r);
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].code == r->code)
			return codes[i].status;
	if (r->code == 501)	/* Exim's "argument must begin with #" */
		return memchr(r->text.p, '#', r->text.n) != NULL ?
		    FAULT_UNAVAILABLE : FAULT_USAGE;
	if (r->code / 100 == 2)
		return 0;
	return r->code / 100 == 4 ? FAULT_TEMP :
	    r->code / 100 == 3 ? FAULT_PROTO : FAULT_UNAVAILABLE;
}

const char *
etrn_hint(const struct etrn_answer *a)
{
	switch (a->code) {
	case 459:
		return " (it does not keep mail for this node, or not for us; "
		    "asking again will not help)";
	case 501:
		return a->status == FAULT_UNAVAILABLE ?
		    " (write #domain for this server)" : "";
	case 530:
		return " (it wants us to log in)";
	default:
		return "";
	}
}

struct asking {
	const struct server *server;
	const struct dial *dial;
	const struct nodes *nodes;
	size_t next;		/* node */
	bool force;
	void (*told)(void *, const struct etrn_answer *);
	void *arg;
	int status;
};

static void
tell(struct asking *a, const char *server, int code, int64_t count,
    const char *text, int status)
{
	struct etrn_answer answer = { server, a->nodes->p[a->next], code, count,
	    text, status };

	a->told(a->arg, &answer);
	a->status = status_worse(a->status, status);
	a->next++;
}

/* Everything not asked yet has this answer. */
static void
tell_rest(struct asking *a, const char *server, int code, const char *text,
    int status)
{
	while (a->next < a->nodes->n)
		tell(a, server, code, -1, text, status);
}

static void
tell_reply(struct asking *a, struct session *s)
{
	struct buf words = {0};
	int64_t count;
	int status = status_of(&s->client.said, &count);

	reply_words(&words, &s->client.said);
	tell(a, session_name(s), s->client.said.code, count, buf_str(&words),
	    status);
	buf_free(&words);
}

/* One connection: how many nodes were answered; -1: none can be. */
static int
connection(struct asking *a, struct err *e)
{
	struct server server = *a->server;	/* a list of one */
	struct servers one = { &server, 1, 1 };
	struct session s = {0};
	int n = 0;

	if (session_open(&s, &one, a->dial, e) < 0)
		return -1;
	if (!(s.client.server.offers & EXT_ETRN) && !a->force) {
		tell_rest(a, session_name(&s), 0, "the server offers no ETRN",
		    FAULT_UNAVAILABLE);
		session_close(&s);
		return 0;
	}
	while (a->next < a->nodes->n && n < ETRN_PER_CONNECTION) {
		client_etrn(&s.client, a->nodes->p[a->next]);
		if (session_drive(&s, e) != 0) {
			/*
			 * This one was asked and has no answer: not again.  What
			 * stands in `said' answered the last one, unless 421.
			 */
			tell(a, session_name(&s), s.client.said.code == 421 ?
			    421 : 0, -1, e->text, (int)e->fault);
			break;
		}
		tell_reply(a, &s);
		n++;
	}
	session_close(&s);
	return n;
}

int
etrn_ask(const struct server *server, const struct dial *dial,
    const struct nodes *nodes, bool force,
    void (*told)(void *, const struct etrn_answer *), void *arg)
{
	struct asking a = { server, dial, nodes, 0, force, told, arg, 0 };
	int barren = 0, n;

	while (a.next < nodes->n) {
		struct err e = {0};

		n = connection(&a, &e);
		barren = n > 0 ? 0 : barren + 1;
		if (n < 0 || barren == 2 || server->peer.kind == PEER_FD ||
		    clock_left(dial->deadline) == 0)
			tell_rest(&a, server->peer.text, 0, e.fault ? e.text :
			    "not asked: the connection was used up",
			    e.fault ? (int)e.fault : FAULT_TEMP);
	}
	return a.status;
}

void
nodes_free(struct nodes *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i]);
	vec_free(v);
}
