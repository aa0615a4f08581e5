#include "out/json.h"

#include <string.h>

#include "base/text.h"

/*
 * What stands in front of a value.  Strings end in a quote, so the last byte
 * tells whether something was written before it at this level.
 */
static void
begin(struct buf *b, const char *key)
{
	char last = b->n > 0 ? b->p[b->n - 1] : '\n', *to;
	size_t n = key != NULL ? strlen(key) : 0;

	to = buf_room(b, n + 6);	/* at once: every value comes by here */
	if (last != '{' && last != '[' && last != '\n' && last != '\0') {
		*to++ = ',';
		*to++ = ' ';
	}
	if (key != NULL) {
		*to++ = '"';
		memcpy(to, key, n);
		memcpy(to + n, "\": ", 3);
		to += n + 3;
	}
	b->n = (size_t)(to - b->p);
}

void
json_open(struct buf *b, const char *key, char bracket)
{
	begin(b, key);
	buf_addc(b, bracket);
}

void
json_close(struct buf *b, char bracket)
{
	buf_addc(b, bracket);
}

/*
 * One character of `n` bytes.  DEL and C1 need no escape by RFC 8259; they get
 * one because people look at JSON on terminals.
 */
static void
add_char(struct buf *b, const char *p, size_t n)
{
	unsigned char c = (unsigned char)p[0];
	unsigned char d = n == 2 ? (unsigned char)p[1] : 0;

	if (c == '"' || c == '\\')
		buf_addf(b, "\\%c", c);
	else if (c < 0x20 || c == 0x7f)
		buf_addf(b, "\\u%04x", c);
	else if (c == 0xc2 && d < 0xa0 && n == 2)
		buf_addf(b, "\\u%04x", d);
	else
		buf_add(b, p, n);
}

static bool
add_text(struct buf *b, struct span s)
{
	bool whole = true;

	buf_addc(b, '"');
	while (s.n > 0) {
		size_t n = text_plain(s, '"', '\\');

		buf_add(b, s.p, n);
		s = span_from(s, n);
		if (s.n == 0)
			break;
		n = text_utf8(s);
		if (n > 0)
			add_char(b, s.p, n);
		else
			buf_adds(b, "\xef\xbf\xbd");
		whole = whole && n > 0;
		s = span_from(s, n > 0 ? n : 1);
	}
	buf_addc(b, '"');
	return whole;
}

void
json_string(struct buf *b, const char *key, struct span s)
{
	begin(b, key);
	if (add_text(b, s) || key == NULL)
		return;
	buf_addf(b, ", \"%s_hex\": \"", key);
	for (size_t i = 0; i < s.n; i++)
		buf_addf(b, "%02x", (unsigned char)s.p[i]);
	buf_addc(b, '"');
}

void
json_number(struct buf *b, const char *key, int64_t v)
{
	begin(b, key);
	buf_addi(b, v);
}

void
json_bool(struct buf *b, const char *key, bool v)
{
	begin(b, key);
	buf_adds(b, v ? "true" : "false");
}
