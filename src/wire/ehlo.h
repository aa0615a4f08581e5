/* What a server offers: the reply to EHLO (or LHLO), RFC 5321 section 4.1.1.1. */
#ifndef WIRE_EHLO_H
#define WIRE_EHLO_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/reply.h"

enum ext {
	EXT_8BITMIME = 1 << 0,
	EXT_AUTH = 1 << 1,
	EXT_ATRN = 1 << 2,
	EXT_CHUNKING = 1 << 3,
	EXT_DSN = 1 << 4,
	EXT_ENHANCEDSTATUSCODES = 1 << 5,
	EXT_ETRN = 1 << 6,
	EXT_LIMITS = 1 << 7,
	EXT_PIPELINING = 1 << 8,
	EXT_SIZE = 1 << 9,
	EXT_SMTPUTF8 = 1 << 10,
	EXT_STARTTLS = 1 << 11,
};

struct ehlo {
	unsigned offers;	/* EXT_ bits; nothing after HELO */
	int64_t size;		/* RFC 1870: the most octets; 0 no limit known */
	char name[256];		/* the server's; "" when it said none */
	char auth[512];		/* AUTH's mechanisms, a blank between them; a
				   list that is longer is cut at a word */
	/* LIMITS, RFC 9422; 0: none said */
	int64_t mailmax;	/* MAIL commands a connection */
	int64_t rcptmax;	/* recipients a transaction */
	int64_t rcptdomainmax;	/* domains a transaction */
};

/* Reads a 250 reply.  Unknown and malformed keywords are passed over. */
void ehlo_parse(struct ehlo *, const struct reply *);

#endif
