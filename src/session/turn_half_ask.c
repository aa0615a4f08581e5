/* What turn-server's network half asks of the other one: AUTH, ETRN, the turn. */
#include "session/turn_half_own.h"

#include "base/clock.h"

#define ANSWER_MS 600000	/* the other half looks into a queue */

static int
ask(struct half *h, struct note *n, struct note *answer, struct err *e)
{
	int r;

	note_init(answer, NOTE_SAY);
	if (note_send(h->o->other, n, e) < 0)
		return -1;
	r = note_hear(h->o->other, answer, clock_sooner(clock_in(ANSWER_MS),
	    h->o->deadline), e);
	return r > 0 ? 0 : r < 0 ? -1 :
	    err_set(e, FAULT_TEMP, "the other half is gone");
}

void
turn_half_log(struct half *h, const char *text)
{
	struct err ignored = {0};
	struct note n;

	note_init(&n, NOTE_LOG);
	buf_adds(&n.text, text);
	note_send(h->o->other, &n, &ignored);
	note_free(&n);
}

/* The reply that the other half has decided on. */
static void
say(struct half *h, unsigned token, struct note *a)
{
	receiver_say(&h->engine, token, a->code, *a->status ? a->status : NULL,
	    buf_str(&a->text));
}

/* ---- AUTH ---- */

static int
tell_binding(struct half *h, struct err *e)
{
	struct note n;
	int r;

	note_init(&n, NOTE_BINDING);
	n.encrypted = h->line->tls != NULL;
	if (n.encrypted) {
		tls_exporter(h->line->tls, &n.text);
		tls_unique(h->line->tls, &n.more);
	}
	r = note_send(h->o->other, &n, e);
	note_free(&n);
	return r;
}

static int
on_auth(struct half *h, struct question *q, struct err *e)
{
	struct note n, a;
	int r;

	note_init(&n, q->about == ABOUT_AUTH ? NOTE_AUTH : NOTE_ANSWER);
	n.has_more = q->about == ABOUT_ANSWER || q->has_more;
	if (q->about == ABOUT_AUTH) {
		buf_addspan(&n.text, buf_span(&q->text));
		buf_addspan(&n.more, buf_span(&q->more));
		buf_addspan(&n.extra, buf_span(&h->names));
		if (tell_binding(h, e) < 0) {
			note_free(&n);
			return -1;
		}
	} else {
		buf_addspan(&n.more, buf_span(&q->text));
	}
	r = ask(h, &n, &a, e);
	note_free(&n);
	if (r == 0 && a.what == NOTE_CHALLENGE) {
		receiver_challenge(&h->engine, q->token, buf_span(&a.text));
	} else if (r == 0) {
		say(h, q->token, &a);
		if (a.code == 235)
			h->known_by = NEVER;
		else if (++h->failures >= AUTH_MOST)
			receiver_dismiss(&h->engine, "too many failures");
	}
	note_free(&a);
	return r;
}

static void
gave_up(struct half *h)
{
	struct err ignored = {0};
	struct note n;

	note_init(&n, NOTE_CANCEL);
	note_send(h->o->other, &n, &ignored);
	if (++h->failures >= AUTH_MOST)
		receiver_dismiss(&h->engine, "too many failures");
}

/* RFC 3207 section 4.2: whoever has said it in the clear may have been somebody else. */
int
turn_half_forget(struct half *h, struct err *e)
{
	struct note n;

	h->known_by = clock_sooner(h->known_by, clock_in(h->o->login_ms));
	note_init(&n, NOTE_FORGET);
	return note_send(h->o->other, &n, e);
}

/* ---- mail ---- */

/* What was said behind ATRN, and is not heard yet, was said too early. */
static void
hear_more(struct half *h)
{
	struct err ignored = {0};

	if (line_read(h->line, &h->heard, &ignored) > 0)
		receiver_feed(&h->engine, buf_take(&h->heard));
}

static int
on_mail(struct half *h, struct question *q, struct err *e)
{
	enum note_what what = q->about == ABOUT_ETRN ? NOTE_ETRN :
	    q->about == ABOUT_ATRN ? NOTE_ATRN : NOTE_TURN;
	struct note n, a;
	int r;

	if (what == NOTE_TURN && !h->engine.authenticated) {
		receiver_say(&h->engine, q->token, 530, "5.7.0",
		    "authentication required");
		return 0;
	}
	note_init(&n, what);
	buf_addspan(&n.text, buf_span(&q->text));
	r = ask(h, &n, &a, e);
	note_free(&n);
	if (r < 0)
		return -1;
	if (a.what == NOTE_DRAIN || a.what == NOTE_SPLICE)
		hear_more(h);
	say(h, q->token, &a);
	if (a.what == NOTE_DRAIN || a.what == NOTE_SPLICE)
		h->turn = a;	/* used if the engine turns, closed otherwise */
	else
		note_free(&a);
	return 0;
}

int
turn_half_ask(struct half *h, struct question *q, struct err *e)
{
	switch (q->about) {
	case ABOUT_AUTH:
	case ABOUT_ANSWER:
		return on_auth(h, q, e);
	case ABOUT_CANCEL:
		gave_up(h);
		return 0;
	case ABOUT_ETRN:
	case ABOUT_ATRN:
	case ABOUT_TURN:
		return on_mail(h, q, e);
	default:
		return 0;	/* no mail is taken here */
	}
}
