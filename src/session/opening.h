/*
 * From a list of servers to a session that can work: addresses, TCP, TLS,
 * greeting, EHLO, STARTTLS, AUTH, and what to try when one of these fails.
 */
#ifndef SESSION_OPENING_H
#define SESSION_OPENING_H

#include "session/session.h"

/* The first server is tried, or the next: 0, -1 when none is left. */
int opening_start(struct session *, struct err *);

/* The step under way is done (the engine wants no bytes, or the peer is there). */
int opening_go_on(struct session *, struct err *);

/* What is asked of the TLS of the server it talks to now. */
enum tls_level opening_asks(const struct session *);

/*
 * The attempt failed with `e`.  0: another one has begun (what was wrong stands in
 * s->why); -1: none is left, and e says why.
 */
int opening_failed(struct session *, struct err *e);

#endif
