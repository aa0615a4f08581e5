/*
 * A limits file: how large a message may be, by recipient.  Lines of a key, blanks
 * and a size (512, 300k, 10M, 1G; 0 is no limit); a key is
 *
 *	bob@example.com		one recipient
 *	example.com		a domain, or an address literal: [192.0.2.1]
 *	@example.com		a domain and all below it
 *	*			everybody else
 *
 * and the one that says most of a recipient counts, whatever their order.  Empty
 * lines, and those that begin with #, mean nothing.
 */
#ifndef WIRE_LIMITS_H
#define WIRE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct limit {
	char *key;		/* owned; its domain in lower case, A-labels */
	int64_t size;
	size_t line;
};

/* A VEC.  All zero is an empty one. */
struct limits {
	struct limit *p;
	size_t n, room;
};

/* The whole text of the file `name`.  0; -1: 78, the line and what is wrong with it. */
int limits_parse(struct limits *, const char *name, struct span text, struct err *);

/* How many octets a message to this address may have; 0: no limit. */
int64_t limits_of(const struct limits *, const char *address);

void limits_free(struct limits *);

#endif
