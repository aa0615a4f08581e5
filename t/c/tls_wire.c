/* What TLS does with octets: ours at both ends, and OpenSSL's own at one. */
#include "tls_pair.h"

#include <openssl/ssl.h>

static struct tls_shared *cs, *ss;
static const struct tls_expect mx = { .level = TLS_VERIFY, .name = "mx.test" };

static bool
plain_is(struct end *a, const char *want)
{
	bool same = span_is(buf_span(&a->plain), want);

	if (!same)
		printf("# got: %.*s\n", (int)a->plain.n, a->plain.p);
	buf_clear(&a->plain);
	return same;
}

/* Both ways */

static void
lines(size_t bite)
{
	struct end c, s;

	pair(&c, &s, cs, ss, &mx, bite);
	end_put(&s, "220 mx\r\n", 8);
	end_put(&s, "", 0);
	ok(s.last == 0 && c.plain.n == 0, "bite %zd: put", (ssize_t)bite);
	carry(&s, &c, bite);
	ok(c.last == 0 && plain_is(&c, "220 mx\r\n"), "heard");
	end_put(&c, "EHLO a\r\n", 8);
	end_put(&c, "NOOP\r\n", 6);
	carry(&c, &s, bite);
	ok(s.last == 0 && plain_is(&s, "EHLO a\r\nNOOP\r\n"), "and answered");
	end_feed(&s, SPAN(""));
	ok(s.last == 0 && s.plain.n == 0 && s.wire.n == 0, "nothing is nothing");
	end_free(&c);
	end_free(&s);
}

static void
much(size_t bite)
{
	struct end c, s;
	struct buf text = {0};

	for (size_t i = 0; text.n < 1 << 20; i++)
		buf_addf(&text, "%zu.", i * i);
	pair(&c, &s, cs, ss, &mx, bite);
	end_put(&c, text.p, text.n);
	ok(c.last == 0 && c.wire.n > text.n &&
	    c.wire.n < text.n + text.n / 100, "1 MB is %zu octets", c.wire.n);
	carry(&c, &s, bite);
	ok(s.last == 0 && span_eq(buf_span(&s.plain), buf_span(&text)),
	    "in bites of %zd", (ssize_t)bite);
	ok(s.plain.room < 3 * text.n, "room for %zu", s.plain.room);
	buf_free(&text);
	end_free(&c);
	end_free(&s);
}

/* The end */

static void
closing(size_t bite)
{
	struct end c, s;

	pair(&c, &s, cs, ss, &mx, bite);
	end_put(&s, "221 bye\r\n", 9);
	tls_close(s.t, &s.wire);
	ok(s.wire.n > 0, "close_notify");
	carry(&s, &c, bite);
	ok(c.last == 1 && plain_is(&c, "221 bye\r\n"), "is heard behind the text");
	end_feed(&c, SPAN("more"));
	ok(c.last == 1 && c.plain.n == 0, "nothing comes behind it");
	end_put(&c, "x", 1);
	ok(c.last == 0, "what the other end still has to say may be said");
	carry(&c, &s, bite);
	ok(s.last == 0 && plain_is(&s, "x"), "and is heard");
	tls_close(c.t, &c.wire);
	carry(&c, &s, bite);
	ok(s.last == 1, "until it closes, too");
	end_put(&s, "y", 1);
	ok(s.last == -1 && s.e.fault == FAULT_TEMP, "closed is closed: %s",
	    s.e.text);
	end_free(&c);
	end_free(&s);
}

static void
early_close(void)
{
	struct end c = {0};

	c.t = tls_client(cs, &mx, &c.e);
	tls_close(c.t, &c.wire);
	ok(c.wire.n == 0 && !tls_ready(c.t), "nothing to close before it began");
	end_feed(&c, SPAN(""));
	tls_close(c.t, &c.wire);
	ok(!tls_ready(c.t) && !tls_verified(c.t), "nor in the handshake");
	end_feed(&c, SPAN("\25\3\3\0\2\1\0"));
	ok(c.last == -1 && c.e.fault == FAULT_TEMP,
	    "close_notify is no end of a handshake: %s", c.e.text);
	end_free(&c);
}

