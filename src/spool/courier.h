/* What the files of the Courier kind share; nobody else includes this. */
#ifndef SPOOL_COURIER_H
#define SPOOL_COURIER_H

#include "spool/file.h"
#include "spool/spool.h"

/* courier_read.c */

/* Is it an ID as mailq prints it: inode, time and process in hexadecimal? */
bool courier_is_id(const char *);
int courier_read(struct spool *, const struct entry *, unsigned what,
    struct message *, struct err *);
int courier_body(struct spool *, const char *ref, struct body *, struct err *);
int courier_outlook(struct spool *, const struct message *, struct outlook *,
    struct err *);

/* courier_claim.c */
enum claim courier_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int courier_settle(struct claimed *, struct message *, size_t, const struct result *,
    struct err *);
int courier_fail(struct claimed *, struct message *, size_t, const struct result *,
    struct err *);
int courier_done(struct claimed *, struct message *, struct err *);
int courier_release(struct spool *, const struct message *, struct err *);

#endif
