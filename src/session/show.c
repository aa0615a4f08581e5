#include "session/show.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"

static void
show(const struct session *s, const char *mark, struct span line)
{
	int64_t ms = clock_now() - s->began;
	struct buf b = {0};

	buf_addf(&b, "%3lld.%03d %s", (long long)(ms / 1000), (int)(ms % 1000),
	    mark);
	text_printable(&b, line);
	buf_addc(&b, '\n');
	fwrite(b.p, 1, b.n, stderr);
	buf_free(&b);
}

void
show_line(struct session *s, const char *mark, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!s->dial->verbose)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	show(s, mark, span_of(text));
}

/* `AUTH PLAIN ****`: no secret, and nothing that one could be made from. */
static struct span
mask(const struct session *s, struct span line, struct buf *room)
{
	struct span verb = {0}, mech = {0}, rest = line;

	if (s->step != STEP_AUTH)
		return line;
	span_cut(&rest, ' ', &verb);
	span_cut(&rest, ' ', &mech);
	if (span_is(line, "QUIT"))
		return line;
	if (!span_is(verb, "AUTH"))
		return SPAN("****");
	buf_addf(room, "AUTH %.*s%s", (int)mech.n, mech.p,
	    rest.n > 0 ? " ****" : "");
	return buf_span(room);
}

void
show_out(struct session *s)
{
	struct span rest = span_from(buf_span(&s->client.out), s->shown), line;
	const char *mark = s->line.tls != NULL ? " ~> " : " -> ";
	struct buf room = {0};

	s->shown = s->client.out.n;
	while (s->dial->verbose && span_cut(&rest, '\n', &line)) {
		buf_clear(&room);
		show(s, mark, mask(s, span_trim(line), &room));
	}
	buf_wipe(&room);
}

void
show_hide(struct session *s)
{
	s->shown = s->client.out.n;
}

static void
show_reply(struct session *s, struct span line)
{
	bool bad = line.n > 0 && line.p[0] >= '4';

	if (s->step == STEP_AUTH && span_starts(line, "334"))
		line = SPAN("334 ****");
	show(s, s->line.tls != NULL ? bad ? "<~* " : "<~  " :
	    bad ? "<** " : "<-  ", line);
}

void
show_heard(struct session *s, struct span in)
{
	if (!s->dial->verbose)
		return;
	for (; in.n > 0; in = span_from(in, 1)) {
		size_t n = span_find(in, '\n');

		buf_add(&s->text, in.p, n);
		if (n == in.n && s->text.n < REPLY_LINE_MAX)
			break;
		show_reply(s, span_trim(buf_take(&s->text)));
		in = span_from(in, n);
	}
}
