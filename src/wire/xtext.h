/* xtext, RFC 3461 section 4: +HH for what is not printable, `+` and `=`. */
#ifndef WIRE_XTEXT_H
#define WIRE_XTEXT_H

#include <stdbool.h>

#include "base/buf.h"

void xtext_add(struct buf *, struct span);

/* Appends the decoded text; false when it is no xtext. */
bool xtext_decode(struct buf *, struct span);

#endif
