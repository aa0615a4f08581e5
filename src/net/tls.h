/*
 * TLS as a filter, by OpenSSL: bytes from the wire in, plain text out, and the
 * other way round.  It opens nothing and waits for nothing, so that it serves a
 * socket, a test, and a server as well as a client.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

/* How much is asked of the peer, protocol by protocol stronger. */
enum tls_level {
	TLS_NONE,		/* never */
	TLS_MAY,		/* where it is offered; any certificate */
	TLS_ENCRYPT,		/* or nothing; any certificate */
	TLS_VERIFY,		/* a chain to a CA we know, for this name */
	TLS_DANE,		/* TLSA records decide (RFC 7672) */
};

/* One TLSA record (RFC 6698 section 2.1); data is owned. */
struct tlsa {
	uint8_t usage, selector, matching;
	struct buf data;
};

/* secure: its answer, or the answer that there are none, was validated */
struct tlsas { struct tlsa *p; size_t n, room; bool secure; };	/* a VEC */

void tlsas_free(struct tlsas *);

/* Strings are borrowed and must stay. */
struct tls_opts {
	bool server;
	const char *ca;		/* PEM file or directory of CAs; NULL: the system's */
	const char *cert;	/* our own, a PEM file with its chain; NULL: none */
	const char *key;	/* its key; NULL: in the same file */
	bool unjudged;		/* nobody will ask who the peer is: the system's CAs,
				   which take their time, are not read */
};

struct tls_shared;		/* what all sessions share: CAs, our certificate */

/*
 * To be freed with tls_shared_free(); NULL: 78 (75 for want of memory or
 * descriptors) naming the file that cannot be read or used.  The key may not be
 * readable by others (78).
 */
struct tls_shared *tls_shared_new(const struct tls_opts *, struct err *);
void tls_shared_free(struct tls_shared *);

/*
 * A server that judges nobody has only opened its files: OpenSSL is made ready, which
 * takes milliseconds, and they are read for its first session, or here: before a fork,
 * if the children have sessions.  0, or -1 as above; then it fails again.
 */
int tls_shared_ready(struct tls_shared *, struct err *);

/* Whom a client expects; strings are borrowed while the session lasts. */
struct tls_expect {
	enum tls_level level;	/* not TLS_NONE */
	const char *name;	/* reference name: a host name or an address; also
				   the SNI where it is a name.  NULL: none known */
	const char *other;	/* a second name that will do (DANE-TA); NULL */
	const char *fingerprint;	/* SHA-256 of its certificate in hex, `:` may
				   stand between octets: it must be this one,
				   and with it no CA is needed; NULL */
	const struct tlsas *tlsas;	/* TLS_DANE */
};

struct tls;

/* A session about to begin, to be freed with tls_free().  NULL: 64, 78, 75. */
struct tls *tls_client(struct tls_shared *, const struct tls_expect *,
    struct err *);
struct tls *tls_server(struct tls_shared *, struct err *);

/*
 * Takes what came from the wire, appends what it means to `plain` and what must
 * be sent to `wire` (the handshake's messages, alerts).  Called once with an empty
 * span it makes a client say hello.
 *
 * Returns 0; 1 when the peer said in TLS that it is closing (close_notify); -1
 * (75): the handshake failed or the bytes are no TLS.  Then `wire` may hold an
 * alert that should still go out.
 *
 * The handshake fails, with the reason in words, when level or fingerprint ask
 * for what the peer does not have.
 */
int tls_feed(struct tls *, struct span in, struct buf *plain, struct buf *wire,
    struct err *);

/* Has the handshake ended well? */
bool tls_ready(const struct tls *);

/* With tls_ready(): encrypts all of it into `wire`.  0, -1 (75). */
int tls_put(struct tls *, struct span plain, struct buf *wire, struct err *);

/* close_notify into `wire`. */
void tls_close(struct tls *, struct buf *wire);

/* Is the peer who it should be: by CA and name, by TLSA, or by fingerprint? */
bool tls_verified(const struct tls *);

/* What a person wants to know of a session; strings are owned, never NULL. */
struct tls_facts {
	char *protocol;		/* `TLSv1.3` */
	char *cipher;
	char *subject, *issuer;	/* one line each; "" without a certificate */
	char *names;		/* subjectAltNames, blanks between */
	char *from, *until;	/* `2026-11-25T10:00:00Z` */
	char *fingerprint;	/* SHA-256 of the certificate, hex */
	char *verdict;		/* `verified: ...` or why it does not verify; always
				   judged against CA and name, whatever the level */
};

void tls_facts(struct tls *, struct tls_facts *);
void tls_facts_free(struct tls_facts *);

/*
 * Channel binding (RFC 5929, RFC 9266): appends its octets.  TLS 1.3 has
 * `tls-exporter`, older ones `tls-unique`; false when there is none.
 */
bool tls_exporter(struct tls *, struct buf *);
bool tls_unique(struct tls *, struct buf *);

void tls_free(struct tls *);

#endif
