#include "net/sasl_server.h"

#include <gsasl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/base64.h"
#include "net/sasl_keys.h"

#define RESPONSE_MAX 12288	/* RFC 4954 section 4 */
#define ROUNDS_MAX 5
#define USER_MAX 512

enum {
	WAITS = 1,		/* the server speaks first */
	SHOWS = 2,		/* whoever listens has the secret */
	BINDS = 4,		/* to the TLS channel */
	STORED = 8,		/* works with stored keys */
	SECRET = 16,		/* needs the secret itself */
	CERTIFIED = 32,
};

static const struct kind {
	const char *name;
	unsigned is;
} kinds[] = {
	{ "EXTERNAL", CERTIFIED },
	{ "SCRAM-SHA-256-PLUS", BINDS | STORED },
	{ "SCRAM-SHA-256", STORED },
	{ "CRAM-MD5", WAITS | SECRET },
	{ "PLAIN", SHOWS | STORED },
	{ "LOGIN", WAITS | SHOWS | STORED },
};

struct sasl_server {
	const struct kind *kind;
	const struct sasl_case *of;
	Gsasl *lib;
	Gsasl_session *session;
	int rounds;
	bool proved;		/* all is well, if only the client says so, too */
	char *user;
	bool looked;
	struct sasl_keys keys;	/* of the user who wants in */
};

/* `=' is an empty response, RFC 4954 section 4. */
static char *
get64(struct span in, size_t *n)
{
	return base64_read(span_is(in, "=") ? SPAN("") : in, RESPONSE_MAX, n);
}

/* ---- what libgsasl asks ---- */

/* Once an exchange. */
static const struct sasl_keys *
keys(struct sasl_server *s, const char *user)
{
	if (!s->looked)
		sasl_keys_of(&s->keys, s->of->users, user);
	s->looked = true;
	return &s->keys;
}

static int
simple(struct sasl_server *s, Gsasl_session *session)
{
	const char *user = gsasl_property_fast(session, GSASL_AUTHID);
	const char *password = gsasl_property_fast(session, GSASL_PASSWORD);

	if (user == NULL || password == NULL)
		return GSASL_AUTHENTICATION_ERROR;
	return sasl_keys_fit(keys(s, user), password) ? GSASL_OK :
	    GSASL_AUTHENTICATION_ERROR;
}

/* CRAM-MD5 */
static int
secret(struct sasl_server *s, Gsasl_session *session, const char *user)
{
	struct buf b = {0};
	int code;

	sasl_keys_secret(&b, s->of->users, user);
	code = gsasl_property_set(session, GSASL_PASSWORD, buf_str(&b));
	buf_wipe(&b);
	return code;
}

static int
on_property(Gsasl *lib, Gsasl_session *session, Gsasl_property which)
{
	struct sasl_server *s = gsasl_session_hook_get(session);
	const char *user = gsasl_property_fast(session, GSASL_AUTHID);
	const struct sasl_keys *k;

	(void)lib;
	if (which == GSASL_VALIDATE_SIMPLE)
		return simple(s, session);
	if (user == NULL)
		return GSASL_NO_CALLBACK;
	if (which == GSASL_PASSWORD && (s->kind->is & SECRET))
		return secret(s, session, user);
	if (which != GSASL_SCRAM_ITER && which != GSASL_SCRAM_SALT &&
	    which != GSASL_SCRAM_STOREDKEY && which != GSASL_SCRAM_SERVERKEY)
		return GSASL_NO_CALLBACK;
	k = keys(s, user);
	return gsasl_property_set(session, which,
	    which == GSASL_SCRAM_ITER ? k->iterations :
	    which == GSASL_SCRAM_SALT ? k->salt :
	    which == GSASL_SCRAM_STOREDKEY ? k->stored : k->server);
}

/* ---- beginning ---- */

static bool
can_bind(const struct sasl_case *c)
{
	return c->exporter.n > 0 || c->unique.n > 0;
}

static bool
is_possible(const struct kind *k, const struct sasl_case *c)
{
	if (k->is & CERTIFIED)
		return c->certificate != NULL;
	return c->users != NULL && (!(k->is & BINDS) || can_bind(c)) &&
	    (!(k->is & SECRET) || passwords_plain(c->users));
}

void
sasl_server_offers(const struct sasl_case *c, struct buf *b)
{
	bool any = false;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!is_possible(&kinds[i], c) ||
		    ((kinds[i].is & SHOWS) && !c->encrypted))
			continue;
		buf_addf(b, "%s%s", any ? " " : "", kinds[i].name);
		any = true;
	}
}

static const struct kind *
find(const struct sasl_case *c, const char *mech, enum sasl_outcome *why)
{
	*why = SASL_UNKNOWN;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!span_ieq(span_of(mech), span_of(kinds[i].name)) ||
		    !is_possible(&kinds[i], c))
			continue;
		if (!(kinds[i].is & SHOWS) || c->encrypted)
			return &kinds[i];
		*why = SASL_CLEAR;
	}
	return NULL;
}

static void
bind(struct sasl_server *s)
{
	bool exporter = s->of->exporter.n > 0;
	struct span raw = exporter ? s->of->exporter : s->of->unique;
	struct buf text = {0};

	if (!(s->kind->is & BINDS))
		return;
	base64_add(&text, raw.p, raw.n);
	if (gsasl_property_set(s->session, exporter ? GSASL_CB_TLS_EXPORTER :
	    GSASL_CB_TLS_UNIQUE, buf_str(&text)) != GSASL_OK)
		must(NULL);
	buf_wipe(&text);
}

