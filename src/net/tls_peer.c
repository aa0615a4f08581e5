#include "net/tls_peer.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* What is expected */

/*
 * Without the final dot, which neither certificates nor SNI have (RFC 6066
 * section 3).  NULL: no name, nor with a leading dot, which OpenSSL would take
 * for all names below.
 */
static char *
plain_name(const char *name)
{
	size_t n = name != NULL && name[0] != '.' ? strlen(name) : 0;

	if (n > 0 && name[n - 1] == '.')
		n--;
	return n > 0 ? span_dup((struct span){ name, n }) : NULL;
}

/* A record that cannot be used does not count (RFC 7672 section 3.1). */
static bool
add_tlsa(SSL *ssl, const struct tlsa *r)
{
	bool usable = (r->usage == 2 || r->usage == 3) &&
	    SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching,
	    (const unsigned char *)r->data.p, r->data.n) == 1;

	ERR_clear_error();
	return usable;
}

/* Usage 2 wants one of the two names, usage 3 none (RFC 7672 section 3.1.1). */
static int
expect_dane(struct tls_peer *p, SSL *ssl, const struct tls_expect *x,
    struct err *e)
{
	char *other = plain_name(x->other);
	bool good = p->name != NULL && !cert_address(p->name) &&
	    SSL_dane_enable(ssl, p->name) == 1 &&
	    (other == NULL || SSL_add1_host(ssl, other) == 1);

	free(other);
	if (!good)
		return err_set(e, FAULT_USAGE, "TLSA records need the name of "
		    "a host, not `%s'", x->name != NULL ? x->name : "");
	SSL_set_hostflags(ssl, CERT_NAME_FLAGS);
	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	for (size_t i = 0; i < x->tlsas->n; i++)
		p->dane |= add_tlsa(ssl, &x->tlsas->p[i]);
	return 0;
}

int
tls_peer_expect(struct tls_peer *p, SSL *ssl, const struct tls_expect *x,
    struct err *e)
{
	p->level = x->level;
	p->name = plain_name(x->name);
	p->pinned = x->fingerprint != NULL;
	if (p->pinned && cert_pin_parse(p->pin, x->fingerprint, e) < 0)
		return -1;
	if (x->name == NULL && p->level == TLS_VERIFY && !p->pinned)
		return err_set(e, FAULT_USAGE,
		    "TLS: whose certificate it should be is not said");
	if (x->name != NULL && (p->name == NULL || (!cert_address(p->name) &&
	    SSL_set_tlsext_host_name(ssl, p->name) != 1)))
		return err_set(e, FAULT_USAGE, "`%s' is no name of a host",
		    x->name);
	if (p->level == TLS_DANE && x->tlsas != NULL && x->tlsas->n > 0)
		return expect_dane(p, ssl, x, e);
	return 0;
}

/* Who is it? */

/* By TLSA: 1, or 0 with the reason in `refused`. */
static int
judge_dane(struct tls_peer *p, X509_STORE_CTX *c)
{
	if (X509_verify_cert(c) == 1)
		return 1;
	cert_reason(c, &p->refused);
	return 0;
}

static int
judge_pin(struct tls_peer *p, X509_STORE_CTX *c)
{
	X509 *cert = X509_STORE_CTX_get0_cert(c);

	if (cert_pinned(cert, p->pin))
		return 1;
	buf_adds(&p->refused, "its fingerprint is another: ");
	cert_fingerprint(cert, &p->refused);
	X509_STORE_CTX_set_error(c, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* By CA and name, which decides nothing unless somebody insists on it. */
static int
judge_plain(struct tls_peer *p, X509_STORE_CTX *c, int code)
{
	p->verified = code == X509_V_OK && p->level != TLS_DANE;
	if (code == X509_V_OK || p->level != TLS_VERIFY)
		return 1;
	buf_addspan(&p->refused, buf_span(&p->verdict));
	X509_STORE_CTX_set_error(c, code);
	return 0;
}

/*
 * In place of OpenSSL's own verification, which would know one question only:
 * 1 to go on, 0 to end it with an alert.
 */
int
tls_peer_judge(X509_STORE_CTX *c, void *unused)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(c,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_peer *p = SSL_get_app_data(ssl);
	struct cert_case a = {
		.known = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)),
		.cert = X509_STORE_CTX_get0_cert(c),
		.sent = X509_STORE_CTX_get0_untrusted(c),
		.client = p->client,
		.name = p->name,
		.strength = SSL_get_security_level(ssl),
	};
	int code;

	(void)unused;
	buf_clear(&p->verdict);
	code = cert_judge(&a, &p->verdict);
	if (!p->pinned && !p->dane)
		return judge_plain(p, c, code);
	p->verified = p->pinned ? judge_pin(p, c) : judge_dane(p, c);
	return p->verified;
}

void
tls_peer_watch(struct tls_peer *p, SSL *ssl)
{
	SSL_set_app_data(ssl, p);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
}

void
tls_peer_free(struct tls_peer *p)
{
	buf_free(&p->verdict);
	buf_free(&p->refused);
	free(p->name);
}
