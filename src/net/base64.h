/* Base64 as SASL carries it in SMTP (RFC 4954), by libgsasl; what it holds may be secret. */
#ifndef NET_BASE64_H
#define NET_BASE64_H

#include "base/buf.h"

void base64_add(struct buf *, const char *, size_t);

/*
 * To be given to base64_wipe(), its length in *n; "" for nothing.  NULL: it is no base64,
 * or longer than `most'.
 */
char *base64_read(struct span, size_t most, size_t *n);

/* Overwrites and frees what libgsasl gave; NULL is nothing. */
void base64_wipe(char *, size_t);

#endif
