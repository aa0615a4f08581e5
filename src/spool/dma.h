/* What the files of the dma kind share; nobody else includes this. */
#ifndef SPOOL_DMA_H
#define SPOOL_DMA_H

#include "spool/spool.h"

/* dma.c */
int dma_read(struct spool *, const struct entry *, unsigned what, struct message *,
    struct err *);
void dma_data_path(struct buf *path, const char *ref);

/* dma_claim.c */
enum claim dma_claim(struct spool *, const struct entry *, struct message *,
    struct claimed **, struct err *);
int dma_settle(struct claimed *, struct message *, size_t, const struct result *,
    struct err *);
int dma_done(struct claimed *, struct message *, struct err *);
int dma_release_all(struct spool *, struct err *);

/* Hexadecimal digits, a point, the same. */
bool dma_is_id(const char *);

/* A null sender as dma writes it down becomes the empty one; another stays. */
void dma_sender(char *);

/* The kind's, from `dma -bp': neither size nor arrival is known of a message. */
struct walk *dma_listing(struct spool *, struct err *);
int dma_listed(struct walk *, struct message *, struct err *);
void dma_listing_end(struct walk *);

#endif
