/*
 * The TCP sessions that come to a port of ours from certain addresses.
 *
 * Between two looks the kernel tells of what has ended.  Where it does not (before
 * Linux 4.4, or by /proc alone) what comes and goes in between is missed, unless
 * our side closed first (TIME_WAIT tells of it for a minute): the numbers are at
 * least so many.
 *
 * In tests $TIDEGATE_PROC stands for /proc, and then only its files are looked at.
 */
#ifndef NET_ARRIVALS_H
#define NET_ARRIVALS_H

#include "net/range.h"
#include "net/sighting.h"

struct arrival {
	struct sighting last;	/* as it was seen last */
	bool before;		/* it was there at the first look */
	bool here;		/* and at the last */
};

struct arrivals {
	struct ranges from;	/* filled before arrivals_open(); owned */
	struct arrival *p;	/* a VEC: those from there, in order */
	size_t n, room;
	uint16_t port;
	bool by_proc;
	bool told;		/* by the kernel, on this descriptor */
	int endings;
	size_t busy;		/* how many go on, as of the last look */
};

/*
 * The first look: who is there now did not come.  0; -1: 69 connections cannot be
 * seen here, or nobody listens on this port.
 */
int arrivals_open(struct arrivals *, uint16_t port, struct err *);

/* Looks again; 0, or -1: 71 it could not. */
int arrivals_look(struct arrivals *, struct err *);

/* What a look does with what it sees. */
void arrivals_note(struct arrivals *, const struct sightings *, bool first);

/* How many have come since, and with how many octets; -1: not to be known. */
size_t arrivals_count(const struct arrivals *);
int64_t arrivals_octets(const struct arrivals *);

void arrivals_free(struct arrivals *);

#endif
