/*
 * RFC 1870's size of a text as it lies in files: octets after its line ends became
 * CRLF, its last line was ended, and before dots are doubled.  At the speed of
 * memory; what body.h gives out piece by piece has this size, and so what is sent.
 */
#ifndef WIRE_OCTETS_H
#define WIRE_OCTETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* All zero but for `lf` at the start. */
struct octets {
	bool lf;		/* LF alone ends a line: a CR before it is text */
	int64_t read;
	int64_t added;		/* CRs that line ends lack */
	char first, last;	/* octet read */
};

/* The next piece of the text.  A CR at its end and an LF in the next are one end. */
void octets_count(struct octets *, struct span piece);

/* The same of what another one, that began at zero, has counted meanwhile. */
void octets_join(struct octets *, const struct octets *next);

/* The size, if nothing more comes. */
int64_t octets_size(const struct octets *);

#endif
