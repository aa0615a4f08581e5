#include "net/tls_cert.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/text.h"

#define NAMES_SHOWN 6	/* in a reason; a certificate may hold thousands */

bool
cert_address(const char *name)
{
	unsigned char octets[16];

	return inet_pton(AF_INET, name, octets) == 1 ||
	    inet_pton(AF_INET6, name, octets) == 1;
}

/* In words */

static void
add_dn(struct buf *to, const X509_NAME *name)
{
	BIO *b = must(BIO_new(BIO_s_mem()));
	char *p;
	long n;

	/* RFC 4514 escapes, also of what moves cursors; UTF-8 stays */
	X509_NAME_print_ex(b, name, 0, (ASN1_STRFLGS_RFC2253 &
	    ~ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV |
	    XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS);
	n = BIO_get_mem_data(b, &p);
	if (n > 0)
		text_printable(to, (struct span){ p, (size_t)n });
	BIO_free(b);
}

static void
add_time(struct buf *to, const ASN1_TIME *when, const char *fmt)
{
	struct tm tm;
	char text[64];

	if (ASN1_TIME_to_tm(when, &tm) == 1 &&
	    strftime(text, sizeof text, fmt, &tm) > 0)
		buf_adds(to, text);
	else
		buf_adds(to, "an unreadable date");
}

/* A blank in a name would look like two names. */
static void
add_name(struct buf *to, const ASN1_STRING *s)
{
	struct span rest = { (const char *)ASN1_STRING_get0_data(s),
	    (size_t)ASN1_STRING_length(s) }, piece;
	size_t n;

	for (n = rest.n; span_cut(&rest, ' ', &piece); n = rest.n) {
		text_printable(to, piece);
		if (piece.n < n)
			buf_adds(to, "\\x20");
	}
}

static void
add_ip(struct buf *to, const ASN1_OCTET_STRING *s)
{
	int n = ASN1_STRING_length(s);
	char text[INET6_ADDRSTRLEN];

	if ((n == 4 || n == 16) && inet_ntop(n == 4 ? AF_INET : AF_INET6,
	    ASN1_STRING_get0_data(s), text, sizeof text) != NULL)
		buf_adds(to, text);
	else
		buf_adds(to, "?");
}

static bool
add_general(struct buf *to, const GENERAL_NAME *g)
{
	int kind;
	void *value = GENERAL_NAME_get0_value(g, &kind);

	if (kind == GEN_IPADD)
		add_ip(to, value);
	else if (kind == GEN_DNS || kind == GEN_EMAIL || kind == GEN_URI)
		add_name(to, value);
	else
		return false;
	return true;
}

/* Up to `limit` subjectAltNames, blanks between; how many there are in all. */
static int
add_names(struct buf *to, const X509 *cert, int limit)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL,
	    NULL);
	int n = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		struct buf one = {0};

		if (add_general(&one, sk_GENERAL_NAME_value(all, i)) &&
		    n++ < limit) {
			if (n > 1)
				buf_addc(to, ' ');
			buf_addspan(to, buf_span(&one));
		}
		buf_free(&one);
	}
	GENERAL_NAMES_free(all);
	return n;
}

/* Why it is not */

static void
reason_name(const X509 *cert, struct buf *to)
{
	struct buf names = {0};
	int n = add_names(&names, cert, NAMES_SHOWN);

	if (n == 0) {
		buf_adds(to, "it has no subjectAltName, and what its subject "
		    "says does not count: ");
		add_dn(to, X509_get_subject_name(cert));
	} else {
		buf_adds(to, "it is for other names: ");
		buf_addspan(to, buf_span(&names));
	}
	if (n > NAMES_SHOWN)
		buf_addf(to, " and %d more", n - NAMES_SHOWN);
	buf_free(&names);
}

/* "it", the certificate, or that of a CA in the chain above it */
static void
add_whose(struct buf *to, X509_STORE_CTX *c, const X509 *cert)
{
	if (X509_STORE_CTX_get_error_depth(c) == 0) {
		buf_adds(to, "it");
		return;
	}
	buf_adds(to, "the certificate of its CA ");
	add_dn(to, X509_get_subject_name(cert));
}

void
cert_reason(X509_STORE_CTX *c, struct buf *to)
{
	int code = X509_STORE_CTX_get_error(c);
	X509 *cert = X509_STORE_CTX_get_current_cert(c);

	if (cert == NULL)
		cert = X509_STORE_CTX_get0_cert(c);
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		add_whose(to, c, cert);
		buf_adds(to, " expired on ");
		add_time(to, X509_get0_notAfter(cert), "%Y-%m-%d");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		add_whose(to, c, cert);
		buf_adds(to, " is not valid before ");
		add_time(to, X509_get0_notBefore(cert), "%Y-%m-%d");
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		buf_adds(to, "self-signed, and not trusted");
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		buf_adds(to, "issued by a CA that is not known here: ");
		add_dn(to, X509_get_issuer_name(cert));
		break;
	case X509_V_ERR_DANE_NO_MATCH:
		buf_adds(to, "no TLSA record matches it");
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		reason_name(cert, to);
		break;
	default:
		buf_adds(to, X509_verify_cert_error_string(code));
	}
}

