/* Who the peer is: certificates, names, fingerprints, and what files hold. */
#include "tls_pair.h"

#include <sys/resource.h>
#include <time.h>

static const struct {
	const char *what;
	const char *cert, *ca, *name;
	const char *words;	/* of the verdict; `@' is a date of that file */
	bool good;
} rows[] = {
	{ "good", "good", "ca", "mx.test", "verified: mx.test, by CN=Tidegate test CA", true },
	{ "in other letters", "good", "ca", "MX.Test", "verified: MX.Test", true },
	{ "with a final dot", "good", "ca", "mx.test.", "verified: mx.test,", true },
	{ "in a chain", "chain", "ca", "mx.test", "verified: mx.test, by CN=Tidegate test CA", true },
	{ "expired", "expired", "ca", "mx.test", "it expired on @expired", false },
	{ "expired in a chain", "expiredchain", "ca", "mx.test", "it expired on @expiredchain", false },
	{ "expired CA", "oldchain", "ca", "mx.test", "the certificate of its CA CN=Old CA expired on @oldca", false },
	{ "not yet", "future", "ca", "mx.test", "it is not valid before @future", false },
	{ "self-signed", "selfsigned", "ca", "mx.test", "self-signed, and not trusted", false },
	{ "self-signed, and known", "selfsigned", "selfsigned", "mx.test", "verified: mx.test, by CN=mx.test", true },
	{ "another CA", "otherca", "ca", "mx.test", "issued by a CA that is not known here: CN=Stranger CA", false },
	{ "another CA, with chain", "chain", "strangerca", "mx.test", "issued by a CA that is not known here: CN=Tidegate test CA", false },
	{ "other names", "othername", "ca", "mx.test", "it is for other names: a.test b.test", false },
	{ "one of its names", "othername", "ca", "b.test", "verified: b.test", true },
	{ "wildcard", "wildcard", "ca", "mx.there.test", "verified: mx.there.test", true },
	{ "wildcard, two labels", "wildcard", "ca", "a.mx.there.test", "it is for other names: *.there.test", false },
	{ "wildcard, no label", "wildcard", "ca", "there.test", "it is for other names: *.there.test", false },
	{ "wildcard too wide", "toowide", "ca", "mx.test", "it is for other names: *.test", false },
	{ "wildcard in part", "partial", "ca", "mx.there.test", "it is for other names: m*.there.test", false },
	{ "NUL in its name", "nul", "ca", "mx.test", "it is for other names: mx.test\\x00.evil.test", false },
	{ "CN only", "cnonly", "ca", "mx.test", "no subjectAltName, and what its subject says does not count: CN=mx.test", false },
	{ "IPv4", "good", "ca", "127.0.0.1", "verified: 127.0.0.1", true },
	{ "IPv6", "good", "ca", "0::1", "verified: 0::1", true },
	{ "another address", "good", "ca", "127.0.0.2", "it is for other names: mx.test 127.0.0.1 ::1", false },
	{ "address as a name", "ipname", "ca", "127.0.0.1", "it is for other names: 127.0.0.1", false },
	{ "a client's", "client", "ca", "client.test", "purpose", false },
	{ "part of the name", "good", "ca", "x.test", "it is for other names", false },
};

/* `@FILE' at the end becomes its notAfter, or notBefore where that is to come. */
static const char *
dated(const char *words)
{
	static char text[256];
	size_t n = strcspn(words, "@");
	const X509 *cert;
	struct tm tm;

	if (words[n] == '\0')
		return words;
	cert = pair_certs.cert[cert_find(words + n + 1)];
	ASN1_TIME_to_tm(X509_cmp_current_time(X509_get0_notBefore(cert)) > 0 ?
	    X509_get0_notBefore(cert) : X509_get0_notAfter(cert), &tm);
	snprintf(text, sizeof text, "%.*s", (int)n, words);
	strftime(text + n, sizeof text - n, "%Y-%m-%d", &tm);
	return text;
}

static void
accepted(struct end *c, struct end *s, bool good, const char *words,
    const char *what)
{
	struct tls_facts f;

	ok(c->last == 0 && tls_ready(c->t) && tls_ready(s->t) &&
	    tls_verified(c->t) == good && !tls_verified(s->t), "%s", what);
	tls_facts(c->t, &f);
	has(f.verdict, words, what);
	tls_facts_free(&f);
	tls_facts_free(&f);
}

