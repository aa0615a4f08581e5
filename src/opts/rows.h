/* The forms in which waiting messages are shown, and struct rows from them. */
#ifndef OPTS_ROWS_H
#define OPTS_ROWS_H

#include "opts/opts.h"
#include "out/rows.h"

extern struct poptOption opts_rows[], opts_rows_later[];

/*
 * Fills `r`, for stdout; `now` and `narrowed` are the caller's.  Options that
 * are not there yet end the program with 69.  -1: 64, and `r` is good to say so
 * to a pipe.
 */
int opts_form(const char *tool, struct rows *r, struct err *);

#endif
