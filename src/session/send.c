#include "session/send.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wire/domain.h"
#include "wire/path.h"
#include "wire/survey.h"

#define PIECES_ENOUGH 65536	/* octets of text in `out` before they are sent */

void
sending_start(struct sending *m, struct envelope *env, struct body *body)
{
	*m = (struct sending){ env, body, NULL };
	m->met = must(calloc(env->rcpts.n + 1, sizeof *m->met));
}

void
sending_free(struct sending *m)
{
	struct letter l = { .env = m->env, .met = m->met };

	letter_free_met(&l);
	m->met = NULL;
}

void
sending_defer(struct sending *m, const char *status, const char *text)
{
	struct letter l = { .env = m->env, .met = m->met };

	letter_all(&l, FATE_DEFERRED, status, text);
}

static void
fail(struct sending *m, const char *status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fail(struct sending *m, const char *status, const char *fmt, ...)
{
	struct letter l = { .env = m->env, .met = m->met };
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	letter_all(&l, FATE_FAILED, status, text);
}

/*
 * A domain's U-labels become A-labels: then no SMTPUTF8 is needed for it (RFC
 * 6531 section 3.2).  Where the local part is not ASCII the address stays.
 * False: it cannot be said at all.
 */
static bool
say_ascii(char **address)
{
	struct span s = span_of(*address), domain = domain_of(s);
	struct err ignored = {0};
	struct buf b = {0};
	char *ascii;

	if (s.n > 0 && !path_is_mailbox(s))
		return false;
	if (text_is_ascii(domain) ||
	    !text_is_ascii((struct span){ s.p, s.n - domain.n }))
		return true;
	if ((ascii = domain_ascii("domain", domain, &ignored)) == NULL)
		return false;
	buf_add(&b, s.p, s.n - domain.n);
	buf_adds(&b, ascii);
	free(ascii);
	free(*address);
	*address = buf_str(&b);
	return true;
}

/* Which addresses can be said to this server. */
static bool
check_addresses(struct sending *m, unsigned offers)
{
	bool utf8 = false;

	if (m->env->sender != NULL && !say_ascii(&m->env->sender)) {
		fail(m, "5.1.7", "the sender's address cannot be said in SMTP");
		return false;
	}
	utf8 = m->env->sender != NULL && !text_is_ascii(span_of(m->env->sender));
	for (size_t i = 0; i < m->env->rcpts.n; i++) {
		struct rcpt *r = &m->env->rcpts.p[i];

		if (!r->selected || r->done)
			continue;
		if (!say_ascii(&r->address))
			outcome_set(&m->met[i], FATE_FAILED, 0, "5.1.3",
			    span_dup(SPAN("this address cannot be said in SMTP")));
		else if (!text_is_ascii(span_of(r->address)) &&
		    !(offers & EXT_SMTPUTF8))
			outcome_set(&m->met[i], FATE_FAILED, 0, "5.6.7",
			    span_dup(SPAN("the server offers no SMTPUTF8, "
			    "which this address needs")));
		else if (!text_is_ascii(span_of(r->address)))
			utf8 = true;
	}
	m->env->smtputf8 = m->env->smtputf8 || utf8;
	return true;
}

static bool
check_text(struct sending *m, const struct survey *t, const struct ehlo *h)
{
	if (t->bare_at > 0)
		fail(m, "5.6.0", "line %lld has a CR or LF that is no line end",
		    (long long)t->bare_at);
	else if (t->longest > TEXT_LINE_MAX)
		fail(m, "5.6.0", "line %lld has %lld octets; SMTP allows %d",
		    (long long)t->longest_at, (long long)t->longest,
		    TEXT_LINE_MAX);
	else if (t->eight_bit && !(h->offers & EXT_8BITMIME))
		fail(m, "5.6.3", "the text has octets over 127 and the server "
		    "offers no 8BITMIME");
	else if (m->env->smtputf8 && !(h->offers & EXT_SMTPUTF8))
		fail(m, "5.6.7", "the message needs SMTPUTF8, which the server "
		    "does not offer");
	else if (h->size > 0 && t->size > h->size)
		fail(m, "5.3.4", "the message has %lld octets; the server "
		    "takes %lld", (long long)t->size, (long long)h->size);
	else
		return true;
	return false;
}

static int
look(struct body *b, struct survey *t, struct err *e)
{
	struct span piece;
	int r;

	*t = (struct survey){0};
	while ((r = b->next(b, &piece, e)) > 0)
		survey_look(t, piece);
	return r < 0 ? -1 : b->rewind(b, e);
}

/*
 * The text.  When our own file fails in the middle, nothing may follow that
 * could end the text: the connection is dropped.
 */
static int
send_text(struct sending *m, struct session *s, struct err *e)
{
	struct span piece;
	long long octets = 0;
	int r, over;

	while ((r = m->body->next(m->body, &piece, e)) > 0) {
		client_text(&s->client, piece);
		session_hide(s);
		octets += (long long)piece.n;
		if (s->client.out.n >= PIECES_ENOUGH &&
		    (over = session_drive(s, e)) != 0)
			return over;
	}
	if (r < 0) {
		client_lost(&s->client, e->text);
		return -1;
	}
	session_tell(s, " -> ", "[%lld octets of text]", octets);
	client_text_end(&s->client);
	session_hide(s);
	session_tell(s, " -> ", ".");
	return session_drive(s, e);
}

static bool
some_again(const struct sending *m)
{
	for (size_t i = 0; i < m->env->rcpts.n; i++)
		if (m->met[i].again)
			return true;
	return false;
}

static bool
some_left(const struct sending *m)
{
	for (size_t i = 0; i < m->env->rcpts.n; i++)
		if (m->env->rcpts.p[i].selected && !m->env->rcpts.p[i].done &&
		    m->met[i].fate == FATE_NONE)
			return true;
	return false;
}

/* Our own file fails: nobody gets it now, and the session may go on. */
static int
unreadable(struct sending *m, struct err *e)
{
	for (size_t i = 0; i < m->env->rcpts.n; i++)
		m->met[i].again = false;
	sending_defer(m, "4.3.0", e->text);
	err_clear(e);
	return 0;
}

static int
transact(struct sending *m, struct session *s, int64_t size, struct err *e)
{
	struct letter l = { .env = m->env, .size = size, .met = m->met };
	int r;

	do {
		client_mail(&s->client, &l);
		r = session_drive(s, e);
		if (r == 0 && s->client.want == WANT_TEXT)
			r = send_text(m, s, e);
		if (r > 0)	/* the engine gave up and said why */
			err_set(e, FAULT_PROTO, "%s: broke the protocol",
			    session_name(s));
		if (r != 0)
			return -1;
		if (some_again(m) && m->body->rewind(m->body, e) < 0)
			return unreadable(m, e);
	} while (some_again(m));
	return 0;
}

int
sending_run(struct sending *m, struct session *s, struct err *e)
{
	const struct ehlo *h = &s->client.server;
	struct survey t;

	if (look(m->body, &t, e) < 0)
		return unreadable(m, e);
	m->env->body = t.eight_bit ? BODY_8BITMIME : BODY_7BIT;
	if (t.eight_bit_header)
		m->env->smtputf8 = m->env->smtputf8 ||
		    (h->offers & EXT_SMTPUTF8);
	if (!check_addresses(m, h->offers) || !check_text(m, &t, h) ||
	    !some_left(m))
		return 0;
	return transact(m, s, t.size, e);
}

int
outcome_status(const struct outcome *o)
{
	if (o->fate == FATE_DELIVERED || o->fate == FATE_RELAYED)
		return 0;
	if (o->fate == FATE_DEFERRED || o->fate == FATE_NONE)
		return FAULT_TEMP;
	if (o->code == 0)
		return strcmp(o->status, "5.3.4") == 0 ||
		    strcmp(o->status, "5.6.7") == 0 ? FAULT_UNAVAILABLE :
		    FAULT_DATA;
	if (strncmp(o->status, "5.1.", 4) == 0)
		return FAULT_NOUSER;
	if (strncmp(o->status, "5.7.", 4) == 0 || o->code == 530 ||
	    o->code == 535 || o->code == 538)
		return FAULT_PERM;
	return FAULT_UNAVAILABLE;
}
