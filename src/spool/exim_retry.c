/*
 * When Exim tries again, by its hints database, which exim_dumpdb prints: two lines for
 * each address, domain or host that failed,
 *
 *	  KEY ERRNO MORE TEXT
 *	FIRST  LAST  NEXT [*]
 *
 * with times like `26-Nov-2026 18:25:29', by the clock on the wall.  Keys are R:DOMAIN,
 * R:ADDRESS, R:ADDRESS:<SENDER> (a recipient that was refused for now), T:ADDRESS (local
 * delivery) and T:HOST:IP[:PORT[:ID]].
 *
 * A domain or an address that waits is not routed before its time, whatever its hosts; of
 * several hosts one that may be tried is enough.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "spool/exim.h"

/* Never; what cannot be reached has no host that may be tried. */
#define NEVER INT64_MAX

/* ---- records ---- */

/* Letters in either case. */
static int
compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n > 0 ? strncasecmp(a.p, b.p, n) : 0;

	return r != 0 ? r : a.n < b.n ? -1 : a.n > b.n;
}

static int
by_key(const void *x, const void *y)
{
	const struct exim_retry *a = x, *b = y;

	return compare(a->key, b->key);
}

/* `26-Nov-2026 18:25:29': cut off; 0: it is no time. */
static int64_t
cut_time(struct span *l)
{
	static const size_t length = sizeof "26-Nov-2026 18:25:29" - 1;
	struct span t = span_trim(*l);
	struct tm tm = {0};
	char *text, *end;
	int64_t when = 0;

	if (t.n < length)
		return 0;
	*l = span_from(t, length);
	t.n = length;
	text = span_dup(t);
	end = strptime(text, "%d-%b-%Y %H:%M:%S", &tm);
	if (end != NULL && *end == '\0')
		when = exim_wall_time(&tm);
	free(text);
	return when;
}

static bool
is_number(struct span s)
{
	long long n;

	return span_number(span_from(s, span_starts(s, "-")), &n);
}

/* A quoted local part may have blanks: what ends the key are two numbers. */
static struct span
key_of(struct span l)
{
	struct span rest = l, word, one, two;

	while (span_cut(&rest, ' ', &word)) {
		struct span after = rest;

		if (span_cut(&after, ' ', &one) && is_number(one) &&
		    span_cut(&after, ' ', &two) && is_number(two))
			return (struct span){ l.p, (size_t)(rest.p - l.p) - 1 };
	}
	return (struct span){0};
}

void
exim_retries_read(struct exim_retries *all)
{
	struct span rest = buf_span(&all->text), l;
	struct exim_retry r = {0};

	while (span_cut(&rest, '\n', &l)) {
		if (span_starts(l, "  R:") || span_starts(l, "  T:")) {
			r.key = key_of(span_from(l, 2));
			continue;
		}
		r.first = cut_time(&l);
		if (r.key.n > 0 && r.first > 0 && cut_time(&l) > 0 &&
		    (r.next = cut_time(&l)) > 0)
			*vec_add(all) = r;
		r.key.n = 0;
	}
	if (all->n > 1)
		qsort(all->p, all->n, sizeof *all->p, by_key);
}

void
exim_retries_free(struct exim_retries *all)
{
	buf_free(&all->text);
	vec_free(all);
}

