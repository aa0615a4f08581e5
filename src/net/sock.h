/* From a peer to a connection. */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <stdint.h>

#include "base/vec.h"
#include "net/dns.h"
#include "net/io.h"
#include "net/peer.h"

struct sock_opts {
	const char *bind;	/* our address; NULL */
	int family;		/* AF_INET, AF_INET6 or AF_UNSPEC */
	int64_t connect_ms;	/* unix: for one who does not accept */
	const char *const *command;	/* exec:, in words */
};

/*
 * The addresses of a PEER_HOST by getaddrinfo(), as /etc/hosts and the rest of
 * the host have them.  0; -1: the host is unknown (68, or 75 when DNS did not
 * answer).
 */
int sock_addresses(struct addresses *, const struct peer *, int family,
    struct err *);

/*
 * Begins to connect.  0 with io->in open (sock_finish() says when it is there);
 * -1: 75; 64 when --bind's address is of another family.
 */
int sock_start(struct io *, const struct address *, const char *host,
    const char *port, const struct sock_opts *, struct err *);

/* 1 connected, 0 not yet (wait until io->out can be written), -1 it failed (75). */
int sock_finish(struct io *, struct err *);

/*
 * Opens unix:, fd: and exec:.  0; -1: 75, the descriptor is none (64), the
 * program cannot be run.
 */
int sock_open(struct io *, const struct peer *, const struct sock_opts *,
    struct err *);

/*
 * What belongs together is written together: nothing is gained by waiting for more,
 * where it is TCP.
 */
void sock_at_once(int fd);

/* Is this host name or one of its addresses our own? */
bool sock_is_ours(const char *host);

#endif
