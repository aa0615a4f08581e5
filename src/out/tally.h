/* What waits, counted: all of it, and in groups. */
#ifndef OUT_TALLY_H
#define OUT_TALLY_H

#include "base/vec.h"
#include "out/rows.h"

#define TALLY_AGES 10		/* up to 5, 10, 20 ... 1280 minutes, and older */
#define TALLY_GROUPS_MAX 100000	/* whoever comes later is `(other)' */

enum tally_by { BY_QUEUE, BY_DOMAIN, BY_SENDER, BY_AGE, BY_REASON };

struct group {
	char *key;		/* BY_QUEUE: mta, spool and state, parted by TABs */
	int64_t messages, rcpts, octets;
	int64_t oldest;		/* arrival, seconds since the epoch; 0 none yet */
	int64_t ages[TALLY_AGES];	/* messages; BY_DOMAIN and BY_REASON: recipients */
	char *example;		/* a reason as it stands; NULL */
	int64_t last;		/* of all messages so far the one last counted here */
};

struct tally {
	enum tally_by by;
	int64_t now;		/* what age is counted from */
	struct group all;
	VEC(struct group) groups;
	size_t *index;		/* of groups, by hash; 0 is none */
	size_t room;		/* of index */
};

/* Counts the selected recipients of a message. */
void tally_add(struct tally *, const struct row *);

/* Makes sure that a group is there, if only with noughts. */
struct group *tally_group(struct tally *, struct span key);

/* The largest first. */
void tally_sort(struct tally *);

/* The most minutes of this column, 0 for the last. */
int64_t tally_minutes(size_t age);

void tally_free(struct tally *);

/*
 * A reason without what differs from message to message (addresses, hosts, numbers
 * that are no reply codes): the same trouble has the same text.
 */
void tally_reason(struct buf *, struct span reason);

#endif
