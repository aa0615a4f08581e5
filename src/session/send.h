/* One message over a session: looked at first, then sent. */
#ifndef SESSION_SEND_H
#define SESSION_SEND_H

#include "session/session.h"
#include "spool/body.h"

/* A message and what became of it, recipient by recipient. */
struct sending {
	struct envelope *env;	/* borrowed; `selected` says who is meant */
	struct body *body;	/* borrowed */
	struct outcome *met;	/* one for each recipient; sending_free() */
};

void sending_start(struct sending *, struct envelope *, struct body *);

/*
 * Sends it to all selected recipients.  0: each has its fate.  -1: likewise,
 * and the session is over (err says why).
 *
 * Refused before MAIL (65, fate failed): a line over 998 octets, a CR or LF
 * alone, octets over 0x7f without 8BITMIME, an address that cannot be said; 69:
 * larger than the server's SIZE, non-ASCII local part without SMTPUTF8.
 */
int sending_run(struct sending *, struct session *, struct err *);

/* Everybody without a fate is deferred. */
void sending_defer(struct sending *, const char *status, const char *text);

/* The exit class of one outcome: 0, 75, 67, 77, 65, 69. */
int outcome_status(const struct outcome *);

void sending_free(struct sending *);

#endif
