/* Sizes and times as people write them, read strictly. */
#ifndef BASE_UNIT_H
#define BASE_UNIT_H

#include <stdint.h>

#include "base/err.h"

/*
 * `512` `300k` `10M` `1G` (1024-based) into octets; `90` `90s` `5m` `2h` `3d`
 * `1w` into seconds; `12` into a number.  `what` names the option in the error
 * (64).  Return 0 or -1.
 */
int unit_size(const char *what, const char *, int64_t *octets, struct err *);
int unit_time(const char *what, const char *, int64_t *seconds, struct err *);
int unit_count(const char *what, const char *, int64_t *count, struct err *);

/* A time to wait for, in milliseconds; `0` is refused: poll() would not wait. */
int unit_wait(const char *what, const char *, int64_t *ms, struct err *);

/* Is it a port, 1 to 65535?  The number, or -1 (64). */
int unit_port(const char *what, const char *, struct err *);

#endif
