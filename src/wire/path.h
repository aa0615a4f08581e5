/*
 * Addresses: the form RFC 5321 sends (section 4.1.2, Mailbox) and the raw form
 * that some queues keep, without the quotes.
 */
#ifndef WIRE_PATH_H
#define WIRE_PATH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define PATH_MAX_OCTETS 1000	/* far over RFC 5321's 256, as MTAs take them */

/*
 * Could this stand between < and > on the wire?  Local part as dot-string or
 * quoted string, an @, a domain or a literal; UTF-8 counts as letters (RFC
 * 6531).  A bare local part (`postmaster`) is taken too.
 */
bool path_is_mailbox(struct span);

/*
 * Appends a raw address with its local part quoted where it must be.  The raw
 * form is split at the last @.
 */
void path_quote(struct buf *, struct span raw);

/* Appends the raw form of a mailbox. */
void path_unquote(struct buf *, struct span mailbox);

/*
 * An address from the command line: `<>` or empty (if `null_ok`), `a@b`,
 * `<a@b>`.  Returns it without the brackets, to be freed, the domain's U-labels
 * kept; NULL with 64 when it is no mailbox, begins with `-`, or holds CR, LF.
 */
char *path_parse(const char *what, const char *, bool null_ok, struct err *);

/* Same mailbox: local part to the letter, domain in either case. */
bool path_same(struct span, struct span);

#endif
