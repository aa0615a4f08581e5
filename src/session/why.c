#include "session/why.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/vec.h"

#define WIDTH 78
#define INDENT 4
#define RCPTS_SHOWN 10
#define ROUTES_MAX 200		/* addresses asked for in one run */

/* What an MTA said of an address in mail from this sender; asked once. */
static struct asked {
	const char *dir;		/* the spool's own: tells it from others */
	const char *only_mta;
	char *address, *sender, *route;
} asked[ROUTES_MAX];
static size_t asked_n;

/* ---- text ---- */

/* Foreign words made printable, broken at blanks, INDENT columns in. */
static void
put_words(FILE *to, struct span text, size_t indent)
{
	struct buf safe = {0};
	struct span rest, word;
	size_t column = 0;

	text_printable(&safe, text);
	rest = buf_span(&safe);
	while (span_cut(&rest, ' ', &word)) {
		if (word.n == 0)
			continue;
		if (column > 0 && column + 1 + word.n > WIDTH) {
			fputc('\n', to);
			column = 0;
		}
		if (column == 0)
			column = (size_t)fprintf(to, "%*s", (int)indent, "");
		else
			column += (size_t)fprintf(to, " ");
		fwrite(word.p, 1, word.n, to);
		column += word.n;
	}
	fputc('\n', to);
	buf_free(&safe);
}

/* `3h ago`, `in 5m`. */
static void
add_when(struct buf *b, int64_t when, int64_t now)
{
	int64_t away = when > now ? when - now : now - when;
	int64_t n = away < 120 ? away : away < 7200 ? away / 60 :
	    away < 172800 ? away / 3600 : away / 86400;
	char unit = away < 120 ? 's' : away < 7200 ? 'm' : away < 172800 ? 'h' : 'd';

	if (when > now)
		buf_addf(b, "in %" PRId64 "%c", n, unit);
	else
		buf_addf(b, "%" PRId64 "%c ago", n, unit);
}

static void
add_time(struct buf *b, int64_t when, int64_t now)
{
	time_t t = (time_t)when;
	char text[32];
	struct tm tm;

	add_when(b, when, now);
	if (localtime_r(&t, &tm) != NULL &&
	    strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm) > 0)
		buf_addf(b, " (%s)", text);
}

/* ---- the parts ---- */

static void
put_head(FILE *to, const struct spool *s, const struct message *m, int64_t now)
{
	struct buf b = {0};

	buf_addf(&b, "%s is in %s (%s, %s%s), from %s, %" PRId64 " octets, came ",
	    m->id, state_name(m->state), s->kind->name, s->dir,
	    s->live ? "" : ", a queue that no MTA of this host works on",
	    m->env.sender != NULL && *m->env.sender != '\0' ? m->env.sender : "<>",
	    m->size);
	add_time(&b, m->arrival, now);
	put_words(to, buf_span(&b), 0);
	buf_free(&b);
}

static const char *
sender_of(const struct message *m)
{
	return m->env.sender != NULL ? m->env.sender : "";
}

static struct asked *
find_asked(const struct spool *s, const struct message *m, const char *address)
{
	for (size_t i = 0; i < asked_n; i++)
		if (asked[i].dir == s->dir && asked[i].only_mta == m->only_mta &&
		    strcmp(asked[i].address, address) == 0 &&
		    strcmp(asked[i].sender, sender_of(m)) == 0)
			return &asked[i];
	return NULL;
}

/* Where the MTA would send it; NULL: it cannot be asked, or does not say. */
static const char *
route_of(struct spool *s, const struct message *m, const char *address,
    struct err *e)
{
	struct asked *a = find_asked(s, m, address);
	struct buf b = {0};

	if (a != NULL)
		return a->route;
	if (!s->live || s->kind->route == NULL || asked_n == ROUTES_MAX)
		return NULL;
	a = &asked[asked_n++];
	*a = (struct asked){
		.dir = s->dir, .only_mta = m->only_mta,
		.address = span_dup(span_of(address)),
		.sender = span_dup(span_of(sender_of(m))),
	};
	if (s->kind->route(s, m, address, &b, e) == 1)
		a->route = span_dup(buf_span(&b));
	buf_free(&b);
	return a->route;
}

/* Do they wait for the same reason? */
static bool
is_like(const struct rcpt *a, const struct rcpt *b)
{
	const char *x = a->reason != NULL ? a->reason : "";
	const char *y = b->reason != NULL ? b->reason : "";

	return strcmp(x, y) == 0;
}

/* What is said of the message is what is said of one of these. */
static bool
is_a_reason(const struct message *m)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		if (r->selected && r->reason != NULL && strcmp(r->reason, m->note) == 0)
			return true;
	}
	return false;
}

