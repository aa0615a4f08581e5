/* A question to whoever sits at the terminal. */
#ifndef NET_TTY_H
#define NET_TTY_H

#include "base/buf.h"
#include "base/err.h"

/* Opens /dev/tty; -1 when there is none. */
int tty_open(void);

/*
 * Prints `question` and appends the line that is typed, which nobody sees; no
 * more than `limit` octets.  INT, TERM, HUP, QUIT and TSTP find the terminal as it
 * was; whoever handles them gets them then, and if the program goes on after TSTP
 * it asks again.  0; -1: 75 interrupted, 74, 78 too long.
 */
int tty_ask(int fd, const char *question, struct buf *, size_t limit,
    struct err *);

#endif
