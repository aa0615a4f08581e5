#include "base/buf.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

static void
grow(struct buf *b, size_t want)
{
	if (want < b->room * 2)
		want = b->room * 2;
	if (want < 64)
		want = 64;
	b->p = must(realloc(b->p, want));
	b->room = want;
}

char *
buf_room(struct buf *b, size_t n)
{
	size_t want = b->n + n + 1;	/* one more for buf_str() */

	if (want > b->room)
		grow(b, want);
	return b->p + b->n;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);

	if (n > 0)
		memcpy(to, p, n);
	b->n += n;
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
	*buf_room(b, 1) = c;
	b->n++;
}

void
buf_addspan(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.n);
}

void
buf_addi(struct buf *b, int64_t v)
{
	uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char digits[20], *p = digits + sizeof digits;

	do {
		*--p = (char)('0' + rest % 10);
	} while ((rest /= 10) > 0);
	if (v < 0)
		buf_addc(b, '-');
	buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

#define FIRST_TRY 96		/* octets that most lines fit in */

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	size_t room = FIRST_TRY;
	int n;

	for (;;) {
		va_start(ap, fmt);
		n = vsnprintf(buf_room(b, room), room, fmt, ap);
		va_end(ap);
		if (n < 0 || (size_t)n < room)
			break;
		room = (size_t)n + 1;
	}
	b->n += n > 0 ? (size_t)n : 0;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

struct span
buf_take(struct buf *b)
{
	struct span s = buf_span(b);

	b->n = 0;
	return s;
}

char *
buf_str(struct buf *b)
{
	*buf_room(b, 0) = '\0';
	return b->p;
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->room);
	buf_free(b);
}

bool
span_ieq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool
span_starts(struct span a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && (n == 0 || memcmp(a.p, s, n) == 0);
}

bool
span_ends(struct span a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && (n == 0 || memcmp(a.p + a.n - n, s, n) == 0);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span a)
{
	size_t i = 0;

	while (a.n > 0 && blank(a.p[a.n - 1]))
		a.n--;
	while (i < a.n && blank(a.p[i]))
		i++;
	return span_from(a, i);
}

size_t
span_find(struct span a, char c)
{
	const char *at = a.n > 0 ? memchr(a.p, c, a.n) : NULL;

	return at != NULL ? (size_t)(at - a.p) : a.n;
}

bool
span_cut(struct span *rest, char sep, struct span *piece)
{
	size_t n = span_find(*rest, sep);

	if (rest->n == 0)
		return false;
	*piece = (struct span){ rest->p, n };
	*rest = span_from(*rest, n + 1);
	return true;
}

bool
span_number(struct span a, long long *out)
{
	long long v = 0;

	if (a.n == 0)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		int d = a.p[i] - '0';

		if (d < 0 || d > 9 || v > (LLONG_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

char *
span_dup(struct span a)
{
	char *s = must(malloc(a.n + 1));

	if (a.n > 0)
		memcpy(s, a.p, a.n);
	s[a.n] = '\0';
	return s;
}
