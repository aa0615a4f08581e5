/* Header lines over TEXT_LINE_MAX, folded at white space (RFC 5322 2.2.3). */
#ifndef WIRE_FOLD_H
#define WIRE_FOLD_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/chunks.h"

/* All zero at the start. */
struct fold {
	struct buf line;	/* what may still have to be folded */
	size_t at;		/* the last good place in it; 0 none */
	size_t blanks;		/* octets of white space that it ends in */
	bool ink;		/* something else stood before those */
	bool may;		/* a colon was met, or it is a continuation */
	bool never;		/* might become a boundary */
	bool over;		/* too long, its front has gone out */
};

/*
 * Appends a line to `out`, chunk by chunk, with its CRLF.  A line stays longer
 * where it has no white space, or nothing but that.
 */
void fold_add(struct fold *, const struct chunk *, struct buf *out);

void fold_free(struct fold *);

#endif
