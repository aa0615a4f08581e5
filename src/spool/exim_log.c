/*
 * Exim's log of one message: lines for people, `DATE TIME [ZONE] what happened`.
 * A delivery put off reads
 *
 *	ADDRESS [<ORIGINAL>] R=router T=transport defer (errno): why
 *
 * and is the only record of why a recipient waits, and of when it was tried.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spool/exim.h"
#include "spool/status.h"
#include "wire/path.h"

/* `2026-11-23 16:31:49[.802] [+0100] `: cut off; its time, or 0. */
static int64_t
cut_time(struct span *l)
{
	struct span rest = *l, day, hour, zone;
	struct tm tm = { .tm_isdst = -1 };
	struct buf text = {0};
	long offset;
	char *end;
	time_t t;

	if (!span_cut(&rest, ' ', &day) || !span_cut(&rest, ' ', &hour))
		return 0;
	buf_addspan(&text, day);
	buf_addc(&text, ' ');
	buf_addspan(&text, hour);
	end = strptime(buf_str(&text), "%Y-%m-%d %H:%M:%S", &tm);
	buf_free(&text);
	if (end == NULL)
		return 0;
	*l = rest;
	if (rest.n < 6 || (*rest.p != '+' && *rest.p != '-') || rest.p[5] != ' ') {
		t = mktime(&tm);
		return t > 0 ? t : 0;
	}
	span_cut(&rest, ' ', &zone);
	offset = strtol(zone.p + 1, NULL, 10);
	offset = (offset / 100 * 60 + offset % 100) * 60;
	*l = rest;
	return timegm(&tm) - (*zone.p == '-' ? -offset : offset);
}

/* Where `word` stands in `s`; its length when it does not. */
static size_t
find(struct span s, const char *word)
{
	const char *p = s.n > 0 ? memmem(s.p, s.n, word, strlen(word)) : NULL;

	return p != NULL ? (size_t)(p - s.p) : s.n;
}

/* `ADDRESS <ORIGINAL>` or `ADDRESS`: both, as the log spells them. */
static void
addresses(struct span s, struct span *one, struct span *original)
{
	size_t open = s.n;

	*one = s;
	*original = (struct span){0};
	if (!span_ends(s, ">"))
		return;
	while (open > 0 && s.p[open - 1] != '<')
		open--;
	if (open < 2)
		return;
	*original = (struct span){ s.p + open, s.n - open - 1 };
	*one = span_trim((struct span){ s.p, open - 1 });
}

static void
set(char **to, struct span from)
{
	free(*to);
	*to = span_dup(from);
}

/* What stands in front of ` Q=`, ` R=`, ` T=` or ` defer (`, whichever comes first. */
static struct span
front(struct span l, size_t defer)
{
	static const char *const marks[] = { " Q=", " R=", " T=" };
	size_t n = defer;

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		size_t at = find(l, marks[i]);

		if (at < n)
			n = at;
	}
	return (struct span){ l.p, n };
}

/* A line of a delivery put off: the recipients it is about learn why. */
static bool
put_off(struct message *m, struct span l)
{
	size_t defer = find(l, " defer (");
	struct span why, one, original;
	bool any = false;

	if (defer == l.n)
		return false;
	why = span_from(l, defer + 8);
	why = span_from(why, span_find(why, ')') + 1);
	while (why.n > 0 && (*why.p == ':' || *why.p == ' '))
		why = span_from(why, 1);
	addresses(front(l, defer), &one, &original);
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		struct rcpt *r = &m->env.rcpts.p[i];

		if (r->done || (!path_same(span_of(r->address), one) &&
		    !path_same(span_of(r->address), original)))
			continue;
		any = true;
		set(&r->reason, why);
		free(r->status);
		r->status = status_in(r->reason);
	}
	return any;
}

void
exim_log_read(struct message *m, struct span log)
{
	struct span l;
	int64_t when, last = 0, runs = 0;
	bool tried = false;

	while (span_cut(&log, '\n', &l)) {
		if ((when = cut_time(&l)) == 0)
			continue;
		if (span_starts(l, "Received from ") && !tried)
			m->attempts = 0;
		if (!put_off(m, l))
			continue;
		/* the recipients of one run stand within a few seconds */
		if (!tried || when > last + 5)
			runs++;
		tried = true;
		last = when;
	}
	if (tried) {
		m->last_attempt = last;
		m->attempts = runs;
	}
}
