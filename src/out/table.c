#include "out/table.h"

#include <string.h>

#include "base/text.h"

#define HELD_ROWS 200
#define GAP 2

/* The front of `s` that is `width` characters wide. */
static struct span
front(struct span s, size_t width)
{
	size_t i = 0;

	for (; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80 && width-- == 0)
			break;
	return (struct span){ s.p, i };
}

static void
spaces(size_t n, FILE *to)
{
	while (n-- > 0)
		putc(' ', to);
}

static void
put_cell(const struct table *t, size_t i, struct span s, size_t room, FILE *to)
{
	size_t n = text_width(s);
	bool last = i + 1 == t->shown;

	if (t->width > 0 && n > room) {
		s = front(s, room > 3 ? room - 3 : room);
		fwrite(s.p, 1, s.n, to);
		if (room > 3)
			fputs("...", to);
		n = room;
	} else {
		if (t->columns[i].right && n < t->wide[i])
			spaces(t->wide[i] - n, to);
		fwrite(s.p, 1, s.n, to);
		if (t->columns[i].right && n < t->wide[i])
			n = t->wide[i];
	}
	if (!last)
		spaces((n < t->wide[i] ? t->wide[i] - n : 0) + GAP, to);
}

/* The last column ends at the terminal's edge. */
static size_t
room_of(const struct table *t, size_t i, size_t used)
{
	if (i + 1 == t->shown)
		return used < t->width ? t->width - used : 0;
	return t->columns[i].whole ? (size_t)-1 : t->wide[i];
}

static void
put_row(const struct table *t, const struct span *cells, FILE *to)
{
	size_t used = 0;

	for (size_t i = 0; i < t->shown; i++) {
		size_t n = text_width(cells[i]), room = room_of(t, i, used);

		put_cell(t, i, cells[i], room, to);
		n = n > room ? room : n;
		used += (n > t->wide[i] ? n : t->wide[i]) + GAP;
	}
	putc('\n', to);
}

static void
measure(struct table *t, const struct span *cells)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t n = text_width(cells[i]), most = t->columns[i].most;

		if (n > most)
			n = most;
		if (n > t->wide[i])
			t->wide[i] = n;
	}
}

static void
flow(struct table *t, FILE *to)
{
	struct span cells[TABLE_COLUMNS];

	if (t->shown == 0)
		t->shown = t->n;
	for (size_t i = 0; i < t->n; i++)
		cells[i] = span_of(t->columns[i].title);
	measure(t, cells);
	put_row(t, cells, to);
	for (size_t k = 0; k < t->held.n; k += t->n) {
		for (size_t i = 0; i < t->n; i++)
			cells[i] = span_of(t->held.p[k + i]);
		put_row(t, cells, to);
	}
	for (size_t k = 0; k < t->held.n; k++)
		free(t->held.p[k]);
	vec_free(&t->held);
	t->flowing = true;
}

void
table_row(struct table *t, const struct span *cells, FILE *to)
{
	struct buf safe[TABLE_COLUMNS] = {0};
	struct span seen[TABLE_COLUMNS];

	for (size_t i = 0; i < t->n; i++) {
		text_printable(&safe[i], cells[i]);
		seen[i] = buf_span(&safe[i]);
	}
	if (t->flowing) {
		put_row(t, seen, to);
	} else {
		measure(t, seen);
		for (size_t i = 0; i < t->n; i++)
			*vec_add(&t->held) = span_dup(seen[i]);
		if (t->held.n >= HELD_ROWS * t->n)
			flow(t, to);
	}
	for (size_t i = 0; i < t->n; i++)
		buf_free(&safe[i]);
}

/* Has no row anything to say in the last column? */
static bool
last_is_empty(const struct table *t)
{
	for (size_t k = t->n - 1; k < t->held.n; k += t->n)
		if (strcmp(t->held.p[k], "-") != 0)
			return false;
	return true;
}

void
table_end(struct table *t, FILE *to)
{
	if (t->flowing || t->held.n == 0)
		return;
	t->shown = last_is_empty(t) ? t->n - 1 : t->n;
	flow(t, to);
}

void
table_size(struct buf *b, long long n)
{
	static const char letters[] = "kMGT";
	double v = (double)n;
	int i = -1;

	for (; v >= 1024 && i < 3; i++)
		v /= 1024;
	if (i < 0)
		buf_addf(b, "%lld", n);
	else
		buf_addf(b, v < 9.95 ? "%.1f%c" : "%.0f%c", v, letters[i]);
}

void
table_age(struct buf *b, long long s)
{
	if (s < 0)
		s = 0;
	if (s < 100)
		buf_addf(b, "%llds", s);
	else if (s < 100 * 60)
		buf_addf(b, "%lldm", s / 60);
	else if (s < 48 * 3600)
		buf_addf(b, "%lldh", s / 3600);
	else
		buf_addf(b, "%lldd", s / 86400);
}
