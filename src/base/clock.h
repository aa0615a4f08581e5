/* Time that only goes forward, in milliseconds, and deadlines in it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define NEVER INT64_MAX		/* as a deadline: none */

int64_t clock_now(void);
int64_t clock_us(void);		/* the same clock, in microseconds: to measure */

/* The moment `ms` from now; NEVER when ms is NEVER. */
int64_t clock_in(int64_t ms);

/* The earlier of two deadlines. */
int64_t clock_sooner(int64_t a, int64_t b);

/* What poll() takes: -1 for NEVER, 0 when it has passed. */
int clock_left(int64_t deadline);

#endif
