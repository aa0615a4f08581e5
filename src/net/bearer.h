/* The client's only message in XOAUTH2 and OAUTHBEARER (RFC 7628 section 3.1). */
#ifndef NET_BEARER_H
#define NET_BEARER_H

#include "net/sasl.h"

/*
 * Appends it, not in base64.  -1: 65 a user name, 78 a token that would break
 * the message's form.
 */
int bearer_xoauth2(struct buf *, const struct sasl_who *, struct err *);
int bearer_oauthbearer(struct buf *, const struct sasl_who *, struct err *);

#endif
