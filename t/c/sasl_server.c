/* The server's side of logging in, against our client, and against one who errs. */
#include "../tap.h"

#include <sys/stat.h>
#include <unistd.h>

#include "net/base64.h"
#include "net/sasl.h"
#include "net/sasl_server.h"

/* user, pencil: the example of RFC 7677 section 3 */
#define KEYS "4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=," \
	"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static struct passwords users;

static void
read_users(void)
{
	char name[] = "/tmp/tidegate.sasl.XXXXXX";
	struct err e = {0};
	FILE *f = fdopen(mkstemp(name), "w");

	fputs("ann:{PLAIN}pencil\nuser:{SCRAM-SHA-256}" KEYS "\n", f);
	fclose(f);
	ok(passwords_read(&users, name, &e) == 0, "users: %s", e.text);
	unlink(name);
}

struct row {
	const char *mech, *user, *secret;
	bool encrypted, bound;
	enum sasl_outcome want;
};

static const struct row rows[] = {
	{ "SCRAM-SHA-256", "user", "pencil", false, false, SASL_YES },
	{ "SCRAM-SHA-256", "ann", "pencil", false, false, SASL_YES },
	{ "SCRAM-SHA-256", "user", "pen", false, false, SASL_NO },
	{ "SCRAM-SHA-256", "nobody", "pencil", false, false, SASL_NO },
	{ "SCRAM-SHA-256-PLUS", "user", "pencil", true, true, SASL_YES },
	{ "SCRAM-SHA-256-PLUS", "user", "pen", true, true, SASL_NO },
	{ "PLAIN", "ann", "pencil", true, false, SASL_YES },
	{ "PLAIN", "user", "pencil", true, false, SASL_YES },
	{ "PLAIN", "user", "pen", true, false, SASL_NO },
	{ "PLAIN", "nobody", "pencil", true, false, SASL_NO },
	{ "LOGIN", "user", "pencil", true, false, SASL_YES },
	{ "CRAM-MD5", "ann", "pencil", false, false, SASL_YES },
	{ "CRAM-MD5", "ann", "pen", false, false, SASL_NO },
	{ "CRAM-MD5", "user", "pencil", false, false, SASL_NO },
	{ "CRAM-MD5", "nobody", "pencil", false, false, SASL_NO },
};

static struct sasl_case
case_of(const struct row *r)
{
	struct sasl_case c = { .users = &users, .encrypted = r->encrypted };

	if (r->bound)
		c.exporter = SPAN("32 octets that TLS alone has made");
	return c;
}

/* Until the server has an outcome; the client's own trouble ends it, too. */
static enum sasl_outcome
converse(struct sasl_server *s, struct sasl *c, struct buf *line, const char **user)
{
	enum sasl_outcome o = SASL_MORE;
	struct buf challenge = {0};
	bool said = line->n > 0;
	struct err e = {0};

	for (int i = 0; i < 9; i++) {
		buf_clear(&challenge);
		if (span_eq(buf_span(line), SPAN("=")))
			buf_clear(line);
		o = sasl_server_step(s, said, buf_span(line), &challenge);
		if (o != SASL_MORE)
			break;
		buf_clear(line);
		if (sasl_step(c, buf_span(&challenge), line, &e) < 0)
			break;
		said = true;
	}
	*user = sasl_server_user(s);
	buf_free(&challenge);
	return o;
}

static void
log_in(const struct row *r)
{
	struct sasl_case k = case_of(r);
	struct sasl_who who = { .user = r->user, .secret = span_of(r->secret),
		.mechs = r->mech, .encrypted = r->encrypted, .exporter = k.exporter };
	struct buf tried = {0}, line = {0};
	struct err e = {0};
	enum sasl_outcome why = SASL_BROKEN;
	const char *mech, *user = NULL;
	struct sasl *c = sasl_start(&who, span_of(r->mech), &tried, &mech, &line, &e);
	struct sasl_server *s = sasl_server_start(&k, r->mech, &why);

	if (ok(c && s, "%s of %s begins: %s", r->mech, r->user, e.text)) {
		enum sasl_outcome o = converse(s, c, &line, &user);

		ok(o == r->want, "%s of %s, `%s': %d", r->mech, r->user, r->secret, o);
		is(user, r->user, "who it was");
	}
	sasl_free(c);
	sasl_server_free(s);
	buf_free(&tried);
	buf_free(&line);
}

