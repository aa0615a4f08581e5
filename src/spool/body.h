/*
 * A message's text as it goes on the wire: CRLF line ends, dots not doubled,
 * the last line ended.  Pulled piece by piece, in constant memory.
 */
#ifndef SPOOL_BODY_H
#define SPOOL_BODY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct body {
	/*
	 * The next piece: 1 and a span good until the next call; 0 at the end;
	 * -1 when the file cannot be read or is damaged.
	 */
	int (*next)(struct body *, struct span *, struct err *);
	int (*rewind)(struct body *, struct err *);	/* to the first piece */
	void (*close)(struct body *);		/* leaves {0} */

	/*
	 * The octets as they lie in the file at `at` (a stream: those that come
	 * next), at most `n` of them: how many, 0 at the end, -1.  Several threads
	 * may ask a file.  NULL: next() alone knows them.
	 */
	ssize_t (*raw)(const struct body *, off_t at, char *to, size_t n,
	    struct err *);
	bool stream;		/* it comes once, and in order */

	int fd;			/* owned */
	off_t start, at;	/* where the text begins; the next octet to read */
	off_t end;		/* where it ends; -1: where the file does */
	struct buf front;	/* text that comes before the file's */
	bool fronted;		/* it was given out */
	bool lf;		/* set it after body_file() for MTAs that store LF alone
				   as a line end: a CR before it is part of the line */
	struct buf in, out;
	int last;		/* last octet given out; -1 at the start */
	int64_t deadline;	/* of a stream */
	void *own;		/* of the kind */
};

/*
 * Text that lies in a file with LF or CRLF line ends, from `start` to the file's
 * end.  Where that is known `end` saves a small one a look for more; -1 otherwise.
 * Takes `fd`.  A CR that no LF follows is given out as it is: what
 * to do about it is the sender's decision.
 */
void body_file(struct body *, int fd, off_t start, off_t end);

/*
 * The same with `front` before it (taken): a header that lies elsewhere.  A line
 * of it that does not end goes on in the file.
 */
void body_behind(struct body *, struct buf *front, int fd, off_t start, off_t end);

/*
 * The same of what cannot be read twice (a pipe): next() waits for it until
 * `deadline` or a signal (75), rewind() fails (74).  `fd` stays the caller's.
 */
void body_stream(struct body *, int fd, int64_t deadline);

/*
 * How many octets next() would give out from the start to the end; a long file is
 * read by several threads.  What next() gives after this is undefined, unless
 * rewind() is called first.  0 or -1.
 */
int body_measure(struct body *, int64_t *size, struct err *);

void body_close(struct body *);	/* body->close if there is one */

#endif
