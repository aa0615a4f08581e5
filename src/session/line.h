/* A connection, in the clear or through TLS: one way to read and write both. */
#ifndef SESSION_LINE_H
#define SESSION_LINE_H

#include "net/io.h"
#include "net/tls.h"

struct line {
	struct io io;
	struct tls *tls;	/* NULL: in the clear; owned */
	struct buf wire;	/* encrypted, not written yet */
	struct buf raw;
};

/*
 * Appends what the peer said to `heard`.  IO_ bits (net/io.h), 0 nothing now; -1:
 * the connection is lost (75).
 */
int line_read(struct line *, struct buf *heard, struct err *);

/*
 * Takes what it can of `s`, then of `behind`: how many octets of each is added
 * up in *taken.  0; -1 as above.
 */
int line_write(struct line *, struct span s, struct span behind,
    size_t *taken, struct err *);

/* Is there something that waits to be written? */
bool line_busy(const struct line *);

/* Begins TLS: what is read from here on is the handshake.  Takes `tls`. */
int line_encrypt(struct line *, struct tls *tls, struct err *);

void line_close(struct line *);

#endif
