#include "net/sasl.h"

#include <gsasl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/base64.h"
#include "net/mech.h"

#define CHALLENGE_MAX 12288	/* RFC 4954 section 4.3 */
#define ROUNDS_MAX 5		/* no mechanism here needs more */
#define REASON_MAX 200
#define ITERATIONS_MAX 10000000	/* ten seconds of work; RFC 7677: 4096 */

struct sasl {
	const struct mech *mech;
	Gsasl *lib;
	Gsasl_session *session;	/* NULL: the mechanism is ours */
	int rounds;
	bool done;
	struct buf reason;
};

/* The library's exchange */

static int
fail(const struct sasl *s, int code, struct err *e)
{
	const char *name = s->mech->name;

	if (code == GSASL_MALLOC_ERROR)
		must(NULL);
	if (code == GSASL_AUTHENTICATION_ERROR)
		return err_set(e, FAULT_PERM, "%s: the server does not know the "
		    "password, or somebody stands between", name);
	return err_set(e, FAULT_PROTO, "%s: %s", name, gsasl_strerror(code));
}

/* What the mechanism answers to `in`. */
static int
turn(struct sasl *s, struct span in, struct buf *answer, struct err *e)
{
	char *out = NULL;
	size_t n = 0;
	int code;

	code = gsasl_step(s->session, in.p, in.n, &out, &n);
	if (code == GSASL_OK || code == GSASL_NEEDS_MORE)
		base64_add(answer, out, out != NULL ? n : 0);
	base64_wipe(out, out != NULL ? n : 0);
	s->done = code == GSASL_OK;
	return s->done || code == GSASL_NEEDS_MORE ? 0 : fail(s, code, e);
}

static bool
is_preparable(const char *text)
{
	char *out = NULL;
	bool good = gsasl_saslprep(text, GSASL_ALLOW_UNASSIGNED, &out, NULL) ==
	    GSASL_OK;

	base64_wipe(out, out != NULL ? strlen(out) : 0);
	return good;
}

/* Now, not in the midst of the exchange; the library would not say which it is. */
static int
check_prepared(const struct sasl *s, struct err *e)
{
	if (!(s->mech->is & PREPARES))
		return 0;
	if (!is_preparable(gsasl_property_fast(s->session, GSASL_AUTHID)))
		return err_set(e, FAULT_DATA, "user name: %s cannot carry it: not "
		    "UTF-8, or characters SASLprep forbids", s->mech->name);
	if (!is_preparable(gsasl_property_fast(s->session, GSASL_PASSWORD)))
		return err_set(e, FAULT_CONFIG, "password: %s cannot carry it: not "
		    "UTF-8, or characters SASLprep forbids", s->mech->name);
	return 0;
}

static void
set(struct sasl *s, Gsasl_property p, struct span value)
{
	if (gsasl_property_set_raw(s->session, p, value.n > 0 ? value.p : "",
	    value.n) != GSASL_OK)
		must(NULL);
}

/*
 * To -PLUS only: the library's client fails (AUTHENTICATION_ERROR) if it has a
 * binding that its mechanism does not use.
 */
static void
set_binding(struct sasl *s, const struct sasl_who *w)
{
	bool exporter = w->exporter.n > 0;
	struct span raw = exporter ? w->exporter : w->unique;
	struct buf text = {0};

	if (!(s->mech->is & BINDS))
		return;
	base64_add(&text, raw.p, raw.n);
	set(s, exporter ? GSASL_CB_TLS_EXPORTER : GSASL_CB_TLS_UNIQUE,
	    buf_span(&text));
	buf_wipe(&text);
}

static int
open_session(struct sasl *s, const struct sasl_who *w, struct err *e)
{
	int code = gsasl_client_start(s->lib, s->mech->name, &s->session);

	if (code != GSASL_OK)
		return fail(s, code, e);
	if (s->mech->is & CERTIFIED) {
		if (w->user != NULL)
			set(s, GSASL_AUTHZID, span_of(w->user));
		return 0;
	}
	set(s, GSASL_AUTHID, span_of(w->user));
	set(s, GSASL_PASSWORD, w->secret);
	set_binding(s, w);
	return check_prepared(s, e);
}

/* Beginning */

static int
compose(struct sasl *s, const struct sasl_who *w, struct buf *initial,
    struct err *e)
{
	struct buf raw = {0};
	int r = s->mech->compose(&raw, w, e);

	if (r == 0)
		base64_add(initial, raw.p, raw.n);
	buf_wipe(&raw);
	return r;
}

static int
begin(struct sasl *s, const struct sasl_who *w, struct buf *initial,
    struct err *e)
{
	size_t before = initial->n;

	if (w->secret.n > 0 && memchr(w->secret.p, '\0', w->secret.n) != NULL)
		return err_set(e, FAULT_CONFIG, "password: has a NUL in it");
	if (s->mech->compose != NULL)
		return compose(s, w, initial, e);
	if (open_session(s, w, e) < 0)
		return -1;
	if (s->mech->is & WAITS)
		return 0;
	if (turn(s, SPAN(""), initial, e) < 0)
		return -1;
	if (initial->n == before)
		buf_addc(initial, '=');
	return 0;
}

/* A library may have been built without some. */
static const struct mech *
choose(Gsasl *lib, const struct sasl_who *w, struct span offered,
    struct span tried, struct err *e)
{
	const struct mech *m;
	struct buf passed = {0};

