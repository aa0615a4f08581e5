/*
 * Logging in, RFC 4954: the client's side of SASL mechanisms, by libgsasl;
 * XOAUTH2 and OAUTHBEARER (RFC 7628) by ourselves.  It has no hands: base64 in,
 * base64 out.
 */
#ifndef NET_SASL_H
#define NET_SASL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Whom to be, and what the connection is like.  Borrowed during sasl_start(). */
struct sasl_who {
	const char *user;	/* NULL: EXTERNAL only */
	struct span secret;	/* password or token */
	const char *mechs;	/* `scram-sha-256,plain`: only these, in this order;
				   NULL: the strongest that is right here */
	const char *host, *port;	/* of the server, for OAUTHBEARER */
	bool encrypted;		/* TLS is in place: PLAIN, LOGIN, tokens may go */
	bool clear_ok;		/* or they may go without it */
	bool certificate;	/* we showed one: EXTERNAL makes sense */
	struct span exporter, unique;	/* channel bindings; empty: none */
};

struct sasl;			/* all zero inside is none; sasl_free() */

/*
 * Chooses the next mechanism of those the server offers (`offered`: the words
 * of EHLO's AUTH line) that is right for `who` and not in `tried` (words; the
 * chosen one is appended).  `mech` points at its name; `initial` gets the initial
 * response in base64, `=` for an empty one, nothing when there is none (LOGIN, or
 * the mechanism waits for the server).  It may hold the password: buf_wipe().
 *
 * Returns a new exchange; NULL: 69 no mechanism in common, or none that is left;
 * 77 only ones that would show the password in the clear; 64 an unknown name in
 * `mechs`; 65 a user name, 78 a secret that the mechanism cannot carry.
 */
struct sasl *sasl_start(const struct sasl_who *, struct span offered,
    struct buf *tried, const char **mech, struct buf *initial, struct err *);

/*
 * A 334: `challenge` in base64.  Appends the answer in base64 (may be an empty
 * line); it may hold the password: buf_wipe().  -1: the server breaks the
 * mechanism's rules (76), or its signature is wrong or it gives up (77); the
 * caller cancels with `*`.
 */
int sasl_step(struct sasl *, struct span challenge, struct buf *answer,
    struct err *);

/*
 * The 235 came, with this text (an enhanced status may stand in front).  0: it
 * counts.  -1 (77): the server has not proved that it knows the secret although
 * the mechanism demands it (SCRAM).
 */
int sasl_finish(struct sasl *, struct span text, struct err *);

/*
 * What the server said about a token it refused (the JSON of RFC 7628 section
 * 3.2.2): more than its 535 says.  Empty when it said nothing; lives as long as
 * the exchange.
 */
struct span sasl_reason(const struct sasl *);

void sasl_free(struct sasl *);	/* NULL is fine; secrets are wiped */

#endif
