/*
 * An Exim -H file (spec.txt, "Format of spool files"): its own name, who
 * submitted it, sender, time; options, each begun by one dash, or by two where
 * the value came from outside, a `(lookup)` behind them; the tree of addresses
 * that are done; the recipients; an empty line; the message's header, each field
 * with its length and a letter that says what it is, `*` for one that is gone.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "spool/exim.h"
#include "wire/xtext.h"

#define DONE_MAX 1000000

/* Of the number behind the recipient's `#`. */
enum { HAS_ERRORS_TO = 1, HAS_ORCPT = 2 };

struct reading {
	struct exim_header *h;
	struct message *m;
	struct span rest;
	VEC(char *) done;	/* addresses, domains in lower case */
};

static int
damaged(const char *how, struct err *e)
{
	return err_set(e, FAULT_DATA, "damaged: %s", how);
}

/* A line that ends; what no LF ends is cut off. */
static bool
line(struct reading *x, struct span *l)
{
	return span_find(x->rest, '\n') < x->rest.n &&
	    span_cut(&x->rest, '\n', l);
}

/* The last word of `s`, which becomes shorter by it and the blank before. */
static struct span
last_word(struct span *s)
{
	size_t n = s->n;
	struct span w;

	while (n > 0 && s->p[n - 1] != ' ')
		n--;
	w = span_from(*s, n);
	s->n = n > 0 ? n - 1 : 0;
	return w;
}

/* ---- options ---- */

/* `NAME LENGTH` was in the line: so many octets and a LF follow, whatever they are. */
static int
skip_counted(struct reading *x, struct span option, struct err *e)
{
	long long n;

	if (!span_number(last_word(&option), &n) || n < 0 ||
	    (unsigned long long)n >= x->rest.n)
		return damaged("an ACL variable ends too early", e);
	x->rest = span_from(x->rest, (size_t)n);
	if (*x->rest.p != '\n')
		return damaged("an ACL variable has another length", e);
	x->rest = span_from(x->rest, 1);
	return 0;
}

static void
take_envid(struct message *m, struct span v)
{
	struct buf b = {0};

	if (m->env.envid == NULL && xtext_decode(&b, v))
		m->env.envid = span_dup(buf_span(&b));
	buf_free(&b);
}

/* The name of an option: without dashes and what stands in parentheses. */
static struct span
option_name(struct span *l)
{
	struct span name = {0};

	*l = span_from(*l, span_starts(*l, "--") ? 2 : 1);
	if (span_starts(*l, "("))
		*l = span_from(*l, span_find(*l, ')') + 1);
	span_cut(l, ' ', &name);
	return name;
}

static int
option(struct reading *x, struct span l, struct err *e)
{
	struct span whole = l, name = option_name(&l);
	long long n;

	if (span_is(name, "aclm") || span_is(name, "aclc") || span_is(name, "acl"))
		return skip_counted(x, whole, e);
	if (span_is(name, "frozen")) {
		x->h->frozen = true;
		x->h->frozen_at = span_number(span_trim(l), &n) ? n : 0;
	} else if (span_is(name, "spool_file_wireformat")) {
		x->h->wireformat = true;
	} else if (span_is(name, "smtputf8")) {
		x->m->env.smtputf8 = true;
	} else if (span_is(name, "N")) {
		x->m->only_mta = "a delivery that is none (-N)";
	} else if (span_is(name, "dsn_envid")) {
		take_envid(x->m, l);
	} else if (span_is(name, "dsn_ret")) {
		x->m->env.ret = span_is(l, "1") ? RET_FULL :
		    span_is(l, "2") ? RET_HDRS : RET_NONE;
	}
	return 0;
}

/* ---- the addresses that are done ---- */

