/*
 * A Sendmail qf (doc/op/op.me, "Queue file format"): a line an item, begun by its
 * letter; a line begun by a blank goes on with the one before; `.` is the last.
 */
#include <stdlib.h>
#include <string.h>

#include "spool/sendmail.h"
#include "spool/status.h"
#include "wire/xtext.h"

#define VERSION_MAX 8
#define MACROS_MAX 256		/* Sendmail has no more names for them */
#define SHARED_MAX (16 << 20)	/* what one reason may take, given to everybody */

struct reading {
	struct sm_file *f;
	struct message *m;
	char *reason;		/* of the next recipient */
	char *orcpt;		/* likewise */
	bool sender;		/* it was there: M lines are recipients' from here on */
	bool timed;
};

static int
damaged(const char *how, struct err *e)
{
	return err_set(e, FAULT_DATA, "damaged: %s", how);
}

static void
replace(char **to, struct span from)
{
	free(*to);
	*to = span_dup(from);
}

/* Octets that no address has and that would show another one. */
static bool
is_split(struct span v)
{
	return span_find(v, '\0') < v.n || span_find(v, '\n') < v.n;
}

/* Sendmail writes its own null sender as a name. */
static int
sender(struct reading *x, struct span v, struct err *e)
{
	if (is_split(v))
		return damaged("a sender that is none", e);
	free(x->m->env.sender);
	x->m->env.sender = span_is(v, "MAILER-DAEMON") ?
	    span_dup((struct span){0}) : sm_address(v);
	x->sender = true;
	return 0;
}

/* N: NOTIFY was given, with S, F and D; none of these: NEVER. */
static unsigned
notify(struct span flags)
{
	unsigned n = 0;

	for (size_t i = 0; i < flags.n; i++)
		n |= flags.p[i] == 'S' ? NOTIFY_SUCCESS :
		    flags.p[i] == 'F' ? NOTIFY_FAILURE :
		    flags.p[i] == 'D' ? NOTIFY_DELAY : 0u;
	if (span_find(flags, 'N') == flags.n)
		return 0;
	return n != 0 ? n : NOTIFY_NEVER;
}

/* `PFD:<a@b>`; old files have no flags. */
static int
recipient(struct reading *x, struct span v, struct err *e)
{
	struct span flags = {0};
	size_t colon = span_find(v, ':');
	struct rcpt *r;
	char *address;

	if (colon < v.n && colon < span_find(v, '<') && colon < span_find(v, '@')) {
		flags = (struct span){ v.p, colon };
		v = span_from(v, colon + 1);
	}
	address = is_split(v) ? NULL : sm_address(v);
	if (address == NULL || *address == '\0') {
		free(address);
		return damaged("a recipient without an address", e);
	}
	r = envelope_read(&x->m->env, address);
	r->notify = notify(flags);
	r->reason = x->reason;
	r->orcpt = x->orcpt;
	r->status = status_in(r->reason);
	x->reason = x->orcpt = NULL;
	return envelope_whole(&x->m->env, e);
}

static void
decoded(char **to, struct span v)
{
	struct buf b = {0};

	free(*to);
	*to = xtext_decode(&b, v) ? span_dup(buf_span(&b)) : NULL;
	buf_free(&b);
}

/*
 * d: RET was given, n: it was HDRS; 8: the text has octets over 0x7f.  A mailbox's
 * first line begins so, too: Sendmail takes such a file for an attack.
 */
static int
flags(struct message *m, struct span v, struct err *e)
{
	if (span_starts(v, "rom "))
		return damaged("a line of a mailbox", e);
	if (span_find(v, 'd') < v.n)
		m->env.ret = span_find(v, 'n') < v.n ? RET_HDRS : RET_FULL;
	if (span_find(v, '8') < v.n)
		m->env.body = BODY_8BITMIME;
	if (span_find(v, 'e') < v.n)
		m->env.smtputf8 = true;
	return 0;
}

static int
number(struct reading *x, char letter, struct span v, struct err *e)
{
	long long n;

	if (!span_number(v, &n))
		return damaged("a number that is none", e);
	if (letter == 'T') {
		x->m->arrival = n;
		x->timed = true;
	} else if (letter == 'K') {
		x->m->last_attempt = n;
	} else if (letter == 'N') {
		x->m->attempts = n;
	} else if (letter == 'V' && n > VERSION_MAX) {
		return err_set(e, FAULT_DATA, "is version %lld of the format; "
		    "known are those up to %d", n, VERSION_MAX);
	}
	return 0;
}