static void
truncated(void)
{
	struct end c, s;
	size_t n;

	pair(&c, &s, cs, ss, &mx, SIZE_MAX);
	end_put(&s, "250 kept\r\n", 10);
	n = s.wire.n;
	for (size_t i = 0; i + 1 < n; i++)
		end_feed(&c, (struct span){ s.wire.p + i, 1 });
	ok(c.last == 0 && c.plain.n == 0, "half a record says nothing");
	end_feed(&c, (struct span){ s.wire.p + n - 1, 1 });
	ok(c.last == 0 && plain_is(&c, "250 kept\r\n"), "a whole one does");
	end_free(&c);
	end_free(&s);
}

/* Not TLS */

static void
garbage(size_t bite)
{
	static const struct span texts[] = {
		{ "220 mx.test ESMTP\r\n", 19 },
		{ "GET / HTTP/1.0\r\n\r\n", 18 },
		{ "\26\3\1\377\377 and more", 14 },	/* a record too long */
		{ "\200\11\1\0\2\0\3\0\0\0\0", 11 },	/* SSLv2 */
		{ "\25\3\3\0\2\2\50", 7 },	/* an alert */
		{ "\0\0\0\0\0\0\0\0\0\0\0\0", 12 },
	};

	for (size_t i = 0; i < 2 * sizeof texts / sizeof *texts; i++) {
		struct end a = {0}, b = {0};

		a.t = i % 2 ? tls_client(cs, &mx, &a.e) : tls_server(ss, &a.e);
		end_feed(&a, SPAN(""));
		buf_clear(&a.wire);
		buf_addspan(&b.wire, texts[i / 2]);
		carry(&b, &a, bite);
		ok(a.last == -1 && a.e.fault == FAULT_TEMP && a.plain.n == 0 &&
		    !tls_ready(a.t), "%zu to a %s: %s", i / 2,
		    i % 2 ? "client" : "server", a.e.text);
		end_free(&a);
		end_free(&b);
	}
}

static void
garbage_later(size_t bite)
{
	struct end c, s;
	struct err e = {0};
	struct buf plain = {0}, wire = {0};

	pair(&c, &s, cs, ss, &mx, bite);
	buf_adds(&s.wire, "250 in the clear\r\n");
	carry(&s, &c, bite);
	ok(c.last == -1 && c.e.fault == FAULT_TEMP && c.plain.n == 0 &&
	    !tls_ready(c.t) && !tls_verified(c.t), "clear text within: %s",
	    c.e.text);
	ok(tls_feed(c.t, SPAN(""), &plain, &wire, &e) == -1 &&
	    strcmp(e.text, c.e.text) == 0, "for good");
	end_put(&c, "QUIT\r\n", 6);
	ok(c.last == -1, "nothing can be said any more");
	ok(!tls_exporter(c.t, &plain) && plain.n == 0, "nor bound to");
	carry(&c, &s, bite);
	ok(s.last == -1, "the server hears why: %s", s.e.text);
	tls_close(c.t, &c.wire);
	ok(c.wire.n == 0, "what failed is not closed as if it had not");
	buf_free(&wire);
	buf_free(&plain);
	end_free(&c);
	end_free(&s);
}

/* One octet of a record changed on its way. */
static void
tampered(void)
{
	struct end c, s;

	pair(&c, &s, cs, ss, &mx, SIZE_MAX);
	end_put(&s, "250 kept\r\n", 10);
	s.wire.p[8] ^= 1;
	carry(&s, &c, SIZE_MAX);
	ok(c.last == -1 && c.e.fault == FAULT_TEMP && c.plain.n == 0,
	    "tampered with: %s", c.e.text);
	end_free(&c);
	end_free(&s);
}

/* OpenSSL itself at the other end */

struct raw {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	struct buf plain;
};

