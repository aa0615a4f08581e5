#include "wire/recode.h"

#define WIDTH 76	/* RFC 2045 section 6.7 (5) and section 6.8 */

static void
qp_escape(struct recode *r, char c, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_addc(out, '=');
	buf_addc(out, hex[(unsigned char)c >> 4]);
	buf_addc(out, hex[c & 15]);
	r->column += 3;
}

/* Room for `n` columns and for the `=` of a line that goes on. */
static void
qp_room(struct recode *r, size_t n, struct buf *out)
{
	if (r->column + n > WIDTH - 1) {
		buf_adds(out, "=\r\n");
		r->column = 0;
	}
}

static bool
qp_plain(const struct recode *r, char c)
{
	if (c == '=')
		return r->kind == RECODE_QP_AGAIN;
	return (c >= ' ' && c <= '~') || c == '\t';
}

/*
 * What is quoted already stays: an escape is never torn, for there is room for
 * all of it when its `=` comes.  A dash that begins a line because the line was
 * broken here could make it a boundary.
 */
static void
qp_octet(struct recode *r, char c, struct buf *out)
{
	qp_room(r, c == '=' || !qp_plain(r, c) ? 3 : 1, out);
	if (!qp_plain(r, c) || (c == '-' && r->column == 0)) {
		qp_escape(r, c, out);
	} else {
		buf_addc(out, c);
		r->column++;
	}
}

/* A blank passes as it is unless the line ends: section 6.7 (3). */
static void
qp_held(struct recode *r, char next, struct buf *out)
{
	char c = r->held;

	r->held = '\0';
	if (c == '-' && next != '-') {
		buf_addc(out, c);
		r->column++;
	} else if (c != '\0' && c != '-' && next == '\n') {
		qp_room(r, 3, out);
		qp_escape(r, c, out);
	} else if (c != '\0') {
		qp_octet(r, c, out);
	}
}

static void
qp_text(struct recode *r, struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool blank = c == ' ' || c == '\t';

		qp_held(r, c, out);
		if ((blank && r->kind == RECODE_QP) ||
		    (c == '-' && r->column == 0))
			r->held = c;
		else
			qp_octet(r, c, out);
	}
}

static void
base64_letter(struct recode *r, char c, struct buf *out)
{
	if (r->column == WIDTH) {
		buf_adds(out, "\r\n");
		r->column = 0;
	}
	buf_addc(out, c);
	r->column++;
}

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
base64_octet(struct recode *r, char c, struct buf *out)
{
	r->bits = r->bits << 8 | (unsigned char)c;
	if (++r->n < 3)
		return;
	for (int shift = 18; shift >= 0; shift -= 6)
		base64_letter(r, letters[r->bits >> shift & 63], out);
	r->bits = r->n = 0;
}

static void
base64_end(struct recode *r, struct buf *out)
{
	unsigned bits = r->bits << (r->n == 1 ? 16 : 8);

	if (r->n == 0)
		return;
	base64_letter(r, letters[bits >> 18 & 63], out);
	base64_letter(r, letters[bits >> 12 & 63], out);
	base64_letter(r, r->n == 2 ? letters[bits >> 6 & 63] : '=', out);
	base64_letter(r, '=', out);
	r->bits = r->n = 0;
}

static bool
is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

void
recode_text(struct recode *r, struct span s, struct buf *out)
{
	if (r->kind == RECODE_QP || r->kind == RECODE_QP_AGAIN) {
		qp_text(r, s, out);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (r->kind == RECODE_BASE64)
			base64_octet(r, s.p[i], out);
		else if (is_base64(s.p[i]))	/* the rest: section 6.8 */
			base64_letter(r, s.p[i], out);
	}
}

void
recode_line(struct recode *r, struct buf *out)
{
	if (r->kind == RECODE_BASE64) {
		base64_octet(r, '\r', out);
		base64_octet(r, '\n', out);
	} else if (r->kind != RECODE_BASE64_AGAIN) {
		qp_held(r, '\n', out);
		buf_adds(out, "\r\n");
		r->column = 0;
	}
}

void
recode_end(struct recode *r, struct buf *out)
{
	if (r->kind == RECODE_BASE64)
		base64_end(r, out);
	else if (r->kind != RECODE_BASE64_AGAIN)
		qp_held(r, '\n', out);
}
