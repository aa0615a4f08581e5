/*
 * Dovecot's authentication, as a client of its auth-client socket (the Dovecot
 * Authentication Protocol, version 1).  Waits for the answers, each with a deadline.
 */
#ifndef NET_DOVECOT_H
#define NET_DOVECOT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct dovecot;

enum dovecot_outcome {
	DOVECOT_MORE,		/* challenge */
	DOVECOT_YES,		/* user */
	DOVECOT_NO,		/* user, maybe */
	DOVECOT_LATER,		/* it does not answer, or says so: err (75) */
};

/* Connects and hears what it offers.  NULL: 75, 77, 76. */
struct dovecot *dovecot_open(const char *path, struct err *);
void dovecot_close(struct dovecot *);	/* NULL is fine */

/* Appends the mechanisms that may be used with or without TLS, a blank between. */
void dovecot_list(const struct dovecot *, bool encrypted, struct buf *);
bool dovecot_offers(const struct dovecot *, const char *mech, bool encrypted);

/*
 * A new exchange, from this address.  Base64 comes in and goes out; `said': there was an
 * initial response.
 */
enum dovecot_outcome dovecot_start(struct dovecot *, const char *mech,
    bool encrypted, const char *address, bool said, struct span initial,
    struct buf *challenge, struct buf *user, struct err *);
enum dovecot_outcome dovecot_go_on(struct dovecot *, struct span answer,
    struct buf *challenge, struct buf *user, struct err *);

/* The client gave it up. */
void dovecot_cancel(struct dovecot *);

#endif
