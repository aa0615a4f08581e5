#include "wire/xtext.h"

void
xtext_add(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 33 || c > 126 || c == '+' || c == '=')
			buf_addf(b, "+%02X", c);
		else
			buf_addc(b, (char)c);
	}
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
xtext_decode(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '+') {
			if (i + 2 >= s.n || digit(s.p[i + 1]) < 0 ||
			    digit(s.p[i + 2]) < 0)
				return false;
			c = (char)(digit(s.p[i + 1]) * 16 + digit(s.p[i + 2]));
			i += 2;
		} else if (c < 33 || c > 126 || c == '=') {
			return false;
		}
		buf_addc(b, c);
	}
	return true;
}
