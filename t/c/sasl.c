/* Logging in: our client against libgsasl's server, or against bad ones. */
#include "../tap.h"

#include <gsasl.h>
#include <stdint.h>

#include "net/sasl.h"

#define ALL "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS " \
	"SCRAM-SHA-256-PLUS EXTERNAL XOAUTH2 OAUTHBEARER GSSAPI NTLM"
#define UTF8 "p\303\244ssw\303\266rd"

/* The server's side */

static const char *knows = "pencil", *bound, *validated;

static int
on_property(Gsasl *lib, Gsasl_session *s, Gsasl_property p)
{
	const char *name = gsasl_property_fast(s, GSASL_AUTHID);
	const char *given = gsasl_property_fast(s, GSASL_PASSWORD);

	(void)lib;
	if (p == GSASL_PASSWORD && knows != NULL)
		return gsasl_property_set(s, p, knows);
	if ((p == GSASL_CB_TLS_EXPORTER || p == GSASL_CB_TLS_UNIQUE) && bound)
		return gsasl_property_set(s, p, bound);
	if (p == GSASL_VALIDATE_SIMPLE)
		return name && given && strcmp(name, "user") == 0 &&
		    strcmp(given, knows) == 0 ? GSASL_OK :
		    GSASL_AUTHENTICATION_ERROR;
	if (p == GSASL_VALIDATE_EXTERNAL) {
		validated = gsasl_property_fast(s, GSASL_AUTHZID);
		validated = validated && strcmp(validated, "user") == 0 ?
		    "user" : "";
		return GSASL_OK;
	}
	return GSASL_NO_CALLBACK;
}

enum { HONEST, PROOF_IN_235, NO_PROOF, WRONG_PROOF, WRONG_IN_235, YES_AT_ONCE };

/* v=..., of some other exchange */
#define WRONG "dj1yY2VlY0NLM1FqMHVuTHNUTW5nR1ZEOEk2M3NuQVl4Ly9HaDRxY2FJOVNFPQ=="

static int
decide(struct sasl *s, int how, const char *proof, struct err *e)
{
	struct buf text = {0}, answer = {0};
	int r = 0;

	if (how == WRONG_PROOF || how == WRONG_IN_235)
		proof = WRONG;
	if (how == PROOF_IN_235 || how == WRONG_IN_235)
		buf_addf(&text, "2.7.0 %s", proof ? proof : "");
	else
		buf_adds(&text, "2.7.0 welcome");
	if ((how == HONEST || how == WRONG_PROOF) && proof && *proof) {
		r = sasl_step(s, span_of(proof), &answer, e);
		ok(r < 0 || answer.n == 0, "the proof is answered by nothing");
	}
	if (r == 0)
		r = sasl_finish(s, buf_span(&text), e);
	buf_free(&text);
	buf_free(&answer);
	return r;
}

/* 0: in, 1: the server refused, -1: we refused. */
static int
converse(Gsasl_session *server, struct sasl *s, struct buf *line, int how,
    struct err *e)
{
	bool first = line->n > 0;
	int code, r;
	char *out;

	if (how == YES_AT_ONCE)
		return sasl_finish(s, SPAN("2.7.0 welcome"), e);
	for (;;) {
		out = NULL;
		if (first && strcmp(buf_str(line), "=") == 0)
			buf_clear(line);
		code = gsasl_step64(server, first || line->n > 0 ? buf_str(line) :
		    NULL, &out);
		first = false;
		if (code == GSASL_OK) {
			r = decide(s, how, out, e);
			gsasl_free(out);
			return r;
		}
		if (code != GSASL_NEEDS_MORE) {
			gsasl_free(out);
			return 1;
		}
		buf_clear(line);
		r = sasl_step(s, span_of(out ? out : ""), line, e);
		gsasl_free(out);
		if (r < 0)
			return -1;
	}
}

static char used[40];

static int
login(const struct sasl_who *w, const char *offered, int how, struct err *e)
{
	struct buf tried = {0}, line = {0};
	const char *mech = "";
	struct sasl *s = sasl_start(w, span_of(offered), &tried, &mech, &line, e);
	Gsasl_session *server;
	Gsasl *lib;
	int r = -1;

	snprintf(used, sizeof used, "%s", mech);
	gsasl_init(&lib);
	gsasl_callback_set(lib, on_property);
	if (s != NULL && gsasl_server_start(lib, mech, &server) == GSASL_OK) {
		r = converse(server, s, &line, how, e);
		gsasl_finish(server);
	}
	gsasl_done(lib);
	sasl_free(s);
	buf_wipe(&line);
	buf_free(&tried);
	return r;
}

