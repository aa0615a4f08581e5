/* What a process can do, given up. */
#ifndef SESSION_RIGHTS_H
#define SESSION_RIGHTS_H

#include "base/err.h"

/*
 * Gives up all rights for good: the ids of `user' (ignored unless we are root), no new
 * ones, no other program.  -1: 78 there is no such user, 71.
 */
int rights_drop(const char *user, struct err *);

#endif
