/* TLSA records (RFC 6698, RFC 7672): which certificates they accept. */
#include "tls_pair.h"

static const struct {
	const char *what;
	const char *cert;
	const char *records;	/* USAGE SELECTOR MATCHING FILE, `,' between; behind
				   a FILE: `!' another digest, `-' cut short */
	const char *name, *other;
	const char *refused;	/* in words; NULL: it goes on */
	bool verified;
} rows[] = {
	{ "3 0 0", "good", "3 0 0 good", "mx.test", NULL, NULL, true },
	{ "3 0 1", "good", "3 0 1 good", "mx.test", NULL, NULL, true },
	{ "3 0 2", "good", "3 0 2 good", "mx.test", NULL, NULL, true },
	{ "3 1 0", "good", "3 1 0 good", "mx.test", NULL, NULL, true },
	{ "3 1 1", "good", "3 1 1 good", "mx.test", NULL, NULL, true },
	{ "3 1 2", "good", "3 1 2 good", "mx.test", NULL, NULL, true },
	{ "3, with its chain", "chain", "3 1 1 chain", "mx.test", NULL, NULL, true },
	{ "3, another key", "good", "3 1 1 otherca", "mx.test", NULL, "certificate of mx.test: no TLSA record matches it", false },
	{ "3, another digest", "good", "3 0 1 good!", "mx.test", NULL, "no TLSA record matches it", false },
	{ "3, of its CA", "chain", "3 0 1 ca", "mx.test", NULL, "no TLSA record matches it", false },
	{ "3, expired", "expired", "3 1 1 expired", "mx.test", NULL, NULL, true },
	{ "3, not yet", "future", "3 1 1 future", "mx.test", NULL, NULL, true },
	{ "3, another name", "othername", "3 1 1 othername", "mx.test", NULL, NULL, true },
	{ "3, self-signed", "selfsigned", "3 0 1 selfsigned", "mx.test", NULL, NULL, true },
	{ "3, a client's", "client", "3 1 1 client", "mx.test", NULL, NULL, true },
	{ "2 0 0", "chain", "2 0 0 ca", "mx.test", NULL, NULL, true },
	{ "2 0 1", "chain", "2 0 1 ca", "mx.test", NULL, NULL, true },
	{ "2 0 2", "chain", "2 0 2 ca", "mx.test", NULL, NULL, true },
	{ "2 1 0", "chain", "2 1 0 ca", "mx.test", NULL, NULL, true },
	{ "2 1 1", "chain", "2 1 1 ca", "mx.test", NULL, NULL, true },
	{ "2 1 2", "chain", "2 1 2 ca", "mx.test", NULL, NULL, true },
	{ "2, half way up", "chain", "2 0 1 middle", "mx.test", NULL, NULL, true },
	{ "2, not in its chain", "chain", "2 0 1 strangerca", "mx.test", NULL, "no TLSA record matches it", false },
	{ "2, not sent", "good", "2 0 1 ca", "mx.test", NULL, "no TLSA record matches it", false },
	{ "2, an unknown CA", "otherca", "2 0 0 strangerca", "mx.test", NULL, NULL, true },
	{ "2, expired", "expiredchain", "2 0 1 ca", "mx.test", NULL, "it expired on ", false },
	{ "2, expired CA", "oldchain", "2 0 1 ca", "mx.test", NULL, "the certificate of its CA CN=Old CA expired on ", false },
	{ "2, another name", "otherchain", "2 0 1 ca", "mx.test", NULL, "it is for other names: a.test b.test", false },
	{ "2, the second name", "otherchain", "2 0 1 ca", "mx.test", "b.test", NULL, true },
	{ "2, neither name", "otherchain", "2 0 1 ca", "mx.test", "c.test", "it is for other names: a.test b.test", false },
	{ "2, a client's", "good", "2 0 0 client", "mx.test", NULL, "certificate of mx.test: ", false },
	{ "2, CN only", "cnonly", "2 0 0 ca", "mx.test", NULL, "it has no subjectAltName", false },
	{ "2, wildcard", "wildcard", "2 0 0 ca", "mx.there.test", NULL, NULL, true },
	{ "2, wildcard in part", "partial", "2 0 0 ca", "mx.there.test", NULL, "it is for other names: m*.there.test", false },
	{ "2, wildcard too wide", "toowide", "2 0 0 ca", "mx.test", NULL, "it is for other names: *.test", false },
	{ "2, NUL in its name", "nul", "2 0 0 ca", "mx.test", NULL, "it is for other names: mx.test\\x00", false },
	{ "2, final dot", "chain", "2 0 1 ca", "mx.test.", NULL, NULL, true },
	{ "0", "chain", "0 0 1 ca", "mx.test", NULL, NULL, false },
	{ "1", "good", "1 0 1 good", "mx.test", NULL, NULL, false },
	{ "1, which does not match", "good", "1 0 1 otherca", "mx.test", NULL, NULL, false },
	{ "unknown usage", "good", "4 1 1 good", "mx.test", NULL, NULL, false },
	{ "usage 255", "good", "255 1 1 good", "mx.test", NULL, NULL, false },
	{ "unknown selector", "good", "3 2 1 good", "mx.test", NULL, NULL, false },
	{ "unknown matching", "good", "3 1 3 good", "mx.test", NULL, NULL, false },
	{ "matching 255", "good", "3 1 255 good", "mx.test", NULL, NULL, false },
	{ "digest cut short", "good", "3 1 1 good-", "mx.test", NULL, NULL, false },
	{ "certificate cut short", "good", "3 0 0 good-", "mx.test", NULL, NULL, false },
	{ "nothing usable", "good", "0 0 1 ca,1 1 1 good,3 1 1 good-", "mx.test", NULL, NULL, false },
	{ "nothing usable, and another name", "othername", "1 1 1 othername", "mx.test", NULL, NULL, false },
	{ "one of several", "good", "3 1 1 otherca,3 1 1 good,2 0 1 strangerca", "mx.test", NULL, NULL, true },
	{ "unusable, matching", "good", "1 1 1 good,3 1 1 good", "mx.test", NULL, NULL, true },
	{ "unusable, not matching", "good", "1 1 1 good,3 1 1 otherca", "mx.test", NULL, "no TLSA record matches it", false },
	{ "digests of two lengths", "good", "3 1 1 good!,3 1 2 good", "mx.test", NULL, NULL, true },
	{ "the stronger digest counts", "good", "3 1 1 good,3 1 2 good!", "mx.test", NULL, "no TLSA record matches it", false },
	{ "none", "good", "", "mx.test", NULL, NULL, false },
	{ "none, self-signed", "selfsigned", "", "mx.test", NULL, NULL, false },
	{ "not asked for", "good", NULL, "mx.test", NULL, NULL, false },
	{ "not asked for, no name", "good", NULL, NULL, NULL, NULL, false },
};

