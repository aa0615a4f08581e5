#include "out/summary.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "out/json.h"
#include "out/table.h"

#define SCREEN 23		/* lines that a terminal has beside the next prompt */
#define QUEUES 4		/* of them */
#define AGES 5
#define BAR 40

static const char *const by_name[] = {
	[BY_QUEUE] = "queue", [BY_DOMAIN] = "domain", [BY_SENDER] = "sender",
	[BY_AGE] = "age", [BY_REASON] = "reason",
};

/* Foreign text, printable, cut to so many octets of it. */
static void
put_text(FILE *to, const char *text, size_t most)
{
	struct buf b = {0};
	size_t n;

	text_printable(&b, span_of(text));
	n = b.n > most && most > 0 ? most : b.n;
	while (n > 0 && n < b.n && ((unsigned char)b.p[n] & 0xc0) == 0x80)
		n--;
	fwrite(b.p, 1, n, to);
	buf_free(&b);
}

static const char *
age(struct buf *b, const struct tally *t, int64_t arrival)
{
	buf_clear(b);
	if (arrival == 0)
		buf_addc(b, '-');
	else
		table_age(b, t->now > arrival ? t->now - arrival : 0);
	return buf_str(b);
}

static const char *
size(struct buf *b, int64_t octets)
{
	buf_clear(b);
	table_size(b, octets);
	return buf_str(b);
}

static void
put_bar(FILE *to, int64_t n, int64_t most, int width)
{
	int length = most > 0 ? (int)(n * width / most) : 0;

	if (n > 0 && length == 0)
		length = 1;
	for (int i = 0; i < length; i++)
		fputc('#', to);
}

/* The rows of ages from `i` on that are shown as one. */
static int64_t
ages_of(const struct group *g, size_t i, size_t step)
{
	int64_t n = 0;

	for (size_t k = i; k < i + step; k++)
		n += g->ages[k];
	return n;
}

static size_t
ages_rows(const struct group *g, size_t step)
{
	size_t rows = 0;

	for (size_t i = 0; i < TALLY_AGES; i += step)
		rows += ages_of(g, i, step) > 0;
	return rows;
}

/* Every span of age, or two as one. */
static void
put_ages(FILE *to, const struct group *g, size_t step)
{
	static const char *const names[TALLY_AGES] = {
		"5", "10", "20", "40", "80", "160", "320", "640", "1280", "older"
	};
	int64_t most = 0;

	for (size_t i = 0; i < TALLY_AGES; i += step)
		most = ages_of(g, i, step) > most ? ages_of(g, i, step) : most;
	for (size_t i = 0; i < TALLY_AGES; i += step) {
		int64_t n = ages_of(g, i, step);
		bool last = i + step == TALLY_AGES;

		if (n == 0)
			continue;
		fprintf(to, "%s%s%*s %9" PRId64 " ", last ? "      " : "up to ",
		    names[i + step - 1],
		    (int)strlen(names[i + step - 1]) - 10,
		    i == 0 ? " minutes" : "", n);
		put_bar(to, n, most, BAR);
		fputc('\n', to);
	}
}

static void
put_totals(FILE *to, const struct tally *t)
{
	struct buf b = {0};
	const struct group *g = &t->all;

	fprintf(to, "%" PRId64 " message%s for %" PRId64 " recipient%s, %s",
	    g->messages, g->messages == 1 ? "" : "s", g->rcpts,
	    g->rcpts == 1 ? "" : "s", size(&b, g->octets));
	if (g->messages > 0)
		fprintf(to, ", the oldest %s", age(&b, t, g->oldest));
	fputc('\n', to);
	buf_free(&b);
}

/* deferred (postfix /var/spool/postfix) */
static const char *
queue_name(struct buf *b, const struct group *g)
{
	struct span rest = span_of(g->key), mta, spool = {0};

	span_cut(&rest, '\t', &mta);
	span_cut(&rest, '\t', &spool);
	buf_clear(b);
	buf_addf(b, "%.*s (%.*s %.*s)", (int)rest.n, rest.p, (int)mta.n, mta.p,
	    (int)spool.n, spool.p);
	return buf_str(b);
}

