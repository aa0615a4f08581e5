/*
 * Whom a session expects, and whether the peer is it.  For tls.c alone: the types
 * are OpenSSL's.
 */
#ifndef NET_TLS_PEER_H
#define NET_TLS_PEER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/tls.h"
#include "net/tls_cert.h"

struct ssl_st;

struct tls_peer {
	bool client;		/* it is one, and we are the server */
	enum tls_level level;
	char *name;		/* as certificates spell it; NULL: none */
	bool pinned, dane;	/* what decides; dane: by records that are usable */
	unsigned char pin[PIN_OCTETS];
	bool verified;
	struct buf verdict;	/* by CA and name; "": no certificate was shown */
	struct buf refused;	/* why it must not be this one; empty: it may */
};

/*
 * Makes the session ask `p`, which must stay with it, as soon as the peer shows a
 * certificate.
 */
void tls_peer_watch(struct tls_peer *, struct ssl_st *);

/* Takes down what a client expects.  0, -1 (64). */
int tls_peer_expect(struct tls_peer *, struct ssl_st *,
    const struct tls_expect *, struct err *);

void tls_peer_free(struct tls_peer *);

/* The callback that decides, for SSL_CTX_set_cert_verify_callback(). */
int tls_peer_judge(struct x509_store_ctx_st *, void *);

#endif
