#include "session/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/text.h"
#include "spool/mend.h"
#include "wire/domain.h"
#include "wire/path.h"

#define SMALL 32768		/* octets of a text that is read once */

struct job *
job_new(const char *ref, struct envelope *env, struct body *body)
{
	struct job *j = must(calloc(1, sizeof *j));
	size_t n = env->rcpts.n;

	j->ref = span_dup(span_of(ref));
	j->env = *env;
	*env = (struct envelope){0};
	j->body = *body;
	*body = (struct body){0};
	j->named = must(calloc(n + 1, sizeof *j->named));
	for (size_t i = 0; i < n; i++)
		j->named[i] = span_dup(span_of(j->env.rcpts.p[i].address));
	j->smtputf8 = j->env.smtputf8;
	j->letter.env = &j->env;
	j->letter.met = must(calloc(n + 1, sizeof *j->letter.met));
	return j;
}

void
job_free(struct job *j)
{
	for (size_t i = 0; i < j->env.rcpts.n; i++)
		free(j->named[i]);
	free(j->named);
	letter_free_met(&j->letter);
	envelope_free(&j->env);
	body_close(&j->body);
	buf_free(&j->text);
	free(j->ref);
	free(j);
}

/* ---- the text ---- */

/* Back to the first piece. */
static int
start_over(struct job *j, struct err *e)
{
	j->at = 0;
	j->twice = (struct survey){0};
	j->rest = (struct span){0};
	return j->whole || j->stream ? 0 : j->body.rewind(&j->body, e);
}

static int
look(struct job *j, struct err *e)
{
	struct span piece;
	int r;

	j->survey = (struct survey){0};
	buf_clear(&j->text);
	j->whole = true;
	while ((r = j->body.next(&j->body, &piece, e)) > 0) {
		if (interrupt_came())
			return err_set(e, FAULT_TEMP, "interrupted");
		survey_look(&j->survey, piece);
		j->whole = j->whole && j->survey.size <= SMALL;
		if (j->whole)
			buf_addspan(&j->text, piece);
	}
	j->looked = r == 0;
	if (!j->whole)
		buf_free(&j->text);
	return r < 0 ? -1 : start_over(j, e);
}

/* A stream is looked at while it goes by: what cannot be sent ends it. */
static int
streamed(struct job *j, struct span piece, struct err *e)
{
	survey_look(&j->survey, piece);
	if (j->survey.bare_at > 0)
		return err_set(e, FAULT_DATA, "line %lld has a CR or LF that is "
		    "no line end", (long long)j->survey.bare_at);
	if (j->survey.longest > TEXT_LINE_MAX)
		return err_set(e, FAULT_DATA, "line %lld has %lld octets; SMTP "
		    "allows %d", (long long)j->survey.longest_at,
		    (long long)j->survey.longest, TEXT_LINE_MAX);
	if (j->survey.eight_bit && j->env.body != BODY_8BITMIME)
		return err_set(e, FAULT_DATA, "the text has octets over 127 and "
		    "the server offers no 8BITMIME");
	return 1;
}

/* What cannot be kept is read twice: nothing is sent that was not looked at. */
static int
unchanged(struct job *j, struct span piece, struct err *e)
{
	survey_look(&j->twice, piece);
	return j->twice.bare_at == 0 ? 1 : err_set(e, FAULT_TEMP,
	    "%s: it changed while it was sent", j->ref);
}

int
job_piece(struct job *j, struct span *piece, struct err *e)
{
	int r;

	if (!j->whole) {
		r = j->body.next(&j->body, piece, e);
		return r <= 0 ? r : j->stream ? streamed(j, *piece, e) :
		    unchanged(j, *piece, e);
	}
	*piece = span_from(buf_span(&j->text), j->at);
	j->at = j->text.n;
	return piece->n > 0;
}

/* ---- can it be said? ---- */

