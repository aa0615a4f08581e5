#include "session/turn.h"

#include "session/show.h"

/* RFC 2645 section 5.2.1, and what servers say besides. */
static enum fault
fault_of(int code)
{
	switch (code) {
	case 450: case 530: case 534: case 535: case 538: case 550: case 554:
		return FAULT_PERM;
	case 500: case 501: case 502: case 504:
		return FAULT_UNAVAILABLE;
	case 503:
		return FAULT_PROTO;
	default:
		return code / 100 == 4 ? FAULT_TEMP : code / 100 == 5 ?
		    FAULT_UNAVAILABLE : FAULT_PROTO;
	}
}

static int
refused(struct session *s, const char *verb, struct err *e)
{
	struct buf words = {0};

	reply_words(&words, &s->client.said);
	err_set(e, fault_of(s->client.said.code), "%s: %s: %s", session_name(s), verb,
	    buf_str(&words));
	buf_free(&words);
	return -1;
}

int
turn_ask(struct session *s, bool atrn, const char *domains, struct err *e)
{
	const char *verb = atrn ? "ATRN" : "TURN";
	int r;

	if (atrn && !(s->client.server.offers & EXT_ATRN))
		return err_set(e, FAULT_UNAVAILABLE, "%s: offers no ATRN%s",
		    session_name(s), s->line.tls == NULL ?
		    ", at least not in the clear" : "");
	if (atrn)
		client_atrn(&s->client, domains);
	else
		client_turn(&s->client);
	if ((r = session_drive(s, e)) < 0)
		return -1;
	if (r == 1)
		return err_set(e, FAULT_PROTO, "%s: %s: the session ended",
		    session_name(s), verb);
	if (s->client.want == WANT_TURN)
		return TURN_DONE;
	return s->client.said.code == 453 ? TURN_NO_MAIL : refused(s, verb, e);
}

int
turn_receive(struct session *s, struct receive *x, struct err *e)
{
	struct buf early = s->client.in;
	int r;

	show_line(s, "=== ", "the roles are swapped");
	s->client.in = (struct buf){0};
	x->peer = session_name(s);
	r = receive_run(x, &s->line, buf_span(&early), e);
	s->line.io.parted = r == 0;
	buf_free(&early);
	return r;
}