static void
put_rcpt(FILE *to, struct spool *s, const struct message *m,
    const struct rcpt *r, bool like_last, struct err *e)
{
	struct buf b = {0};
	const char *route = route_of(s, m, r->address, e);

	buf_adds(&b, r->address);
	if (r->reason != NULL || m->state == STATE_DEFERRED)
		buf_addf(&b, ": %s", like_last ? "the same" : r->reason != NULL ?
		    r->reason : "no reason was noted");
	put_words(to, buf_span(&b), INDENT);
	buf_clear(&b);
	if (route != NULL) {
		buf_addf(&b, "goes by %s", route);
		put_words(to, buf_span(&b), 2 * INDENT);
	}
	buf_free(&b);
}

static void
put_rcpts(FILE *to, struct spool *s, const struct message *m, struct err *e)
{
	const struct rcpt *last = NULL;
	size_t shown = 0, left = 0, done = 0;

	for (size_t i = 0; i < m->env.rcpts.n; i++) {
		const struct rcpt *r = &m->env.rcpts.p[i];

		done += r->done;
		if (!r->selected)
			continue;
		if (shown++ < RCPTS_SHOWN)
			put_rcpt(to, s, m, r, last != NULL && is_like(r, last), e);
		else
			left++;
		last = r;
	}
	if (left > 0)
		fprintf(to, "%*sand %zu more recipient%s\n", INDENT, "", left,
		    left == 1 ? "" : "s");
	if (done > 0)
		fprintf(to, "%*s%zu recipient%s done\n", INDENT, "", done,
		    done == 1 ? " is" : "s are");
}

static void
put_times(FILE *to, const struct message *m, const struct outlook *o, int64_t now)
{
	int64_t next = m->next_attempt > 0 ? m->next_attempt : o->next_attempt;
	int64_t last = m->last_attempt > 0 ? m->last_attempt : o->last_attempt;
	struct buf b = {0};

	if (m->attempts > 0)
		buf_addf(&b, "tried %" PRId64 " time%s", m->attempts,
		    m->attempts == 1 ? "" : "s");
	else if (m->attempts == 0)
		buf_adds(&b, "never tried");
	if (last > 0 && m->attempts != 0) {
		buf_addf(&b, "%slast %s", b.n > 0 ? ", " : "",
		    m->attempts < 0 ? "tried " : "");
		add_time(&b, last, now);
	}
	if (next > 0) {
		buf_addf(&b, "%snext ", b.n > 0 ? ", " : "");
		if (next > now)
			add_time(&b, next, now);
		else
			buf_adds(&b, "is due");
	}
	if (o->expires > 0) {
		buf_addf(&b, "%sis given up ", b.n > 0 ? ", " : "");
		if (o->expires > now)
			add_time(&b, o->expires, now);
		else
			buf_adds(&b, "when the next try fails");
	}
	if (b.n > 0)
		put_words(to, buf_span(&b), INDENT);
	buf_free(&b);
}

static void
put_commands(FILE *to, const struct outlook *o)
{
	struct span rest = buf_span(&o->commands), line;
	bool first = true;

	while (span_cut(&rest, '\n', &line)) {
		struct buf safe = {0};

		text_printable(&safe, line);
		fprintf(to, "%*s%s %s\n", INDENT, "", first ? "now:" : "or: ",
		    buf_str(&safe));
		buf_free(&safe);
		first = false;
	}
}

int
why_message(FILE *to, struct spool *s, const struct message *m, int64_t now,
    struct err *e)
{
	struct outlook o = {0};
	struct buf note = {0};

	put_head(to, s, m, now);
	if (m->note != NULL && !is_a_reason(m)) {
		buf_addf(&note, "note: %s", m->note);
		put_words(to, buf_span(&note), INDENT);
		buf_free(&note);
	}
	put_rcpts(to, s, m, e);
	if (s->live && s->kind->outlook != NULL)
		s->kind->outlook(s, m, &o, e);
	put_times(to, m, &o, now);
	if (o.down)
		put_words(to, SPAN("No MTA is running that would deliver from this "
		    "queue."), INDENT);
	if (o.holder.n > 0)
		put_words(to, buf_span(&o.holder), INDENT);
	put_commands(to, &o);
	outlook_free(&o);
	return e->fault == FAULT_NONE ? 0 : -1;
}

void
why_nothing(FILE *to, const char *const *wanted)
{
	struct buf b = {0};

	buf_adds(&b, "no mail");
	for (size_t i = 0; wanted != NULL && wanted[i] != NULL; i++)
		buf_addf(&b, "%s %s", i == 0 ? " for" : ",", wanted[i]);
	buf_adds(&b, " in any queue");
	put_words(to, buf_span(&b), 0);
	buf_free(&b);
}
