#include "wire/survey.h"

#include <string.h>

static bool
has_eight_bit(struct span s)
{
	uint64_t word, all = 0;

	for (; s.n >= sizeof word; s = span_from(s, sizeof word)) {
		memcpy(&word, s.p, sizeof word);
		all |= word;
	}
	for (; s.n > 0; s = span_from(s, 1))
		all |= (unsigned char)*s.p;
	return (all & 0x8080808080808080) != 0;
}

/* A line, or its beginning, without its LF.  Is there a CR that no LF follows? */
static bool
has_bare_cr(struct span s, char before)
{
	const char *cr;

	if (s.n == 0)
		return false;
	if (before == '\r')
		return true;
	cr = memchr(s.p, '\r', s.n);
	return cr != NULL && cr != s.p + s.n - 1;
}

static void
line_ends(struct survey *s)
{
	int64_t n = s->line - 1;	/* the CR is counted already */

	s->lines++;
	if (n > s->longest) {
		s->longest = n;
		s->longest_at = s->lines;
	}
	if (n == 0)
		s->in_body = true;
	s->line = 0;
}

static void
bare(struct survey *s)
{
	if (s->bare_at == 0)
		s->bare_at = s->lines + 1;
}

void
survey_look(struct survey *s, struct span piece)
{
	bool eight_bit = has_eight_bit(piece);

	s->size += (int64_t)piece.n;
	s->eight_bit = s->eight_bit || eight_bit;
	while (piece.n > 0) {
		size_t n = span_find(piece, '\n');
		struct span line = { piece.p, n };
		bool ended = n < piece.n;

		if (has_bare_cr(line, s->last))
			bare(s);
		if (eight_bit && !s->in_body && has_eight_bit(line))
			s->eight_bit_header = true;
		s->line += (int64_t)n;
		if (n > 0)
			s->last = line.p[n - 1];
		if (!ended)
			return;
		if (s->last == '\r') {
			line_ends(s);
		} else {
			bare(s);
			s->line++;
		}
		s->last = '\n';
		piece = span_from(piece, n + 1);
	}
}
