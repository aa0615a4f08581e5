/* Octets carried between two connections, both ways. */
#ifndef SESSION_PUMP_H
#define SESSION_PUMP_H

#include "session/line.h"

/*
 * Until `near' closes (0; what it said is all sent to `far' by then), or `far' does and
 * `near' has heard of it.  -1 (75): far was lost, nobody said anything for idle_ms, the
 * deadline is over, a signal came.  Holds at most PUMP_ROOM octets each way.  Both lines
 * stay open.  *octets: how many went to `far'.
 */
#define PUMP_ROOM 131072

int pump_run(struct line *far, struct line *near, int64_t idle_ms,
    int64_t deadline, int64_t *octets, struct err *);

#endif