static void
raw_new(struct raw *r, bool server, int version)
{
	const size_t good = cert_find("good");

	*r = (struct raw){0};
	r->ctx = must(SSL_CTX_new(TLS_method()));
	SSL_CTX_set_security_level(r->ctx, 0);
	SSL_CTX_set_min_proto_version(r->ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(r->ctx, version);
	SSL_CTX_use_certificate(r->ctx, pair_certs.cert[good]);
	SSL_CTX_use_PrivateKey(r->ctx, pair_certs.key[good]);
	r->ssl = must(SSL_new(r->ctx));
	r->in = must(BIO_new(BIO_s_mem()));
	r->out = must(BIO_new(BIO_s_mem()));
	SSL_set_bio(r->ssl, r->in, r->out);
	if (server)
		SSL_set_accept_state(r->ssl);
	else
		SSL_set_connect_state(r->ssl);
}

static void
raw_free(struct raw *r)
{
	SSL_free(r->ssl);
	SSL_CTX_free(r->ctx);
	buf_free(&r->plain);
}

/* What either has to say goes to the other, until nobody has more. */
static void
raw_talk(struct raw *r, struct end *a, size_t bite)
{
	char text[4096];
	struct buf moved = {0};
	struct end from = {0};
	int n;

	end_feed(a, SPAN(""));
	do {
		BIO_write(r->in, a->wire.p, (int)a->wire.n);
		buf_clear(&a->wire);
		while ((n = SSL_read(r->ssl, text, sizeof text)) > 0)
			buf_add(&r->plain, text, (size_t)n);
		while ((n = BIO_read(r->out, text, sizeof text)) > 0)
			buf_add(&moved, text, (size_t)n);
		from.wire = moved;
		moved = (struct buf){0};
		carry(&from, a, bite);
	} while (a->wire.n > 0);
	end_free(&from);
}

static bool
raw_bound(struct raw *r, bool server, struct buf *to)
{
	unsigned char o[64];
	size_t n = sizeof o;

	if (SSL_version(r->ssl) < TLS1_3_VERSION)
		n = server ? SSL_get_peer_finished(r->ssl, o, n) :
		    SSL_get_finished(r->ssl, o, n);
	else if (SSL_export_keying_material(r->ssl, o, n = 32,
	    "EXPORTER-Channel-Binding", 24, (const unsigned char *)"", 0, 1) != 1)
		return false;
	buf_add(to, o, n);
	return true;
}

static void
bound(struct raw *r, bool server, struct end *a, bool old)
{
	struct buf theirs = {0}, ours = {0}, none = {0};

	raw_bound(r, server, &theirs);
	ok(old ? tls_unique(a->t, &ours) : tls_exporter(a->t, &ours),
	    "a channel binding");
	ok(ours.n >= 12 && span_eq(buf_span(&ours), buf_span(&theirs)),
	    "is the same at both ends");
	ok(!(old ? tls_exporter(a->t, &none) : tls_unique(a->t, &none)) &&
	    none.n == 0, "there is one of a sort");
	buf_free(&theirs);
	buf_free(&ours);
}

static void
raw_session(bool server, int version, size_t bite)
{
	struct end a = {0};
	struct tls_facts f;
	struct raw r;

	raw_new(&r, server, version);
	a.t = server ? tls_client(cs, &mx, &a.e) : tls_server(ss, &a.e);
	raw_talk(&r, &a, bite);
	ok(a.last == 0 && tls_ready(a.t) && SSL_is_init_finished(r.ssl),
	    "with OpenSSL as the %s", server ? "server" : "client");
	tls_facts(a.t, &f);
	is(f.protocol, version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3",
	    "protocol");
	tls_facts_free(&f);
	ok(tls_verified(a.t) == server, "verified");
	bound(&r, server, &a, version == TLS1_2_VERSION);
	end_put(&a, "hello", 5);
	SSL_write(r.ssl, "good day", 8);
	raw_talk(&r, &a, bite);
	ok(span_is(buf_span(&r.plain), "hello") && plain_is(&a, "good day"),
	    "both are heard");
	end_free(&a);
	raw_free(&r);
}

static void
too_old(bool server)
{
	struct end a = {0};
	struct raw r;

	raw_new(&r, server, TLS1_1_VERSION);
	a.t = server ? tls_client(cs, &mx, &a.e) : tls_server(ss, &a.e);
	raw_talk(&r, &a, SIZE_MAX);
	ok(a.last == -1 && a.e.fault == FAULT_TEMP && !tls_ready(a.t) &&
	    !SSL_is_init_finished(r.ssl), "TLS 1.1: %s", a.e.text);
	end_free(&a);
	raw_free(&r);
}

/* New keys within a session: TLS 1.3 has messages for it, 1.2 began anew. */
static void
new_keys(bool server)
{
	struct end a = {0};
	struct raw r;

	raw_new(&r, server, TLS1_3_VERSION);
	a.t = server ? tls_client(cs, &mx, &a.e) : tls_server(ss, &a.e);
	raw_talk(&r, &a, SIZE_MAX);
	SSL_key_update(r.ssl, SSL_KEY_UPDATE_REQUESTED);
	SSL_write(r.ssl, "new", 3);
	raw_talk(&r, &a, 1);
	end_put(&a, "keys", 4);
	raw_talk(&r, &a, 1);
	ok(a.last == 0 && plain_is(&a, "new") &&
	    span_is(buf_span(&r.plain), "keys"), "new keys");
	end_free(&a);
	raw_free(&r);
}

static void
renegotiation(bool server)
{
	struct end a = {0};
	struct buf before = {0}, after = {0};
	struct raw r;

	raw_new(&r, server, TLS1_2_VERSION);
	a.t = server ? tls_client(cs, &mx, &a.e) : tls_server(ss, &a.e);
	raw_talk(&r, &a, SIZE_MAX);
	tls_unique(a.t, &before);
	SSL_renegotiate(r.ssl);
	SSL_do_handshake(r.ssl);
	raw_talk(&r, &a, SIZE_MAX);
	tls_unique(a.t, &after);
	ok(before.n > 0 && (after.n == 0 ||
	    span_eq(buf_span(&before), buf_span(&after))),
	    "no second handshake: %d %s", a.last, a.e.text);
	buf_free(&before);
	buf_free(&after);
	end_free(&a);
	raw_free(&r);
}

/* Our two ends */
static void
bindings(void)
{
	struct end c, s;
	struct buf a = {0}, b = {0};

	pair(&c, &s, cs, ss, &mx, SIZE_MAX);
	ok(tls_exporter(c.t, &a) && tls_exporter(s.t, &b) && a.n == 32 &&
	    span_eq(buf_span(&a), buf_span(&b)), "tls-exporter");
	ok(!tls_unique(c.t, &a) && !tls_unique(s.t, &a) && a.n == 32,
	    "no tls-unique in TLS 1.3");
	end_free(&c);
	end_free(&s);
	pair(&c, &s, cs, ss, &mx, SIZE_MAX);
	buf_clear(&b);
	ok(tls_exporter(c.t, &b) && !span_eq(buf_span(&a), buf_span(&b)),
	    "another session, another binding");
	end_free(&c);
	end_free(&s);
	c = (struct end){ .t = tls_client(cs, &mx, &c.e) };
	ok(!tls_exporter(c.t, &a) && !tls_unique(c.t, &a), "none before it began");
	end_free(&c);
	buf_free(&a);
	buf_free(&b);
}

static void
sessions_outlive(void)
{
	struct tls_shared *one = shared(false, "ca", NULL);
	struct end c, s;

	pair(&c, &s, one, ss, &mx, SIZE_MAX);
	tls_shared_free(one);
	end_put(&c, "x", 1);
	carry(&c, &s, SIZE_MAX);
	ok(plain_is(&s, "x"), "a session goes on without what was shared");
	end_free(&c);
	end_free(&s);
}

int
main(void)
{
	pair_begin();
	cs = shared(false, "ca", NULL);
	ss = shared(true, NULL, "good");
	for (size_t b = 0; b < BITES; b++) {
		lines(bites[b]);
		much(bites[b]);
		closing(bites[b]);
		garbage(bites[b]);
		garbage_later(bites[b]);
		for (int server = 0; server < 2; server++) {
			raw_session(server, TLS1_2_VERSION, bites[b]);
			raw_session(server, TLS1_3_VERSION, bites[b]);
		}
	}
	for (int server = 0; server < 2; server++) {
		too_old(server);
		new_keys(server);
		renegotiation(server);
	}
	early_close();
	truncated();
	tampered();
	bindings();
	sessions_outlive();
	tls_shared_free(cs);
	tls_shared_free(ss);
	tls_shared_free(NULL);
	tls_free(NULL);
	pair_end();
	return done_testing();
}
