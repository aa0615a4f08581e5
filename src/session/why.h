/*
 * Why a message waits, in a paragraph for people: which queue, who holds it, the
 * last reply, attempts, the next try, when it expires, where the MTA would send
 * each recipient, and the next command to type.
 */
#ifndef SESSION_WHY_H
#define SESSION_WHY_H

#include <stdio.h>

#include "spool/spool.h"

/*
 * Writes the paragraph on the message's selected recipients.  0; -1: the MTA
 * could not be asked for something (written is what the files say).
 */
int why_message(FILE *to, struct spool *, const struct message *, int64_t now,
    struct err *);

/* Says that nothing waits for these addresses or domains ("any queue": NULL). */
void why_nothing(FILE *to, const char *const *wanted);

#endif