/* Each mechanism */

static const struct sasl_who usual = {
	.user = "user", .secret = { "pencil", 6 }, .encrypted = true,
};

static const struct {
	const char *mechs;
	const char *secret, *bound, *knows, *exporter, *unique;
	int how, want;
	enum fault fault;
} rows[] = {
	{ "scram-sha-256", "pencil", NULL, "pencil", NULL, NULL, HONEST, 0, 0 },
	{ "scram-sha-256", "pen", NULL, "pencil", NULL, NULL, HONEST, 1, 0 },
	{ "SCRAM-SHA-1", "pencil", NULL, "pencil", NULL, NULL, HONEST, 0, 0 },
	{ "SCRAM-SHA-1", "pen", NULL, "pencil", NULL, NULL, HONEST, 1, 0 },
	{ "SCRAM-SHA-256", UTF8, NULL, UTF8, NULL, NULL, HONEST, 0, 0 },
	{ "SCRAM-SHA-256", "IX", NULL, "\342\205\250", NULL, NULL, HONEST, 0, 0 },
	{ "SCRAM-SHA-256-PLUS", "pencil", "YWJj", "pencil", "abc", NULL,
	    HONEST, 0, 0 },
	{ "SCRAM-SHA-1-PLUS", "pencil", "YWJj", "pencil", "abc", NULL,
	    HONEST, 0, 0 },
	{ "SCRAM-SHA-1-PLUS", "pencil", "YWJj", "pencil", NULL, "abc",
	    HONEST, 0, 0 },
	{ "SCRAM-SHA-256-PLUS", "pencil", "YWJj", "pencil", "abc", "other",
	    HONEST, 0, 0 },
	{ "SCRAM-SHA-256-PLUS", "pencil", "YWJj", "pencil", "abd", NULL,
	    HONEST, 1, 0 },
	{ "SCRAM-SHA-256-PLUS", "pen", "YWJj", "pencil", "abc", NULL,
	    HONEST, 1, 0 },
	/* a binding that the mechanism does not use disturbs nobody */
	{ "SCRAM-SHA-256", "pencil", "YWJj", "pencil", "abc", NULL,
	    HONEST, 0, 0 },
	{ "CRAM-MD5", "pencil", NULL, "pencil", NULL, NULL, HONEST, 0, 0 },
	{ "CRAM-MD5", "pen", NULL, "pencil", NULL, NULL, HONEST, 1, 0 },
	{ "PLAIN", "pencil", NULL, "pencil", NULL, NULL, HONEST, 0, 0 },
	{ "PLAIN", "pen", NULL, "pencil", NULL, NULL, HONEST, 1, 0 },
	{ "PLAIN", UTF8, NULL, UTF8, NULL, NULL, HONEST, 0, 0 },
	{ "LOGIN", "pencil", NULL, "pencil", NULL, NULL, HONEST, 0, 0 },
	{ "LOGIN", "pen", NULL, "pencil", NULL, NULL, HONEST, 1, 0 },
	{ "LOGIN", "p\344ss", NULL, "p\344ss", NULL, NULL, HONEST, 0, 0 },
	{ "EXTERNAL", "pencil", NULL, "pencil", NULL, NULL, HONEST, 0, 0 },

	{ "SCRAM-SHA-256", "pencil", NULL, "pencil", NULL, NULL,
	    PROOF_IN_235, 0, 0 },
	{ "SCRAM-SHA-256-PLUS", "pencil", "YWJj", "pencil", "abc", NULL,
	    PROOF_IN_235, 0, 0 },
	{ "SCRAM-SHA-256", "pencil", NULL, "pencil", NULL, NULL,
	    NO_PROOF, -1, FAULT_PERM },
	{ "SCRAM-SHA-1", "pencil", NULL, "pencil", NULL, NULL,
	    YES_AT_ONCE, -1, FAULT_PERM },
	{ "SCRAM-SHA-256", "pencil", NULL, "pencil", NULL, NULL,
	    WRONG_PROOF, -1, FAULT_PERM },
	{ "SCRAM-SHA-256", "pencil", NULL, "pencil", NULL, NULL,
	    WRONG_IN_235, -1, FAULT_PERM },
	{ "PLAIN", "pencil", NULL, "pencil", NULL, NULL, YES_AT_ONCE, 0, 0 },

	{ "SCRAM-SHA-256", "p\344ss", NULL, "p", NULL, NULL,
	    HONEST, -1, FAULT_CONFIG },
	{ "SCRAM-SHA-256", "a\007b", NULL, "p", NULL, NULL,
	    HONEST, -1, FAULT_CONFIG },
	{ "CRAM-MD5", "p\344ss", NULL, "p", NULL, NULL,
	    HONEST, -1, FAULT_CONFIG },
	{ "XOAUTH2", "two words", NULL, "p", NULL, NULL,
	    HONEST, -1, FAULT_CONFIG },
	{ "OAUTHBEARER", "a\001b", NULL, "p", NULL, NULL,
	    HONEST, -1, FAULT_CONFIG },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sasl_who w = usual;
		struct err e = {0};
		int r;

		knows = rows[i].knows;
		bound = rows[i].bound;
		w.mechs = rows[i].mechs;
		w.secret = span_of(rows[i].secret);
		if (rows[i].exporter)
			w.exporter = span_of(rows[i].exporter);
		if (rows[i].unique)
			w.unique = span_of(rows[i].unique);
		r = login(&w, ALL, rows[i].how, &e);
		ok(r == rows[i].want && e.fault == rows[i].fault,
		    "row %zu, %s: %d %d %s", i, rows[i].mechs, r, (int)e.fault,
		    e.text);
		ok(r < 0 || strcasecmp(used, rows[i].mechs) == 0, "by %s", used);
	}
	knows = "pencil";
	bound = NULL;
}

