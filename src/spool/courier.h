/* What the files of the Courier kind share; nobody else includes this. */
#ifndef SPOOL_COURIER_H
#define SPOOL_COURIER_H

#include "spool/file.h"
#include "spool/spool.h"

/* courier_read.c */
int courier_read(struct spool *, const struct entry *, unsigned what,
    struct message *, struct err *);
int courier_body(struct spool *, const char *ref, struct body *, struct err *);
int courier_outlook(struct spool *, const struct message *, struct outlook *,
    struct err *);

#endif