static void
refused(struct end *c, struct end *s, const char *words, const char *what)
{
	ok(c->last == -1 && c->e.fault == FAULT_TEMP && !tls_ready(c->t) &&
	    !tls_verified(c->t), "%s: refused", what);
	has(c->e.text, words, what);
	ok(s->last == -1 && s->e.fault == FAULT_TEMP &&
	    strstr(s->e.text, "the peer ended it") != NULL,
	    "%s: the server hears it", what);
	if (strstr(words, " expired on ") != NULL)
		has(s->e.text, "certificate expired", what);
	if (strstr(words, "issued by") != NULL)
		has(s->e.text, "unknown CA", what);
}

static void
one(size_t i, struct tls_shared *cs, struct tls_shared *ss, enum tls_level level)
{
	static const char *const names[] = { [TLS_MAY] = "may",
	    [TLS_ENCRYPT] = "encrypt", [TLS_VERIFY] = "verify" };
	struct tls_expect x = { .level = level, .name = rows[i].name };
	const char *words = dated(rows[i].words);
	struct end c, s;
	char what[80];

	for (size_t b = 0; b < BITES; b++) {
		snprintf(what, sizeof what, "%s, %s, bite %zd", rows[i].what,
		    names[level], (ssize_t)bites[b]);
		pair(&c, &s, cs, ss, &x, bites[b]);
		if (rows[i].good || level != TLS_VERIFY)
			accepted(&c, &s, rows[i].good, words, what);
		else
			refused(&c, &s, words, what);
		end_free(&c);
		end_free(&s);
	}
}

static void
certificates(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tls_shared *cs = shared(false, rows[i].ca, NULL);
		struct tls_shared *ss = shared(true, NULL, rows[i].cert);

		for (enum tls_level l = TLS_MAY; l <= TLS_VERIFY; l++)
			one(i, cs, ss, l);
		tls_shared_free(cs);
		tls_shared_free(ss);
	}
}

/* Whom nobody named */

static void
nameless(void)
{
	struct tls_shared *cs = shared(false, "ca", NULL);
	struct tls_shared *ss = shared(true, NULL, "good");
	struct tls_expect x = { .level = TLS_ENCRYPT };
	static const char *const bad[] = { "", ".", ".test", NULL };
	struct end c, s;

	pair(&c, &s, cs, ss, &x, SIZE_MAX);
	accepted(&c, &s, false, "there is no name", "no name");
	end_free(&c);
	end_free(&s);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = {0};

		x = (struct tls_expect){ .level = TLS_VERIFY, .name = bad[i] };
		ok(tls_client(cs, &x, &e) == NULL && e.fault == FAULT_USAGE,
		    "nobody to verify: `%s'", bad[i] ? bad[i] : "(null)");
	}
	tls_shared_free(cs);
	tls_shared_free(ss);
}

/* Fingerprints */

/* In hex as openssl x509 -fingerprint writes it, or plain and small. */
static const char *
hex(const char *file, bool colons)
{
	static char text[3 * 32 + 1];
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n;
	size_t at = 0;

	X509_digest(pair_certs.cert[cert_find(file)], EVP_sha256(), md, &n);
	for (unsigned int i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, colons ?
		    "%s%02X" : "%.0s%02x", i > 0 ? ":" : "", md[i]);
	return text;
}

static const struct {
	const char *what, *cert, *of, *name;
	bool colons, good;
	enum tls_level level;
} pins[] = {
	{ "pinned", "good", "good", "mx.test", false, true, TLS_VERIFY },
	{ "pinned, colons", "good", "good", "mx.test", true, true, TLS_MAY },
	{ "pinned, self-signed", "selfsigned", "selfsigned", "mx.test", true, true, TLS_VERIFY },
	{ "pinned, expired", "expired", "expired", "mx.test", true, true, TLS_ENCRYPT },
	{ "pinned, no name", "selfsigned", "selfsigned", NULL, true, true, TLS_VERIFY },
	{ "pinned, other name", "othername", "othername", "mx.test", false, true, TLS_VERIFY },
	{ "wrong pin", "good", "otherca", "mx.test", false, false, TLS_VERIFY },
	{ "wrong pin, may", "good", "otherca", "mx.test", false, false, TLS_MAY },
	{ "pin of its CA", "good", "ca", "mx.test", false, false, TLS_ENCRYPT },
};

