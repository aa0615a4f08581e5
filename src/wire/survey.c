#include "wire/survey.h"

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
	for (size_t i = 0; i < piece.n; i++) {
		char c = piece.p[i];

		if (c == '\n' && s->last == '\r') {
			line_ends(s);
		} else {
			if (c == '\n' || s->last == '\r')
				bare(s);
			s->line++;
			if ((unsigned char)c >= 0x80) {
				s->eight_bit = true;
				if (!s->in_body)
					s->eight_bit_header = true;
			}
		}
		s->last = c;
	}
	s->size += (int64_t)piece.n;
}