/* The first `most` of them, and a line that tells of more. */
static void
put_queues(FILE *to, struct tally *t, size_t most, size_t width)
{
	static const struct column columns[] = {
		{ "MESSAGES", 10, true, true }, { "SIZE", 7, true, true },
		{ "OLDEST", 6, true, true }, { "QUEUE", 80, false, false },
	};
	struct table table = { .columns = columns, .n = 4, .width = width };
	struct buf count = {0}, a = {0}, s = {0}, name = {0};

	fputc('\n', to);
	if (t->groups.n == most + 1)
		most++;			/* it has the line that would tell of it */
	for (size_t i = 0; i < t->groups.n && i < most; i++) {
		const struct group *g = &t->groups.p[i];

		buf_clear(&count);
		buf_addf(&count, "%" PRId64, g->messages);
		table_row(&table, (struct span[]){ buf_span(&count),
		    span_of(size(&s, g->octets)), span_of(age(&a, t, g->oldest)),
		    span_of(queue_name(&name, g)) }, to);
	}
	table_end(&table, to);
	if (t->groups.n > most)
		fprintf(to, "and %zu more queues\n", t->groups.n - most);
	buf_free(&count);
	buf_free(&a);
	buf_free(&s);
	buf_free(&name);
}

static bool
is_refusal(struct span s)
{
	return s.n > 3 && (s.p[0] == '4' || s.p[0] == '5') &&
	    strspn(s.p, "0123456789") == 3 && (s.p[3] == ' ' || s.p[3] == '-');
}

/*
 * A reason for a narrow column: what the server said if one did, else the words of
 * the MTA without hosts and addresses, which stand first and are long.
 */
static void
add_reason(struct buf *b, const char *reason)
{
	for (const char *p = reason; p != NULL; p = strchr(p, ' ')) {
		p += *p == ' ';
		if (is_refusal(span_of(p))) {
			buf_adds(b, p);
			return;
		}
	}
	tally_reason(b, span_of(reason));
}

static void
put_domains(FILE *to, struct tally *t, size_t most, size_t width)
{
	static const struct column columns[] = {
		{ "RECIPIENTS", 10, true, true }, { "OLDEST", 6, true, true },
		{ "DOMAIN", 25, false, false }, { "A REASON", 80, false, false },
	};
	struct table table = { .columns = columns, .n = 4, .width = width };
	struct buf count = {0}, a = {0}, why = {0};

	fputc('\n', to);
	if (t->groups.n == most + 1)
		most++;			/* it has the line that would tell of it */
	for (size_t i = 0; i < t->groups.n && i < most; i++) {
		const struct group *g = &t->groups.p[i];

		buf_clear(&count);
		buf_addf(&count, "%" PRId64, g->rcpts);
		buf_clear(&why);
		if (g->example != NULL && width > 0)
			add_reason(&why, g->example);
		else
			buf_adds(&why, g->example != NULL ? g->example : "-");
		table_row(&table, (struct span[]){ buf_span(&count),
		    span_of(age(&a, t, g->oldest)), span_of(g->key),
		    buf_span(&why) }, to);
	}
	table_end(&table, to);
	if (t->groups.n > most)
		fprintf(to, "and %zu more domains (--summary-by=domain)\n",
		    t->groups.n - most);
	buf_free(&count);
	buf_free(&a);
	buf_free(&why);
}

/*
 * Domains get what queues and ages leave of the screen: at least five lines.
 */