struct sasl_server *
sasl_server_start(const struct sasl_case *c, const char *mech,
    enum sasl_outcome *why)
{
	const struct kind *k = find(c, mech, why);
	struct sasl_server *s;

	if (k == NULL)
		return NULL;
	s = must(calloc(1, sizeof *s));
	s->kind = k;
	s->of = c;
	if (k->is & CERTIFIED)
		return s;
	if (gsasl_init(&s->lib) != GSASL_OK)
		must(NULL);
	gsasl_callback_set(s->lib, on_property);
	if (gsasl_server_start(s->lib, k->name, &s->session) != GSASL_OK) {
		sasl_server_free(s);
		*why = SASL_UNKNOWN;
		return NULL;
	}
	gsasl_session_hook_set(s->session, s);
	bind(s);
	return s;
}

/* ---- going on ---- */

/* RFC 4422 appendix A: the name to act as, or the certificate's first. */
static enum sasl_outcome
external(struct sasl_server *s, struct span name)
{
	struct span rest = span_of(s->of->certificate), one;

	while (span_cut(&rest, ' ', &one))
		if (one.n > 0 && (name.n == 0 || span_ieq(one, name))) {
			s->user = span_dup(one);
			return SASL_YES;
		}
	s->user = span_dup(name);
	return SASL_NO;
}

/* Nobody acts as somebody else. */
static bool
is_himself(const struct sasl_server *s)
{
	const char *as = gsasl_property_fast(s->session, GSASL_AUTHZID);

	return s->user != NULL && (as == NULL || *as == '\0' ||
	    strcmp(as, s->user) == 0);
}

static void
keep_user(struct sasl_server *s)
{
	const char *user = gsasl_property_fast(s->session, GSASL_AUTHID);

	if (s->user == NULL && user != NULL && strlen(user) <= USER_MAX)
		s->user = span_dup(span_of(user));
}

static enum sasl_outcome
turn(struct sasl_server *s, const char *p, size_t n, struct buf *challenge)
{
	char *out = NULL;
	size_t len = 0;
	int code = gsasl_step(s->session, p, n, &out, &len);
	bool good = code == GSASL_OK || code == GSASL_NEEDS_MORE;

	if (code == GSASL_MALLOC_ERROR)
		must(NULL);
	keep_user(s);
	if (good && out != NULL)
		base64_add(challenge, out, len);
	base64_wipe(out, good && out != NULL ? len : 0);
	if (code == GSASL_NEEDS_MORE)
		return SASL_MORE;
	if (code == GSASL_OK && is_himself(s)) {
		s->proved = challenge->n > 0;
		return s->proved ? SASL_MORE : SASL_YES;
	}
	return code == GSASL_MECHANISM_PARSE_ERROR ? SASL_BROKEN : SASL_NO;
}

/*
 * What a SCRAM client says about binding (RFC 5802 section 6) where the mechanism does
 * not bind.  `y': it could, and believes that we cannot: somebody has taken -PLUS from
 * our offer.  `p': it binds, which nobody would look at.
 */
static bool
is_misbound(const struct sasl_server *s, const char *p, size_t n)
{
	return !(s->kind->is & BINDS) && (s->kind->is & STORED) &&
	    !(s->kind->is & SHOWS) && n > 0 &&
	    (*p == 'p' || (*p == 'y' && can_bind(s->of)));
}

static enum sasl_outcome
begin(struct sasl_server *s, bool said, const char *p, size_t n,
    struct buf *challenge)
{
	enum sasl_outcome r;

	if (!(s->kind->is & WAITS))
		return !said ? SASL_MORE : is_misbound(s, p, n) ? SASL_NO :
		    turn(s, p, n, challenge);
	if (said && (s->kind->is & SECRET))
		return SASL_BROKEN;	/* RFC 4954 section 4 */
	r = turn(s, "", 0, challenge);
	if (r != SASL_MORE || !said)
		return r;
	buf_clear(challenge);
	return turn(s, p, n, challenge);
}

static enum sasl_outcome
step(struct sasl_server *s, bool said, const char *p, size_t n,
    struct buf *challenge)
{
	bool first = s->rounds++ == 0;

	if (s->rounds > ROUNDS_MAX)
		return SASL_BROKEN;
	if (s->proved)
		return n == 0 ? SASL_YES : SASL_BROKEN;
	if (s->kind->is & CERTIFIED)
		return said ? external(s, (struct span){ p, n }) : SASL_MORE;
	if (first)
		return begin(s, said, p, n, challenge);
	return is_misbound(s, p, n) ? SASL_NO : turn(s, p, n, challenge);
}

enum sasl_outcome
sasl_server_step(struct sasl_server *s, bool said, struct span in,
    struct buf *challenge)
{
	size_t n;
	char *raw = get64(in, &n);
	enum sasl_outcome r;

	if (raw == NULL)
		return SASL_BROKEN;
	r = step(s, said, raw, n, challenge);
	base64_wipe(raw, n);
	return r;
}

const char *
sasl_server_user(const struct sasl_server *s)
{
	return s->user;
}

void
sasl_server_free(struct sasl_server *s)
{
	if (s == NULL)
		return;
	if (s->session != NULL) {
		char *p = (char *)(uintptr_t)gsasl_property_fast(s->session,
		    GSASL_PASSWORD);

		if (p != NULL)
			explicit_bzero(p, strlen(p));
		gsasl_finish(s->session);
	}
	if (s->lib != NULL)
		gsasl_done(s->lib);
	free(s->user);
	explicit_bzero(s, sizeof *s);
	free(s);
}
