/* Whether a message is small enough, as a line. */
#ifndef OUT_FIT_H
#define OUT_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct fit {
	const char *ref;
	const char *recipient;	/* NULL: nobody knows */
	int64_t size, limit;	/* octets; no limit: 0 */
};

static inline bool
fit_over(int64_t size, int64_t limit)
{
	return limit > 0 && size > limit;
}

/* Appends REF RECIPIENT SIZE LIMIT fits|over, or a JSON object, ending in `end`. */
void fit_show(struct buf *, const struct fit *, bool json, char end);

#endif
