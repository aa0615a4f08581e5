/* What the files of smtp/carry share. */
#ifndef SMTP_CARRY_OWN_H
#define SMTP_CARRY_OWN_H

#include "smtp/carry.h"

/* A reply to near that needs nobody; its text has no CRLF. */
void carry_say(struct carry *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Far owes another. */
void carry_owe(struct carry *, enum due);

/* Far forgets, unless there is nothing to forget. */
void carry_reset(struct carry *);

/* carry_near.c: does what can be done with what near said */
void carry_go_on(struct carry *);

#endif
