/* How large messages may be, and the report about one that is larger. */
#ifndef SESSION_SIZES_H
#define SESSION_SIZES_H

#include "session/session.h"
#include "spool/body.h"
#include "wire/envelope.h"
#include "wire/limits.h"

/* All of them hold; 0: no limit. */
struct sizes {
	int64_t max;
	int64_t announced;	/* by servers, RFC 1870 */
	struct limits by;	/* by recipient */
};

/*
 * For a recipient; NULL: nobody knows to whom it goes, and the file's `*` counts.
 * 0: no limit.
 */
int64_t sizes_limit(const struct sizes *, const char *address);

/* Reads the limits file.  0; -1: 78 what is wrong in it, or it cannot be read. */
int sizes_read(struct sizes *, const char *path, struct err *);

/* Asks each of the servers; the lowest counts.  0; -1: one could not be asked. */
int sizes_ask(struct sizes *, const struct servers *, const struct dial *,
    struct err *);

/*
 * Reads the message and appends a report (out/report.h) about those recipients who
 * may not have one so large.  Nobody is told of what came from <> or is itself
 * Auto-Submitted (RFC 3834), nor those who do not want it.
 *
 * 1 it is over for somebody, 0 it is for nobody, -1 it could not be read.
 */
int sizes_report(const struct sizes *, const struct envelope *, struct body *,
    struct buf *, struct err *);

#endif
