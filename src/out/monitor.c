#include "out/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/unit.h"

int
threshold_parse(struct threshold *t, const char *what, const char *text,
    struct err *e)
{
	struct span rest = span_of(text != NULL ? text : ""), word = {0};
	char *number;
	int r = 0;

	*t = (struct threshold){ -1, -1 };
	if (text == NULL)
		return 0;
	span_cut(&rest, ',', &word);
	number = span_dup(word);
	if (*number != '\0' || rest.n == 0)
		r = unit_count(what, number, &t->messages, e);
	free(number);
	if (r == 0 && rest.n > 0)
		r = unit_time(what, rest.p, &t->seconds, e);
	return r;
}

/* ---- a plug-in's line ---- */

/* What waits by itself; and what is held. */
struct counts {
	int64_t messages, octets, oldest, held;
};

static bool
is_held(const struct group *g)
{
	return span_ends(span_of(g->key), "\thold");
}

static struct counts
counts_of(const struct tally *t)
{
	struct counts c = {0};

	for (size_t i = 0; i < t->groups.n; i++) {
		const struct group *g = &t->groups.p[i];

		if (is_held(g)) {
			c.held += g->messages;
			continue;
		}
		c.messages += g->messages;
		c.octets += g->octets;
		if (g->oldest > 0 && (c.oldest == 0 || g->oldest < c.oldest))
			c.oldest = g->oldest;
	}
	return c;
}

static bool
reached(const struct threshold *t, const struct counts *c, int64_t age)
{
	return (t->messages >= 0 && c->messages >= t->messages) ||
	    (t->seconds >= 0 && c->messages > 0 && age >= t->seconds);
}

static void
put_limits(FILE *to, int64_t warn, int64_t critical)
{
	fputc(';', to);
	if (warn >= 0)
		fprintf(to, "%" PRId64, warn);
	fputc(';', to);
	if (critical >= 0)
		fprintf(to, "%" PRId64, critical);
	fputs(";0", to);
}

int
monitor_check(FILE *to, struct tally *t, const struct threshold *warn_at,
    const struct threshold *critical, const char *trouble)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
	struct counts c = counts_of(t);
	int64_t age = c.oldest > 0 && t->now > c.oldest ? t->now - c.oldest : 0;
	int status = reached(critical, &c, age) ? MONITOR_CRITICAL :
	    reached(warn_at, &c, age) ? MONITOR_WARNING : MONITOR_OK;
	struct buf b = {0}, safe = {0};

	/* what is known to be bad is not made better by what is not known */
	if (trouble != NULL && status != MONITOR_CRITICAL)
		status = MONITOR_UNKNOWN;
	fprintf(to, "QUEUE %s - %" PRId64 " message%s wait%s", names[status],
	    c.messages, c.messages == 1 ? "" : "s", c.messages == 1 ? "s" : "");
	if (c.messages > 0) {
		table_age(&b, age);
		fprintf(to, ", the oldest %s", buf_str(&b));
	}
	if (c.held > 0)
		fprintf(to, ", %" PRId64 " held", c.held);
	if (trouble != NULL) {
		text_printable(&safe, span_of(trouble));
		for (size_t i = 0; i < safe.n; i++)
			if (safe.p[i] == '|')	/* what follows one is figures */
				safe.p[i] = '/';
		fprintf(to, "; could not look: %s", buf_str(&safe));
	}
	fprintf(to, " | messages=%" PRId64, c.messages);
	put_limits(to, warn_at->messages, critical->messages);
	fprintf(to, " oldest=%" PRId64 "s", age);
	put_limits(to, warn_at->seconds, critical->seconds);
	fprintf(to, " size=%" PRId64 "B;;;0 held=%" PRId64 ";;;0\n", c.octets, c.held);
	buf_free(&b);
	buf_free(&safe);
	return status;
}

/* ---- Prometheus ---- */

static const char *const states[] = {
	"incoming", "active", "deferred", "hold", "maildrop", "corrupt", "done"
};

/*
 * A label's value: backslash, quote and line feed escaped; one octet that is no UTF-8
 * and all of the file is refused.
 */
static void
put_label(FILE *to, const char *name, struct span value)
{
	struct buf safe = {0};

	if (!text_is_utf8(value)) {
		text_printable(&safe, value);
		value = buf_span(&safe);
	}
	fprintf(to, "%s=\"", name);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\\' || value.p[i] == '"')
			fprintf(to, "\\%c", value.p[i]);
		else if (value.p[i] == '\n')
			fputs("\\n", to);
		else
			fputc(value.p[i], to);
	}
	fputc('"', to);
	buf_free(&safe);
}

static void
put_queue(FILE *to, const char *name, const struct monitored *q, const char *state)
{
	fprintf(to, "%s{", name);
	put_label(to, "mta", span_of(q->mta));
	fputc(',', to);
	put_label(to, "spool", span_of(q->spool));
	if (state != NULL) {
		fputc(',', to);
		put_label(to, "state", span_of(state));
	}
}

