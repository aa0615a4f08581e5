#include "wire/reply.h"

#include <string.h>

#define WORDS_MAX 512

static int
code_of(struct span line)
{
	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' ||
	    line.p[1] < '0' || line.p[1] > '9' ||
	    line.p[2] < '0' || line.p[2] > '9')
		return -1;
	return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 +
	    (line.p[2] - '0');
}

/* RFC 3463 section 2: class.subject.detail; trusted if the class agrees. */
static void
find_status(struct reply *r)
{
	struct span s = buf_span(&r->text), part;
	size_t n = 0;
	long long v;

	r->status[0] = '\0';
	while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '.'))
		n++;
	if (n < 5 || n >= sizeof r->status || s.p[0] - '0' != r->code / 100 ||
	    s.p[1] != '.' || s.p[n - 1] == '.' ||
	    (n < s.n && s.p[n] != ' ' && s.p[n] != '\n'))
		return;
	s.n = n;
	for (int i = 0; i < 3; i++)
		if (!span_cut(&s, '.', &part) || !span_number(part, &v) ||
		    v > 999)
			return;
	if (s.n > 0)
		return;
	memcpy(r->status, r->text.p, n);
	r->status[n] = '\0';
}

/* One line: 1 the last, 0 more follow, -1. */
static int
take_line(struct reply *r, struct span line, struct err *e)
{
	int code;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if ((code = code_of(line)) < 0 ||
	    (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
		return err_set(e, FAULT_PROTO, "not a reply: `%.*s'",
		    (int)(line.n < 80 ? line.n : 80), line.p);
	if (r->code != 0 && r->code != code)
		return err_set(e, FAULT_PROTO,
		    "reply changes its mind from %d to %d", r->code, code);
	if (r->code != 0)
		buf_addc(&r->text, '\n');
	r->code = code;
	buf_addspan(&r->text, span_from(line, 4));
	return line.n == 3 || line.p[3] == ' ';
}

ssize_t
reply_parse(struct reply *r, struct span in, struct err *e)
{
	struct span rest = in, line;
	int lines = 0, last;

	buf_clear(&r->text);
	r->code = 0;
	while (rest.n > 0) {
		size_t end = span_find(rest, '\n');

		if (end + 1 > REPLY_LINE_MAX)
			return err_set(e, FAULT_PROTO,
			    "a reply line of over %d octets", REPLY_LINE_MAX);
		if ((size_t)(rest.p - in.p) + end > REPLY_MAX ||
		    lines++ == REPLY_LINES_MAX)
			return err_set(e, FAULT_PROTO,
			    "a reply of over %d octets or %d lines",
			    REPLY_MAX, REPLY_LINES_MAX);
		if (end == rest.n)
			break;
		line = (struct span){ rest.p, end };
		rest = span_from(rest, end + 1);
		if ((last = take_line(r, line, e)) < 0)
			return -1;
		if (last) {
			find_status(r);
			return rest.p - in.p;
		}
	}
	r->code = 0;
	return 0;
}

void
reply_words(struct buf *b, const struct reply *r)
{
	size_t from = b->n;

	buf_addf(b, "%03d", r->code);
	if (r->text.n > 0) {
		buf_addc(b, ' ');
		buf_addspan(b, buf_span(&r->text));
	}
	for (size_t i = from; i < b->n; i++)
		if (b->p[i] == '\n' || b->p[i] == '\t' || b->p[i] == '\0')
			b->p[i] = ' ';
	if (b->n > from + WORDS_MAX)
		b->n = from + WORDS_MAX;
}

void
reply_free(struct reply *r)
{
	buf_free(&r->text);
	*r = (struct reply){0};
}