/* Which one */

static const struct {
	const char *offered, *mechs, *tried, *want;	/* NULL: fault */
	bool encrypted, clear_ok, certificate, bind, nobody;
	enum fault fault;
} choices[] = {
	{ ALL, NULL, "", "SCRAM-SHA-256-PLUS", true, false, false, true, false, 0 },
	{ ALL, NULL, "", "SCRAM-SHA-256", true, false, false, false, false, 0 },
	{ ALL, NULL, "", "EXTERNAL", true, false, true, true, false, 0 },
	{ ALL, NULL, "", "EXTERNAL", true, false, true, true, true, 0 },
	{ ALL, NULL, "SCRAM-SHA-256-PLUS SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", true, false,
	    false, true, false, 0 },
	{ ALL, NULL, "SCRAM-SHA-256 scram-sha-1", "CRAM-MD5", true, false, false,
	    false, false, 0 },
	{ "plain login", NULL, "", "PLAIN", true, false, false, false, false, 0 },
	{ "plain login", NULL, "PLAIN", "LOGIN", true, false, false, false, false, 0 },
	{ "LOGIN PLAIN", NULL, "PLAIN", "LOGIN", false, true, false, false, false, 0 },
	{ "LOGIN PLAIN", " login , plain", "", "LOGIN", true, false, false, false,
	    false, 0 },
	{ "XOAUTH2 PLAIN", "xoauth2,plain", "", "XOAUTH2", true, false, false, false,
	    false, 0 },
	{ ALL, "external", "", "EXTERNAL", true, false, false, false, true, 0 },
	{ "PLAIN SCRAM-SHA-1", NULL, "", "SCRAM-SHA-1", false, false, false, false,
	    false, 0 },

	{ "PLAIN LOGIN", NULL, "", NULL, false, false, true, false, false, FAULT_PERM },
	{ "PLAIN LOGIN", "plain", "", NULL, false, false, false, false, false,
	    FAULT_PERM },
	{ "XOAUTH2", "xoauth2", "", NULL, false, false, false, false, false,
	    FAULT_PERM },
	{ "PLAIN SCRAM-SHA-1", NULL, "SCRAM-SHA-1", NULL, false, false, false, false,
	    false, FAULT_PERM },
	{ "PLAIN LOGIN", "scram-sha-256", "", NULL, false, false, false, false, false,
	    FAULT_UNAVAILABLE },
	{ "PLAIN LOGIN", NULL, "PLAIN LOGIN", NULL, true, false, false, false, false,
	    FAULT_UNAVAILABLE },
	{ "XOAUTH2 OAUTHBEARER GSSAPI", NULL, "", NULL, true, false, false, false,
	    false, FAULT_UNAVAILABLE },
	{ "SCRAM-SHA-256-PLUS", NULL, "", NULL, true, false, false, false, false,
	    FAULT_UNAVAILABLE },
	{ "", NULL, "", NULL, true, false, false, false, false, FAULT_UNAVAILABLE },
	{ ALL, NULL, "", NULL, true, false, false, true, true, FAULT_UNAVAILABLE },
	{ ALL, "plain,ntlm", "", NULL, true, false, false, false, false, FAULT_USAGE },
	{ ALL, "", "", NULL, true, false, false, false, false, FAULT_USAGE },
	{ ALL, ",", "", NULL, true, false, false, false, false, FAULT_USAGE },
};

