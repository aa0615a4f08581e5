#include "session/sizes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "out/fit.h"
#include "out/report.h"
#include "session/bounce.h"
#include "wire/header.h"

#define FILE_OCTETS_MAX (16 << 20)

static int64_t
lower(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

int64_t
sizes_limit(const struct sizes *s, const char *address)
{
	return lower(lower(s->max, s->announced),
	    limits_of(&s->by, address != NULL ? address : ""));
}

int
sizes_read(struct sizes *s, const char *path, struct err *e)
{
	struct buf text = {0};
	FILE *f = fopen(path, "re");
	int r = 0;

	if (f == NULL)
		return err_sys(e, "--limits: open %s", path);
	while (!feof(f) && !ferror(f) && text.n <= FILE_OCTETS_MAX)
		text.n += fread(buf_room(&text, BUFSIZ), 1, BUFSIZ, f);
	if (ferror(f))
		r = err_sys(e, "--limits: read %s", path);
	else if (text.n > FILE_OCTETS_MAX)
		r = err_set(e, FAULT_CONFIG, "%s: too long", path);
	else
		r = limits_parse(&s->by, path, buf_span(&text), e);
	fclose(f);
	buf_free(&text);
	return r;
}

int
sizes_ask(struct sizes *s, const struct servers *v, const struct dial *dial,
    struct err *e)
{
	for (size_t i = 0; i < v->n; i++) {
		struct servers one = { &v->p[i], 1, 1 };
		struct session session = {0};

		if (session_open(&session, &one, dial, e) < 0)
			return -1;
		s->announced = lower(s->announced, session.client.server.size);
		session_close(&session);
	}
	return 0;
}

/* ---- the report ---- */

/* All of it is counted; REPORT_WHOLE_MAX and a piece is kept. */
static int
read_text(struct body *b, struct buf *text, int64_t *size, struct err *e)
{
	struct span piece;
	int r;

	while ((r = b->next(b, &piece, e)) > 0) {
		*size += (int64_t)piece.n;
		if (text->n <= REPORT_WHOLE_MAX)
			buf_addspan(text, piece);
	}
	return r;
}

/* `no`, with a comment or parameters, says that a person wrote it. */
static bool
is_automatic(struct span header)
{
	struct span name, value;
	size_t n;

	for (; (n = header_field(header, &name)) > 0; header = span_from(header, n)) {
		if (!span_ieq(name, SPAN("Auto-Submitted")))
			continue;
		value = (struct span){ header.p, n };
		value = span_trim(span_from(value, span_find(value, ':') + 1));
		for (n = 0; n < value.n && strchr(" \t\r\n;(", value.p[n]) == NULL;)
			n++;
		value.n = n;
		return !span_ieq(value, SPAN("no"));
	}
	return false;
}

static void
add_failing(struct failings *v, size_t rcpt, int64_t size, int64_t limit)
{
	struct result r = { .status = (char *)(uintptr_t)"5.3.4" };
	struct buf text = {0};

	buf_addf(&text, "the message has %" PRId64 " octets; the limit is %" PRId64,
	    size, limit);
	r.text = buf_str(&text);
	failings_add(v, rcpt, &r, 0);
	buf_free(&text);
}

int
sizes_report(const struct sizes *s, const struct envelope *env, struct body *b,
    struct buf *out, struct err *e)
{
	struct message m = { .arrival = time(NULL), .env = *env };
	struct failings over = {0};
	struct buf text = {0};
	int64_t size = 0;
	int r = read_text(b, &text, &size, e);

	for (size_t i = 0; r == 0 && i < env->rcpts.n; i++) {
		int64_t limit = sizes_limit(s, env->rcpts.p[i].address);

		if (fit_over(size, limit))
			add_failing(&over, i, size, limit);
	}
	if (over.n > 0 && !is_automatic(buf_span(&text)))
		bounce_compose(out, &m, &over, buf_span(&text));
	if (r == 0)
		r = over.n > 0;
	failings_free(&over);
	buf_free(&text);
	return r;
}
