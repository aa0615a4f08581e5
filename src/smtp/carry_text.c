/* The text as it stands behind DATA, on its way. */
#include "smtp/carry_own.h"

/*
 * It ends.  To far in its own dress: the dots stay doubled; what goes in chunks is
 * undressed.
 */
static void
text_ends(struct carry *c, struct carry_near *n)
{
	n->in_what = CARRY_COMMAND;
	if (n->lmtp) {
		carry_lmtp_text(c, n, true);
		return;
	}
	buf_adds(&c->to_far, ".\r\n");
	carry_owe(c, DUE_END, n);
	n->open = false;
}

/* A dot that begins a line, and the one before it. */
static const char *
dot(bool bare)
{
	return bare ? "." : "..";
}

/* An octet where a line begins, or after a CR or dot that was kept back. */
static void
octet(struct carry *c, struct carry_near *n, struct buf *b, bool bare, char ch)
{
	if (n->at == AT_CR && ch != '\n') {
		buf_adds(b, "\r\n");
		n->at = AT_BARE_START;
	} else if (n->at == AT_DOT_CR && ch != '\n') {
		buf_adds(b, dot(bare));
		buf_adds(b, "\r\n");
		n->at = AT_BARE_START;
	}
	if (n->at == AT_DOT_CR) {
		text_ends(c, n);
		return;
	}
	if (n->at == AT_DOT && ch == '\r') {
		n->at = AT_DOT_CR;
		return;
	}
	if (n->at == AT_DOT && ch == '\n')
		buf_adds(b, dot(bare));
	else if (n->at == AT_DOT && !bare)
		buf_addc(b, '.');
	if (ch == '\r') {
		n->at = AT_CR;
	} else if (ch == '\n') {
		buf_adds(b, "\r\n");
		n->at = n->at == AT_CR ? AT_START : AT_BARE_START;
	} else if (ch == '.' && n->at == AT_START) {
		n->at = AT_DOT;
	} else {
		if (ch == '.' && n->at == AT_BARE_START && !bare)
			buf_addc(b, '.');
		buf_addc(b, ch);
		n->at = AT_WITHIN;
	}
}

size_t
carry_take_text(struct carry *c, struct carry_near *n, struct span s)
{
	bool bare = carry_in_chunks(c, n);
	struct buf *b = bare ? &n->chunk : &c->to_far;
	size_t i = 0;

	s.n = s.n < CARRY_HELD ? s.n : CARRY_HELD;
	while (i < s.n && n->in_what == CARRY_TEXT) {
		struct span rest = span_from(s, i);
		size_t plain = 0;

		if (n->at == AT_WITHIN) {
			plain = span_find(rest, '\n');
			plain = span_find((struct span){ rest.p, plain }, '\r');
			buf_add(b, rest.p, plain);
		}
		i += plain;
		if (plain < rest.n) {
			octet(c, n, b, bare, s.p[i]);
			i++;
		}
	}
	if (bare && n->in_what == CARRY_TEXT)
		carry_lmtp_text(c, n, false);
	return i;
}
