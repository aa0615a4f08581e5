/* The mail exchangers of a domain, RFC 5321 section 5.1, by libresolv. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

#define MX_MAX 50

struct mx {
	int preference;
	char *host;		/* owned */
};

struct mxs { struct mx *p; size_t n, room; };	/* a VEC */

/*
 * Asks for the MX hosts of `domain`, best first, equal ones shuffled; the
 * domain itself when it has none.  $TIDEGATE_NAMESERVER (`address` or
 * `address:port`, IPv4) is asked instead of /etc/resolv.conf's.
 *
 * Returns 0; -1: 68 no such domain or it takes no mail (null MX, RFC 7505), 75
 * the resolver did not answer, or not to be understood; 78 that variable is no
 * address.
 */
int dns_mx(struct mxs *, const char *domain, struct err *);

/*
 * Reads the answer to an MX question: the bytes as they came.  0; 1 the domain
 * has no MX; -1 as above.
 */
int dns_mx_parse(struct mxs *, const unsigned char *, size_t,
    const char *domain, struct err *);

void mxs_free(struct mxs *);

#endif
