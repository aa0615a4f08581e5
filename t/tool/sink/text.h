/* What comes of a text, octet by octet. */
#ifndef T_SINK_TEXT_H
#define T_SINK_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#define TEXT_LINE_MAX 998	/* RFC 5321 section 4.5.3.1.6, without CRLF */

struct text {
	enum { MIDDLE, START, CR, DOT, DOT_CR } at;
	bool ended, bare, eight, overlong;
	size_t line;			/* octets of this line so far */
	long long octets;		/* as RFC 1870 counts them */
};

static void
text_put(struct text *t, FILE *to, unsigned char c)
{
	t->octets++;
	t->eight |= c > 127;
	t->overlong |= ++t->line > TEXT_LINE_MAX;
	putc_unlocked(c, to);
}

static void
text_middle(struct text *t, FILE *to, unsigned char c)
{
	t->at = c == '\r' ? CR : MIDDLE;
	if (c == '\r')
		return;
	t->bare |= c == '\n';
	text_put(t, to, c);
}

/* Only CRLF ends a line, and only CRLF.CRLF the text (RFC 5321 section 4.1.1.4). */
static void
text_octet(struct text *t, FILE *to, unsigned char c, bool dots)
{
	bool line_end = (t->at == CR || t->at == DOT_CR) && c == '\n';

	if (line_end && t->at == DOT_CR) {
		t->ended = true;
	} else if (line_end) {
		putc_unlocked('\n', to);
		t->octets += 2;
		t->line = 0;
		t->at = START;
	} else if (t->at == CR || t->at == DOT_CR) {
		t->bare = true;
		text_put(t, to, '\r');
		text_middle(t, to, c);
	} else if (t->at == START && dots && c == '.') {
		t->at = DOT;
	} else if (t->at == DOT && c == '\r') {
		t->at = DOT_CR;
	} else {
		text_middle(t, to, c);
	}
}

#endif
