/*
 * A text line by line, in constant memory: a CR or LF that stands alone ends a
 * line as CRLF does, NUL octets go.  What comes out depends on the text only, not
 * on the pieces it came in.
 */
#ifndef WIRE_CHUNKS_H
#define WIRE_CHUNKS_H

#include <stdbool.h>

#include "base/buf.h"

#define CHUNK_OCTETS 999		/* over TEXT_LINE_MAX: a whole one is within it */

struct chunk {
	struct span text;	/* good until the next call */
	bool first;		/* the line begins here */
	bool last;		/* and ends here */
};

/* All zero at the start. */
struct chunks {
	struct span in;		/* borrowed: what was fed and not read yet */
	struct buf text;
	bool more;		/* the line's first chunk was given out */
	bool given;		/* text was given out */
	bool cr;		/* an LF would belong to the line end before */
	bool odd;		/* a bare CR or LF or a NUL was met */
};

/* Gives it the next piece, once the one before is read. */
void chunks_feed(struct chunks *, struct span piece);

/*
 * The next line, or CHUNK_OCTETS octets of a longer one.  Returns false when
 * more must be fed.
 */
bool chunks_next(struct chunks *, struct chunk *);

/* The same when nothing more will come: a last line without its end. */
bool chunks_rest(struct chunks *, struct chunk *);

void chunks_free(struct chunks *);

#endif
