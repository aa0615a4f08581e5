/*
 * The peer's certificate, judged and put into words.  For tls.c alone: the types
 * are OpenSSL's.
 */
#ifndef NET_TLS_CERT_H
#define NET_TLS_CERT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/tls.h"

struct stack_st_X509;
struct x509_st;
struct x509_store_ctx_st;
struct x509_store_st;

/*
 * How names are compared: the subject's CN is no host name (RFC 9525 section 2),
 * and a wildcard is the whole leftmost label or none (section 6.3).  OpenSSL
 * itself wants two labels behind it.
 */
#define CERT_NAME_FLAGS (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | \
	X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)

enum { PIN_OCTETS = 32 };	/* SHA-256 */

struct cert_case {
	struct x509_store_st *known;	/* CAs */
	struct x509_st *cert;		/* the peer's */
	struct stack_st_X509 *sent;	/* what it sent besides; NULL */
	bool client;			/* a client's: no name is asked for */
	const char *name;		/* a server's: address, or host name
					   without dots around it; NULL */
	int strength;			/* OpenSSL's security level */
};

/* Is it an IPv4 or IPv6 address, and so looked for in iPAddress? */
bool cert_address(const char *name);

/*
 * Judges chain, dates and name, appends `verified: ...` or why it is not.
 * Returns X509_V_OK or the X509_V_ERR_... that suits the alert.
 */
int cert_judge(const struct cert_case *, struct buf *words);

/* Appends why X509_verify_cert() did not accept what it was given. */
void cert_reason(struct x509_store_ctx_st *, struct buf *words);

/*
 * Reads a fingerprint as people copy it: hex in either case, `:` between octets.
 * -1: 64.
 */
int cert_pin_parse(unsigned char pin[PIN_OCTETS], const char *, struct err *);

/* Is it that very certificate? */
bool cert_pinned(struct x509_st *, const unsigned char pin[PIN_OCTETS]);

/* Its fingerprint in hex. */
void cert_fingerprint(struct x509_st *, struct buf *);

/* What of tls_facts a certificate says: subject to
   fingerprint; NULL: "" for each. */
void cert_facts(struct x509_st *, struct tls_facts *);

#endif