static void
test_choices(void)
{
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		struct sasl_who w = usual;
		struct err e = {0};
		struct buf tried = {0}, initial = {0};
		const char *mech = NULL;
		struct sasl *s;

		w.mechs = choices[i].mechs;
		w.encrypted = choices[i].encrypted;
		w.clear_ok = choices[i].clear_ok;
		w.certificate = choices[i].certificate;
		if (choices[i].nobody)
			w.user = NULL;
		if (choices[i].bind)
			w.exporter = SPAN("abc");
		buf_adds(&tried, choices[i].tried);
		s = sasl_start(&w, span_of(choices[i].offered), &tried, &mech,
		    &initial, &e);
		ok((s != NULL) == (choices[i].want != NULL) &&
		    e.fault == choices[i].fault, "choice %zu: %s", i, e.text);
		is(mech, choices[i].want, "the right one");
		ok(mech == NULL || span_ends(buf_span(&tried), mech),
		    "it is among the tried now");
		sasl_free(s);
		buf_free(&tried);
		buf_wipe(&initial);
	}
}

/* Literal messages */

static const struct {
	const char *mechs, *user, *host, *port, *raw;	/* NULL: `=` */
} firsts[] = {
	{ "PLAIN", "user", NULL, NULL, "\0user\0pencil" },
	{ "EXTERNAL", NULL, NULL, NULL, NULL },
	{ "EXTERNAL", "user", NULL, NULL, "user" },
	{ "LOGIN", "user", NULL, NULL, "" },
	{ "CRAM-MD5", "user", NULL, NULL, "" },
	{ "XOAUTH2", "me@x.test", NULL, NULL,
	    "user=me@x.test\001auth=Bearer pencil\001\001" },
	{ "OAUTHBEARER", "me@x.test", "mx.test", "587",
	    "n,a=me@x.test,\001host=mx.test\001port=587\001"
	    "auth=Bearer pencil\001\001" },
	{ "OAUTHBEARER", "a,b=c", NULL, NULL,
	    "n,a=a=2Cb=3Dc,\001auth=Bearer pencil\001\001" },
};

static void
test_firsts(void)
{
	for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
		struct sasl_who w = usual;
		struct err e = {0};
		struct buf tried = {0}, initial = {0};
		const char *mech, *raw = firsts[i].raw;
		size_t n = raw && *raw == '\0' && i == 0 ? 12 : raw ? strlen(raw) : 0;
		char *text = NULL;
		size_t len;
		struct sasl *s;

		w.mechs = firsts[i].mechs;
		w.user = firsts[i].user;
		w.host = firsts[i].host;
		w.port = firsts[i].port;
		s = sasl_start(&w, SPAN(ALL), &tried, &mech, &initial, &e);
		gsasl_base64_to(raw ? raw : "", n, &text, &len);
		is(buf_str(&initial), raw ? text : "=", firsts[i].mechs);
		gsasl_free(text);
		sasl_free(s);
		buf_free(&tried);
		buf_wipe(&initial);
	}
}

/* Bad servers */

static const struct {
	const char *mech, *raw, *literal;	/* one of them */
	enum fault fault;
} bad[] = {
	{ "SCRAM-SHA-256", NULL, "not base64!", FAULT_PROTO },
	{ "SCRAM-SHA-256", NULL, "AAA", FAULT_PROTO },
	{ "SCRAM-SHA-256", NULL, "=", FAULT_PROTO },
	{ "SCRAM-SHA-256", "", NULL, FAULT_PROTO },
	{ "SCRAM-SHA-256", "rubbish", NULL, FAULT_PROTO },
	{ "SCRAM-SHA-256", "r=x,s=QSXCR+Q6sek8bf92,i=4096", NULL, FAULT_PERM },
	{ "SCRAM-SHA-256", "e=unknown-user", NULL, FAULT_PERM },
	{ "SCRAM-SHA-256", "r=x,s=QSXCR+Q6sek8bf92,i=2000000000", NULL,
	    FAULT_PROTO },
	{ "SCRAM-SHA-256", "r=x,s=QSXCR+Q6sek8bf92,i=99999999999999999999", NULL,
	    FAULT_PROTO },
	{ "SCRAM-SHA-256", "v=rceecCK3Qj0unLsTMngGVD8I63snAYx//Gh4qcaI9SE=", NULL,
	    FAULT_PROTO },
	{ "CRAM-MD5", NULL, "\001", FAULT_PROTO },
	{ "PLAIN", "more?", NULL, FAULT_PROTO },
	{ "EXTERNAL", "more?", NULL, FAULT_PROTO },
	{ "XOAUTH2", NULL, "{}", FAULT_PROTO },
};

