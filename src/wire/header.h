/* Addresses in a message's header, RFC 5322 section 3.4 with 4.4's old forms. */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

#define HEADER_OCTETS_MAX (1 << 20)	/* a longer header is refused (65) */

struct words { char **p; size_t n, room; };	/* a VEC, strings owned */

void words_free(struct words *);

/*
 * Appends the addresses of one field body (unfolded or not): mailboxes and the
 * members of groups, as path.h's mailboxes (quoted where they must be), without
 * source routes.  Comments, display names and white space go.  -1: 65, what
 * cannot be understood and where.
 */
int header_addresses(struct words *, struct span body, struct err *);

/*
 * The recipients that a header (up to the empty line; CRLF or LF) names: To, Cc
 * and Bcc, or, when there is any Resent- recipient field, those of the first
 * Resent- block (RFC 5322 section 3.6.6).  Each address once.  -1: 65.
 */
int header_recipients(struct words *, struct span header, struct err *);

/*
 * The length of the next field with its continuation lines at the front of
 * `header`; its name in *name (without the colon; empty when the line is none).  0
 * at the empty line or the end.
 */
size_t header_field(struct span header, struct span *name);

#endif
