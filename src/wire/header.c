#include "wire/header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/domain.h"

void
words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->p[i]);
	vec_free(w);
}

/* RFC 5322 section 3.6.8; blanks before the colon are section 4.5's. */
static struct span
name_of(struct span line)
{
	size_t n = 0, colon;

	while (n < line.n && line.p[n] > 0x20 && line.p[n] < 0x7f &&
	    line.p[n] != ':')
		n++;
	colon = n;
	while (colon < line.n && (line.p[colon] == ' ' || line.p[colon] == '\t'))
		colon++;
	if (colon == line.n || line.p[colon] != ':')
		n = 0;
	return (struct span){ line.p, n };
}

size_t
header_field(struct span header, struct span *name)
{
	struct span rest = header, line;

	*name = (struct span){ header.p, 0 };
	if (span_starts(header, "\n") || span_starts(header, "\r\n") ||
	    !span_cut(&rest, '\n', &line))
		return 0;
	*name = name_of(line);
	while (rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t'))
		span_cut(&rest, '\n', &line);
	return header.n - rest.n;
}

/* What RFC 5322 section 3.6.6 allows once in a block. */
static const struct {
	const char *name;
	bool rcpt;
} resent[] = {
	{ "Resent-To", true },
	{ "Resent-Cc", true },
	{ "Resent-Bcc", true },
	{ "Resent-From", false },
	{ "Resent-Sender", false },
	{ "Resent-Reply-To", false },
	{ "Resent-Date", false },
	{ "Resent-Message-ID", false },
};

/* Blocks stand one behind the other, the newest first. */
struct block {
	unsigned seen;		/* bits of resent[] */
	unsigned last;		/* the bit of the field before this one */
	bool rcpts;
};

/*
 * Does the field belong to the first block that names recipients?  A block ends
 * where another field stands or one of its own comes again; the same one twice
 * in a row is a list that somebody wrote on two lines.
 */
static bool
block_has(struct block *b, struct span name, bool *rcpt)
{
	unsigned bit = 0;

	*rcpt = false;
	for (size_t i = 0; i < sizeof resent / sizeof *resent; i++) {
		if (span_ieq(name, span_of(resent[i].name))) {
			bit = 1U << i;
			*rcpt = resent[i].rcpt;
		}
	}
	if (!(name.n > 7 && strncasecmp(name.p, "Resent-", 7) == 0) ||
	    ((b->seen & bit) != 0 && bit != b->last)) {
		if (b->rcpts)
			return false;
		b->seen = 0;
	}
	b->seen |= bit;
	b->last = bit;
	b->rcpts |= *rcpt;
	return true;
}

static bool
is_destination(struct span name)
{
	return span_ieq(name, SPAN("To")) || span_ieq(name, SPAN("Cc")) ||
	    span_ieq(name, SPAN("Bcc"));
}

/* Is there a Resent- recipient field?  -1 when the header is too long. */
static int
survey(struct span header, struct err *e)
{
	struct span rest = header, name;
	bool rcpt, any = false;
	size_t n;

	while ((n = header_field(rest, &name)) > 0) {
		struct block b = {0};

		block_has(&b, name, &rcpt);
		any |= rcpt;
		rest = span_from(rest, n);
		if (header.n - rest.n > HEADER_OCTETS_MAX)
			return err_set(e, FAULT_DATA,
			    "header: over %d octets", HEADER_OCTETS_MAX);
	}
	return any;
}

struct entry {
	struct span local, domain;
	size_t at;
};

static int
by_octets(struct span a, struct span b, int (*compare)(const char *,
    const char *, size_t))
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n > 0 ? compare(a.p, b.p, a.n) : 0;
}

static int
same_octets(const char *a, const char *b, size_t n)
{
	return memcmp(a, b, n);
}

/* As path_same() sees it. */
static int
by_mailbox(const struct entry *x, const struct entry *y)
{
	int order = by_octets(x->domain, y->domain, strncasecmp);

	return order != 0 ? order : by_octets(x->local, y->local, same_octets);
}

static int
by_mailbox_and_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = by_mailbox(x, y);

	return order != 0 ? order : x->at < y->at ? -1 : 1;
}

/* Drops from `first` on what stands further up; sorted, for there may be many. */
static void
each_once(struct words *w, size_t first)
{
	struct entry *all = must(calloc(w->n + 1, sizeof *all));
	size_t kept = first;

	for (size_t i = 0; i < w->n; i++) {
		struct span whole = span_of(w->p[i]);

		all[i].domain = domain_of(whole);
		all[i].local = (struct span){ whole.p,
		    whole.n - all[i].domain.n };
		all[i].at = i;
	}
	qsort(all, w->n, sizeof *all, by_mailbox_and_place);
	for (size_t i = 1, head = 0; i < w->n; i++) {
		if (by_mailbox(&all[head], &all[i]) != 0)
			head = i;
		else if (all[i].at >= first) {
			free(w->p[all[i].at]);
			w->p[all[i].at] = NULL;
		}
	}
	free(all);
	for (size_t i = first; i < w->n; i++)
		if (w->p[i] != NULL)
			w->p[kept++] = w->p[i];
	w->n = kept;
}

int
header_recipients(struct words *w, struct span header, struct err *e)
{
	int again = survey(header, e);
	struct block block = {0};
	size_t first = w->n, n;
	struct span name;
	bool rcpt;

	if (again < 0)
		return -1;
	for (; (n = header_field(header, &name)) > 0;
	    header = span_from(header, n)) {
		struct span body = { header.p, n };

		if (again == 0)
			rcpt = is_destination(name);
		else if (!block_has(&block, name, &rcpt))
			break;
		if (!rcpt)
			continue;
		body = span_from(body, span_find(body, ':') + 1);
		if (header_addresses(w, body, e) < 0)
			return err_in(e, "%.*s", (int)name.n, name.p);
	}
	each_once(w, first);
	return 0;
}
