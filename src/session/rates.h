/*
 * What processes that know nothing of each other remember together, in files of the run
 * directory: how often something happened lately, and who is at it.
 */
#ifndef SESSION_RATES_H
#define SESSION_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct rate {
	const char *what;	/* a word; part of a file's name */
	int most;		/* times within `seconds'; 0: nobody counts */
	int seconds;
};

/*
 * $TIDEGATE_RUN or /run/tidegate, made if it is not there.  Now and then those files are
 * removed in it that nobody has used for two hours.  A descriptor; -1.
 */
int rates_open(struct err *);

/*
 * Once more by `who' (a user, an address: any text).  1: too often; 0; -1: it cannot be
 * counted (74, 77).  `add' false: this time does not count.
 */
int rates_count(int dir, const struct rate *, const char *who, bool add,
    struct err *);

/* Nobody else is at it: a descriptor to be closed after.  -2: somebody is; -1 (74, 77). */
int rates_lock(int dir, const char *what, const char *who, struct err *);

#endif
