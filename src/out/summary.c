#include "out/summary.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "out/json.h"

#define TOP 8			/* domains on the one screen */
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

static void
put_ages(FILE *to, const struct group *g)
{
	static const char *const names[TALLY_AGES] = {
		"5 minutes", "10", "20", "40", "80", "160", "320", "640", "1280",
		"older"
	};
	int64_t most = 0;

	for (size_t i = 0; i < TALLY_AGES; i++)
		most = g->ages[i] > most ? g->ages[i] : most;
	for (size_t i = 0; i < TALLY_AGES; i++) {
		if (g->ages[i] == 0)
			continue;
		fprintf(to, "%s%-10s %9" PRId64 " ", i + 1 < TALLY_AGES ? "up to " :
		    "      ", names[i], g->ages[i]);
		put_bar(to, g->ages[i], most, BAR);
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

static void
put_queues(FILE *to, struct tally *t)
{
	struct buf a = {0}, s = {0};

	fprintf(to, "\n%9s %7s %6s  QUEUE\n", "MESSAGES", "SIZE", "OLDEST");
	for (size_t i = 0; i < t->groups.n; i++) {
		const struct group *g = &t->groups.p[i];
		struct span rest = span_of(g->key), mta, spool = {0};

		span_cut(&rest, '\t', &mta);
		span_cut(&rest, '\t', &spool);
		fprintf(to, "%9" PRId64 " %7s %6s  %.*s (%.*s %.*s)\n", g->messages,
		    size(&s, g->octets), age(&a, t, g->oldest), (int)rest.n, rest.p,
		    (int)mta.n, mta.p, (int)spool.n, spool.p);
	}
	buf_free(&a);
	buf_free(&s);
}

static void
put_domains(FILE *to, struct tally *t, size_t width)
{
	struct buf a = {0};
	size_t n = t->groups.n < TOP ? t->groups.n : TOP;

	fprintf(to, "\nRECIPIENTS OLDEST  DOMAIN                    A REASON\n");
	for (size_t i = 0; i < n; i++) {
		const struct group *g = &t->groups.p[i];
		struct buf name = {0};

		text_printable(&name, span_of(g->key));
		fprintf(to, "%10" PRId64 " %6s  %-25s ", g->rcpts,
		    age(&a, t, g->oldest), buf_str(&name));
		if (g->example != NULL)
			put_text(to, g->example, width > 45 ? width - 45 : 0);
		else
			fputc('-', to);
		fputc('\n', to);
		buf_free(&name);
	}
	if (t->groups.n > n)
		fprintf(to, "and %zu more domains (--summary-by=domain)\n",
		    t->groups.n - n);
	buf_free(&a);
}

void
summary_print(FILE *to, struct tally *queues, struct tally *domains, size_t width)
{
	tally_sort(queues);
	tally_sort(domains);
	put_totals(to, queues);
	if (queues->all.messages == 0)
		return;
	put_queues(to, queues);
	fprintf(to, "\nAGE\n");
	put_ages(to, &queues->all);
	put_domains(to, domains, width > 0 ? width : 0);
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
		fprintf(to, "%32s %7" PRId64, buf_str(&name),
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
		put_ages(to, &t->all);
	else if (t->by == BY_REASON)
		put_reasons(to, t, width);
	else if (t->by == BY_QUEUE)
		put_queues(to, t);
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
