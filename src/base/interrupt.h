/*
 * SIGINT, SIGTERM and SIGHUP, for programs that have to put things back first:
 * blocked while work is done, let in where the program waits.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <poll.h>

/* From here on they only set a flag.  Those ignored already stay ignored. */
void interrupt_catch(void);

/* The signal that came; 0: none, or interrupt_catch() was not called. */
int interrupt_came(void);

/*
 * poll() that lets them in, if they were caught; -1 with EINTR when one came.
 * ms < 0: no time limit.
 */
int interrupt_poll(struct pollfd *, nfds_t, int ms);

#endif
