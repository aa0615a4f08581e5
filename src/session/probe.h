/* Looking at servers without sending mail: for people with a problem. */
#ifndef SESSION_PROBE_H
#define SESSION_PROBE_H

#include <stdio.h>

#include "session/session.h"

/*
 * Adds the hosts that take the mail of a domain, or of a recipient's, and prints them
 * with their preferences; or why there are none.  0; 68, 75, 78.
 */
int probe_add_domain(struct servers *, const char *domain_or_address,
    const struct dial *, FILE *);

/*
 * Talks to each server and prints what it says: greeting, what it
 * offers before and after TLS, its certificate and why it does or does not verify,
 * AUTH if there is a user and the certificate holds, limits; each step with its
 * time.  No secret goes to a server that is not verified.  Returns the exit class
 * of the worst.
 */
int probe_servers(const struct servers *, const struct dial *, FILE *);

#endif
