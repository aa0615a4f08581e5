/*
 * An address as people gave it to Sendmail, which keeps it so in its qf (RFC 5322
 * section 3.4): `Bob <bob@y>`, `bob@y (Bob)`, `<@relay:bob@y>`.
 */
#include "spool/sendmail.h"

/*
 * The length of the "quoted string", the (comment) or the <address> at the front;
 * one octet otherwise.  What does not end takes all, and *whole is false.
 */
static size_t
token(struct span s, bool *whole)
{
	char end = *s.p == '"' ? '"' : *s.p == '(' ? ')' : *s.p == '<' ? '>' : '\0';
	bool quoted = false;
	size_t depth = 1;

	*whole = true;
	if (end == '\0')
		return *s.p == '\\' && s.n > 1 ? 2 : 1;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"' && end == '>')
			quoted = !quoted;
		else if (!quoted && s.p[i] == end && --depth == 0)
			return i + 1;
		else if (s.p[i] == '(' && end == ')')
			depth++;
	}
	*whole = false;
	return s.n;
}

/* `@relay,@relay:bob@y`: routes are long ignored (RFC 5321 appendix C). */
static struct span
without_route(struct span s)
{
	size_t colon = span_find(s, ':');

	return span_starts(s, "@") && colon < s.n ? span_from(s, colon + 1) : s;
}

char *
sm_address(struct span s)
{
	struct buf plain = {0};
	char *found = NULL;

	while (s.n > 0 && found == NULL) {
		bool whole;
		size_t n = token(s, &whole);

		if (*s.p == '<' && whole)
			found = span_dup(without_route(span_trim(
			    (struct span){ s.p + 1, n - 2 })));
		else if (*s.p != '(' || !whole)
			buf_add(&plain, s.p, n);
		s = span_from(s, n);
	}
	if (found == NULL)
		found = span_dup(span_trim(buf_span(&plain)));
	buf_free(&plain);
	return found;
}
