/*
 * Blocks of IP addresses.  All are IPv6 here: an IPv4 address is the same as the
 * IPv4-mapped one (::ffff:192.0.2.1), which is how a socket for both sees it.
 */
#ifndef NET_RANGE_H
#define NET_RANGE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"

struct range {
	struct in6_addr at;
	int bits;		/* 0 to 128 */
};

struct ranges { struct range *p; size_t n, room; };	/* a VEC */

/* `address` or `address/bits`; 0, or -1: 64, naming `what`. */
int range_parse(struct ranges *, const char *what, const char *, struct err *);

/* This one address, of AF_INET or AF_INET6; its zone is not looked at. */
void range_add(struct ranges *, const struct sockaddr_storage *);

bool range_has(const struct ranges *, const struct in6_addr *);

/* A sockaddr of whatever family: can only this host reach it? */
bool range_is_loopback(const void *address);

struct in6_addr range_of_ipv4(const struct in_addr *);

/* Appends the address, an IPv4 one in its own form. */
void range_text(struct buf *, const struct in6_addr *);

/*
 * Appends what of an address names its site, to count by: all of an IPv4 one, of another
 * the network of 64 bits, whose addresses anybody there can have.
 */
void range_site(struct buf *, const struct in6_addr *);

#endif