static void
test_bad(void)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct sasl_who w = usual;
		struct err e = {0};
		struct buf tried = {0}, line = {0};
		const char *mech, *raw = bad[i].raw;
		char *text = NULL;
		size_t len;
		struct sasl *s;
		int r;

		w.mechs = bad[i].mech;
		s = sasl_start(&w, SPAN(ALL), &tried, &mech, &line, &e);
		if (raw != NULL)
			gsasl_base64_to(raw, strlen(raw), &text, &len);
		r = sasl_step(s, span_of(raw ? text : bad[i].literal), &line, &e);
		ok(r == -1 && e.fault == bad[i].fault, "bad %zu, %s: %d %s", i,
		    bad[i].mech, (int)e.fault, e.text);
		gsasl_free(text);
		sasl_free(s);
		buf_free(&tried);
		buf_wipe(&line);
	}
}

static void
test_endless(void)
{
	struct sasl_who w = usual;
	struct err e = {0};
	struct buf tried = {0}, line = {0};
	const char *mech;
	struct sasl *s;
	int n = 0;

	w.mechs = "cram-md5";
	s = sasl_start(&w, SPAN(ALL), &tried, &mech, &line, &e);
	while (n < 100 && sasl_step(s, SPAN(""), &line, &e) == 0)
		n++;
	ok(n < 10 && e.fault == FAULT_PROTO, "334 for ever: %s", e.text);
	sasl_free(s);
	buf_free(&tried);
	buf_free(&line);
}

static void
test_tokens(const char *mechs, const char *want)
{
	struct sasl_who w = usual;
	struct err e = {0};
	struct buf tried = {0}, line = {0};
	struct span json = SPAN("eyJzdGF0dXMiOiI0MDEifQ==");
	const char *mech;
	struct sasl *s;

	w.mechs = mechs;
	s = sasl_start(&w, SPAN(ALL), &tried, &mech, &line, &e);
	buf_clear(&line);
	ok(sasl_reason(s).n == 0, "nothing said yet");
	ok(sasl_step(s, json, &line, &e) == 0, "%s: a refused token", mechs);
	is(buf_str(&line), want, "is answered");
	ok(span_is(sasl_reason(s), "{\"status\":\"401\"}"), "the reason is kept");
	ok(sasl_step(s, json, &line, &e) == -1 && e.fault == FAULT_PROTO, "once");
	sasl_free(s);
	buf_free(&tried);
	buf_free(&line);
}

static void
test_names(void)
{
	struct sasl_who w = usual;
	struct err e = {0};

	w.mechs = "scram-sha-256";
	w.user = "u\344";
	ok(login(&w, ALL, HONEST, &e) == -1 && e.fault == FAULT_DATA,
	    "a user name in Latin-1: %s", e.text);
	w.user = "\007";
	w.mechs = "xoauth2";
	ok(login(&w, ALL, HONEST, &e) == -1 && e.fault == FAULT_DATA,
	    "a user name that rings: %s", e.text);
	w = usual;
	w.secret = SPAN("pen\0cil");
	ok(login(&w, ALL, HONEST, &e) == -1 && e.fault == FAULT_CONFIG,
	    "a NUL in the password: %s", e.text);
	w = usual;
	w.mechs = "external";
	err_clear(&e);
	ok(login(&w, ALL, HONEST, &e) == 0, "EXTERNAL, as somebody");
	is(validated, "user", "who the server is told");
	w.user = NULL;
	ok(login(&w, ALL, HONEST, &e) == 0, "EXTERNAL, as whoever it is");
	is(validated, "", "the server knows itself");
}

int
main(void)
{
	test_rows();
	test_choices();
	test_firsts();
	test_bad();
	test_endless();
	test_tokens("XOAUTH2", "");
	test_tokens("OAUTHBEARER", "AQ==");
	test_names();
	sasl_free(NULL);
	return done_testing();
}
