#include "net/tls.h"

#include <assert.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_cert.h"
#include "net/tls_files.h"
#include "net/tls_peer.h"

#define RECORD 16384	/* octets of plain text, RFC 8446 section 5.1 */

struct tls_shared {
	SSL_CTX *ctx;		/* NULL: not made yet */
	struct tls_own own;
	bool server;
	bool ask;		/* a server that wants to see certificates */
};

struct tls {
	SSL *ssl;
	bool ready;
	struct tls_peer peer;
	struct err failed;	/* for good */
	struct span in;		/* during a call: from the wire, */
	struct buf *wire;	/* and to it */
};

/*
 * The wire, as OpenSSL sees it: a BIO that reads the caller's span where it lies
 * and writes into the caller's buffer, so that nothing is kept in between.
 */

static int
wire_read(BIO *b, char *to, int room)
{
	struct tls *t = BIO_get_data(b);
	size_t n = t->in.n < (size_t)room ? t->in.n : (size_t)room;

	BIO_clear_retry_flags(b);
	if (n == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	memcpy(to, t->in.p, n);
	t->in = span_from(t->in, n);
	return (int)n;
}

static int
wire_write(BIO *b, const char *p, int n)
{
	struct tls *t = BIO_get_data(b);

	buf_add(t->wire, p, (size_t)n);
	return n;
}

static long
wire_ctrl(BIO *b, int what, long number, void *p)
{
	(void)b;
	(void)number;
	(void)p;
	return what == BIO_CTRL_FLUSH;
}

/* One for the life of the program, from the first session on. */
static const BIO_METHOD *
wire_method(void)
{
	static BIO_METHOD *m;

	if (m != NULL)
		return m;
	m = must(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
	    "spans and bufs"));
	BIO_meth_set_read(m, wire_read);
	BIO_meth_set_write(m, wire_write);
	BIO_meth_set_ctrl(m, wire_ctrl);
	return m;
}

/* What all sessions share */

static SSL_CTX *
new_ctx(void)
{
	SSL_CTX *ctx = must(SSL_CTX_new(TLS_method()));

	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* every session is judged, so none is resumed */
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION |
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_cert_verify_callback(ctx, tls_peer_judge, NULL);
	return ctx;
}

static int
make_ctx(struct tls_shared *s, struct err *e)
{
	int r = 0;

	s->ctx = new_ctx();
	if (s->own.cert_path != NULL)
		r = tls_own_use(s->ctx, &s->own, e);
	if (r == 0 && !s->server && SSL_CTX_dane_enable(s->ctx) != 1)
		r = err_set(e, FAULT_TEMP, "OpenSSL does not know DANE");
	if (r < 0) {
		SSL_CTX_free(s->ctx);
		s->ctx = NULL;
	}
	return r;
}

static int
set_up(struct tls_shared *s, const struct tls_opts *o, struct err *e)
{
	bool judges = o->ca != NULL || !(o->server || o->unjudged);

	if (o->cert == NULL && (o->server || o->key != NULL))
		return err_set(e, FAULT_CONFIG, o->key != NULL ?
		    "%s: a key without a certificate" :
		    "a server needs a certificate", o->key);
	if (o->cert != NULL && tls_own_open(&s->own, o->cert, o->key, e) < 0)
		return -1;
	if (o->server && !judges)
		return 0;
	if (make_ctx(s, e) < 0)
		return -1;
	return judges ? tls_files_ca(s->ctx, o->ca, e) : 0;
}

struct tls_shared *
tls_shared_new(const struct tls_opts *o, struct err *e)
{
	struct tls_shared *s = must(calloc(1, sizeof *s));

	s->server = o->server;
	s->ask = o->server && o->ca != NULL;
	if (set_up(s, o, e) == 0)
		return s;
	tls_shared_free(s);
	return NULL;
}

int
tls_shared_ready(struct tls_shared *s, struct err *e)
{
	return s->ctx != NULL ? 0 : make_ctx(s, e);
}

void
tls_shared_free(struct tls_shared *s)
{
	if (s == NULL)
		return;
	SSL_CTX_free(s->ctx);
	tls_own_close(&s->own);
	free(s);
}

/* A session */

static struct tls *
new_session(const struct tls_shared *s)
{
	struct tls *t = must(calloc(1, sizeof *t));
	BIO *wire = must(BIO_new(wire_method()));

	BIO_set_data(wire, t);
	BIO_set_init(wire, 1);
	t->ssl = must(SSL_new(s->ctx));
	SSL_set_bio(t->ssl, wire, wire);
	return t;
}

struct tls *
tls_client(struct tls_shared *s, const struct tls_expect *x, struct err *e)
{
	struct tls *t = new_session(s);

	assert(x->level != TLS_NONE);
	SSL_set_connect_state(t->ssl);
	tls_peer_watch(&t->peer, t->ssl);
	if (tls_peer_expect(&t->peer, t->ssl, x, e) == 0)
		return t;
	tls_free(t);
	return NULL;
}

/* Whom to believe a server decides later: any certificate will do, or none. */
struct tls *
tls_server(struct tls_shared *s, struct err *e)
{
	struct tls *t;

	if (tls_shared_ready(s, e) < 0)
		return NULL;
	t = new_session(s);
	t->peer.client = true;
	t->peer.level = TLS_MAY;
	SSL_set_accept_state(t->ssl);
	if (s->ask)
		tls_peer_watch(&t->peer, t->ssl);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	tls_peer_free(&t->peer);
	free(t);
}

