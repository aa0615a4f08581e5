/*
 * What the file of passwords has for a user who wants in, in the form that SCRAM-SHA-256
 * needs (RFC 5802 section 3, RFC 7677); or, for one who is not there, what looks like it
 * and fits no password.
 */
#ifndef NET_SASL_KEYS_H
#define NET_SASL_KEYS_H

#include "net/passwords.h"

/* All but the number is base64. */
struct sasl_keys {
	char iterations[16];
	char salt[512], stored[64], server[64];
};

/* It takes as long whoever it is. */
void sasl_keys_of(struct sasl_keys *, const struct passwords *, const char *user);

/* Is this the password that they were made from? */
bool sasl_keys_fit(const struct sasl_keys *, const char *password);

/* Appends the secret itself; for one who has none there, one that nobody knows. */
void sasl_keys_secret(struct buf *, const struct passwords *, const char *user);

#endif
