/*
 * The server's side of logging in, RFC 4954: SASL mechanisms by libgsasl, against a file
 * of passwords (net/passwords.h) or the certificate that a peer showed.  It has no
 * hands: base64 in, base64 out.
 *
 * A user who is not there is treated as one whose password is wrong, for as long.
 */
#ifndef NET_SASL_SERVER_H
#define NET_SASL_SERVER_H

#include <stdbool.h>

#include "net/passwords.h"

/* What the connection is like; borrowed while the exchange lasts. */
struct sasl_case {
	const struct passwords *users;	/* NULL: none */
	bool encrypted;			/* PLAIN and LOGIN may be used */
	struct span exporter, unique;	/* channel bindings; empty: none */
	const char *certificate;	/* names of a verified one, blanks between; NULL */
};

enum sasl_outcome {
	SASL_MORE,		/* a challenge is to be sent: 334 */
	SASL_YES,		/* 235 */
	SASL_NO,		/* 535 */
	SASL_BROKEN,		/* 501: no base64, or not what the mechanism says */
	SASL_UNKNOWN,		/* 504: no such mechanism here */
	SASL_CLEAR,		/* 538: not without TLS */
};

/* Appends the mechanisms for this case, a blank between them; maybe none. */
void sasl_server_offers(const struct sasl_case *, struct buf *);

struct sasl_server;

/* A new exchange; NULL with SASL_UNKNOWN or SASL_CLEAR in *why. */
struct sasl_server *sasl_server_start(const struct sasl_case *, const char *mech,
    enum sasl_outcome *why);

/*
 * What the client said, base64; `said' false: AUTH without an initial response.  What
 * is to be answered is appended to `challenge' (base64, maybe empty) with SASL_MORE.
 */
enum sasl_outcome sasl_server_step(struct sasl_server *, bool said, struct span,
    struct buf *challenge);

/* Whose name it was, whatever the outcome; NULL: none was said yet. */
const char *sasl_server_user(const struct sasl_server *);

void sasl_server_free(struct sasl_server *);	/* NULL is fine */

#endif
