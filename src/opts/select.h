/* The selection's options, and struct select from them. */
#ifndef OPTS_SELECT_H
#define OPTS_SELECT_H

#include "opts/opts.h"
#include "spool/select.h"

extern struct poptOption opts_select[];

/*
 * Fills `s` (freed by select_free) from the options and the operands; `-` among
 * them is not an ID: *records is set then.  -1: 64, what is wrong and how to
 * write it.  -d with something that is no domain gets a hint (an address: -r;
 * a queue ID: as an operand).
 */
int opts_selection(struct select *, const char *const *operands,
    bool *records, struct err *);

#endif
