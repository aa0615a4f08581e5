/*
 * Bytes to and from a peer.  Reading goes on while writing does: a peer whose
 * replies are not read stops reading.
 */
#ifndef NET_IO_H
#define NET_IO_H

#include <stdint.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/err.h"

/* io_close() leaves it closed.  Read and write descriptors may differ. */
struct io {
	int in, out;		/* -1: closed; both non-blocking */
	struct child child;	/* of exec:; pid 0 otherwise */
	struct buf name;	/* `mx.isp.test[192.0.2.1]:25`, for messages */
	char local[64];		/* our address as a literal, `[192.0.2.9]`; "" */
};

enum { IO_SENT = 1, IO_HEARD = 2, IO_EOF = 4 };

/*
 * Waits until something of `send` could be written or something is there to be
 * read, or `deadline`.  What was written is dropped from `send`, what was read
 * appended to `heard`.
 *
 * Returns IO_ bits; 0 when the deadline passed or a signal came (the caller looks
 * which); -1 when the connection is lost (75; 74 if it cannot be written).  `wake`, if not -1, is a descriptor whose readability ends the wait
 * too: 0 is returned then with *woken set.
 */
int io_exchange(struct io *, struct span *send, struct buf *heard,
    int64_t deadline, int wake, bool *woken, struct err *);

void io_close(struct io *);

#endif
