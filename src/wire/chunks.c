#include "wire/chunks.h"

void
chunks_feed(struct chunks *l, struct span piece)
{
	l->in = piece;
}

static bool
give(struct chunks *l, struct chunk *c, bool last)
{
	c->text = buf_span(&l->text);
	c->first = !l->more;
	c->last = last;
	l->more = !last;
	l->given = true;
	return true;
}

/* Octets without any meaning here at the front of the input. */
static size_t
plain(const struct chunks *l)
{
	size_t room = CHUNK_OCTETS - l->text.n, i = 0;

	if (room > l->in.n)
		room = l->in.n;
	while (i < room && l->in.p[i] != '\r' && l->in.p[i] != '\n' &&
	    l->in.p[i] != '\0')
		i++;
	return i;
}

bool
chunks_next(struct chunks *l, struct chunk *c)
{
	if (l->given)
		buf_clear(&l->text);
	l->given = false;
	while (l->in.n > 0) {
		size_t n = plain(l);
		char special;

		if (n > 0) {
			l->odd |= l->cr;
			l->cr = false;
			buf_add(&l->text, l->in.p, n);
			l->in = span_from(l->in, n);
			if (l->text.n == CHUNK_OCTETS)
				return give(l, c, false);
			continue;
		}
		special = l->in.p[0];
		l->in = span_from(l->in, 1);
		if (special == '\n' && l->cr) {
			l->cr = false;
			continue;
		}
		if (special == '\0') {
			l->odd = true;
			continue;
		}
		l->odd |= l->cr || special == '\n';
		l->cr = special == '\r';
		return give(l, c, true);
	}
	return false;
}

bool
chunks_rest(struct chunks *l, struct chunk *c)
{
	l->odd |= l->cr;
	l->cr = false;
	if (l->given)
		buf_clear(&l->text);
	l->given = false;
	if (l->text.n == 0 && !l->more)
		return false;
	return give(l, c, true);
}

void
chunks_free(struct chunks *l)
{
	buf_free(&l->text);
	*l = (struct chunks){0};
}
