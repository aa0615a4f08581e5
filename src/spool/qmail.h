/* What the files of the qmail kind share; nobody else includes this. */
#ifndef SPOOL_QMAIL_H
#define SPOOL_QMAIL_H

#include "spool/spool.h"

extern const char *const qmail_lists[2];	/* `local' and `remote' */

/* A recipient's offset is that of his T or D, with this added in the list of remote ones. */
#define QMAIL_REMOTE ((int64_t)1 << 40)

/* qmail.c: the queue's directory, and S/N of a ref, `DIR/mess/S/N`. */
bool qmail_parts(const char *ref, size_t *dir, const char **tail);
int qmail_read(struct spool *, const struct entry *, unsigned what, struct message *,
    struct err *);

/* qmail_claim.c */
enum claim qmail_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int qmail_settle(struct claimed *, struct message *, size_t, const struct result *,
    struct err *);
int qmail_done(struct claimed *, struct message *, struct err *);
int qmail_release_all(struct spool *, struct err *);

#endif
