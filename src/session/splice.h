/*
 * The MTA's own sessions, carried over a connection that was turned round: one after the
 * other, to a customer who sees a single one.
 */
#ifndef SESSION_SPLICE_H
#define SESSION_SPLICE_H

#include "session/line.h"

/*
 * `far' is the customer, who speaks first; `listener' is where the MTA connects.
 * Recipients outside of `domains' (nodes, a blank between) get a 450.  Ends when no
 * session came for quiet_ms (a minute for the first one), or something can be read from `stop' and none waits: says
 * QUIT to the customer.  0; -1: 75, 76.
 */
int splice_run(struct line *far, int listener, int stop, struct span domains,
    const char *name, int64_t quiet_ms, int64_t idle_ms, int64_t deadline,
    struct err *e);

#endif
