/* SMTP replies, RFC 5321 section 4.2. */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	REPLY_LINE_MAX = 4096,	/* octets, CRLF included; RFC 5321 promises 512 */
	REPLY_LINES_MAX = 128,
	REPLY_MAX = 65536,
};

/* Text is owned; reply_free() leaves it empty. */
struct reply {
	int code;		/* 200 to 599; 0: none */
	char status[12];	/* `5.1.1` when the text begins with one whose
				   class is the code's; else "" */
	struct buf text;	/* all lines joined by LF, codes cut off */
};

/*
 * Reads the reply at the front of `in`.
 *
 * Returns its length in bytes; 0 when `in` ends before the reply does (come
 * back with more); -1 (76) when no further byte could make it a reply: no code,
 * lines that disagree about it, over the limits above.  A line may end in a
 * bare LF; `250` alone is a whole line.
 */
ssize_t reply_parse(struct reply *, struct span in, struct err *);

/*
 * Appends `550 5.1.1 no such user`, the lines joined by blanks, at most 512
 * octets.
 */
void reply_words(struct buf *, const struct reply *);

void reply_free(struct reply *);

#endif