/* The other end has another connection: somebody sits between. */
static void
between(void)
{
	struct sasl_case k = { .users = &users, .encrypted = true,
		.exporter = SPAN("what the server's TLS has made..") };
	struct sasl_who who = { .user = "user", .secret = SPAN("pencil"),
		.mechs = "SCRAM-SHA-256-PLUS", .encrypted = true,
		.exporter = SPAN("what the client's TLS has made..") };
	struct buf tried = {0}, line = {0};
	struct err e = {0};
	enum sasl_outcome why;
	const char *mech, *user;
	struct sasl *c = sasl_start(&who, SPAN("SCRAM-SHA-256-PLUS"), &tried, &mech, &line, &e);
	struct sasl_server *s = sasl_server_start(&k, "SCRAM-SHA-256-PLUS", &why);

	ok(c && s && converse(s, c, &line, &user) != SASL_YES, "a connection in between");
	sasl_free(c);
	sasl_server_free(s);
	buf_free(&tried);
	buf_free(&line);
}

static const struct { const char *mech, *plain; enum sasl_outcome want; } odd[] = {
	{ "PLAIN", "!", SASL_BROKEN },			/* as it is: no base64 */
	{ "PLAIN", "no NUL at all", SASL_BROKEN },
	{ "SCRAM-SHA-256", "n,,n=user", SASL_BROKEN },
	{ "SCRAM-SHA-256", "x,,n=user,r=abc", SASL_BROKEN },
	{ "SCRAM-SHA-256", "n,,r=abc,n=user", SASL_BROKEN },
	{ "CRAM-MD5", "ann", SASL_BROKEN },
	{ "CRAM-MD5", "ann 0123", SASL_BROKEN },
};

static void
err_on(const char *mech, const char *plain, enum sasl_outcome want)
{
	struct sasl_case k = { .users = &users, .encrypted = true };
	struct buf line = {0}, challenge = {0};
	enum sasl_outcome o;
	struct sasl_server *s = sasl_server_start(&k, mech, &o);

	if (strcmp(plain, "!") == 0)
		buf_adds(&line, plain);
	else
		base64_add(&line, plain, strlen(plain));
	o = sasl_server_step(s, false, SPAN(""), &challenge);
	if (ok(o == SASL_MORE, "%s: the server waits", mech))
		o = sasl_server_step(s, true, buf_span(&line), &challenge);
	ok(o == want || (want == SASL_BROKEN && o == SASL_NO), "%s: `%s': %d", mech, plain, o);
	sasl_server_free(s);
	buf_free(&line);
	buf_free(&challenge);
}

#define BOUND "32 octets that TLS alone has made"

/* Whom one first response makes, or whether it may go on. */
static const struct {
	const char *mech;
	const char *binding;	/* tls-exporter */
	const char *names;	/* of a certificate */
	const char *said;
	size_t n;
	enum sasl_outcome want;
	const char *user;
} firsts[] = {
#define SAYS(s) (s), sizeof (s) - 1
	/* RFC 5802 section 6: a client that could bind was told that we cannot */
	{ "SCRAM-SHA-256", BOUND, NULL, SAYS("y,,n=user,r=abc"), SASL_NO, NULL },
	{ "SCRAM-SHA-256", "", NULL, SAYS("y,,n=user,r=abc"), SASL_MORE, "user" },
	{ "SCRAM-SHA-256", BOUND, NULL, SAYS("n,,n=user,r=abc"), SASL_MORE, "user" },
	{ "SCRAM-SHA-256", BOUND, NULL, SAYS("p=tls-exporter,,n=user,r=abc"),
	    SASL_NO, NULL },
	{ "SCRAM-SHA-256-PLUS", BOUND, NULL, SAYS("p=tls-exporter,,n=user,r=abc"),
	    SASL_MORE, "user" },
	{ "SCRAM-SHA-256-PLUS", BOUND, NULL, SAYS("n,,n=user,r=abc"), SASL_NO, NULL },
	{ "SCRAM-SHA-256-PLUS", BOUND, NULL, SAYS("y,,n=user,r=abc"), SASL_NO, NULL },
	{ "SCRAM-SHA-256-PLUS", BOUND, NULL, SAYS("p=tls-unique,,n=user,r=abc"),
	    SASL_NO, NULL },
	{ "PLAIN", "", NULL, SAYS("user\0user\0pencil"), SASL_YES, "user" },
	{ "PLAIN", "", NULL, SAYS("ann\0user\0pencil"), SASL_NO, "user" },
	{ "PLAIN", "", NULL, SAYS("\0user\0pencil\0more"), SASL_NO, NULL },
	{ "PLAIN", "", NULL, SAYS("\0user\0"), SASL_NO, NULL },
	{ "PLAIN", "", NULL, SAYS("\0\0pencil"), SASL_NO, NULL },
	{ "EXTERNAL", "", "ann user", SAYS(""), SASL_YES, "ann" },
	{ "EXTERNAL", "", "ann user", SAYS("user"), SASL_YES, "user" },
	{ "EXTERNAL", "", "ann user", SAYS("nobody"), SASL_NO, "nobody" },
	{ "EXTERNAL", "", "ann user", SAYS("ann user"), SASL_NO, "ann user" },
	{ "EXTERNAL", "", "ann user", SAYS("ann\0"), SASL_NO, "ann" },
	{ "EXTERNAL", "", "ann user", SAYS(" "), SASL_NO, " " },
	{ "EXTERNAL", "", "*.x.test", SAYS("a.x.test"), SASL_NO, "a.x.test" },
};

