/*
 * One look at the TCP connections to a port of ours, as the kernel tells them:
 * in this network namespace, whoever's they are.  Linux only, so far.
 */
#ifndef NET_SIGHTING_H
#define NET_SIGHTING_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct sighting {
	struct in6_addr to;	/* ours; an IPv4 address is IPv4-mapped */
	struct in6_addr from;	/* the other side's */
	uint16_t port;
	bool over;		/* our side has closed it: nothing more comes */
	uint64_t id;		/* of the socket while it is not over; 0 unknown */
	int64_t octets;		/* received; -1 unknown */
};

/* A VEC.  Connections whose handshake is not done are not there. */
struct sightings {
	struct sighting *p;
	size_t n, room;
	bool listens;		/* somebody listens on the port */
};

/*
 * Both append.  By the kernel's NETLINK_SOCK_DIAG, which counts octets, or by
 * DIR/net/tcp and tcp6, which do not.  Ids of one have nothing to do with the
 * other's.  0; -1: 71 this way cannot be had, and what was appended means nothing.
 */
int sightings_diag(struct sightings *, uint16_t port, struct err *);
int sightings_proc(struct sightings *, uint16_t port, const char *dir,
    struct err *);

/*
 * What ends from now on: a descriptor of the kernel's, -1 it does not tell.
 * sightings_ended() appends those that have ended since, and never waits.
 */
int sightings_listen(void);
void sightings_ended(struct sightings *, uint16_t port, int fd);

/* The text of one of these two files; lines that are none do not count. */
void sightings_parse(struct sightings *, uint16_t port, struct span text);

/* Adds one in a state of <netinet/tcp.h>, or notes that somebody listens. */
void sightings_add(struct sightings *, const struct sighting *, int state);

#endif