static void
fingerprints(void)
{
	struct tls_shared *cs = shared(false, "ca", NULL);

	for (size_t i = 0; i < sizeof pins / sizeof *pins; i++) {
		struct tls_shared *ss = shared(true, NULL, pins[i].cert);
		struct tls_expect x = { pins[i].level, pins[i].name, NULL,
		    hex(pins[i].of, pins[i].colons), NULL };
		struct end c, s;

		pair(&c, &s, cs, ss, &x, 7);
		if (pins[i].good)
			accepted(&c, &s, true, "", pins[i].what);
		else
			refused(&c, &s, "its fingerprint is another: ", pins[i].what);
		end_free(&c);
		end_free(&s);
		tls_shared_free(ss);
	}
	tls_shared_free(cs);
}

static void
bad_fingerprints(void)
{
	static const char h[] = "00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeef";
	struct tls_shared *cs = shared(false, "ca", NULL);
	char text[10][80];

	snprintf(text[0], sizeof *text, "%s", h);
	snprintf(text[1], sizeof *text, "%sf0", h);
	snprintf(text[2], sizeof *text, "%sg", h);
	snprintf(text[3], sizeof *text, "%sf:", h);
	snprintf(text[4], sizeof *text, ":%sf", h);
	snprintf(text[5], sizeof *text, "00::%sf", h + 2);
	snprintf(text[6], sizeof *text, "0:0%sf", h + 2);
	snprintf(text[7], sizeof *text, "%sf ", h);
	snprintf(text[8], sizeof *text, "sha256:%sf", h);
	text[9][0] = '\0';
	for (size_t i = 0; i < 10; i++) {
		struct tls_expect x = { TLS_MAY, "mx.test", NULL, text[i], NULL };
		struct err e = {0};

		ok(tls_client(cs, &x, &e) == NULL && e.fault == FAULT_USAGE,
		    "no fingerprint: `%s'", text[i]);
	}
	tls_shared_free(cs);
}

/* A client that shows who it is */

static const struct {
	const char *what, *cert, *ca, *words;
	bool asked, good;
} clients[] = {
	{ "client", "client", "ca", "verified: CN=client.test, by CN=Tidegate test CA", true, true },
	{ "client of another CA", "client", "strangerca", "issued by a CA that is not known here", true, false },
	{ "client with a server's", "good", "ca", "purpose", true, false },
	{ "client without", NULL, "ca", "no certificate was shown", true, false },
	{ "client not asked", "client", NULL, "no certificate was shown", false, false },
};

static void
show(size_t i, size_t bite)
{
	struct tls_shared *cs = shared(false, "ca", clients[i].cert);
	struct tls_shared *ss = shared(true, clients[i].ca, "good");
	struct tls_expect x = { .level = TLS_VERIFY, .name = "mx.test" };
	struct tls_facts f;
	struct end c, s;

	pair(&c, &s, cs, ss, &x, bite);
	ok(tls_ready(c.t) && tls_ready(s.t) && tls_verified(c.t) &&
	    tls_verified(s.t) == clients[i].good, "%s", clients[i].what);
	tls_facts(s.t, &f);
	has(f.verdict, clients[i].words, clients[i].what);
	is(f.subject, !clients[i].asked || clients[i].cert == NULL ? "" :
	    strcmp(clients[i].cert, "client") == 0 ? "CN=client.test" :
	    "CN=mx.test", "its subject");
	tls_facts_free(&f);
	end_free(&c);
	end_free(&s);
	tls_shared_free(cs);
	tls_shared_free(ss);
}

/* Facts */

static void
facts(void)
{
	struct tls_shared *cs = shared(false, "ca", NULL);
	struct tls_shared *ss = shared(true, NULL, "good");
	struct tls_expect x = { .level = TLS_MAY, .name = "mx.test" };
	struct tls_facts f;
	struct end c, s;

	pair(&c, &s, cs, ss, &x, SIZE_MAX);
	tls_facts(c.t, &f);
	is(f.protocol, "TLSv1.3", "protocol");
	has(f.cipher, "TLS_", "cipher");
	is(f.subject, "CN=mx.test", "subject");
	is(f.issuer, "CN=Tidegate test CA", "issuer");
	is(f.names, "mx.test 127.0.0.1 ::1", "names");
	is(f.fingerprint, hex("good", false), "fingerprint");
	ok(strlen(f.from) == 20 && f.from[10] == 'T' && f.from[19] == 'Z' &&
	    strcmp(f.from, f.until) < 0, "dates: %s, %s", f.from, f.until);
	tls_facts_free(&f);
	end_free(&c);
	end_free(&s);
	tls_shared_free(cs);
	tls_shared_free(ss);
}

/* Files */

