/* From a peer to a connection. */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <stdint.h>

#include "base/vec.h"
#include "net/io.h"
#include "net/peer.h"

struct sock_opts {
	const char *port;	/* the default */
	const char *bind;	/* our address; NULL */
	int family;		/* AF_INET, AF_INET6 or AF_UNSPEC */
	int64_t connect_ms;	/* for one address */
	int64_t deadline;	/* for all */
	const char *const *command;	/* exec:, in words */
};

/*
 * Connects: every address of a host in turn.  0 and an open io, or -1: the last
 * address's failure (75), the host is unknown (68, or 75 when DNS did not
 * answer), the descriptor is none (64).
 */
int sock_open(struct io *, const struct peer *, const struct sock_opts *,
    struct err *);

/* Is this host name or one of its addresses our own? */
bool sock_is_ours(const char *host);

#endif