/* Judging */

static bool
names_match(const struct cert_case *a)
{
	if (cert_address(a->name))
		return X509_check_ip_asc(a->cert, a->name, CERT_NAME_FLAGS) == 1;
	return X509_check_host(a->cert, a->name, 0, CERT_NAME_FLAGS, NULL) == 1;
}

static int
judge_name(const struct cert_case *a, struct buf *words)
{
	if (a->client)
		return X509_V_OK;
	if (a->name == NULL) {
		buf_adds(words, "there is no name to look for in it");
		return X509_V_ERR_HOSTNAME_MISMATCH;
	}
	if (names_match(a))
		return X509_V_OK;
	reason_name(a->cert, words);
	return cert_address(a->name) ? X509_V_ERR_IP_ADDRESS_MISMATCH :
	    X509_V_ERR_HOSTNAME_MISMATCH;
}

static int
judge_chain(const struct cert_case *a, X509_STORE_CTX *c, struct buf *words)
{
	int code;

	if (X509_STORE_CTX_init(c, a->known, a->cert, a->sent) != 1 ||
	    X509_STORE_CTX_set_default(c, a->client ? "ssl_client" :
	    "ssl_server") != 1) {
		buf_adds(words, "it cannot be looked at");
		return X509_V_ERR_UNSPECIFIED;
	}
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(c),
	    a->strength);
	if (X509_verify_cert(c) == 1)
		return X509_V_OK;
	cert_reason(c, words);
	code = X509_STORE_CTX_get_error(c);
	return code != X509_V_OK ? code : X509_V_ERR_UNSPECIFIED;
}

int
cert_judge(const struct cert_case *a, struct buf *words)
{
	X509_STORE_CTX *c = must(X509_STORE_CTX_new());
	STACK_OF(X509) *chain;
	int code = judge_chain(a, c, words);

	if (code == X509_V_OK)
		code = judge_name(a, words);
	if (code == X509_V_OK) {
		chain = X509_STORE_CTX_get0_chain(c);
		buf_adds(words, "verified: ");
		if (a->client)
			add_dn(words, X509_get_subject_name(a->cert));
		else
			buf_adds(words, a->name);
		buf_adds(words, ", by ");
		add_dn(words, X509_get_subject_name(sk_X509_value(chain,
		    sk_X509_num(chain) - 1)));
	}
	X509_STORE_CTX_free(c);
	return code;
}

/* Fingerprints */

static int
nibble(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, tolower((unsigned char)c)) :
	    NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

int
cert_pin_parse(unsigned char pin[PIN_OCTETS], const char *text, struct err *e)
{
	const char *p = text;

	for (size_t i = 0; i < PIN_OCTETS; i++) {
		if (i > 0 && *p == ':')
			p++;
		if (nibble(p[0]) < 0 || nibble(p[1]) < 0)
			return err_set(e, FAULT_USAGE, "`%s' is not "
			    "SHA-256 in hex, which has 64 digits", text);
		pin[i] = (unsigned char)(nibble(p[0]) << 4 | nibble(p[1]));
		p += 2;
	}
	if (*p == '\0')
		return 0;
	return err_set(e, FAULT_USAGE, "`%s' is longer than SHA-256 in "
	    "hex, which has 64 digits", text);
}

static bool
digest(X509 *cert, unsigned char md[EVP_MAX_MD_SIZE])
{
	unsigned int n;

	return X509_digest(cert, EVP_sha256(), md, &n) == 1 && n == PIN_OCTETS;
}

bool
cert_pinned(X509 *cert, const unsigned char pin[PIN_OCTETS])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	return digest(cert, md) && CRYPTO_memcmp(md, pin, PIN_OCTETS) == 0;
}

void
cert_fingerprint(X509 *cert, struct buf *to)
{
	unsigned char md[EVP_MAX_MD_SIZE];

	if (!digest(cert, md))
		return;
	for (size_t i = 0; i < PIN_OCTETS; i++)
		buf_addf(to, "%02x", md[i]);
}

/* Facts */

void
cert_facts(X509 *cert, struct tls_facts *f)
{
	static const char iso[] = "%Y-%m-%dT%H:%M:%SZ";
	struct buf subject = {0}, issuer = {0}, names = {0}, from = {0},
	    until = {0}, fingerprint = {0};

	if (cert != NULL) {
		add_dn(&subject, X509_get_subject_name(cert));
		add_dn(&issuer, X509_get_issuer_name(cert));
		add_names(&names, cert, INT_MAX);
		add_time(&from, X509_get0_notBefore(cert), iso);
		add_time(&until, X509_get0_notAfter(cert), iso);
		cert_fingerprint(cert, &fingerprint);
	}
	/* each becomes a string, whose memory is the caller's */
	f->subject = buf_str(&subject);
	f->issuer = buf_str(&issuer);
	f->names = buf_str(&names);
	f->from = buf_str(&from);
	f->until = buf_str(&until);
	f->fingerprint = buf_str(&fingerprint);
}
