/* What the files of the nullmailer kind share; nobody else includes this. */
#ifndef SPOOL_NULLMAILER_H
#define SPOOL_NULLMAILER_H

#include "spool/file.h"
#include "spool/spool.h"

#define NM_CLAIMED ".tidegate"	/* behind `queue' or `failed' */

/* nullmailer_read.c */
int nm_read(struct spool *, const struct entry *, unsigned what, struct message *,
    struct err *);
int nm_body(struct spool *, const char *ref, struct body *, struct err *);

/*
 * The same of an open file, its stat in `st`: 1 or -1.  `start`: where its text
 * begins.  A recipient's offset is that of the LF behind him.
 */
int nm_read_fd(const struct entry *, int fd, const struct stat *st, struct message *,
    off_t *start, struct err *);

/* nullmailer_claim.c */
enum claim nm_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int nm_settle(struct claimed *, struct message *, size_t, const struct result *,
    struct err *);
int nm_done(struct claimed *, struct message *, struct err *);

/* nullmailer_tell.c */
int nm_release_all(struct spool *, struct err *);

/* What runs that were killed left claimed is put back where it was.  0 or -1. */
int nm_bring_back(struct spool *, struct err *);
int nm_hold(struct spool *, const struct message *, struct err *);
int nm_unhold(struct spool *, const struct message *, struct err *);

/* Claims it and puts it into `queue' or `failed'.  CLAIM_OURS: done. */
enum claim nm_put(struct spool *, const struct message *, const char *where,
    struct err *);

#endif
