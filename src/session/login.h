/*
 * TLS and AUTH as the options ask for it: what is done with a server that offers
 * this and that.
 */
#ifndef SESSION_LOGIN_H
#define SESSION_LOGIN_H

#include "net/sasl.h"
#include "net/secret.h"
#include "net/tls.h"

/* What all sessions share; strings are borrowed. */
struct login {
	enum tls_level level;
	bool level_given;	/* otherwise may, or verify with credentials */
	bool lenient;		/* any certificate, or none, may be looked at */
	bool wrap;		/* TLS before the greeting */
	struct tls_opts tls;
	const char *name;	/* whose certificate; NULL: the server's name */
	const char *fingerprint;
	const char *user;	/* NULL: no AUTH, unless mechs say EXTERNAL */
	const char *mechs;
	bool in_clear;		/* AUTH may go without TLS */
	struct secret_from from;

	bool judge;		/* people want to read what its certificate is
				   worth, whatever the level */

	/* made when first needed */
	struct tls_shared *shared;
	struct buf secret;
	char *known_for;	/* the host it was asked for */
};

/* An AUTH under way. */
struct attempt {
	struct sasl *sasl;
	struct buf tried;	/* mechanisms */
	const char *mech;
	struct err why;		/* we cancelled it */
	struct buf exporter, unique;
};

/* Is there somebody to log in as? */
bool login_wanted(const struct login *);

/* What is asked of this server's TLS; `near`: it is on this host. */
enum tls_level login_level(const struct login *, bool near);

/* The common part of TLS: NULL with an error (78, 75). */
struct tls_shared *login_shared(struct login *, struct err *);

/* The secret for this host, asked for once: 0, -1. */
int login_secret(struct login *, const char *host, struct err *);

void attempt_free(struct attempt *);
void login_free(struct login *);

#endif
