/*
 * Bytes: owned (buf) or borrowed (span), no third way.
 *
 * A buf that is all zero is a ready, empty one.  Memory that cannot be had ends
 * the program with status 75 (must() in err.h): the letter is still in its queue.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *p;
	size_t n, room;
};

struct span {
	const char *p;
	size_t n;
};

/* Without its first n bytes. */
static inline struct span
span_from(struct span a, size_t n)
{
	if (n > a.n)
		n = a.n;
	return n == 0 ? a : (struct span){ a.p + n, a.n - n };
}

#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

void buf_add(struct buf *, const void *, size_t);
void buf_adds(struct buf *, const char *);
void buf_addc(struct buf *, char);
void buf_addspan(struct buf *, struct span);
void buf_addi(struct buf *, int64_t);		/* in decimal */
void buf_addf(struct buf *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for `n` more bytes at p + n; whoever fills them adds to n. */
char *buf_room(struct buf *, size_t n);

/* Drops `n` bytes from the front. */
void buf_drop(struct buf *, size_t n);

/* Borrows all that is there and leaves buf empty; good until buf changes. */
struct span buf_take(struct buf *);

/* The bytes as a string: a NUL stands behind them until buf changes. */
char *buf_str(struct buf *);

static inline struct span
buf_span(const struct buf *b)
{
	return (struct span){ b->p, b->n };
}

void buf_clear(struct buf *);
void buf_free(struct buf *);	/* leaves {0}; may be called twice */
void buf_wipe(struct buf *);	/* the same for secrets: overwritten first */

static inline struct span
span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

bool span_ieq(struct span, struct span);	/* ASCII letters in either case */
bool span_starts(struct span, const char *);
bool span_ends(struct span, const char *);
struct span span_trim(struct span);	/* without blanks, TAB, CR, LF around it */

/* Where the first `c` stands; the length when there is none. */
size_t span_find(struct span, char c);

/*
 * Cuts the next piece off `rest`, up to `sep` (swallowed) or to the end.
 * Returns false when `rest` is empty.
 */
bool span_cut(struct span *rest, char sep, struct span *piece);

/* Reads decimal digits, all of them; false for none, others or overflow. */
bool span_number(struct span, long long *);

/* A string of its own, to be freed; bytes behind a NUL are unreachable. */
char *span_dup(struct span);

#endif