static void
fill(struct buf *data, int selector, int matching, const char *file)
{
	X509 *cert = pair_certs.cert[cert_find(file)];
	unsigned char *der = NULL, md[EVP_MAX_MD_SIZE];
	unsigned int n;
	int length = selector == 0 ? i2d_X509(cert, &der) :
	    i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (matching == 0) {
		buf_add(data, der, (size_t)length);
	} else {
		EVP_Digest(der, (size_t)length, md, &n, matching == 2 ?
		    EVP_sha512() : EVP_sha256(), NULL);
		buf_add(data, md, n);
	}
	OPENSSL_free(der);
}

static void
add(struct tlsas *all, struct span text)
{
	struct tlsa *r = vec_add(all);
	int usage, selector, matching;
	char file[32], *end, odd;
	char *s = span_dup(text);

	if (sscanf(s, "%d %d %d %31s", &usage, &selector, &matching, file) != 4)
		abort();
	free(s);
	end = file + strcspn(file, "!-");
	odd = *end;
	*end = '\0';
	r->usage = (uint8_t)usage;
	r->selector = (uint8_t)selector;
	r->matching = (uint8_t)matching;
	fill(&r->data, selector, matching, file);
	if (odd == '!')
		r->data.p[0] ^= 1;
	else if (odd == '-')
		r->data.n--;
}

