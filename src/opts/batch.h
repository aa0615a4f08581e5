/* How messages are sent: the options of whatever runs a batch. */
#ifndef OPTS_BATCH_H
#define OPTS_BATCH_H

#include "opts/opts.h"
#include "session/batch.h"

extern struct poptOption opts_batch[];

/* Fills in limits and rules, and the dial's flags.  0; -1: 64 what is wrong. */
int opts_batch_read(struct batch *, struct dial *, struct err *);

/* May the text have to be read twice (--repair)? */
bool opts_batch_repairs(void);

#endif
