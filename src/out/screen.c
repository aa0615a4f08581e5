#include "out/screen.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"

static bool
is_seen(void)
{
	static int tty = -1;

	if (tty < 0)
		tty = isatty(STDOUT_FILENO);
	return tty;
}

static bool
stays(char c)
{
	return c == '\t' || c == '\n' || c == '\0';
}

void
screen_lines(struct buf *b, struct span s)
{
	struct span part;

	while (s.n > 0) {
		for (part = s, part.n = 0; part.n < s.n && !stays(s.p[part.n]);)
			part.n++;
		s = span_from(s, part.n);
		if (s.n > 0 && *s.p == '\n' && span_ends(part, "\r"))
			part.n--;
		text_printable(b, part);
		if (s.n > 0)
			buf_addc(b, *s.p);
		s = span_from(s, 1);
	}
}

void
screen_add(struct buf *b, struct span s)
{
	if (is_seen())
		screen_lines(b, s);
	else
		buf_addspan(b, s);
}

void
screen_put(struct span s)
{
	struct buf safe = {0};

	if (is_seen()) {
		screen_lines(&safe, s);
		s = buf_span(&safe);
	}
	if (s.n > 0)
		fwrite(s.p, 1, s.n, stdout);
	buf_free(&safe);
}
