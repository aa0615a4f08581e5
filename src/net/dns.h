/*
 * Where the mail of a domain goes: MX hosts (RFC 5321 section 5.1), their
 * addresses, and TLSA records (RFC 6698).
 *
 * $TIDEGATE_NAMESERVER (`address` or `address:port`, IPv4) is asked instead of
 * /etc/resolv.conf's.  An answer is `secure` when the resolver says that DNSSEC
 * validated it (AD) and the resolver can be trusted: all that can be asked are on
 * loopback, or they are resolv.conf's and it has `options trust-ad`.
 *
 * All questions return 0; -1: 68 no such domain, 75 no answer in time or not to
 * be understood, 78 that variable is no address; then nothing is left to be
 * freed.  Structs begin all zero.  Names in answers are hostile: only host names
 * come out, and records of other names than the one asked for (or its CNAMEs')
 * are not seen.  `deadline` is base/clock.h's.
 *
 * The ..._parse() functions read an answer's bytes as they came.  They believe its
 * AD bit: who carried it takes away the one that is not to be trusted.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "net/tls.h"

#define MX_MAX 50
#define ADDRESS_MAX 10		/* of one host; more are not tried */
#define TLSA_MAX 50		/* of one name */
#define TLSA_UNUSABLE 255	/* as a usage: the record is malformed */

struct mx {
	int preference;
	char *host;		/* owned */
};

struct mxs {
	struct mx *p;
	size_t n, room;
	bool secure;		/* the answer was */
	bool implicit;		/* it has no MX: the domain itself stands here */
	bool null;		/* with 68: it has a null MX */
};

/*
 * The MX hosts of `domain`, best first, equal ones shuffled; the domain itself when it
 * has none.  68 also for a null MX (RFC 7505).
 */
int dns_mx(struct mxs *, const char *domain, int64_t deadline, struct err *);

/* The answer to an MX question: 0; 1 the domain has no MX; -1 as above. */
int dns_mx_parse(struct mxs *, const unsigned char *, size_t,
    const char *domain, struct err *);

void mxs_free(struct mxs *);

struct address {
	struct sockaddr_storage at;	/* port 0 */
	socklen_t n;
};

/* secure: all the answers it came from were */
struct addresses {
	struct address *p;
	size_t n, room;
	bool secure;
	char *canonical;	/* the name behind the last CNAME; NULL: none */
};

/*
 * A and AAAA of `host` (one of them for AF_INET, AF_INET6), IPv6 first and then
 * alternating, at most ADDRESS_MAX.  Without any: 68 when both answers say so for
 * good, 75 when one of them could not be had.  One family failing does no harm
 * when the other has addresses.  An address needs no question and is secure: IPv4,
 * or IPv6 perhaps with a zone, without brackets; 68 when it is not of `family`.
 */
int dns_addresses(struct addresses *, const char *host, int family,
    int64_t deadline, struct err *);

/* One answer to an A or AAAA question: 0, perhaps without any; -1 as above. */
int dns_addresses_parse(struct addresses *, const unsigned char *, size_t,
    const char *host, struct err *);

void addresses_free(struct addresses *);

/*
 * The TLSA records of `_port._tcp.host`.  No such records, or no such name, is 0
 * with n == 0.  A malformed one is there, of usage TLSA_UNUSABLE: a host that has
 * nothing else is not one without records (RFC 7672 section 2.2).
 */
int dns_tlsa(struct tlsas *, const char *host, const char *port,
    int64_t deadline, struct err *);

/* `name` is the whole of it, `_25._tcp.mx.test`. */
int dns_tlsa_parse(struct tlsas *, const unsigned char *, size_t,
    const char *name, struct err *);

#endif
