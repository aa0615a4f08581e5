/*
 * The turn, from the side that asks for it: ATRN (RFC 2645) or TURN (RFC 821), and then
 * the mail that comes.
 */
#ifndef SESSION_TURN_H
#define SESSION_TURN_H

#include "session/receive.h"

enum turned { TURN_DONE, TURN_NO_MAIL };

/*
 * Asks on an open session: ATRN with these domains (commas between; NULL: all that are
 * ours), or TURN.  TURN_DONE: we are the server now; TURN_NO_MAIL: 453.  -1: 69 it is
 * not offered or not done, 77 it was refused, 75 not now, or the session is lost, 76.
 */
int turn_ask(struct session *, bool atrn, const char *domains, struct err *);

/*
 * Behind TURN_DONE: receives (session/receive.h) over the session's line.  Whatever the
 * peer said behind its reply is the beginning of that.
 */
int turn_receive(struct session *, struct receive *, struct err *);

#endif
