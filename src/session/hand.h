/* The messages a COMMAND has in hand, and who of them is still unanswered. */
#ifndef SESSION_HAND_H
#define SESSION_HAND_H

#include <stdint.h>

#include "wire/record.h"

struct given {
	char *ref;
	VEC(char *) rcpts;	/* NULL: settled */
	size_t left;		/* recipients without a result; 0: a free slot */
	size_t next;		/* behind the one settled last: answers have an order */
	uint64_t end;		/* of its record in the octets for this child */
};

struct hand {
	struct given *slot;
	size_t room, n;		/* slots; those in use */
};

void hand_init(struct hand *, size_t room);

/* Takes a copy of the record into a free slot (there must be one): which. */
size_t hand_add(struct hand *, const struct record *);

bool hand_find(const struct hand *, const char *ref, size_t *slot);

/*
 * An unsettled recipient in a slot, of this address unless it is NULL; rcpts.n when
 * there is none.
 */
size_t hand_open(const struct hand *, size_t slot, const char *address);

/* Recipient `k` is settled: its address, to be freed.  The last frees the slot. */
char *hand_settle(struct hand *, size_t slot, size_t k);

/* How many recipients are unsettled, in all slots. */
size_t hand_left(const struct hand *);

void hand_free(struct hand *);

#endif
