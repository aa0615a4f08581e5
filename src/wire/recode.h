/*
 * Content transfer encodings, RFC 2045 section 6, line by line: what decodes to
 * the same octets and fits on a line.
 */
#ifndef WIRE_RECODE_H
#define WIRE_RECODE_H

#include <stdbool.h>

#include "base/buf.h"

enum recode_kind {
	RECODE_QP,		/* text as quoted-printable */
	RECODE_BASE64,		/* anything as base64, its line ends too */
	RECODE_QP_AGAIN,	/* quoted-printable with lines too long */
	RECODE_BASE64_AGAIN,	/* base64 with lines too long, or odd octets */
};

/* All zero but for its kind at the start.  No line of it begins with `--`. */
struct recode {
	enum recode_kind kind;
	size_t column;
	unsigned bits, n;	/* base64: octets without their letters yet */
	char held;		/* qp: a blank that may end the line, or a first
				   dash; 0 none */
};

/* Appends to `out` what the next octets, without line ends, become. */
void recode_text(struct recode *, struct span, struct buf *out);

/* A line ends that belongs to what is encoded. */
void recode_line(struct recode *, struct buf *out);

/* Nothing more follows.  The last line of what came out may have no end. */
void recode_end(struct recode *, struct buf *out);

#endif
