/* --spool=KIND[:DIR], the same in every tool that reads queues. */
#ifndef OPTS_SPOOL_H
#define OPTS_SPOOL_H

#include "opts/opts.h"
#include "spool/spool.h"

extern struct poptOption opts_spool[];

/*
 * The queues of --spool, or every queue found on this host.  0; -1: a wrong
 * --spool; 1: some could not be looked at (err), the rest is there.
 */
int opts_spools(struct spools *, struct err *);

/*
 * Appends the domains that the local MTAs (of --spool) say are their own, a line each.
 * 0; -1: 69 there is no MTA or it names none, or it could not be asked.  `what' asks.
 */
int opts_local_domains(struct buf *, const char *what, struct err *);

/* Was --spool given? */
bool opts_spool_given(void);

#endif
