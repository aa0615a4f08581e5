/* --quit-after: a session as far as a step, without mail. */
#ifndef SESSION_REACH_H
#define SESSION_REACH_H

#include "session/session.h"
#include "wire/envelope.h"

/* Does this step need a sender, or recipients? */
bool reach_wants_envelope(const char *step);

/*
 * Goes as far as `connect`, `banner`, `ehlo`, `tls`, `auth`, `mail` or `rcpt` with the
 * first server that takes us, then QUIT.  0; -1: 64 no such step, or why it could not
 * get there (a refused MAIL or RCPT: 67, 69, 75, 77).
 */
int reach_step(const struct servers *, const struct dial *, const char *step,
    struct envelope *, struct err *);

#endif
