#include "wire/dot.h"

void
dot_stuff(struct buf *b, struct span s, bool *bol)
{
	while (s.n > 0) {
		size_t n = span_find(s, '\n');

		if (*bol && s.p[0] == '.')
			buf_addc(b, '.');
		*bol = n < s.n;
		n += *bol;
		buf_add(b, s.p, n);
		s = span_from(s, n);
	}
}
