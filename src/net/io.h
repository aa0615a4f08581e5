/* Bytes to and from a peer, without waiting. */
#ifndef NET_IO_H
#define NET_IO_H

#include "base/buf.h"
#include "base/child.h"
#include "base/err.h"

/* io_close() leaves it closed.  Read and write descriptors may differ. */
struct io {
	int in, out;		/* -1: closed; both non-blocking */
	struct child child;	/* of exec:; pid 0 otherwise */
	struct buf name;	/* `mx.isp.test[192.0.2.1]:25`, for messages */
	char local[64];		/* our address as a literal, `[192.0.2.9]`; "" */
	bool near;		/* the peer is on this host */
	bool parted;		/* in good order: exec: may end by itself */
};

enum { IO_HEARD = 1, IO_EOF = 2 };

/*
 * Appends what is there to `heard`.  IO_ bits; 0 when there is nothing now; -1
 * when the connection is lost (75).
 */
int io_read(struct io *, struct buf *heard, struct err *);

/*
 * Writes what can be written of both, in this order; how many octets in *taken.
 * -1 when the connection is lost (75).
 */
int io_write(struct io *, struct span, struct span behind, size_t *taken,
    struct err *);

/* What is not sent yet shall never be: closing resets the connection. */
void io_forget(struct io *);

void io_close(struct io *);

#endif
