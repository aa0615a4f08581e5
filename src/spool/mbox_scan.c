/* Where the messages of an mbox begin and end: see mbox.c. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "spool/mbox.h"

#define PIECE 65536
#define FROM_MAX 1000		/* octets of a From line that are looked at */

/* At least `n` octets, unless the file ends: 0 or -1. */
static int
want(struct mbox_scan *s, size_t n, struct err *e)
{
	ssize_t got = 1;

	if (s->text.n - s->used >= n)
		return 0;
	s->at += (off_t)s->used;
	buf_drop(&s->text, s->used);
	s->used = 0;
	while (s->text.n < n && got > 0) {
		got = pread(s->fd, buf_room(&s->text, PIECE), PIECE,
		    s->at + (off_t)s->text.n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return err_sys(e, "read");
		else
			s->text.n += (size_t)got;
	}
	return 0;
}

/* `From ann@x.test Thu Nov 26 10:00:00 2026`: has it a time of day? */
static bool
is_from(struct span line)
{
	if (!span_starts(line, "From "))
		return false;
	for (size_t i = 5; i + 3 < line.n; i++)
		if (line.p[i] == ':' && strchr("0123456789", line.p[i - 1]) &&
		    strchr("0123456789", line.p[i + 1]) &&
		    strchr("0123456789", line.p[i + 2]))
			return true;
	return false;
}

static struct span
line_here(const struct mbox_scan *s)
{
	struct span rest = span_from(buf_span(&s->text), s->used);

	if (rest.n > FROM_MAX)
		rest.n = FROM_MAX;
	rest.n = span_find(rest, '\n');
	return rest;
}

/* Over the line that begins here, however long it is. */
static int
skip_line(struct mbox_scan *s, struct err *e)
{
	struct span rest = span_from(buf_span(&s->text), s->used);
	size_t n = span_find(rest, '\n');

	s->empty = n == 0 || (n == 1 && *rest.p == '\r');
	while (n == rest.n) {
		s->used = s->text.n;
		if (want(s, 1, e) < 0)
			return -1;
		rest = buf_span(&s->text);
		if (rest.n == 0)
			return 0;
		n = span_find(rest, '\n');
	}
	s->used += n + 1;
	return 0;
}

int
mbox_begins(int fd, struct err *e)
{
	struct mbox_scan s = { .fd = fd };
	int r = want(&s, FROM_MAX, e);

	if (r == 0)
		r = s.text.n == 0 || is_from(line_here(&s));
	buf_free(&s.text);
	return r;
}

int
mbox_next_from(struct mbox_scan *s, off_t *at, struct buf *from, struct err *e)
{
	for (;;) {
		if (want(s, FROM_MAX, e) < 0)
			return -1;
		if (s->used == s->text.n)
			return 0;
		if (s->empty && is_from(line_here(s))) {
			*at = s->at + (off_t)s->used;
			if (from != NULL)
				buf_addspan(from, line_here(s));
			return skip_line(s, e) < 0 ? -1 : 1;
		}
		if (skip_line(s, e) < 0)
			return -1;
	}
}

/* Is the line in front of it an empty one, or is there none?  1, 0, -1. */
static int
begins(int fd, off_t at, struct err *e)
{
	char b[3] = "";
	size_t n = at < 3 ? (size_t)at : 3;
	ssize_t got;

	do
		got = pread(fd, b, n, at - (off_t)n);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)n)
		return got < 0 ? err_sys(e, "read") : 0;
	if (n > 0 && b[--n] != '\n')
		return 0;
	if (n > 0 && b[n - 1] == '\r')
		n--;
	return n == 0 || b[n - 1] == '\n';
}

/*
 * The message ends at the empty line in front of the next From line, which is the end
 * of one line and an empty one.
 */
int
mbox_bounds(struct mbox_place *p, struct err *e)
{
	struct mbox_scan s = { .fd = p->fd, .at = p->at, .empty = true };
	off_t at;
	int r = begins(p->fd, p->at, e);

	if (r == 1)
		r = mbox_next_from(&s, &at, &p->from, e);
	if (r == 1 && at != p->at)
		r = 0;
	if (r == 1) {
		p->start = s.at + (off_t)s.used;
		s.empty = false;
		r = mbox_next_from(&s, &p->next, NULL, e);
		if (r == 0)
			p->next = p->st.st_size;
		p->end = r == 1 ? p->next - 1 : p->next;
		if (p->end < p->start)
			p->end = p->start;
		r = r < 0 ? -1 : 1;
	}
	buf_free(&s.text);
	return r;
}
