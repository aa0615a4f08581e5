/* AUTH (RFC 4954) as a step of a session that is being opened. */
#ifndef SESSION_AUTH_H
#define SESSION_AUTH_H

#include "session/session.h"

/*
 * Says AUTH, STEP_AUTH from here on.  -1: it may not go here (77, 75), the server
 * offers none, or none of ours (69), the secret cannot be had (78, 74, 77).
 */
int auth_begin(struct session *, struct err *);

/*
 * In STEP_AUTH, when the engine wants no bytes: answers a challenge, tries another
 * mechanism, or reaches STEP_OPEN.  -1: refused (77), not now (75), the server has
 * not proved that it knows the secret (77), or broke the mechanism's rules (76).
 */
int auth_go_on(struct session *, struct err *);

#endif