static void
say_first(void)
{
	for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
		struct sasl_case k = { .users = &users, .encrypted = true,
		    .exporter = span_of(firsts[i].binding),
		    .certificate = firsts[i].names };
		struct buf line = {0}, challenge = {0};
		enum sasl_outcome o = SASL_UNKNOWN;
		struct sasl_server *s = sasl_server_start(&k, firsts[i].mech, &o);

		base64_add(&line, firsts[i].said, firsts[i].n);
		if (s != NULL)
			o = sasl_server_step(s, true, line.n > 0 ? buf_span(&line) :
			    SPAN("="), &challenge);
		ok(o == firsts[i].want || (firsts[i].want == SASL_NO &&
		    o == SASL_BROKEN), "%s: `%s': %d", firsts[i].mech,
		    firsts[i].said, o);
		if (firsts[i].user != NULL && s != NULL)
			is(sasl_server_user(s), firsts[i].user, "who");
		sasl_server_free(s);
		buf_free(&line);
		buf_free(&challenge);
	}
}

static void
too_long(const char *mech)
{
	struct sasl_case k = { .users = &users, .encrypted = true };
	struct buf line = {0}, challenge = {0};
	enum sasl_outcome o;
	struct sasl_server *s = sasl_server_start(&k, mech, &o);

	while (line.n < 100000)
		buf_adds(&line, "QUFB");
	o = sasl_server_step(s, true, buf_span(&line), &challenge);
	ok(o == SASL_BROKEN || o == SASL_NO, "%s: 100,000 octets: %d", mech, o);
	sasl_server_free(s);
	buf_free(&line);
	buf_free(&challenge);
}

static void
offers(const struct sasl_case *c, const char *want, const char *name)
{
	struct buf b = {0};

	sasl_server_offers(c, &b);
	is(buf_str(&b), want, name);
	buf_free(&b);
}

int
main(void)
{
	struct sasl_case c = {0};
	enum sasl_outcome why = SASL_YES;

	read_users();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		log_in(&rows[i]);
	between();
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		err_on(odd[i].mech, odd[i].plain, odd[i].want);
	say_first();
	too_long("PLAIN");
	too_long("SCRAM-SHA-256");
	offers(&c, "", "nobody can log in");
	c.users = &users;
	offers(&c, "SCRAM-SHA-256 CRAM-MD5", "in clear");
	ok(sasl_server_start(&c, "PLAIN", &why) == NULL && why == SASL_CLEAR, "PLAIN in clear");
	ok(sasl_server_start(&c, "GSSAPI", &why) == NULL && why == SASL_UNKNOWN, "GSSAPI");
	ok(sasl_server_start(&c, "SCRAM-SHA-256-PLUS", &why) == NULL, "nothing to bind to");
	c.encrypted = true;
	c.exporter = SPAN("32 octets that TLS alone has made");
	offers(&c, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN", "in TLS");
	c.certificate = "mx.test";
	offers(&c, "EXTERNAL SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN", "with a certificate");
	passwords_free(&users);
	done_testing();
}
