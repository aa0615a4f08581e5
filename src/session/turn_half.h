/*
 * turn-server's half that talks to the peer.  It has no rights, and no secret but the
 * key of its certificate: what it wants it asks of the other half (session/note.h).
 */
#ifndef SESSION_TURN_HALF_H
#define SESSION_TURN_HALF_H

#include "session/line.h"

struct turn_half {
	/* set by the caller; borrowed */
	const char *name;	/* ours */
	struct tls_shared *tls;	/* NULL: none is offered */
	bool wrap;		/* TLS before the greeting */
	bool judge;		/* certificates of clients count */
	int64_t idle_ms;	/* between commands */
	int64_t login_ms;	/* for all that comes before AUTH */
	int64_t quiet_ms;	/* splice is over when the MTA is quiet for so long */
	int64_t deadline;
	int other;		/* the other half */
};

/*
 * Serves whoever is on `line' to the end.  0; -1: 75 the line was lost, time is over;
 * 76; 70.  The line is closed.
 */
int turn_half_run(struct turn_half *, struct line *, struct err *);

#endif
