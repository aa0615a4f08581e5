/* The files TLS needs: CAs, our own certificate and its key.  For tls.c alone. */
#ifndef NET_TLS_FILES_H
#define NET_TLS_FILES_H

#include "base/err.h"

struct ssl_ctx_st;

/*
 * Both return 0, or -1 naming the file: 78, or 75 for what may pass.
 * `ca` is a PEM file, or a directory as openssl-rehash(1) leaves it; NULL: where
 * the system has its CAs, and there may be none.
 */
int tls_files_ca(struct ssl_ctx_st *, const char *ca, struct err *);

/* The certificate with its chain; `key` NULL: in the same file. */
int tls_files_cert(struct ssl_ctx_st *, const char *cert, const char *key,
    struct err *);

#endif
