#include "net/mech.h"

#include "net/bearer.h"

/* Strong ones first.  Tokens are not here: a password is none. */
static const char usual[] = "EXTERNAL,SCRAM-SHA-256-PLUS,SCRAM-SHA-256,"
    "SCRAM-SHA-1-PLUS,SCRAM-SHA-1,CRAM-MD5,PLAIN,LOGIN";

static const struct mech mechs[] = {
	{ "EXTERNAL", CERTIFIED, NULL, NULL },
	{ "SCRAM-SHA-256-PLUS", BINDS | PROVES | PREPARES, NULL, NULL },
	{ "SCRAM-SHA-256", PROVES | PREPARES, NULL, NULL },
	{ "SCRAM-SHA-1-PLUS", BINDS | PROVES | PREPARES, NULL, NULL },
	{ "SCRAM-SHA-1", PROVES | PREPARES, NULL, NULL },
	{ "CRAM-MD5", WAITS | PREPARES, NULL, NULL },
	{ "PLAIN", SHOWS, NULL, NULL },
	/* its first answer is the name, which some servers want to ask for */
	{ "LOGIN", WAITS | SHOWS, NULL, NULL },
	{ "OAUTHBEARER", SHOWS, bearer_oauthbearer, "AQ==" },
	{ "XOAUTH2", SHOWS, bearer_xoauth2, "" },
};

static const struct mech *
mech_named(struct span name)
{
	for (size_t i = 0; i < sizeof mechs / sizeof *mechs; i++)
		if (span_ieq(name, span_of(mechs[i].name)))
			return &mechs[i];
	return NULL;
}

static bool
has_word(struct span words, const char *word)
{
	struct span one;

	while (span_cut(&words, ' ', &one))
		if (span_ieq(span_trim(one), span_of(word)))
			return true;
	return false;
}

/* The next name of a list with commas; false at its end. */
static bool
next_name(struct span *list, struct span *name)
{
	while (span_cut(list, ',', name)) {
		*name = span_trim(*name);
		if (name->n > 0)
			return true;
	}
	return false;
}

int
mech_check(const char *list, struct err *e)
{
	struct span rest = span_of(list), name;
	size_t n = 0;

	for (; next_name(&rest, &name); n++)
		if (mech_named(name) == NULL)
			return err_set(e, FAULT_USAGE,
			    "%.*s: no AUTH mechanism we know; there are "
			    "%s,OAUTHBEARER,XOAUTH2", (int)name.n, name.p, usual);
	return n > 0 ? 0 : err_set(e, FAULT_USAGE,
	    "`%s': names no AUTH mechanism", list);
}

static bool
is_possible(const struct mech *m, const struct sasl_who *w)
{
	if (m->is & CERTIFIED && w->mechs == NULL && !w->certificate)
		return false;
	if (!(m->is & CERTIFIED) && w->user == NULL)
		return false;
	return !(m->is & BINDS) || w->exporter.n > 0 || w->unique.n > 0;
}

/*
 * An offered -PLUS is never passed over when we can bind: libgsasl cannot say
 * `y' (RFC 5802 section 6), so the server would not notice a stripped offer.
 */
const struct mech *
mech_choose(const struct sasl_who *w, struct span offered, struct span tried,
    struct err *e)
{
	struct span rest = span_of(w->mechs ? w->mechs : usual), name;
	bool clear = false;

	while (next_name(&rest, &name)) {
		const struct mech *m = mech_named(name);

		if (!is_possible(m, w) || !has_word(offered, m->name) ||
		    has_word(tried, m->name))
			continue;
		if (!(m->is & SHOWS) || w->encrypted || w->clear_ok)
			return m;
		clear = true;
	}
	if (clear)
		err_set(e, FAULT_PERM, "AUTH: what the server offers would show "
		    "the password to whoever listens; use TLS");
	else if (tried.n > 0)
		err_set(e, FAULT_UNAVAILABLE, "AUTH: no mechanism is left after "
		    "%.*s", (int)tried.n, tried.p);
	else
		err_set(e, FAULT_UNAVAILABLE, "AUTH: the server offers `%.*s', "
		    "and %s",
		    offered.n < 200 ? (int)offered.n : 200, offered.p,
		    w->mechs != NULL ? "--auth asks for others" :
		    "none of them is used without --auth");
	return NULL;
}
