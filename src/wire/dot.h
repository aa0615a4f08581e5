/* Transparency, RFC 5321 section 4.5.2. */
#ifndef WIRE_DOT_H
#define WIRE_DOT_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Appends a piece of text with the dots at line starts doubled.  *bol: does the
 * piece begin a line?  True at the start; kept from piece to piece.
 */
void dot_stuff(struct buf *, struct span piece, bool *bol);

#endif
