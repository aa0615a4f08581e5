/*
 * What the records of a Postfix queue file say of the envelope.  Addresses are
 * raw, without quotes; ENVID and ORCPT lie there xtext-decoded.
 */
#include <stdlib.h>

#include "base/text.h"
#include "spool/postfix.h"
#include "wire/path.h"

#define ADDRESS_MAX_OCTETS 2048		/* line_length_limit */

enum {
	TO_DO = 'R', DONE = 'D', CANCELLED = '/', ORIGINAL = 'O', SENDER = 'S',
	TIME = 'T', COUNT = 'C', ATTRIBUTE = 'A', ORCPT = 'o', NOTIFY = 'n',
	ENVID = 'i', RET = '<', VERP = 'V', FILTER = 'L', REDIRECT = '>',
	ENCODING = 256,
};

/* What an attribute says, some versions say in a record of its own. */
static const struct {
	const char *name;
	int record;
} attributes[] = {
	{ "dsn_orig_rcpt", ORCPT },
	{ "notify_flags", NOTIFY },
	{ "envelope_id", ENVID },
	{ "ret_flags", RET },
	{ "encoding", ENCODING },
};

static int
damaged(const struct pf_envelope *x, const char *how, struct err *e)
{
	return err_set(e, FAULT_DATA, "damaged at octet %lld: %s",
	    (long long)x->record, how);
}

/* Text that a string can hold: 0, -1. */
static int
check(const struct pf_envelope *x, struct span data, struct err *e)
{
	if (data.n > ADDRESS_MAX_OCTETS)
		return damaged(x, "an address beyond all measure", e);
	if (span_find(data, '\0') < data.n)
		return damaged(x, "an address with a NUL", e);
	return 0;
}

/* Into *to, in place of what was there. */
static int
keep(struct pf_envelope *x, char **to, struct span data, struct err *e)
{
	if (check(x, data, e) < 0)
		return -1;
	free(*to);
	*to = span_dup(data);
	return 0;
}

static int
keep_number(struct pf_envelope *x, struct span data, long long *n, struct err *e)
{
	if (!span_number(span_trim(data), n))
		return damaged(x, "no number where one must be", e);
	return 0;
}

void
pf_envelope_end(struct pf_envelope *x)
{
	free(x->original);
	free(x->orcpt);
	x->original = x->orcpt = NULL;
	x->notify = 0;
}

static char *
quoted(struct span raw)
{
	struct buf b = {0};

	if (raw.n > 0)
		path_quote(&b, raw);
	return must(buf_str(&b));
}

/* As smtp(8) does: without an ORCPT of its own the address before rewriting. */
static char *
original(const char *raw)
{
	struct span s = span_of(raw);
	struct buf b = {0};

	buf_room(&b, s.n + sizeof "rfc822;");
	buf_adds(&b, text_is_ascii(s) ? "rfc822;" : "utf-8;");
	path_quote(&b, s);
	return buf_str(&b);
}

/* qmgr(8) delivers an empty recipient to this name. */
static int
recipient(struct pf_envelope *x, int type, struct span data, struct err *e)
{
	struct rcpt *to;

	if (check(x, data, e) < 0)
		return -1;
	if (data.n == 0)
		data = SPAN("MAILER-DAEMON");
	to = envelope_read(&x->m->env, quoted(data));
	to->done = type == DONE;
	to->offset = x->record;
	to->notify = x->notify;
	if (x->orcpt == NULL && x->original != NULL && *x->original != '\0')
		x->orcpt = original(x->original);
	if (x->orcpt != NULL && *x->orcpt != '\0') {
		to->orcpt = x->orcpt;
		x->orcpt = NULL;
	}
	pf_envelope_end(x);
	return envelope_whole(&x->m->env, e);
}

/* The first S counts; later ones are another program's notes. */
static int
sender(struct pf_envelope *x, struct span data, struct err *e)
{
	if (x->m->env.sender != NULL)
		return 0;
	if (check(x, data, e) < 0)
		return -1;
	x->m->env.sender = quoted(data);
	return 0;
}

/* `seconds` or `seconds microseconds`. */
static int
arrival(struct pf_envelope *x, struct span data, struct err *e)
{
	struct span rest = span_trim(data), seconds = {0};
	long long t;

	if (x->timed)
		return 0;
	span_cut(&rest, ' ', &seconds);
	if (keep_number(x, seconds, &t, e) < 0)
		return -1;
	x->m->arrival = t;
	x->timed = true;
	return 0;
}

/* Old files have fewer numbers, newer ones may have more. */
static int
counts(struct pf_envelope *x, struct span data, struct err *e)
{
	struct span one;

	if (x->counts > 0)
		return 0;
	while (x->counts < PF_COUNTS && (data = span_trim(data)).n > 0) {
		span_cut(&data, ' ', &one);
		if (keep_number(x, one, &x->count[x->counts], e) < 0)
			return -1;
		x->counts++;
	}
	return 0;
}

static int
flags(struct pf_envelope *x, int type, struct span data, struct err *e)
{
	long long n;

	if (keep_number(x, data, &n, e) < 0)
		return -1;
	if (type == NOTIFY)
		x->notify = (unsigned)n & 15;
	else
		x->m->env.ret = n == RET_FULL || n == RET_HDRS ?
		    (enum ret)n : RET_NONE;
	return 0;
}

static int take(struct pf_envelope *, int, struct span, struct err *);

static int
attribute(struct pf_envelope *x, struct span data, struct err *e)
{
	struct span name;

	if (!span_cut(&data, '=', &name))
		return 0;
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (span_is(name, attributes[i].name))
			return take(x, attributes[i].record, data, e);
	return 0;
}

static int
take(struct pf_envelope *x, int type, struct span data, struct err *e)
{
	switch (type) {
	case TO_DO: case DONE:
		return recipient(x, type, data, e);
	case CANCELLED:
		pf_envelope_end(x);
		return 0;
	case ORIGINAL:
		return keep(x, &x->original, data, e);
	case ORCPT:
		return keep(x, &x->orcpt, data, e);
	case ENVID:
		return keep(x, &x->m->env.envid, data, e);
	case NOTIFY: case RET:
		return flags(x, type, data, e);
	case SENDER:
		return sender(x, data, e);
	case TIME:
		return arrival(x, data, e);
	case COUNT:
		return counts(x, data, e);
	case ATTRIBUTE:
		return attribute(x, data, e);
	case ENCODING:
		x->m->env.body = span_is(data, "8bit") ? BODY_8BITMIME :
		    span_is(data, "7bit") ? BODY_7BIT : BODY_UNKNOWN;
		return 0;
	case VERP:
		x->m->only_mta = "a sender for each recipient (VERP)";
		return 0;
	case FILTER:
		x->m->only_mta = "a content filter";
		return 0;
	case REDIRECT:
		x->m->only_mta = "another recipient (redirect)";
		return 0;
	default:
		return 0;
	}
}

int
pf_take(struct pf_envelope *x, int type, off_t record, struct span data,
    struct err *e)
{
	x->record = record;
	return take(x, type, data, e);
}
