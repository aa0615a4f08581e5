#include "wire/mime.h"

#include <string.h>

/* White space and comments, which nest (RFC 5322 section 3.2.2). */
static void
skip(struct span *s)
{
	size_t depth = 0, i;

	for (i = 0; i < s->n; i++) {
		char c = s->p[i];

		if (depth > 0 && c == '\\')
			i++;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && strchr(" \t\r\n", c) == NULL)
			break;
	}
	*s = span_from(*s, i);
}

static bool
take(struct span *s, char c)
{
	skip(s);
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = span_from(*s, 1);
	return true;
}

/* RFC 2045's token, and what people write for one: up to any of `ends`. */
static struct span
token(struct span *s, const char *ends)
{
	struct span t = { s->p, 0 };

	skip(s);
	t.p = s->p;
	while (t.n < s->n && s->p[t.n] != '\0' &&
	    strchr(ends, s->p[t.n]) == NULL)
		t.n++;
	*s = span_from(*s, t.n);
	return t;
}

static void
quoted(struct span *s, struct buf *value)
{
	size_t i;

	for (i = 0; i < s->n && s->p[i] != '"'; i++) {
		if (s->p[i] == '\\' && i + 1 < s->n)
			i++;
		buf_addc(value, s->p[i]);
	}
	*s = span_from(*s, i + 1);
}

/* To the next `;` that is neither in quotes nor in a comment. */
static bool
next_parameter(struct span *s)
{
	struct buf nothing = {0};

	while (s->n > 0 && !take(s, ';')) {
		if (take(s, '"'))
			quoted(s, &nothing);
		else
			*s = span_from(*s, 1);
	}
	buf_free(&nothing);
	return s->n > 0;
}

static void
set_boundary(struct mime_content *c, struct span value)
{
	while (value.n > 0 && strchr(" \t", value.p[value.n - 1]) != NULL)
		value.n--;
	if (value.n == 0 || value.n > MIME_BOUNDARY_MAX)
		return;
	memcpy(c->boundary, value.p, value.n);
	c->boundary[value.n] = '\0';
}

/* The first one counts. */
static void
find_boundary(struct mime_content *c, struct span s)
{
	struct buf value = {0};
	struct span name;

	while (next_parameter(&s)) {
		name = token(&s, " \t\r\n;=(");
		if (!span_ieq(name, SPAN("boundary")) || !take(&s, '='))
			continue;
		if (take(&s, '"'))
			quoted(&s, &value);
		else
			buf_addspan(&value, token(&s, " \t\r\n;("));
		set_boundary(c, buf_span(&value));
		break;
	}
	buf_free(&value);
}

static enum mime_type
type_of(struct span type, struct span subtype)
{
	if (span_ieq(type, SPAN("multipart")))
		return span_ieq(subtype, SPAN("digest")) ? MIME_DIGEST :
		    MIME_MULTIPART;
	if (span_ieq(type, SPAN("message")))
		return span_ieq(subtype, SPAN("rfc822")) ||
		    span_ieq(subtype, SPAN("global")) ? MIME_MESSAGE :
		    MIME_FRAGMENT;
	return span_ieq(type, SPAN("text")) ? MIME_TEXT : MIME_OTHER;
}

void
mime_content(struct mime_content *c, struct span body)
{
	struct span type, subtype;

	*c = (struct mime_content){ .type = MIME_TEXT };
	type = token(&body, " \t\r\n/;(");
	if (type.n == 0 || !take(&body, '/'))
		return;
	subtype = token(&body, " \t\r\n;(");
	if (subtype.n == 0)
		return;
	c->type = type_of(type, subtype);
	find_boundary(c, body);
}

enum mime_encoding
mime_encoding(struct span body)
{
	static const struct { const char *name; enum mime_encoding is; } all[] = {
		{ "", MIME_7BIT }, { "7bit", MIME_7BIT }, { "8bit", MIME_8BIT },
		{ "binary", MIME_BINARY }, { "base64", MIME_BASE64 },
		{ "quoted-printable", MIME_QP },
	};
	struct span s = token(&body, " \t\r\n;(");

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (span_ieq(s, span_of(all[i].name)))
			return all[i].is;
	return MIME_UNKNOWN;
}
