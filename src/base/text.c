#include "base/text.h"

#include <ctype.h>
#include <string.h>

size_t
text_utf8(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n;
	unsigned long c;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > s.n)
		return 0;
	c = p[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) ||
	    (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	return n;
}

#define EACH UINT64_C(0x0101010101010101)
#define HIGH (EACH << 7)

/* Is one of the eight octets 0?  Above it others may seem to be. */
static uint64_t
zero(uint64_t word)
{
	return (word - EACH) & ~word & HIGH;
}

/* Is one of them no printable ASCII, or `a' or `b' (each eight times)? */
static bool
has_special(uint64_t word, uint64_t a, uint64_t b)
{
	return (word & HIGH) != 0 || ((word - EACH * 0x20) & HIGH) != 0 ||
	    ((word + EACH) & HIGH) != 0 || (zero(word ^ a) | zero(word ^ b)) != 0;
}

size_t
text_plain(struct span s, char a, char b)
{
	uint64_t word, as = EACH * (unsigned char)a, bs = EACH * (unsigned char)b;
	size_t i = 0;

	for (; s.n - i >= sizeof word; i += sizeof word) {
		memcpy(&word, s.p + i, sizeof word);
		if (has_special(word, as, bs))
			break;
	}
	for (; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c > 0x7e || s.p[i] == a || s.p[i] == b)
			break;
	}
	return i;
}

size_t
text_width(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			n++;
	return n;
}

/* How many octets at the front have no high bit; eight at a time. */
static size_t
ascii(struct span s)
{
	uint64_t word;
	size_t i = 0;

	for (; s.n - i >= sizeof word; i += sizeof word) {
		memcpy(&word, s.p + i, sizeof word);
		if (word & HIGH)
			break;
	}
	while (i < s.n && !((unsigned char)s.p[i] & 0x80))
		i++;
	return i;
}

struct span
text_front(struct span s, size_t most)
{
	size_t n = s.n < most ? s.n : most;

	/* what is no UTF-8 anyway is cut somewhere */
	for (size_t i = 0; n < s.n && i < 4 && i <= n; i++)
		if (((unsigned char)s.p[n - i] & 0xc0) != 0x80)
			return (struct span){ s.p, n - i };
	return (struct span){ s.p, n };
}

bool
text_is_utf8(struct span s)
{
	size_t n;

	while ((s = span_from(s, ascii(s))).n > 0) {
		if ((n = text_utf8(s)) == 0)
			return false;
		s = span_from(s, n);
	}
	return true;
}

bool
text_is_ascii(struct span s)
{
	return ascii(s) == s.n;
}

/* C1 controls are U+0080 to U+009F, in UTF-8 c2 80 to c2 9f. */
static bool
control(const char *p, size_t n)
{
	unsigned char c = (unsigned char)p[0];

	return c < 0x20 || c == 0x7f ||
	    (n == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0);
}

void
text_printable(struct buf *b, struct span s)
{
	while (s.n > 0) {
		size_t n = text_utf8(s);

		if (n > 0 && !control(s.p, n)) {
			buf_add(b, s.p, n);
		} else {
			n = n > 0 ? n : 1;
			for (size_t i = 0; i < n; i++)
				buf_addf(b, "\\x%02X", (unsigned char)s.p[i]);
		}
		s = span_from(s, n);
	}
}

/* Nothing a shell would look at twice. */
static bool
is_plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) &&
		    strchr("%+,-./:=@_", s.p[i]) == NULL)
			return false;
	return s.n > 0;
}

static bool
is_printable(struct span s)
{
	size_t n;

	for (; s.n > 0; s = span_from(s, n))
		if ((n = text_utf8(s)) == 0 || control(s.p, n))
			return false;
	return true;
}

bool
text_shell(struct buf *b, struct span s)
{
	if (!is_printable(s))
		return false;
	if (is_plain(s)) {
		buf_addspan(b, s);
		return true;
	}
	buf_addc(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, s.p[i]);
	}
	buf_addc(b, '\'');
	return true;
}