static void
one(size_t i, size_t bite)
{
	struct tls_shared *cs = shared(false, "ca", NULL);
	struct tls_shared *ss = shared(true, NULL, rows[i].cert);
	struct tlsas all = { .secure = true };
	struct span rest = span_of(rows[i].records ? rows[i].records : ""), r;
	struct tls_expect x = { TLS_DANE, rows[i].name, rows[i].other, NULL,
	    rows[i].records ? &all : NULL };
	struct tls_facts f;
	struct end c, s;

	while (span_cut(&rest, ',', &r))
		add(&all, r);
	pair(&c, &s, cs, ss, &x, bite);
	ok(c.last == (rows[i].refused ? -1 : 0) &&
	    tls_ready(c.t) == (rows[i].refused == NULL) &&
	    tls_verified(c.t) == rows[i].verified, "%s", rows[i].what);
	if (rows[i].refused != NULL) {
		has(c.e.text, rows[i].refused, rows[i].what);
		ok(s.last == -1, "the server hears it");
	}
	tls_facts(c.t, &f);
	ok(f.verdict[0] != '\0', "verdict: %s", f.verdict);
	tls_facts_free(&f);
	end_free(&c);
	end_free(&s);
	tlsas_free(&all);
	tls_shared_free(cs);
	tls_shared_free(ss);
}

/* The verdict is about CA and name, even where records decide. */
static void
verdicts(void)
{
	static const struct { const char *cert, *words; } v[] = {
		{ "good", "verified: mx.test, by CN=Tidegate test CA" },
		{ "selfsigned", "self-signed, and not trusted" },
		{ "othername", "it is for other names: a.test b.test" },
	};
	struct tls_shared *cs = shared(false, "ca", NULL);

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct tls_shared *ss = shared(true, NULL, v[i].cert);
		struct tlsas all = { .secure = true };
		struct tls_expect x = { TLS_DANE, "mx.test", NULL, NULL, &all };
		struct buf text = {0};
		struct tls_facts f;
		struct end c, s;

		buf_addf(&text, "3 1 1 %s", v[i].cert);
		add(&all, buf_span(&text));
		pair(&c, &s, cs, ss, &x, SIZE_MAX);
		tls_facts(c.t, &f);
		ok(tls_verified(c.t), "%s, by TLSA", v[i].cert);
		is(f.verdict, v[i].words, "and by CA");
		tls_facts_free(&f);
		end_free(&c);
		end_free(&s);
		tlsas_free(&all);
		buf_free(&text);
		tls_shared_free(ss);
	}
	tls_shared_free(cs);
}

/* Records belong to the name of a host. */
static void
odd(void)
{
	static const char *const names[] = { NULL, "192.0.2.1", "::1", ".test" };
	struct tls_shared *cs = shared(false, "ca", NULL);
	struct tlsas all = { .secure = true };

	add(&all, SPAN("2 0 1 ca"));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct tls_expect x = { TLS_DANE, names[i], NULL, NULL, &all };
		struct err e = {0};

		ok(tls_client(cs, &x, &e) == NULL && e.fault == FAULT_USAGE,
		    "no host: %s", e.text);
	}
	tlsas_free(&all);
	tls_shared_free(cs);
}

int
main(void)
{
	pair_begin();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t b = 0; b < BITES; b++)
			one(i, bites[b]);
	verdicts();
	odd();
	pair_end();
	return done_testing();
}
