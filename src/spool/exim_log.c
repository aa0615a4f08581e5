/*
 * Exim's log of one message: lines for people, `DATE TIME [ZONE] what happened`.
 * A delivery put off, one that failed (the message is frozen, or has just been
 * thawed: else the recipient would be done), and an address that has no route read
 *
 *	ADDRESS [<ORIGINAL>] [R=router] [T=transport] defer (errno)[:] why
 *	ADDRESS [<ORIGINAL>] [F=<sender>] R=router [T=transport] [H=host]: why
 *	routing failed for ADDRESS [F=<sender>]: why
 *
 * and are the only record of why a recipient waits, and of when it was tried.
 *
 * A line that begins with H= repeats what a remote host said, and `Received`
 * may end in a subject: neither is looked into, since whoever wrote these words
 * could put some into the mouth of Exim.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spool/exim.h"
#include "spool/status.h"
#include "wire/path.h"

enum kind { OTHER, WAITS, KEPT, TRIED };

struct event {
	enum kind kind;
	struct span one, original;	/* whom it is about, both as logged */
	struct span why;
};

/* What the log says of one recipient that is not done. */
struct waiter {
	struct rcpt *rcpt;
	struct span local, domain;
	struct span why;		/* the last reason */
	int64_t tries;			/* by its own line, or that of one child: */
	struct span one;
};

struct waiters { struct waiter *p; size_t n, room; };	/* a VEC, sorted */

/* ---- time ---- */

/* `2026-11-23 16:31:49[.802] [+0100] `: cut off into `stamp`; false: no such line. */
static bool
cut_stamp(struct span *l, struct span *stamp)
{
	static const char shape[] = "dddd-dd-dd dd:dd:dd";
	size_t n = sizeof shape - 1;

	if (l->n <= n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (shape[i] == 'd' ? l->p[i] < '0' || l->p[i] > '9' :
		    l->p[i] != shape[i])
			return false;
	n += span_find(span_from(*l, n), ' ');
	if (n + 6 < l->n && (l->p[n + 1] == '+' || l->p[n + 1] == '-') &&
	    l->p[n + 6] == ' ')
		n += 6;
	*stamp = (struct span){ l->p, n };
	*l = span_from(*l, n + 1);
	return true;
}

/* mktime() would look at the zone's file anew each time. */
int64_t
exim_wall_time(struct tm *tm)
{
	time_t utc = timegm(tm), t = utc;
	struct tm there;

	for (int i = 0; i < 2; i++)
		if (localtime_r(&t, &there) != NULL)
			t = utc - there.tm_gmtoff;
	return t;
}

/* Seconds since the epoch; 0: it is no time. */
static int64_t
stamp_time(struct span stamp)
{
	char *text = span_dup(stamp), *rest;
	struct tm tm = {0};
	int64_t t = 0;
	long zone;

	if ((rest = strptime(text, "%Y-%m-%d %H:%M:%S", &tm)) != NULL) {
		rest += strcspn(rest, "+-");
		zone = strtol(*rest != '\0' ? rest + 1 : rest, NULL, 10);
		zone = (zone / 100 * 60 + zone % 100) * 60;
		t = *rest == '\0' ? exim_wall_time(&tm) :
		    timegm(&tm) - (*rest == '-' ? -zone : zone);
	}
	free(text);
	return t > 0 ? t : 0;
}

/* ---- lines ---- */

/* Where `word` stands in `s`; its length when it does not. */
static size_t
find(struct span s, const char *word)
{
	const char *p = s.n > 0 ? memmem(s.p, s.n, word, strlen(word)) : NULL;

	return p != NULL ? (size_t)(p - s.p) : s.n;
}

/* What stands before the first ` F=`, ` P=`, ` Q=`, ` R=` or ` T=`, if any does. */
static struct span
before_marks(struct span s)
{
	for (size_t i = 0; i + 2 < s.n; i++) {
		if (s.p[i] != ' ' || s.p[i + 2] != '=' ||
		    strchr("FPQRT", s.p[i + 1]) == NULL || s.p[i + 1] == '\0')
			continue;
		if (strchr("QRT", s.p[i + 1]) != NULL ||
		    (i + 3 < s.n && s.p[i + 3] == '<'))
			s.n = i;
	}
	return s;
}

/* `ADDRESS <ORIGINAL>` or `ADDRESS`. */
static void
addresses(struct event *v, struct span s)
{
	size_t open = s.n;

	v->one = s;
	if (!span_ends(s, ">"))
		return;
	while (open > 0 && s.p[open - 1] != '<')
		open--;
	if (open < 2)
		return;
	v->original = (struct span){ s.p + open, s.n - open - 1 };
	v->one = span_trim((struct span){ s.p, open - 1 });
}

static struct span
without_end(struct span s, const char *end)
{
	if (span_ends(s, end))
		s.n -= strlen(end);
	return s;
}

/* Words of the router and the transport that stand before the reason. */
static struct span
reason(struct span s)
{
	while (s.n > 0) {
		if (*s.p == ':' || *s.p == ' ')
			s = span_from(s, 1);
		else if (s.n > 2 && s.p[1] == '=' && strchr("FPQRT", *s.p) != NULL &&
		    s.p[2] == '<')
			s = span_from(s, span_find(s, '>') + 1);
		else if ((s.n > 2 && s.p[1] == '=' && strchr("FPQRT", *s.p) != NULL) ||
		    span_starts(s, "DT="))
			s = span_from(s, span_find(s, ' ') + 1);
		else
			break;
	}
	return s;
}

bool
exim_is_queued(struct span why)
{
	return span_is(why, "domain is in queue_domains") ||
	    span_starts(why, "domain matches queue_smtp_domains") ||
	    span_starts(why, "first-pass only routing ");
}

bool
exim_is_held(struct span why)
{
	return span_is(why, "domain is held");
}

static void
put_off(struct event *v, struct span l, size_t defer)
{
	struct span who = before_marks((struct span){ l.p, defer });

	addresses(v, without_end(without_end(who, " routing"), " delivery"));
	v->why = span_from(l, defer + strlen(" defer ("));
	v->why = reason(span_from(v->why, span_find(v->why, ')') + 1));
	v->kind = exim_is_held(v->why) || exim_is_queued(v->why) ? KEPT :
	    span_starts(v->why, "retry time not reached") ? WAITS : TRIED;
}

static void
failed(struct event *v, struct span l)
{
	static const char routing[] = "routing failed for ";
	struct span who;

	if (span_starts(l, routing)) {
		l = span_from(l, sizeof routing - 1);
		who = before_marks(l);
		if (who.n == l.n)
			who.n = find(l, ": ");
	} else {
		who = before_marks(l);
		if (find(l, " R=") == l.n)
			return;
	}
	addresses(v, who);
	v->why = reason(span_from(l, who.n));
	v->kind = TRIED;
}

static struct event
parse(struct span l)
{
	struct event v = {0};
	size_t defer;

	if (span_starts(l, "H=") || span_starts(l, "Received "))
		return v;
	defer = find(l, " defer (");
	if (defer < l.n)
		put_off(&v, l, defer);
	else
		failed(&v, l);
	return v;
}

/* ---- recipients ---- */

static struct waiter
waiter_of(struct span address)
{
	size_t n = address.n;

	while (n > 0 && address.p[n - 1] != '@')
		n--;
	return (struct waiter){ .local = { address.p, n > 0 ? n - 1 : address.n },
	    .domain = span_from(address, n > 0 ? n : address.n) };
}

/* Local parts to the letter, domains in either case. */
static int
by_address(const void *x, const void *y)
{
	const struct waiter *a = x, *b = y;
	int r;

	if (a->local.n != b->local.n)
		return a->local.n < b->local.n ? -1 : 1;
	if (a->domain.n != b->domain.n)
		return a->domain.n < b->domain.n ? -1 : 1;
	if (a->local.n > 0 && (r = memcmp(a->local.p, b->local.p, a->local.n)) != 0)
		return r;
	return a->domain.n > 0 ?
	    strncasecmp(a->domain.p, b->domain.p, a->domain.n) : 0;
}

/* One for each that still waits. */
static void
find_waiting(struct waiters *all, struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		struct rcpt *r = &m->env.rcpts.p[i];

		if (r->done)
			continue;
		*vec_add(all) = waiter_of(span_of(r->address));
		all->p[all->n - 1].rcpt = r;
	}
	if (all->n > 1)
		qsort(all->p, all->n, sizeof *all->p, by_address);
}

