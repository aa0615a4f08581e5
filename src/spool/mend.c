#include "spool/mend.h"

#include <stdlib.h>

/* A blind copy's field is dropped from its name to the end of its lines. */
#define BLANKS_MAX 998		/* before its colon (RFC 5322 section 4.5) */

struct no_bcc {
	struct body inner;
	struct buf start;	/* of a line: may become such a field */
	enum { AT_START, IN_LINE, IN_BODY } at;
	bool drop;		/* the field under way */
	bool cr;		/* the line ended in a CR: an LF belongs to it */
};

enum match { NO, MAYBE, YES };

/* Could it be the front of `Bcc:`? */
static enum match
match(struct span start, const char *name)
{
	struct span s = span_of(name);
	size_t n = start.n < s.n ? start.n : s.n;

	if (!span_ieq((struct span){ start.p, n }, (struct span){ s.p, n }))
		return NO;
	for (size_t i = s.n; i < start.n; i++) {
		if (start.p[i] == ':')
			return YES;
		if (start.p[i] != ' ' && start.p[i] != '\t')
			return NO;
	}
	return start.n > s.n + BLANKS_MAX ? YES : MAYBE;
}

static enum match
is_bcc(struct span start)
{
	enum match plain = match(start, "Bcc"),
	    resent = match(start, "Resent-Bcc");

	return plain > resent ? plain : resent;
}

/* The line's first octets are known; what is no such field goes out. */
static void
decide(struct no_bcc *m, bool drop, struct buf *out)
{
	m->at = IN_LINE;
	m->drop = drop;
	if (!drop)
		buf_addspan(out, buf_span(&m->start));
	buf_clear(&m->start);
}

/* A CR alone ends a line too: whoever makes it a CRLF must not reveal one. */
static void
end_line(struct no_bcc *m, char c, struct buf *out)
{
	if (m->at == AT_START && m->start.n == 0) {
		m->at = IN_BODY;
		m->drop = false;
	} else {
		if (m->at == AT_START)
			decide(m, false, out);
		m->at = AT_START;
	}
	m->cr = c == '\r';
	if (!m->drop)
		buf_addc(out, c);
}

static void
header_octet(struct no_bcc *m, char c, struct buf *out)
{
	bool lf = m->cr && c == '\n';
	enum match is;

	if (c == '\0')
		return;			/* it could hide one */
	m->cr = false;
	if (lf || m->at == IN_BODY) {
		if (!m->drop)
			buf_addc(out, c);
	} else if (c == '\r' || c == '\n') {
		end_line(m, c, out);
	} else if (m->at == IN_LINE ||
	    (m->start.n == 0 && (c == ' ' || c == '\t'))) {
		m->at = IN_LINE;	/* it goes on as it began */
		if (!m->drop)
			buf_addc(out, c);
	} else {
		buf_addc(&m->start, c);
		is = is_bcc(buf_span(&m->start));
		if (is != MAYBE)
			decide(m, is == YES, out);
	}
}

static int
no_bcc_next(struct body *b, struct span *piece, struct err *e)
{
	struct no_bcc *m = b->own;
	int r;

	buf_clear(&b->out);
	do {
		if ((r = m->inner.next(&m->inner, piece, e)) < 0)
			return -1;
		if (r > 0 && m->at == IN_BODY && !m->cr)
			return 1;
		for (size_t i = 0; r > 0 && i < piece->n; i++) {
			if (m->at == IN_BODY && !m->cr) {
				buf_addspan(&b->out, span_from(*piece, i));
				break;
			}
			header_octet(m, piece->p[i], &b->out);
		}
	} while (r > 0 && b->out.n == 0);
	if (r == 0 && m->at == AT_START && m->start.n > 0)
		decide(m, false, &b->out);
	*piece = buf_span(&b->out);
	return b->out.n > 0;
}

static int
no_bcc_rewind(struct body *b, struct err *e)
{
	struct no_bcc *m = b->own;

	buf_clear(&m->start);
	m->at = AT_START;
	m->drop = m->cr = false;
	return m->inner.rewind(&m->inner, e);
}

static void
no_bcc_close(struct body *b)
{
	struct no_bcc *m = b->own;

	body_close(&m->inner);
	buf_free(&m->start);
	buf_free(&b->out);
	free(m);
	*b = (struct body){0};
}

void
mend_no_bcc(struct body *b, struct body *inner)
{
	struct no_bcc *m = must(calloc(1, sizeof *m));

	m->inner = *inner;
	*inner = (struct body){0};
	*b = (struct body){
		.next = no_bcc_next, .rewind = no_bcc_rewind,
		.close = no_bcc_close, .fd = -1, .last = -1, .own = m,
	};
}