void
summary_print(FILE *to, struct tally *queues, struct tally *domains, size_t width)
{
	size_t step, rows = SCREEN - 8;		/* titles, blank lines, totals */

	tally_sort(queues);
	tally_sort(domains);
	put_totals(to, queues);
	if (queues->all.messages == 0)
		return;
	put_queues(to, queues, QUEUES, width);
	rows -= queues->groups.n > QUEUES ? QUEUES + 1 : queues->groups.n;
	step = ages_rows(&queues->all, 1) > AGES ? 2 : 1;
	fprintf(to, "\nAGE\n");
	put_ages(to, &queues->all, step);
	rows -= ages_rows(&queues->all, step);
	put_domains(to, domains, rows, width);
}

/* qshape(1)'s table: a column a span of age, in minutes. */
static void
put_shape(FILE *to, struct tally *t)
{
	fprintf(to, "%32s %7s", "", "T");
	for (size_t i = 0; i < TALLY_AGES; i++)
		if (tally_minutes(i) > 0)
			fprintf(to, " %5" PRId64, tally_minutes(i));
		else
			fprintf(to, " 1280+\n");
	for (size_t i = 0; i < t->groups.n; i++) {
		const struct group *g = &t->groups.p[i];
		struct buf name = {0};

		text_printable(&name, span_of(g->key));
		/* printf() counts octets, not columns */
		fprintf(to, "%*s %7" PRId64, (int)(32 + name.n -
		    text_width(buf_span(&name))), buf_str(&name),
		    t->by == BY_SENDER ? g->messages : g->rcpts);
		for (size_t k = 0; k < TALLY_AGES; k++)
			fprintf(to, " %5" PRId64, g->ages[k]);
		fputc('\n', to);
		buf_free(&name);
	}
}

static void
put_reasons(FILE *to, struct tally *t, size_t width)
{
	struct buf a = {0};

	fprintf(to, "RECIPIENTS OLDEST  REASON\n");
	for (size_t i = 0; i < t->groups.n; i++) {
		const struct group *g = &t->groups.p[i];

		fprintf(to, "%10" PRId64 " %6s  ", g->rcpts, age(&a, t, g->oldest));
		put_text(to, g->example != NULL ? g->example : g->key,
		    width > 20 ? width - 20 : 0);
		fputc('\n', to);
	}
	buf_free(&a);
}

void
summary_by(FILE *to, struct tally *t, size_t width)
{
	tally_sort(t);
	if (t->by == BY_AGE)
		put_ages(to, &t->all, 1);
	else if (t->by == BY_REASON)
		put_reasons(to, t, width);
	else if (t->by == BY_QUEUE)
		put_queues(to, t, t->groups.n, width);
	else
		put_shape(to, t);
}

static void
json_group(struct buf *b, const struct tally *t, const struct group *g)
{
	json_open(b, NULL, '{');
	if (t->by == BY_QUEUE && g->key != NULL) {
		struct span rest = span_of(g->key), one = {0};

		span_cut(&rest, '\t', &one);
		json_string(b, "mta", one);
		span_cut(&rest, '\t', &one);
		json_string(b, "spool", one);
		json_string(b, "queue_name", rest);
	} else if (g->key != NULL) {
		json_string(b, by_name[t->by], span_of(g->key));
	}
	json_number(b, "messages", g->messages);
	json_number(b, "recipients", g->rcpts);
	json_number(b, "size", g->octets);
	if (g->oldest > 0)
		json_number(b, "oldest", g->oldest);
	json_open(b, "ages", '[');
	for (size_t i = 0; i < TALLY_AGES; i++)
		json_number(b, NULL, g->ages[i]);
	json_close(b, ']');
	if (g->example != NULL)
		json_string(b, "example", span_of(g->example));
	json_close(b, '}');
}

void
summary_json(FILE *to, struct tally *t, char end)
{
	struct buf b = {0};

	tally_sort(t);
	for (size_t i = 0; i < t->groups.n; i++) {
		json_group(&b, t, &t->groups.p[i]);
		buf_addc(&b, end);
	}
	if (t->by == BY_AGE) {
		json_group(&b, t, &t->all);
		buf_addc(&b, end);
	}
	fwrite(b.p, 1, b.n, to);
	buf_free(&b);
}
