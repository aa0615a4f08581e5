/* The client's commands, each with its CRLF.  What goes in is valid already. */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include "wire/ehlo.h"
#include "wire/envelope.h"

/*
 * MAIL and RCPT with the parameters that `h` offers and the envelope has: SIZE
 * (size < 0: not known), BODY, SMTPUTF8, RET, ENVID; NOTIFY, ORCPT.
 */
void command_mail(struct buf *, const struct envelope *, const struct ehlo *,
    int64_t size);
void command_rcpt(struct buf *, const struct rcpt *, const struct ehlo *);

#endif