static const struct group *
group_of(struct tally *t, const struct monitored *q, const char *state)
{
	struct buf key = {0};
	const struct group *g;

	buf_addf(&key, "%s\t%s\t%s", q->mta, q->spool, state);
	g = tally_group(t, buf_span(&key));
	buf_free(&key);
	return g;
}

enum figure { MESSAGES, RECIPIENTS, OCTETS, OLDEST };

static int64_t
figure_of(const struct group *g, enum figure f)
{
	return f == MESSAGES ? g->messages : f == RECIPIENTS ? g->rcpts :
	    f == OCTETS ? g->octets : g->oldest;
}

static void
put_gauge(FILE *to, struct tally *t, const struct monitored *queues, size_t n,
    const char *name, const char *help, enum figure f)
{
	fprintf(to, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; queues[i].up && k < sizeof states / sizeof *states;
		    k++) {
			const struct group *g = group_of(t, &queues[i], states[k]);

			/* of an empty queue nothing is the oldest */
			if (f == OLDEST && g->oldest == 0)
				continue;
			put_queue(to, name, &queues[i], states[k]);
			fprintf(to, "} %" PRId64 "\n", figure_of(g, f));
		}
	}
}

/* Ages of one queue's messages, all states together, as a histogram. */
static void
put_histogram(FILE *to, struct tally *t, const struct monitored *queues, size_t n)
{
	static const char name[] = "tidegate_queue_age_seconds_bucket";

	fprintf(to, "# HELP %s Messages that have been waiting no longer than that.\n"
	    "# TYPE %s gauge\n", name, name);
	for (size_t i = 0; i < n; i++) {
		int64_t so_far = 0;

		for (size_t k = 0; queues[i].up && k < TALLY_AGES; k++) {
			for (size_t j = 0; j < sizeof states / sizeof *states; j++)
				so_far += group_of(t, &queues[i], states[j])->ages[k];
			put_queue(to, name, &queues[i], NULL);
			if (tally_minutes(k) > 0)
				fprintf(to, ",le=\"%" PRId64 "\"} %" PRId64 "\n",
				    tally_minutes(k) * 60, so_far);
			else
				fprintf(to, ",le=\"+Inf\"} %" PRId64 "\n", so_far);
		}
	}
}

void
monitor_prometheus(FILE *to, struct tally *t, const struct monitored *queues,
    size_t n, double seconds)
{
	static const char up[] = "tidegate_queue_up";

	fprintf(to, "# HELP %s Could the queue be looked at?\n# TYPE %s gauge\n", up, up);
	for (size_t i = 0; i < n; i++) {
		put_queue(to, up, &queues[i], NULL);
		fprintf(to, "} %d\n", queues[i].up);
	}
	put_gauge(to, t, queues, n, "tidegate_queue_messages",
	    "Messages that wait.", MESSAGES);
	put_gauge(to, t, queues, n, "tidegate_queue_recipients",
	    "Recipients that they wait for.", RECIPIENTS);
	put_gauge(to, t, queues, n, "tidegate_queue_size_bytes",
	    "Their size, as the MTA counts it.", OCTETS);
	put_gauge(to, t, queues, n, "tidegate_queue_oldest_timestamp_seconds",
	    "When the oldest of them arrived.", OLDEST);
	put_histogram(to, t, queues, n);
	fprintf(to, "# HELP tidegate_queue_scrape_duration_seconds How long looking "
	    "took.\n# TYPE tidegate_queue_scrape_duration_seconds gauge\n"
	    "tidegate_queue_scrape_duration_seconds %.6f\n", seconds);
}

/* ---- a file that is replaced whole ---- */

static int
write_all(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			s = span_from(s, (size_t)n);
	}
	return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -1 : 0;
}

int
monitor_replace(const char *path, struct span text, struct err *e)
{
	struct buf temp = {0};
	struct stat st;
	int fd, r = 0;

	/* a rename would put a file in the place of /dev/null */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, FAULT_IO, "%s: is no file: not replaced", path);
	buf_addf(&temp, "%s.XXXXXX", path);
	fd = mkostemp(buf_str(&temp), O_CLOEXEC);
	if (fd < 0) {
		r = err_sys(e, "make a file beside %s", path);
		buf_free(&temp);
		return r;
	}
	if (write_all(fd, text) < 0)
		r = err_sys(e, "write %s", temp.p);
	if (close(fd) < 0 && r == 0)
		r = err_sys(e, "write %s", temp.p);
	if (r == 0 && rename(temp.p, path) < 0)
		r = err_sys(e, "rename %s to %s", temp.p, path);
	if (r < 0) {
		unlink(temp.p);
	}
	buf_free(&temp);
	return r;
}
