/* What stands behind MAIL and RCPT, as a server reads it: RFC 5321 section 4.1.2. */
#ifndef WIRE_ARGUMENTS_H
#define WIRE_ARGUMENTS_H

#include "wire/ehlo.h"
#include "wire/envelope.h"

/* What is wrong with an argument, in a reply's words. */
struct complaint {
	int code;		/* 501, 553, 555 ...; 0: nothing is */
	const char *status, *text;
};

/*
 * `FROM:<path> PARAMETERS' into sender, size (-1: not said), body, smtputf8, ret and
 * envid of an empty envelope.  Parameters of extensions that are not in `offers' (EXT_
 * bits) get a 555, as unknown ones do; AUTH= (RFC 4954) is read over.  A route in front
 * of the address (RFC 5321 appendix C) is left out.
 */
struct complaint arguments_mail(struct span, unsigned offers, struct envelope *,
    int64_t *size);

/* `TO:<path> PARAMETERS' into one more recipient; likewise. */
struct complaint arguments_rcpt(struct span, unsigned offers, struct envelope *);

#endif