static char *
lowered(struct span address)
{
	char *s = span_dup(address), *at = strrchr(s, '@');

	for (; at != NULL && *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	return s;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The tree, each node before its branches: two letters say which it has.  How
 * many nodes are still to come is all that has to be known of its shape.
 */
static int
tree(struct reading *x, struct span l, struct err *e)
{
	size_t due = 1;

	if (span_is(l, "XX"))
		return 0;
	for (;; due--) {
		if (l.n < 4 || l.p[2] != ' ' || strchr("YN", l.p[0]) == NULL ||
		    strchr("YN", l.p[1]) == NULL)
			return damaged("the list of what is done", e);
		due += (size_t)(l.p[0] == 'Y') + (size_t)(l.p[1] == 'Y');
		if (due > DONE_MAX)
			return damaged("the list of what is done is too long", e);
		*vec_add(&x->done) = lowered(span_from(l, 3));
		if (due == 1)
			return 0;
		if (!line(x, &l))
			return damaged("the list of what is done ends early", e);
	}
}

/* A last line without LF was being written: it is not yet done. */
static void
journal(struct reading *x, struct span text)
{
	struct span l;

	while (span_find(text, '\n') < text.n && span_cut(&text, '\n', &l) &&
	    x->done.n < DONE_MAX)
		if (l.n > 0)
			*vec_add(&x->done) = lowered(l);
}

static bool
is_done(const struct reading *x, const char *address)
{
	char *key;
	bool yes;

	if (x->done.n == 0)
		return false;
	key = lowered(span_of(address));
	yes = bsearch(&key, x->done.p, x->done.n, sizeof *x->done.p, by_text) != NULL;
	free(key);
	return yes;
}

/* ---- recipients ---- */

/* `LENGTH,NUMBER` and, before it, a text of that length: cut off the end of `l`. */
static bool
cut_counted(struct span *l, struct span *text, long long *number)
{
	struct span pair = last_word(l), length = {0};
	long long n;
	bool minus;

	span_cut(&pair, ',', &length);
	minus = span_starts(pair, "-");
	if (!span_number(length, &n) || !span_number(span_from(pair, minus), number) ||
	    n < 0 || (unsigned long long)n > l->n)
		return false;
	*text = span_from(*l, l->n - (size_t)n);
	l->n -= (size_t)n;
	if (l->n == 0 || l->p[l->n - 1] != ' ')
		return false;
	l->n--;
	return true;
}

/* `... LENGTH,NUMBER#3`: what stands there; 0: nothing does. */
static long long
extensions(struct span *l)
{
	struct span whole = *l, tail = last_word(&whole);
	size_t hash = span_find(tail, '#');
	long long bits;

	if (hash == tail.n || hash == 0 || span_find(tail, ',') > hash ||
	    !span_number(span_from(tail, hash + 1), &bits))
		return 0;
	l->n -= tail.n - hash;
	return bits;
}

/* What older releases wrote behind the address: numbers and commas. */
static void
cut_old(struct span *l)
{
	struct span whole = *l, tail = last_word(&whole);

	for (size_t i = 0; i < tail.n; i++)
		if (strchr("0123456789,-", tail.p[i]) == NULL || tail.p[i] == '\0')
			return;
	if (tail.n > 0 && whole.n > 0)
		*l = span_trim(whole);
}

static int
recipient(struct reading *x, struct span l, struct err *e)
{
	struct span errors_to = {0}, orcpt = {0};
	long long bits = extensions(&l), n, flags = 0;
	struct buf decoded = {0};
	struct rcpt *r;

	if ((bits & HAS_ERRORS_TO) && !cut_counted(&l, &errors_to, &n))
		return damaged("a recipient's options", e);
	if ((bits & HAS_ORCPT) && !cut_counted(&l, &orcpt, &flags))
		return damaged("a recipient's options", e);
	if (bits == 0)
		cut_old(&l);
	if (l.n == 0)
		return damaged("a recipient without an address", e);
	r = envelope_read(&x->m->env, span_dup(l));
	r->notify = (unsigned)flags >> 1 & 15;
	if (orcpt.n > 0 && xtext_decode(&decoded, orcpt))
		r->orcpt = span_dup(buf_span(&decoded));
	buf_free(&decoded);
	r->done = is_done(x, r->address);
	if (errors_to.n > 0 && !r->done)
		x->m->only_mta = "another sender for one of its recipients "
		    "(errors_to)";
	return 0;
}

static int
recipients(struct reading *x, struct err *e)
{
	struct span l;
	long long n;

	if (!line(x, &l) || !span_number(l, &n) || n < 0 || n > ENVELOPE_RCPTS_MAX)
		return damaged("no number of recipients", e);
	for (; n > 0; n--)
		if (!line(x, &l))
			return damaged("recipients are missing", e);
		else if (recipient(x, l, e) < 0)
			return -1;
	return line(x, &l) && l.n == 0 ? 0 :
	    damaged("no empty line behind the recipients", e);
}

/* ---- the message's header ---- */

/* `203P Received: ...`: 1 and the next field with its LF; 0 the end; -1. */
static int
field(struct span *rest, char *flag, struct span *text)
{
	size_t digits = 0;
	long long n;

	if (rest->n == 0)
		return 0;
	while (digits < rest->n && isdigit((unsigned char)rest->p[digits]))
		digits++;
	if (digits < 3 || rest->n < digits + 2 ||
	    !span_number((struct span){ rest->p, digits }, &n) ||
	    (unsigned long long)n > rest->n - digits - 2)
		return -1;
	*flag = rest->p[digits];
	*text = (struct span){ rest->p + digits + 2, (size_t)n };
	*rest = span_from(*rest, digits + 2 + (size_t)n);
	return 1;
}

static int
headers(struct reading *x, struct err *e)
{
	struct span rest = x->rest, text;
	char flag;
	int r;

	x->h->headers = rest;
	while ((r = field(&rest, &flag, &text)) == 1)
		if (flag != '*')
			x->h->octets += (int64_t)text.n;
	return r == 0 ? 0 : damaged("the message's header", e);
}

void
exim_header_text(struct buf *b, const struct exim_header *h)
{
	struct span rest = h->headers, text;
	char flag;

	while (field(&rest, &flag, &text) == 1)
		if (flag != '*')
			buf_addspan(b, text);
}

/* ---- all of it ---- */

/* The first four lines. */
static int
beginning(struct reading *x, struct err *e)
{
	struct span l, when;
	long long n;

	if (!line(x, &l) || !span_starts(l, x->m->id) ||
	    !span_is(span_from(l, strlen(x->m->id)), "-H"))
		return damaged("it does not begin with its own name", e);
	if (!line(x, &l))
		return damaged("nobody submitted it", e);
	if (!line(x, &l) || l.n < 2 || l.p[0] != '<' || l.p[l.n - 1] != '>')
		return damaged("no sender", e);
	x->m->env.sender = span_dup((struct span){ l.p + 1, l.n - 2 });
	if (!line(x, &l) || !span_cut(&l, ' ', &when) || !span_number(when, &n))
		return damaged("no time of arrival", e);
	x->m->arrival = n;
	return 0;
}

static int
parse(struct reading *x, struct span journal_text, struct err *e)
{
	struct span l = {0};
	bool some;

	if (beginning(x, e) < 0)
		return -1;
	while ((some = line(x, &l)) && span_starts(l, "-"))
		if (option(x, l, e) < 0)
			return -1;
	if (!some)
		return damaged("it ends before its recipients", e);
	if (tree(x, l, e) < 0)
		return -1;
	journal(x, journal_text);
	if (x->done.n > 0)
		qsort(x->done.p, x->done.n, sizeof *x->done.p, by_text);
	return recipients(x, e) < 0 ? -1 : headers(x, e);
}

int
exim_parse(struct exim_header *h, struct span text, struct span journal_text,
    struct message *m, struct err *e)
{
	struct reading x = { .h = h, .m = m, .rest = text };
	int r;

	*h = (struct exim_header){0};
	r = parse(&x, journal_text, e);
	for (size_t i = 0; i < x.done.n; i++)
		free(x.done.p[i]);
	vec_free(&x.done);
	return r;
}
