/* A client and a server of net/tls.h, and a wire between them. */
#ifndef T_TLS_PAIR_H
#define T_TLS_PAIR_H

#include "../certs.h"
#include "../tap.h"

#include <ftw.h>

#include "net/tls.h"

struct end {
	struct tls *t;
	struct buf wire, plain;		/* to the other end; heard from it */
	struct err e;
	int last;			/* what tls_feed() said last */
};

static const size_t bites[] = { 1, 7, SIZE_MAX };
enum { BITES = sizeof bites / sizeof *bites };

static char pair_dir[] = "/tmp/tidegate-tls.XXXXXX";
static struct certs pair_certs;

static int
pair_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
pair_begin(void)
{
	if (mkdtemp(pair_dir) == NULL)
		abort();
	certs_fill(&pair_certs);
	if (!certs_write(&pair_certs, pair_dir))
		abort();
}

static void
pair_end(void)
{
	certs_free(&pair_certs);
	nftw(pair_dir, pair_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* NAME.pem in the directory of this test; good for four calls. */
__attribute__((unused))
static const char *
pem(const char *name)
{
	static char text[4][128];
	static unsigned at;
	char *p = text[at++ % 4];

	if (name == NULL)
		return NULL;
	snprintf(p, sizeof text[0], "%s/%s.pem", pair_dir, name);
	return p;
}

/* Shares that must be there. */
__attribute__((unused))
static struct tls_shared *
shared(bool server, const char *ca, const char *cert)
{
	struct err e = {0};
	struct tls_opts o = { .server = server, .ca = pem(ca),
	    .cert = pem(cert) };
	struct tls_shared *s = tls_shared_new(&o, &e);

	if (s == NULL) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	return s;
}

static void
end_feed(struct end *to, struct span in)
{
	to->last = tls_feed(to->t, in, &to->plain, &to->wire, &to->e);
}

/* Moves what `from` has to say, in bites, however the other end takes it. */
static bool
carry(struct end *from, struct end *to, size_t bite)
{
	struct buf moved = from->wire;

	if (moved.n == 0)
		return false;
	from->wire = (struct buf){0};
	for (size_t i = 0, n; i < moved.n; i += n) {
		n = moved.n - i < bite ? moved.n - i : bite;
		end_feed(to, (struct span){ moved.p + i, n });
	}
	buf_free(&moved);
	return true;
}

__attribute__((unused))
static void
talk(struct end *c, struct end *s, size_t bite)
{
	end_feed(c, SPAN(""));
	while (carry(c, s, bite) | carry(s, c, bite))
		;
}

__attribute__((unused))
static void
end_put(struct end *from, const char *p, size_t n)
{
	from->last = tls_put(from->t, (struct span){ p, n }, &from->wire,
	    &from->e);
}

static void
end_free(struct end *a)
{
	tls_free(a->t);
	buf_free(&a->wire);
	buf_free(&a->plain);
	*a = (struct end){0};
}

/* Two ends that have talked until nobody had more to say. */
__attribute__((unused))
static void
pair(struct end *c, struct end *s, struct tls_shared *cs, struct tls_shared *ss,
    const struct tls_expect *x, size_t bite)
{
	*c = *s = (struct end){0};
	c->t = tls_client(cs, x, &c->e);
	s->t = tls_server(ss, &s->e);
	if (c->t == NULL || s->t == NULL) {
		printf("Bail out! %s%s\n", c->e.text, s->e.text);
		exit(1);
	}
	talk(c, s, bite);
}

__attribute__((unused))
static void
has(const char *text, const char *part, const char *what)
{
	if (!ok(strstr(text, part) != NULL, "%s: %s", what, part))
		printf("# in: %s\n", text);
}

#endif