static int
item(struct reading *x, char letter, struct span v, struct err *e)
{
	struct message *m = x->m;

	switch (letter) {
	case 'V': case 'T': case 'K': case 'N':
		return number(x, letter, v, e);
	case 'S':
		return sender(x, v, e);
	case 'R':
		return recipient(x, v, e);
	case 'M':
		replace(x->sender ? &x->reason : &m->note, v);
		break;
	case 'Q':
		decoded(&x->orcpt, v);
		break;
	case 'Z':
		decoded(&m->env.envid, v);
		break;
	case 'F':
		return flags(m, v, e);
	case 'B':
		m->env.body = span_is(v, "8BITMIME") ? BODY_8BITMIME : BODY_7BIT;
		break;
	case 'd':
		x->f->df = v;
		break;
	case 'H':
		*vec_add(&x->f->fields) = v;
		break;
	case '$':
		if (x->f->macros.n < MACROS_MAX)
			*vec_add(&x->f->macros) = v;
		break;
	}
	return 0;
}

/* A reason of the whole message is that of whoever has none of his own. */
static void
share(struct message *m)
{
	if (strlen(m->note) > SHARED_MAX / (m->env.rcpts.n + 1))
		return;
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		struct rcpt *r = &m->env.rcpts.p[i];

		if (r->reason == NULL) {
			r->reason = span_dup(span_of(m->note));
			r->status = status_in(r->reason);
		}
	}
}

/* The quarantine's reason outranks what the last delivery said. */
static void
conclude(struct message *m, struct span quarantine)
{
	if (m->note != NULL)
		share(m);
	if (quarantine.p != NULL)
		replace(&m->note, quarantine);
}

bool
sm_cut_item(struct span *rest, struct span *item_text)
{
	size_t n = 0;

	do {
		size_t line = span_find(span_from(*rest, n), '\n');

		if (n + line >= rest->n)
			return false;
		n += line + 1;
	} while (n < rest->n && (rest->p[n] == ' ' || rest->p[n] == '\t'));
	*item_text = (struct span){ rest->p, n - 1 };
	*rest = span_from(*rest, n);
	return true;
}

int
sm_parse(struct sm_file *f, struct span text, struct message *m, struct err *e)
{
	struct reading x = { .f = f, .m = m };
	struct span l, quarantine = {0};
	int r = 0;

	*f = (struct sm_file){0};
	m->attempts = -1;
	f->ended = span_ends(text, "\n.\n") || (text.n > 0 &&
	    memmem(text.p, text.n, "\n.\n", 3) != NULL);
	while (r == 0 && sm_cut_item(&text, &l)) {
		if (l.n == 0)
			continue;
		if (*l.p == '.')
			break;
		if (*l.p == 'q')
			quarantine = span_from(l, 1);
		else
			r = item(&x, *l.p, span_from(l, 1), e);
	}
	if (r == 0 && f->ended && text.n > 0)
		r = damaged("text behind its end", e);
	if (r == 0 && (!x.sender || !x.timed))
		r = damaged("no sender or no time of arrival", e);
	if (r == 0)
		conclude(m, quarantine);
	free(x.reason);
	free(x.orcpt);
	return r;
}

void
sm_file_free(struct sm_file *f)
{
	vec_free(&f->fields);
	vec_free(&f->macros);
}

/* `r` or `{name}`: has it a value? */
static bool
is_set(const struct sm_file *f, struct span macro)
{
	for (size_t i = 0; i < f->macros.n; i++)
		if (f->macros.p[i].n > macro.n &&
		    memcmp(f->macros.p[i].p, macro.p, macro.n) == 0)
			return true;
	return false;
}

/*
 * `?flags?Name: value`: the field is for mailers with one of these flags.  SMTP
 * mailers have F, D and M, not P: Return-Path is for the final delivery.  With
 * `?$macro?` it is there where that has a value.
 */
static bool
is_sent(const struct sm_file *f, struct span *field)
{
	struct span flag = {0};

	if (!span_starts(*field, "?"))
		return field->n > 0;
	*field = span_from(*field, 1);
	span_cut(field, '?', &flag);
	if (field->n == 0)
		return false;	/* an empty line would end the header */
	if (span_starts(flag, "$"))
		return is_set(f, span_from(flag, 1));
	return flag.n == 0 || span_find(flag, 'F') < flag.n ||
	    span_find(flag, 'D') < flag.n || span_find(flag, 'M') < flag.n;
}

void
sm_header(struct buf *b, const struct sm_file *f)
{
	for (size_t i = 0; i < f->fields.n; i++) {
		struct span field = f->fields.p[i];

		if (!is_sent(f, &field))
			continue;
		buf_addspan(b, field);
		buf_addc(b, '\n');
	}
}
