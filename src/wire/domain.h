/*
 * Domain names and nodes (RFC 1985 section 5.1): `example.com`,
 * `@example.com` with its subdomains, `#queue`.
 */
#ifndef WIRE_DOMAIN_H
#define WIRE_DOMAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* What follows the last unquoted @; empty when there is none. */
struct span domain_of(struct span address);

/* RFC 5321 section 4.1.2: letters, digits and hyphens in labels, at most 255. */
bool domain_is_name(struct span);

/* `[192.0.2.1]` or `[IPv6:2001:db8::1]`. */
bool domain_is_literal(struct span);

/* ASCII letters become small, in place. */
void domain_lower(char *);

/*
 * The A-label form in lower case, without a closing dot, to be freed: U-labels
 * by IDNA2008.  NULL with 64 in err when it is no domain; `what` is named.
 */
char *domain_ascii(const char *what, struct span, struct err *);

/*
 * Checks and normalises a node: option sign, then domain_ascii().  `#queue` is
 * one to 255 letters, digits, `.`, `-`, `_`.  To be freed; NULL: 64 in err.
 */
char *node_parse(const char *what, const char *, struct err *);

/*
 * Is `domain` meant by `node` (from node_parse)?  ASCII case is ignored and
 * U-labels in `domain` match the A-labels of the node.  `#queue` matches none.
 */
bool node_has(const char *node, struct span domain);

#endif
