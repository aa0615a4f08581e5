/*
 * From a recipient's domain to the hosts that take its mail.
 */
#ifndef SESSION_ROUTE_H
#define SESSION_ROUTE_H

#include <stdint.h>

#include "net/dns.h"

struct hop {
	char *host;		/* owned; a name, or an address without brackets */
	bool literal;		/* an address: no DNS at all */
	int preference;
	bool secure;		/* DNSSEC vouches for its being the one; never
				   so of an address */
};

/* Best first; a VEC. */
struct route {
	struct hop *p;
	size_t n, room;
};

/*
 * `domain` is what stands behind the @: a name (U-labels are fine), `[192.0.2.1]`
 * or `[IPv6:2001:db8::1]`.  Our own name (`helo`, which may be NULL or a literal,
 * and the host's name) or one of our addresses among the hosts: it and all of equal
 * or worse preference are left out; an address literal of our own is refused
 * likewise.
 *
 * Our own are the addresses of this host's interfaces, the unspecified ones, and
 * loopback, unless $TIDEGATE_NAMESERVER is set: then somebody plays the world on
 * loopback.  The hosts' addresses are looked up for this, best first and for half
 * a minute at most; one whose addresses cannot be had is not taken for our own.
 *
 * 0; -1, an empty route: 68 no domain name, no such domain, null MX, or a loop (err
 * begins `5.4.6 `, `5.1.10 ` for the null MX, `5.1.2 ` otherwise: the enhanced
 * status for a report); 75 with `4.4.3 `; 78.
 */
int route_find(struct route *, struct span domain, const char *helo,
    int64_t deadline, struct err *);

#define ROUTE_STATUS_MAX 12

/*
 * The words of such an error, which live as long as it; the enhanced status goes to
 * `status` (ROUTE_STATUS_MAX octets), 4.4.3 if there was none.
 */
struct span route_why(const struct err *, char *status);

/*
 * Do both lead to the same hosts, equally secure, whatever the order of equal ones
 * and the numbers?  Their recipients can share a transaction.
 */
bool route_same(const struct route *, const struct route *);

void route_free(struct route *);

#endif
