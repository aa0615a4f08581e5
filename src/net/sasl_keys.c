#include "net/sasl_keys.h"

#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "net/base64.h"

#define DIGEST 32		/* SHA-256 */
#define SALT 18

static void
text64(char *to, size_t room, const char *p, size_t n)
{
	struct buf b = {0};

	base64_add(&b, p, n);
	if (b.n < room)
		memcpy(to, buf_str(&b), b.n + 1);
	buf_wipe(&b);
}

/* RFC 5802 section 3, from a password: stored and server key. */
static void
derive(const char *password, unsigned iterations, const char *salt, size_t n,
    char stored[DIGEST], char server[DIGEST])
{
	char salted[DIGEST], client[DIGEST];

	if (gsasl_scram_secrets_from_password(GSASL_HASH_SHA256, password,
	    iterations, salt, n, salted, client, server, stored) != GSASL_OK) {
		/* not to be prepared by SASLprep: nobody's password */
		if (gsasl_nonce(stored, DIGEST) != GSASL_OK ||
		    gsasl_nonce(server, DIGEST) != GSASL_OK)
			must(NULL);
	}
	explicit_bzero(salted, sizeof salted);
	explicit_bzero(client, sizeof client);
}

/*
 * The salt of one who has none, or who is not there: the same each time, and not to be
 * foretold without the file.
 */
static void
invent_salt(const struct passwords *v, const char *user, char salt[SALT])
{
	char stored[DIGEST], server[DIGEST];
	struct buf seed = {0};

	buf_addf(&seed, "user %s", user);
	derive("tidegate", 1, v->text.n > 0 ? v->text.p : "-",
	    v->text.n > 0 ? v->text.n : 1, stored, server);
	buf_add(&seed, server, sizeof server);
	derive("tidegate", 1, seed.p, seed.n, stored, server);
	memcpy(salt, stored, SALT);
	buf_wipe(&seed);
}

/* One who is not there must not stand out by his iterations. */
static int
usual_iterations(const struct passwords *v)
{
	for (size_t i = 0; i < v->all.n; i++)
		if (v->all.p[i].iterations > 0)
			return v->all.p[i].iterations;
	return PASSWORDS_ITERATIONS;
}

static void
copy(char *to, size_t room, const char *from)
{
	size_t n = strlen(from);

	n = n < room ? n : room - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

void
sasl_keys_secret(struct buf *b, const struct passwords *v, const char *user)
{
	const struct password *p = passwords_find(v, user);

	if (p != NULL && p->secret.n > 0)
		buf_addspan(b, buf_span(&p->secret));
	else
		buf_addf(b, "%08x%08x%08x", arc4random(), arc4random(), arc4random());
}

void
sasl_keys_of(struct sasl_keys *k, const struct passwords *v, const char *user)
{
	const struct password *p = passwords_find(v, user);
	char salt[SALT], stored[DIGEST], server[DIGEST];
	struct buf number = {0}, secret = {0};
	int iterations = usual_iterations(v);

	*k = (struct sasl_keys){0};
	invent_salt(v, user, salt);
	sasl_keys_secret(&secret, v, user);
	derive(buf_str(&secret), (unsigned)iterations, salt, SALT, stored, server);
	buf_wipe(&secret);
	if (p != NULL && p->secret.n == 0) {
		buf_addi(&number, p->iterations);
		copy(k->salt, sizeof k->salt, p->salt);
		copy(k->stored, sizeof k->stored, p->stored);
		copy(k->server, sizeof k->server, p->server);
	} else {
		buf_addi(&number, iterations);
		text64(k->salt, sizeof k->salt, salt, SALT);
		text64(k->stored, sizeof k->stored, stored, DIGEST);
		text64(k->server, sizeof k->server, server, DIGEST);
	}
	copy(k->iterations, sizeof k->iterations, buf_str(&number));
	buf_free(&number);
	explicit_bzero(stored, sizeof stored);
	explicit_bzero(server, sizeof server);
}

static bool
same(const char *a, const char *b, size_t n)
{
	unsigned char differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= (unsigned char)(a[i] ^ b[i]);
	return differ == 0;
}

bool
sasl_keys_fit(const struct sasl_keys *k, const char *password)
{
	char stored[DIGEST], server[DIGEST];
	char text[sizeof k->stored] = {0};
	char *salt;
	size_t n;

	if ((salt = base64_read(span_of(k->salt), sizeof k->salt, &n)) == NULL)
		return false;
	derive(password, (unsigned)atoi(k->iterations), salt, n, stored, server);
	gsasl_free(salt);
	text64(text, sizeof text, stored, DIGEST);
	return same(text, k->stored, sizeof text);
}
