/* A body for tests: octets in memory, given out in pieces of one size. */
#ifndef T_PIECES_H
#define T_PIECES_H

#include <stdlib.h>
#include <string.h>

#include "spool/body.h"

struct pieces {
	struct span all, rest;
	size_t size;
	char *piece;		/* of its own, so that ASan sees a step too far */
};

static int
pieces_next(struct body *b, struct span *piece, struct err *e)
{
	struct pieces *p = b->own;
	size_t n = p->rest.n < p->size ? p->rest.n : p->size;

	(void)e;
	if (p->piece == NULL || n < p->size)
		p->piece = must(realloc(p->piece, n + (n == 0)));
	if (n > 0)
		memcpy(p->piece, p->rest.p, n);	/* the last one is gone */
	*piece = (struct span){ p->piece, n };
	p->rest = span_from(p->rest, n);
	return n > 0;
}

static int
pieces_rewind(struct body *b, struct err *e)
{
	struct pieces *p = b->own;

	(void)e;
	p->rest = p->all;
	free(p->piece);
	p->piece = NULL;
	return 0;
}

static void
pieces_close(struct body *b)
{
	struct pieces *p = b->own;

	free(p->piece);
	free(p);
	*b = (struct body){0};
}

/* `text` must outlive it. */
static void
pieces_body(struct body *b, struct span text, size_t size)
{
	struct pieces *p = must(calloc(1, sizeof *p));

	*p = (struct pieces){ .all = text, .rest = text, .size = size };
	if (p->size > text.n)
		p->size = text.n;
	*b = (struct body){
		.next = pieces_next, .rewind = pieces_rewind,
		.close = pieces_close, .fd = -1, .last = -1, .own = p,
	};
}

/* All that a body gives, and closes it. */
static struct buf
pieces_all(struct body *b)
{
	struct buf all = {0};
	struct span piece;
	struct err e = {0};

	while (b->next(b, &piece, &e) > 0)
		buf_addspan(&all, piece);
	body_close(b);
	return all;
}

#endif
