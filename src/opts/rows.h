/* The forms in which waiting messages are shown, and struct rows from them. */
#ifndef OPTS_ROWS_H
#define OPTS_ROWS_H

#include "opts/opts.h"
#include "out/rows.h"

extern struct poptOption opts_rows[];

/*
 * Fills `r`, for stdout; `now` and `narrowed` are the caller's.  -1: 64, and `r` is
 * good to say so to a pipe.
 */
int opts_form(struct rows *, struct err *);

/* The width that tables are cut to: a terminal's; 0: they are not. */
size_t opts_width(void);

#endif
