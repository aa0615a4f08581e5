/* What the players of t/talk share: the escapes of a line, and the script itself. */
#ifndef T_C_SCRIPT_H
#define T_C_SCRIPT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* \r \n \0 \\ and \xHH stand for octets. */
static void
unescape(struct buf *b, struct span s)
{
	for (; s.n > 0; s = span_from(s, 1)) {
		if (s.p[0] != '\\' || s.n < 2) {
			buf_addc(b, s.p[0]);
			continue;
		}
		s = span_from(s, 1);
		if (s.p[0] == 'x' && s.n > 2) {
			buf_addc(b, (char)(hex(s.p[1]) << 4 | hex(s.p[2])));
			s = span_from(s, 2);
		} else {
			buf_addc(b, s.p[0] == 'r' ? '\r' : s.p[0] == 'n' ?
			    '\n' : s.p[0] == '0' ? '\0' : s.p[0]);
		}
	}
}

static void
read_all(struct buf *b, const char *path)
{
	FILE *f = must(fopen(path, "r"));
	size_t n;

	while ((n = fread(buf_room(b, 65536), 1, 65536, f)) > 0)
		b->n += n;
	fclose(f);
}

#endif
