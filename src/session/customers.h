/*
 * The customers of a provider, a line each:
 *
 *	user: domain domain ... [splice=ADDRESS:PORT] [from=ADDRESS[/BITS]]
 *
 * `@domain' is one with its subdomains.  Empty lines and # comments do not count.
 */
#ifndef SESSION_CUSTOMERS_H
#define SESSION_CUSTOMERS_H

#include "net/peer.h"
#include "net/range.h"

struct domains { char **p; size_t n, room; };	/* nodes; a VEC, all owned */

struct customer {
	char *user;
	struct domains domains;
	struct peer splice;	/* address:port; where the MTA thinks he is */
	bool spliced;		/* splice is there */
	struct ranges from;
};

struct customers { struct customer *p; size_t n, room; };	/* a VEC */

/*
 * 0; -1: 78 a line that cannot be understood (its number is said), a user twice, a domain
 * that two customers have; 74, 77 unreadable.
 */
int customers_read(struct customers *, const char *path, struct err *);
void customers_free(struct customers *);

/* NULL: there is none of this name. */
const struct customer *customers_find(const struct customers *, const char *user);

/* Of those who call from there the one whose this node is, or any; NULL: there is none. */
const struct customer *customers_from(const struct customers *,
    const struct in6_addr *, const char *node);

/* Is all that this node (wire/domain.h) means his? */
bool customer_has(const struct customer *, const char *node);

/*
 * ATRN's argument (RFC 2645 section 5.2), all his domains if it is empty.  Returns 0; 450
 * one of them is not his; 501 it is no list of domains.
 */
int customer_asks(const struct customer *, struct span argument, struct domains *);

void domains_free(struct domains *);

#endif
