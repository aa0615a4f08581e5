/*
 * Certificates of all sorts for the tests, each good for one thing to go wrong:
 * certs_make(DIR) writes them as PEM files, leaf first, key last.
 */
#ifndef T_CERTS_H
#define T_CERTS_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/err.h"

#define GOOD "mx.test IP:127.0.0.1 IP:::1"

static const struct cert_row {
	const char *file;	/* + .pem */
	const char *cn;
	const char *names;	/* DNS names, IP:...; `^' is a NUL; NULL: none */
	int from, until;	/* days from now */
	int by;			/* index of the issuer; -1: itself */
	bool ca, client;
	bool chain;		/* the file holds the issuers, too */
} cert_rows[] = {
	{ "ca", "Tidegate test CA", NULL, -100, 100, -1, true, false, false },
	{ "strangerca", "Stranger CA", NULL, -100, 100, -1, true, false, false },
	{ "middle", "Middle CA", NULL, -100, 100, 0, true, false, false },
	{ "oldca", "Old CA", NULL, -100, -10, 0, true, false, false },
	{ "good", "mx.test", GOOD, -1, 90, 0, false, false, false },
	{ "chain", "mx.test", GOOD, -1, 90, 2, false, false, true },
	{ "oldchain", "mx.test", GOOD, -1, 90, 3, false, false, true },
	{ "expired", "mx.test", GOOD, -90, -2, 0, false, false, false },
	{ "expiredchain", "mx.test", GOOD, -90, -2, 2, false, false, true },
	{ "future", "mx.test", GOOD, 2, 90, 0, false, false, false },
	{ "selfsigned", "mx.test", GOOD, -1, 90, -1, false, false, false },
	{ "otherca", "mx.test", GOOD, -1, 90, 1, false, false, false },
	{ "othername", "a.test", "a.test b.test", -1, 90, 0, false, false, false },
	{ "otherchain", "a.test", "a.test b.test", -1, 90, 2, false, false, true },
	{ "wildcard", "*.there.test", "*.there.test", -1, 90, 0, false, false, false },
	{ "toowide", "*.test", "*.test", -1, 90, 0, false, false, false },
	{ "partial", "m*.there.test", "m*.there.test", -1, 90, 0, false, false, false },
	{ "nul", "mx.test", "mx.test^.evil.test", -1, 90, 0, false, false, false },
	{ "cnonly", "mx.test", NULL, -1, 90, 0, false, false, false },
	{ "ipname", "127.0.0.1", "127.0.0.1", -1, 90, 0, false, false, false },
	{ "client", "client.test", "client.test", -1, 90, 0, false, true, false },
};

enum { CERTS = sizeof cert_rows / sizeof *cert_rows };

struct certs {
	X509 *cert[CERTS];
	EVP_PKEY *key[CERTS];
};

static GENERAL_NAME *
cert_name(struct span name)
{
	GENERAL_NAME *g = must(GENERAL_NAME_new());
	ASN1_STRING *s = must(ASN1_IA5STRING_new());
	char *text = span_dup(name);

	if (span_starts(name, "IP:")) {
		ASN1_STRING_free(s);
		s = must(a2i_IPADDRESS(text + 3));
		GENERAL_NAME_set0_value(g, GEN_IPADD, s);
	} else {
		for (size_t i = 0; i < name.n; i++)
			if (text[i] == '^')
				text[i] = '\0';
		ASN1_STRING_set(s, text, (int)name.n);
		GENERAL_NAME_set0_value(g, GEN_DNS, s);
	}
	free(text);
	return g;
}

static void
cert_names(X509 *cert, const char *names)
{
	GENERAL_NAMES *all = must(GENERAL_NAMES_new());
	struct span rest = span_of(names), one;

	while (span_cut(&rest, ' ', &one))
		sk_GENERAL_NAME_push(all, cert_name(one));
	X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0);
	GENERAL_NAMES_free(all);
}

static void
cert_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX c;
	X509_EXTENSION *x;

	X509V3_set_ctx(&c, issuer, cert, NULL, NULL, 0);
	x = must(X509V3_EXT_conf_nid(NULL, &c, nid, value));
	X509_add_ext(cert, x, -1);
	X509_EXTENSION_free(x);
}

/* Issuers stand above whom they issue for. */
static void
cert_make(struct certs *c, size_t i)
{
	const struct cert_row *r = &cert_rows[i];
	size_t by = r->by < 0 ? i : (size_t)r->by;
	X509 *cert = c->cert[i] = must(X509_new());
	X509_NAME *name = X509_get_subject_name(cert);

	c->key[i] = must(EVP_EC_gen("P-256"));
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)i + 1);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)r->cn, -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(cert), r->from * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(cert), r->until * 86400L);
	X509_set_pubkey(cert, c->key[i]);
	X509_set_issuer_name(cert, X509_get_subject_name(c->cert[by]));
	cert_extend(cert, c->cert[by], NID_basic_constraints, r->ca ?
	    "critical,CA:TRUE" : "critical,CA:FALSE");
	cert_extend(cert, c->cert[by], NID_subject_key_identifier, "hash");
	if (!r->ca)
		cert_extend(cert, c->cert[by], NID_ext_key_usage, r->client ?
		    "clientAuth" : "serverAuth");
	if (r->names != NULL)
		cert_names(cert, r->names);
	if (X509_sign(cert, c->key[by], EVP_sha256()) == 0)
		abort();
}

static void
certs_fill(struct certs *c)
{
	for (size_t i = 0; i < CERTS; i++)
		cert_make(c, i);
}

static void
certs_free(struct certs *c)
{
	for (size_t i = 0; i < CERTS; i++) {
		X509_free(c->cert[i]);
		EVP_PKEY_free(c->key[i]);
	}
}

/* DIR/FILE.pem with certificate, chain and key; false: errno. */
static bool
cert_write(const struct certs *c, size_t i, const char *dir)
{
	struct buf path = {0};
	FILE *f;
	int fd;

	buf_addf(&path, "%s/%s.pem", dir, cert_rows[i].file);
	fd = open(buf_str(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	buf_free(&path);
	if (fd < 0 || (f = fdopen(fd, "w")) == NULL)
		return false;
	PEM_write_X509(f, c->cert[i]);
	for (int by = cert_rows[i].by; cert_rows[i].chain && by >= 0;
	    by = cert_rows[by].by)
		PEM_write_X509(f, c->cert[by]);
	PEM_write_PrivateKey(f, c->key[i], NULL, NULL, 0, NULL, NULL);
	return fclose(f) == 0;
}

/* What DIR/ holds then, the names above say. */
static bool
certs_write(const struct certs *c, const char *dir)
{
	for (size_t i = 0; i < CERTS; i++)
		if (!cert_write(c, i, dir))
			return false;
	return true;
}

__attribute__((unused))
static size_t
cert_find(const char *file)
{
	size_t i = 0;

	while (i < CERTS && strcmp(cert_rows[i].file, file) != 0)
		i++;
	if (i == CERTS)
		abort();
	return i;
}

#endif