/* The first of those with this address, which may be there more than once. */
static struct waiter *
look_up(const struct waiters *all, struct span address)
{
	struct waiter key = waiter_of(address);
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_address(&all->p[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < all->n && by_address(&all->p[low], &key) == 0 ?
	    &all->p[low] : NULL;
}

/* Was somebody tried? */
static bool
note(const struct waiters *all, const struct event *v)
{
	struct waiter *f = v->original.n > 0 ? look_up(all, v->original) : NULL;

	if (f == NULL)
		f = look_up(all, v->one);
	if (f == NULL)
		return false;
	if (v->kind != WAITS || f->why.n == 0)
		f->why = v->why;
	if (v->kind != TRIED)
		return false;
	if (f->tries == 0)
		f->one = v->one;
	f->tries += path_same(f->one, v->one);
	return true;
}

/* The reasons to where they belong; returns the most that one was tried. */
static int64_t
conclude(struct waiters *all)
{
	int64_t attempts = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct waiter *f = &all->p[i];

		if (i > 0 && by_address(f - 1, f) == 0)
			f->why = f[-1].why;
		if (f->why.n > 0) {
			f->rcpt->reason = span_dup(f->why);
			f->rcpt->status = status_in(f->rcpt->reason);
		}
		if (f->tries > attempts)
			attempts = f->tries;
	}
	return attempts;
}

/* ---- the message ---- */

/* `(delivery error message)`: why it was frozen. */
static void
add_frozen(struct message *m, struct span why)
{
	struct buf text = {0};

	if (m->note == NULL || why.n == 0)
		return;
	buf_addf(&text, "%s %.*s", m->note, (int)why.n, why.p);
	free(m->note);
	m->note = span_dup(buf_span(&text));
	buf_free(&text);
}

void
exim_log_read(struct message *m, struct span log, bool whole)
{
	static const char frozen[] = "*** Frozen ";
	struct waiters all = {0};
	struct span l, stamp, last = {0}, why = {0};
	int64_t attempts;
	bool any = false;

	find_waiting(&all, m);
	while (span_cut(&log, '\n', &l)) {
		struct event v;

		if (span_starts(l, frozen))
			why = span_from(l, sizeof frozen - 1);
		if (!cut_stamp(&l, &stamp))
			continue;
		any = true;
		v = parse(l);
		if (v.kind != OTHER && note(&all, &v))
			last = stamp;
	}
	attempts = conclude(&all);
	m->attempts = any && whole ? attempts : -1;
	m->last_attempt = last.n > 0 ? stamp_time(last) : 0;
	add_frozen(m, why);
	vec_free(&all);
}
