/* What the files of turn-server's network half share; nobody else includes this. */
#ifndef SESSION_TURN_HALF_OWN_H
#define SESSION_TURN_HALF_OWN_H

#include "session/note.h"
#include "session/turn_half.h"
#include "smtp/receiver.h"

#define AUTH_MOST 3		/* failures in a session, RFC 4954 section 4 */

struct half {
	const struct turn_half *o;
	struct line *line;
	struct receiver engine;
	struct receiver_terms terms;
	struct buf heard;
	struct buf clear, tls;	/* mechanisms in the clear, in TLS */
	struct buf offered;	/* those of now */
	struct buf names;	/* of a verified certificate */
	int failures;
	bool refused;		/* by the other half, which knows why */
	bool looked;		/* at its certificate */
	bool eof;
	int64_t silent;		/* when to stop waiting for the peer */
	int64_t known_by;	/* when to stop waiting for its AUTH */
	struct note turn;	/* NOTE_DRAIN or NOTE_SPLICE: the roles are swapped */
};

/* turn_half_ask.c: a line for the other half's log */
void turn_half_log(struct half *, const char *text);

/* Has the other half decide what the engine asks.  0; -1: it is gone. */
int turn_half_ask(struct half *, struct question *, struct err *);

/* TLS begins: nobody is known any more.  0; -1 likewise. */
int turn_half_forget(struct half *, struct err *);

#endif