static void
file(const char *what, bool server, const char *ca, const char *cert,
    const char *key, enum fault fault, const char *words)
{
	struct tls_opts o = { .server = server, .ca = ca, .cert = cert, .key = key };
	struct err e = {0};
	struct tls_shared *s = tls_shared_new(&o, &e);
	bool usable = s != NULL && tls_shared_ready(s, &e) == 0;

	ok(usable == (fault == FAULT_NONE) && e.fault == fault, "%s: %d", what,
	    (int)e.fault);
	if (s != NULL && !usable)
		ok(tls_server(s, &(struct err){0}) == NULL, "%s: nor later", what);
	has(e.text, words, what);
	tls_shared_free(s);
}

static void
hash_link(void)
{
	char dir[80], name[120];

	snprintf(dir, sizeof dir, "%s/hashed", pair_dir);
	mkdir(dir, 0700);
	file("a directory without links", false, dir, NULL, NULL, FAULT_CONFIG,
	    "rehash");
	snprintf(name, sizeof name, "%s/%08lx.0", dir,
	    X509_NAME_hash_ex(X509_get_subject_name(
	    pair_certs.cert[cert_find("ca")]), NULL, NULL, NULL));
	if (symlink("../ca.pem", name) < 0)
		abort();
	file("a directory with links", false, dir, NULL, NULL, FAULT_NONE, "");
	snprintf(name, sizeof name, "%s/hashed.pem", pair_dir);
	if (symlink("hashed", name) < 0)
		abort();
}

/* A CA that lies in a directory under its hash */
static void
from_directory(void)
{
	struct tls_shared *cs, *ss = shared(true, NULL, "good");
	struct tls_expect x = { .level = TLS_VERIFY, .name = "mx.test" };
	struct end c, s;

	hash_link();
	cs = shared(false, "hashed", NULL);
	pair(&c, &s, cs, ss, &x, SIZE_MAX);
	accepted(&c, &s, true, "verified: ", "CA from a directory");
	end_free(&c);
	end_free(&s);
	tls_shared_free(cs);
	tls_shared_free(ss);
}

static void
locked_key(void)
{
	FILE *f = fopen(pem("locked"), "w");
	char pass[] = "x";

	if (f == NULL || fchmod(fileno(f), 0600) < 0)
		abort();
	PEM_write_PrivateKey(f, pair_certs.key[cert_find("good")],
	    EVP_aes_128_cbc(), NULL, 0, NULL, pass);
	fclose(f);
	file("a key with a passphrase", true, NULL, pem("good"), pem("locked"),
	    FAULT_CONFIG, "passphrase");
}

static void
no_descriptors(void)
{
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	file("no descriptors left", false, pem("ca"), NULL, NULL, FAULT_TEMP,
	    "ca.pem: ");
	setrlimit(RLIMIT_NOFILE, &old);
}

static void
files(void)
{
	file("nothing asked for", false, NULL, NULL, NULL, FAULT_NONE, "");
	file("no such CA file", false, pem("none"), NULL, NULL, FAULT_CONFIG,
	    "none.pem: No such file");
	file("no CA in it", false, "/dev/null", NULL, NULL, FAULT_CONFIG,
	    "/dev/null: no CA");
	file("no such certificate", false, NULL, pem("none"), NULL,
	    FAULT_CONFIG, "none.pem: No such file");
	file("no certificate in it", false, NULL, "/dev/null", NULL,
	    FAULT_CONFIG, "/dev/null: no certificate");
	file("a server without", true, NULL, NULL, NULL, FAULT_CONFIG,
	    "certificate");
	file("a key without", false, NULL, NULL, pem("good"), FAULT_CONFIG,
	    "without a certificate");
	file("another one's key", true, NULL, pem("good"), pem("client"),
	    FAULT_CONFIG, "client.pem: the key is not that of the certificate");
	file("no key in it", true, NULL, pem("good"), "/dev/null", FAULT_CONFIG,
	    "/dev/null: ");
	file("its own key", true, NULL, pem("good"), pem("good"), FAULT_NONE, "");
	chmod(pem("good"), 0640);
	file("a key the group may read", true, NULL, pem("good"), NULL,
	    FAULT_CONFIG, "good.pem: holds a private key");
	chmod(pem("good"), 0604);
	file("a key others may read", false, NULL, pem("good"), NULL,
	    FAULT_CONFIG, "(mode 0604)");
	chmod(pem("good"), 0600);
	locked_key();
	no_descriptors();
}

int
main(void)
{
	pair_begin();
	certificates();
	nameless();
	fingerprints();
	bad_fingerprints();
	for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
		for (size_t b = 0; b < BITES; b++)
			show(i, bites[b]);
	facts();
	from_directory();
	files();
	pair_end();
	return done_testing();
}
