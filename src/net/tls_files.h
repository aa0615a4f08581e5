/* The files TLS needs: CAs, our own certificate and its key.  For tls.c alone. */
#ifndef NET_TLS_FILES_H
#define NET_TLS_FILES_H

#include <stdio.h>

#include "base/err.h"

struct ssl_ctx_st;

/*
 * All return 0, or -1 naming the file: 78, or 75 for what may pass.
 *
 * `ca` is a PEM file, or a directory as openssl-rehash(1) leaves it; NULL: where
 * the system has its CAs, and there may be none.
 */
int tls_files_ca(struct ssl_ctx_st *, const char *ca, struct err *);

/*
 * Our own certificate with its chain, and its key: opened, whoever we are later.
 * Paths are borrowed; `key' NULL: in the same file.
 */
struct tls_own {
	FILE *cert, *key;
	const char *cert_path, *key_path;
};

int tls_own_open(struct tls_own *, const char *cert, const char *key, struct err *);

/* Reads them into the context, and closes them in any case. */
int tls_own_use(struct ssl_ctx_st *, struct tls_own *, struct err *);
void tls_own_close(struct tls_own *);

#endif
