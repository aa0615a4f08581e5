/* The mechanisms we know, and which of them is right. */
#ifndef NET_MECH_H
#define NET_MECH_H

#include "net/sasl.h"

enum {
	WAITS = 1,		/* the server speaks first */
	SHOWS = 2,		/* whoever listens has the secret */
	BINDS = 4,		/* to the TLS channel */
	PROVES = 8,		/* the server shows that it knows the secret */
	PREPARES = 16,		/* names and passwords by SASLprep, RFC 4013 */
	CERTIFIED = 32,		/* by TLS; no secret is told */
};

struct mech {
	const char *name;
	unsigned is;
	/* NULL: libgsasl's.  The message, and the answer to a refused token's JSON */
	int (*compose)(struct buf *, const struct sasl_who *, struct err *);
	const char *give_up;
};

/* Are all names of sasl_who's `mechs` known?  0, -1 (64). */
int mech_check(const char *mechs, struct err *);

/* The next one as sasl_start() promises; `mechs` has been checked.  NULL: 69, 77. */
const struct mech *mech_choose(const struct sasl_who *, struct span offered,
    struct span tried, struct err *);

#endif