void
tlsas_free(struct tlsas *all)
{
	for (size_t i = 0; i < all->n; i++)
		buf_free(&all->p[i].data);
	vec_free(all);
}

/* What went wrong */

/* OpenSSL's own words, where they are not the peer's alert or no TLS at all. */
static void
say_why(struct err *e, const char *when)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	const char *words = ERR_reason_error_string(code);

	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
		err_set(e, FAULT_TEMP, "%s: the peer ended it: %s", when,
		    SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
	else if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
	    (reason == SSL_R_WRONG_VERSION_NUMBER ||
	    reason == SSL_R_HTTP_REQUEST || reason == SSL_R_UNKNOWN_PROTOCOL ||
	    reason == SSL_R_PACKET_LENGTH_TOO_LONG))
		err_set(e, FAULT_TEMP, "%s: what came is not TLS", when);
	else
		err_set(e, FAULT_TEMP, "%s: %s", when, words != NULL ? words :
		    "the peer ended it");
}

/* For good: whoever comes again hears the same. */
static int
fail(struct tls *t)
{
	struct tls_peer *p = &t->peer;

	if (p->refused.n > 0)
		err_set(&t->failed, FAULT_TEMP, "certificate of %s: %s",
		    p->name != NULL ? p->name : "the peer",
		    buf_str(&p->refused));
	else
		say_why(&t->failed, t->ready ? "TLS" : "handshake");
	ERR_clear_error();
	return -1;
}

/* OpenSSL does not go on: 0 it wants more from the wire, 1 closed, -1. */
static int
halt(struct tls *t, int result)
{
	switch (SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		return t->ready ? 1 : fail(t);
	default:
		return fail(t);
	}
}

/* Bytes */

static int
go_on(struct tls *t, struct buf *plain)
{
	size_t n;
	int r;

	ERR_clear_error();
	if (!t->ready) {
		r = SSL_do_handshake(t->ssl);
		if (r != 1)
			return halt(t, r);
		t->ready = true;
	}
	while ((r = SSL_read_ex(t->ssl, buf_room(plain, RECORD), RECORD,
	    &n)) == 1)
		plain->n += n;
	return halt(t, r);
}

int
tls_feed(struct tls *t, struct span in, struct buf *plain, struct buf *wire,
    struct err *e)
{
	int r = -1;

	if (t->failed.fault == FAULT_NONE) {
		t->in = in;
		t->wire = wire;
		r = go_on(t, plain);
		t->in = (struct span){0};
		t->wire = NULL;
	}
	if (r < 0)
		*e = t->failed;
	return r;
}

bool
tls_ready(const struct tls *t)
{
	return t->ready && t->failed.fault == FAULT_NONE;
}

int
tls_put(struct tls *t, struct span plain, struct buf *wire, struct err *e)
{
	size_t n;

	assert(t->ready);
	if (t->failed.fault == FAULT_NONE && plain.n > 0) {
		/* a header, a tag and more for each record, in one piece */
		buf_room(wire, plain.n + (plain.n / RECORD + 1) * 64);
		t->wire = wire;
		ERR_clear_error();
		if (SSL_write_ex(t->ssl, plain.p, plain.n, &n) != 1)
			fail(t);
		t->wire = NULL;
	}
	if (t->failed.fault == FAULT_NONE)
		return 0;
	*e = t->failed;
	return -1;
}

void
tls_close(struct tls *t, struct buf *wire)
{
	if (!tls_ready(t))
		return;
	t->wire = wire;
	SSL_shutdown(t->ssl);
	ERR_clear_error();
	t->wire = NULL;
}

bool
tls_verified(const struct tls *t)
{
	return tls_ready(t) && t->peer.verified;
}

/* What is known of it */

void
tls_facts(struct tls *t, struct tls_facts *f)
{
	struct buf *verdict = &t->peer.verdict;

	*f = (struct tls_facts){0};
	cert_facts(SSL_get0_peer_certificate(t->ssl), f);
	f->protocol = span_dup(span_of(SSL_get_version(t->ssl)));
	f->cipher = span_dup(span_of(SSL_get_cipher_name(t->ssl)));
	f->verdict = span_dup(verdict->n > 0 ? buf_span(verdict) :
	    SPAN("no certificate was shown"));
}

void
tls_facts_free(struct tls_facts *f)
{
	free(f->protocol);
	free(f->cipher);
	free(f->subject);
	free(f->issuer);
	free(f->names);
	free(f->from);
	free(f->until);
	free(f->fingerprint);
	free(f->verdict);
	*f = (struct tls_facts){0};
}

/* RFC 9266 section 2: no context, 32 octets. */
bool
tls_exporter(struct tls *t, struct buf *to)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char octets[32];

	if (!tls_ready(t) || SSL_version(t->ssl) < TLS1_3_VERSION ||
	    SSL_export_keying_material(t->ssl, octets, sizeof octets, label,
	    sizeof label - 1, NULL, 0, 0) != 1)
		return false;
	buf_add(to, octets, sizeof octets);
	return true;
}

/* No session is resumed, so the first Finished is the client's (RFC 5929 3.1). */
bool
tls_unique(struct tls *t, struct buf *to)
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	size_t n;

	if (!tls_ready(t) || SSL_version(t->ssl) >= TLS1_3_VERSION)
		return false;
	n = t->peer.client ?
	    SSL_get_peer_finished(t->ssl, octets, sizeof octets) :
	    SSL_get_finished(t->ssl, octets, sizeof octets);
	if (n == 0 || n > sizeof octets)
		return false;
	buf_add(to, octets, n);
	return true;
}
