/* A peer as it is spelled everywhere: PEER in tidegate(7). */
#ifndef NET_PEER_H
#define NET_PEER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum peer_kind { PEER_HOST, PEER_UNIX, PEER_FD, PEER_EXEC };

/* Owned; peer_free() leaves it empty. */
struct peer {
	enum peer_kind kind;
	char *text;		/* as given */
	char *host;		/* name or address, without brackets */
	char *port;		/* NULL: the tool's default */
	bool literal;		/* host is an address: no DNS at all */
	char *path;		/* unix: the socket */
	int fd;
	char *command;		/* exec: split into words by the caller */
};

/*
 * `host[:port]`, `address:port`, `[address]:port`, `unix:/path`, `fd:N`,
 * `exec:COMMAND`.  0, or -1 with 64 naming `what`.
 */
int peer_parse(struct peer *, const char *what, const char *, struct err *);

/* IPv4 or IPv6, the latter perhaps with a zone. */
bool peer_is_address(struct span);

void peer_free(struct peer *);

#endif