	buf_addspan(&passed, tried);
	while ((m = mech_choose(w, offered, buf_span(&passed), e)) != NULL &&
	    m->compose == NULL && !gsasl_client_support_p(lib, m->name))
		buf_addf(&passed, " %s", m->name);
	buf_free(&passed);
	return m;
}

struct sasl *
sasl_start(const struct sasl_who *w, struct span offered, struct buf *tried,
    const char **mech, struct buf *initial, struct err *e)
{
	struct sasl *s;

	if (w->mechs != NULL && mech_check(w->mechs, e) < 0)
		return NULL;
	s = must(calloc(1, sizeof *s));
	if (gsasl_init(&s->lib) != GSASL_OK)
		must(NULL);
	s->mech = choose(s->lib, w, offered, buf_span(tried), e);
	if (s->mech == NULL || begin(s, w, initial, e) < 0) {
		sasl_free(s);
		return NULL;
	}
	buf_addf(tried, "%s%s", tried->n > 0 ? " " : "", s->mech->name);
	*mech = s->mech->name;
	return s;
}

/* Going on */

/* One who asks for too much work keeps us busy for hours. */
static bool
is_endless(struct span challenge)
{
	struct span one;
	long long n;

	while (span_cut(&challenge, ',', &one))
		if (span_starts(one, "i="))
			return !span_number(span_from(one, 2), &n) ||
			    n > ITERATIONS_MAX;
	return false;
}

static int
step_scram(struct sasl *s, struct span in, struct buf *answer, struct err *e)
{
	struct buf why = {0};

	if (span_starts(in, "e=")) {	/* RFC 5802 section 7, server-error */
		text_printable(&why, span_from(in, 2));
		err_set(e, FAULT_PERM, "%s: the server gives up: %.*s",
		    s->mech->name, REASON_MAX, buf_str(&why));
		buf_free(&why);
		return -1;
	}
	if (span_starts(in, "r=") && is_endless(in))
		return err_set(e, FAULT_PROTO, "%s: the server asks for more than "
		    "%d iterations", s->mech->name, ITERATIONS_MAX);
	return turn(s, in, answer, e);
}

/* The token is refused; the server says why, and waits for a line. */
static int
step_bearer(struct sasl *s, struct span in, struct buf *answer)
{
	if (in.n > REASON_MAX)
		in.n = REASON_MAX;
	text_printable(&s->reason, span_trim(in));
	buf_adds(answer, s->mech->give_up);
	s->done = true;
	return 0;
}

static int
step(struct sasl *s, struct span in, struct buf *answer, struct err *e)
{
	if (s->mech->is & PROVES)
		return step_scram(s, in, answer, e);
	if (s->mech->compose != NULL)
		return step_bearer(s, in, answer);
	return turn(s, in, answer, e);
}

int
sasl_step(struct sasl *s, struct span challenge, struct buf *answer,
    struct err *e)
{
	bool over = s->done || s->rounds++ == ROUNDS_MAX;
	size_t n;
	char *raw;
	int r;

	if (over)
		return err_set(e, FAULT_PROTO, "%s: the server asks for more than "
		    "there is", s->mech->name);
	raw = base64_read(span_trim(challenge), CHALLENGE_MAX, &n);
	if (raw == NULL)
		return err_set(e, FAULT_PROTO, "%s: the server's challenge is no "
		    "base64", s->mech->name);
	r = step(s, (struct span){ raw, n }, answer, e);
	base64_wipe(raw, n);
	return r;
}

/* Ending */

/* RFC 4422 section 3.6: outcome and last data may come in one message. */
static int
take_proof(struct sasl *s, struct span word, struct err *e)
{
	struct buf none = {0};
	size_t n;
	char *raw = base64_read(word, CHALLENGE_MAX, &n);
	int r = 0;

	if (raw != NULL && span_starts((struct span){ raw, n }, "v="))
		r = turn(s, (struct span){ raw, n }, &none, e);
	base64_wipe(raw, n);
	buf_wipe(&none);
	return r;
}

int
sasl_finish(struct sasl *s, struct span text, struct err *e)
{
	struct span line, word;

	if (!(s->mech->is & PROVES))
		return 0;
	while (!s->done && span_cut(&text, '\n', &line))
		while (!s->done && span_cut(&line, ' ', &word))
			if (take_proof(s, span_trim(word), e) < 0)
				return -1;
	return s->done ? 0 : err_set(e, FAULT_PERM, "%s: the server says yes "
	    "without having proved that it knows the password", s->mech->name);
}

struct span
sasl_reason(const struct sasl *s)
{
	return buf_span(&s->reason);
}

/* The library frees without wiping; what it was given and derived is reachable. */
static void
wipe_properties(Gsasl_session *session)
{
	static const Gsasl_property secrets[] = { GSASL_PASSWORD,
	    GSASL_SCRAM_SALTED_PASSWORD, GSASL_SCRAM_SERVERKEY,
	    GSASL_SCRAM_STOREDKEY, GSASL_CB_TLS_UNIQUE, GSASL_CB_TLS_EXPORTER };

	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		const char *p = gsasl_property_fast(session, secrets[i]);

		if (p != NULL)
			explicit_bzero((char *)(uintptr_t)p, strlen(p));
	}
}

void
sasl_free(struct sasl *s)
{
	if (s == NULL)
		return;
	if (s->session != NULL) {
		wipe_properties(s->session);
		gsasl_finish(s->session);
	}
	gsasl_done(s->lib);
	buf_free(&s->reason);
	free(s);
}
