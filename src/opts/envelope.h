/* The options that make an envelope: sender, recipients, DSN (RFC 3461). */
#ifndef OPTS_ENVELOPE_H
#define OPTS_ENVELOPE_H

#include "opts/opts.h"
#include "wire/envelope.h"

extern struct poptOption opts_envelope[];

/* Was a sender, or something for reports, named? */
bool opts_envelope_given(void);

/* Was a sender named? */
bool opts_sender_given(void);

/*
 * The sender (or login@host), the recipients in `words` and then in `more` (a
 * header's mailboxes, each once; strings are copied) but for those named already,
 * each selected.  0; -1: 64 what is wrong, or nobody at all.
 */
int opts_envelope_read(struct envelope *, const char *const *words,
    char *const *more, size_t n, struct err *);

#endif