/* The first that is not before this key. */
static size_t
at_or_behind(const struct exim_retries *all, struct span key)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(all->p[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct exim_retry *
look_up(const struct exim_retries *all, struct span key)
{
	size_t i = at_or_behind(all, key);

	return i < all->n && compare(all->p[i].key, key) == 0 ? &all->p[i] : NULL;
}

/* ---- an address ---- */

/* What is known of the one that is looked at: not before `next', failing since `since'. */
struct wait { int64_t next, since; };

static void
must_wait(struct wait *w, const struct exim_retry *r)
{
	if (r == NULL)
		return;
	if (r->next > w->next)
		w->next = r->next;
	if (r->first < w->since)
		w->since = r->first;
}

static void
by_name(const struct exim_retries *all, struct span address, const char *sender,
    struct wait *w)
{
	size_t at = address.n;
	struct buf key = {0};

	buf_addf(&key, "R:%.*s", (int)address.n, address.p);
	must_wait(w, look_up(all, buf_span(&key)));
	buf_addf(&key, ":<%s>", sender);
	must_wait(w, look_up(all, buf_span(&key)));
	buf_clear(&key);
	buf_addf(&key, "T:%.*s", (int)address.n, address.p);
	must_wait(w, look_up(all, buf_span(&key)));
	while (at > 0 && address.p[at - 1] != '@')
		at--;
	if (at > 0) {
		buf_clear(&key);
		buf_addf(&key, "R:%.*s", (int)(address.n - at), address.p + at);
		must_wait(w, look_up(all, buf_span(&key)));
	}
	buf_free(&key);
}

/* `:25' or `:25:ID', of this message, behind the host's own key. */
static bool
is_of(struct span rest, const char *id)
{
	struct span port;

	if (rest.n == 0)
		return true;
	if (*rest.p != ':')
		return false;
	rest = span_from(rest, 1);
	span_cut(&rest, ':', &port);
	return is_number(port) && (rest.n == 0 || span_is(rest, id));
}

/* `  host NAME [IP] ...': when it may be tried; `since' where it is known to fail. */
static struct wait
by_host(const struct exim_retries *all, struct span name, struct span ip,
    const char *id)
{
	struct wait w = { 0, NEVER };
	struct buf key = {0};
	size_t n;

	buf_addf(&key, "T:%.*s:%.*s", (int)name.n, name.p, (int)ip.n, ip.p);
	n = key.n;
	for (size_t i = at_or_behind(all, buf_span(&key)); i < all->n; i++) {
		struct span k = all->p[i].key;

		if (k.n < n || compare((struct span){ k.p, n }, buf_span(&key)) != 0)
			break;
		if (is_of(span_from(k, n), id))
			must_wait(&w, &all->p[i]);
	}
	buf_free(&key);
	return w;
}

/* `host NAME [IP]'. */
static bool
is_host(struct span l, struct span *name, struct span *ip)
{
	l = span_trim(l);
	if (!span_starts(l, "host "))
		return false;
	l = span_trim(span_from(l, strlen("host ")));
	span_cut(&l, ' ', name);
	l = span_from(l, span_find(l, '[') + 1);
	*ip = (struct span){ l.p, span_find(l, ']') };
	return name->n > 0 && ip->n < l.n;
}

/* One address of several that `exim -bt' ended at, and its hosts. */
struct end {
	struct span address;
	bool hosts;
	int64_t soonest, since;	/* of its hosts */
};

static void
finish(const struct exim_retries *all, const struct end *at, const char *sender,
    struct wait *best)
{
	struct wait w = { 0, NEVER };

	if (at->address.n == 0)
		return;
	by_name(all, at->address, sender, &w);
	if (at->hosts && at->soonest > w.next)
		w.next = at->soonest;
	if (at->hosts && at->since < w.since)
		w.since = at->since;
	if (w.next < best->next)
		*best = w;
}

/* `ADDRESS', or `ADDRESS cannot be resolved at this time: ...' of the one asked for. */
static struct span
address_of(struct span l, const char *asked)
{
	size_t n = strlen(asked);

	if (l.n > n && l.p[n] == ' ' && strncasecmp(l.p, asked, n) == 0)
		l.n = n;
	return span_trim(l);
}

int64_t
exim_retry_at(const struct exim_retries *all, const struct exim_asked *a,
    const char *id, int64_t *since)
{
	struct span rest = buf_span(&a->said), l, name, ip;
	struct wait best = { NEVER, NEVER };
	struct end at = {0};

	while (span_cut(&rest, '\n', &l)) {
		if (l.n > 0 && *l.p != ' ') {
			finish(all, &at, a->sender, &best);
			at = (struct end){ address_of(l, a->address), false,
			    NEVER, 0 };
		} else if (is_host(l, &name, &ip)) {
			struct wait w = by_host(all, name, ip, id);

			at.hosts = true;
			if (w.next < at.soonest)
				at.soonest = w.next;
			/* while one of them works none has failed for long */
			if (w.since > at.since)
				at.since = w.since;
		}
	}
	finish(all, &at, a->sender, &best);
	if (best.since < *since)
		*since = best.since;
	return best.next == NEVER ? 0 : best.next;
}

void
exim_said_where(struct span said, struct span *host, struct span *domain)
{
	struct span l, ip;

	*host = *domain = (struct span){0};
	while (host->n == 0 && span_cut(&said, '\n', &l)) {
		size_t at = l.n;

		if (l.n > 0 && *l.p != ' ') {
			l.n = span_find(l, ' ');
			for (at = l.n; at > 0 && l.p[at - 1] != '@';)
				at--;
			*domain = at > 0 ? span_from(l, at) : (struct span){0};
		} else if (!is_host(l, host, &ip)) {
			host->n = 0;
		}
	}
}

/* ---- a retry rule ---- */

/* `1w2d', `4h30m'. */
static int64_t
seconds_of(struct span t)
{
	static const struct { char unit; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 },
	};
	int64_t all = 0;

	while (t.n > 0) {
		size_t digits = 0, u = 0;
		long long n;

		while (digits < t.n && isdigit((unsigned char)t.p[digits]))
			digits++;
		if (digits == t.n || digits > 9 ||
		    !span_number((struct span){ t.p, digits }, &n))
			return -1;
		while (u < 5 && units[u].unit != t.p[digits])
			u++;
		if (u == 5)
			return -1;
		all += n * units[u].seconds;
		t = span_from(t, digits + 1);
	}
	return all > 0 ? all : -1;
}

int64_t
exim_retry_life(struct span said)
{
	struct span rule, piece, last = {0}, word;

	said.n = span_find(said, '\n');
	if (!span_starts(said, "Retry rule: "))
		return -1;
	rule = said;
	while (span_cut(&rule, ';', &piece))
		if (span_trim(piece).n > 0)
			last = span_trim(piece);
	/* the first piece stands behind a pattern and an error */
	while (span_find(last, ' ') < last.n)
		last = span_from(last, span_find(last, ' ') + 1);
	if (last.n < 2 || strchr("FGH", *last.p) == NULL || last.p[1] != ',')
		return -1;
	last = span_from(last, 2);
	span_cut(&last, ',', &word);
	return seconds_of(word);
}