static void
fail(struct job *j, const char *status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fail(struct job *j, const char *status, const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	letter_all(&j->letter, FATE_FAILED, status, text);
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

static void
lack_smtputf8(struct outcome *o, const char *server)
{
	struct buf b = {0};

	buf_addf(&b, "%s: offers no SMTPUTF8, which this address needs", server);
	outcome_set(o, FATE_FAILED, 0, "5.6.7", buf_str(&b));
}

/* Which addresses can be said to this server. */
static bool
check_addresses(struct job *j, unsigned offers, const char *server)
{
	struct envelope *v = &j->env;
	bool utf8 = false;

	if (v->sender != NULL && !say_ascii(&v->sender)) {
		fail(j, "5.1.7", "the sender's address cannot be said in SMTP");
		return false;
	}
	utf8 = v->sender != NULL && !text_is_ascii(span_of(v->sender));
	for (size_t i = 0; i < v->rcpts.n; i++) {
		struct rcpt *r = &v->rcpts.p[i];
		struct outcome *o = &j->letter.met[i];

		if (!letter_means(&j->letter, i))
			continue;
		if (!say_ascii(&r->address))
			outcome_set(o, FATE_FAILED, 0, "5.1.3",
			    span_dup(SPAN("this address cannot be said in SMTP")));
		else if (!text_is_ascii(span_of(r->address)) &&
		    !(offers & EXT_SMTPUTF8))
			lack_smtputf8(o, server);
		else if (!text_is_ascii(span_of(r->address)))
			utf8 = true;
	}
	v->smtputf8 = v->smtputf8 || utf8;
	return true;
}

static bool
eight_bit_goes(const struct ehlo *h, const struct job_rules *rules)
{
	return (h->offers & EXT_8BITMIME) && !rules->seven_bit;
}

static bool
check_text(struct job *j, const struct ehlo *h, const struct job_rules *rules,
    const char *server)
{
	const struct survey *t = &j->survey;

	if (t->bare_at > 0)
		fail(j, "5.6.0", "line %lld has a CR or LF that is no line end",
		    (long long)t->bare_at);
	else if (t->longest > TEXT_LINE_MAX)
		fail(j, "5.6.0", "line %lld has %lld octets; SMTP allows %d",
		    (long long)t->longest_at, (long long)t->longest,
		    TEXT_LINE_MAX);
	else if (t->eight_bit && !eight_bit_goes(h, rules))
		fail(j, "5.6.3", "%s: offers no 8BITMIME, and the text has octets "
		    "over 127", server);
	else if (j->env.smtputf8 && !(h->offers & EXT_SMTPUTF8))
		fail(j, "5.6.7", "%s: offers no SMTPUTF8, which the message needs",
		    server);
	else if (h->size > 0 && t->size > h->size)
		fail(j, "5.3.4", "%s: takes %lld octets; the message has %lld",
		    server, (long long)h->size, (long long)t->size);
	else
		return true;
	return false;
}

/* Made fit where it is not and may be: looked at anew. */
static int
mend(struct job *j, const struct ehlo *h, const struct job_rules *rules,
    struct err *e)
{
	const struct survey *t = &j->survey;
	bool seven = !eight_bit_goes(h, rules);
	struct body inner;

	if (!rules->repair || j->stream || (t->bare_at == 0 &&
	    t->longest <= TEXT_LINE_MAX && !(t->eight_bit && seven)))
		return 0;
	if (j->body.rewind(&j->body, e) < 0)
		return -1;
	inner = j->body;
	mend_limits(&j->body, &inner, seven);
	return look(j, e);
}

/* Recipients without a fate, or that are left to another transaction. */
static bool
some_left(const struct job *j)
{
	for (size_t i = 0; i < j->env.rcpts.n; i++)
		if (letter_means(&j->letter, i) || j->letter.met[i].again)
			return true;
	return false;
}

/* What is kept whole and will not be mended needs no descriptor. */
static void
let_go(struct job *j, const struct job_rules *rules)
{
	const struct survey *t = &j->survey;

	if (j->whole && (!rules->repair || (t->bare_at == 0 &&
	    t->longest <= TEXT_LINE_MAX && !t->eight_bit)))
		body_close(&j->body);
}

bool
job_fits(struct job *j, const struct ehlo *h, const struct job_rules *rules,
    const char *server)
{
	struct err e = {0};

	if ((!j->stream && !j->looked && look(j, &e) < 0) ||
	    (j->looked && mend(j, h, rules, &e) < 0) || start_over(j, &e) < 0) {
		/* our own file fails: nobody gets it now */
		job_defer(j, "4.3.0", e.text);
		return false;
	}
	j->letter.size = j->stream ? -1 : j->survey.size;
	if (j->stream)
		j->env.body = eight_bit_goes(h, rules) ? BODY_8BITMIME :
		    BODY_7BIT;
	else
		j->env.body = j->survey.eight_bit || rules->eight_bit ?
		    BODY_8BITMIME : BODY_7BIT;
	let_go(j, rules);
	/* another server may have been promised it */
	j->env.smtputf8 = j->smtputf8 ||
	    (j->survey.eight_bit_header && (h->offers & EXT_SMTPUTF8));
	return check_addresses(j, h->offers, server) &&
	    check_text(j, h, rules, server) && some_left(j);
}

/* ---- fates ---- */

bool
job_untried(const struct job *j)
{
	for (size_t i = 0; i < j->env.rcpts.n; i++)
		if (j->letter.met[i].untried)
			return true;
	return false;
}

void
job_retry(struct job *j)
{
	for (size_t i = 0; i < j->env.rcpts.n; i++) {
		struct outcome *o = &j->letter.met[i];

		if (!o->untried)
			continue;
		free(o->text);
		*o = (struct outcome){0};
	}
}

void
job_defer(struct job *j, const char *status, const char *text)
{
	for (size_t i = 0; i < j->env.rcpts.n; i++)
		j->letter.met[i].again = false;
	letter_all(&j->letter, FATE_DEFERRED, status, text);
}

int
outcome_status(const struct outcome *o)
{
	if (o->fate == FATE_DELIVERED || o->fate == FATE_RELAYED)
		return 0;
	if (o->fate == FATE_DEFERRED || o->fate == FATE_NONE)
		return FAULT_TEMP;
	/* who goes nowhere: session/route.h */
	if (o->code == 0 && (strcmp(o->status, "5.1.2") == 0 ||
	    strcmp(o->status, "5.1.10") == 0 || strcmp(o->status, "5.4.6") == 0))
		return FAULT_NOHOST;
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
