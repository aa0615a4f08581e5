/*
 * AUTH, RFC 4954: libgsasl's server, and tokens by hand.  One user: --user.
 *
 * Whoever puts TLS in place sets `secure' of the session, and for -PLUS
 * `exporter' and `unique' (raw octets; empty: none).
 */
#ifndef T_SINK_AUTH_H
#define T_SINK_AUTH_H

#include <ctype.h>
#include <gsasl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "log.h"
#include "options.h"
#include "session.h"

#define AUTH_LINE_MAX 12288	/* RFC 4954 section 4, item 11 */

#define AUTH_WRONG "535 5.7.8 bad credentials"
#define AUTH_RIGHT "235 2.7.0 welcome"
#define AUTH_CANCELLED "501 5.7.0 cancelled"
#define AUTH_GARBAGE "501 5.5.2 no base64, or not what is due here"

static bool
auth_offered(const struct session *s)
{
	return auth != NULL && s->esmtp && (!auth_tls || s->secure);
}

static void
auth_ehlo(struct session *s)
{
	struct span all, one;

	if (!auth_offered(s))
		return;
	buf_adds(&s->say, "250-AUTH");
	for (all = span_of(auth); span_cut(&all, ',', &one);)
		buf_addf(&s->say, " %.*s", (int)one.n, one.p);
	buf_adds(&s->say, "\r\n");
}

/* What a refused MAIL is told; NULL when it may be. */
static const char *
auth_missing(const struct session *s)
{
	return need_auth && !s->authed ? "530 5.7.0 AUTH first" : NULL;
}

static size_t
auth_line_max(struct span line, size_t otherwise)
{
	return line.n >= 5 && strncasecmp(line.p, "AUTH ", 5) == 0 ?
	    AUTH_LINE_MAX : otherwise;
}

/* The one user */

static bool
auth_is_user(const char *name)
{
	size_t n = strcspn(user, ":");

	return name != NULL && strlen(name) == n && strncmp(name, user, n) == 0;
}

static const char *
auth_password(void)
{
	const char *colon = strchr(user, ':');

	return colon != NULL ? colon + 1 : "";
}

static int
auth_bind(Gsasl_session *x, Gsasl_property p, const struct buf *raw)
{
	char *text;
	size_t n;

	if (raw->n == 0)
		return GSASL_NO_CALLBACK;
	if (gsasl_base64_to(raw->p, raw->n, &text, &n) != GSASL_OK)
		must(NULL);
	gsasl_property_set(x, p, text);
	gsasl_free(text);
	return GSASL_OK;
}

static int
auth_property(Gsasl *lib, Gsasl_session *x, Gsasl_property p)
{
	const struct session *s = gsasl_callback_hook_get(lib);
	const char *name = gsasl_property_fast(x, GSASL_AUTHID);
	const char *given = gsasl_property_fast(x, GSASL_PASSWORD);
	const char *as = gsasl_property_fast(x, GSASL_AUTHZID);

	switch (p) {
	case GSASL_PASSWORD:
		return auth_is_user(name) ? gsasl_property_set(x, p,
		    auth_password()) : GSASL_NO_PASSWORD;
	case GSASL_VALIDATE_SIMPLE:
		return auth_is_user(name) && given != NULL &&
		    strcmp(given, auth_password()) == 0 ? GSASL_OK :
		    GSASL_AUTHENTICATION_ERROR;
	case GSASL_VALIDATE_EXTERNAL:
		return s->secure && (as == NULL || *as == '\0' ||
		    auth_is_user(as)) ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
	case GSASL_CB_TLS_EXPORTER:
		return auth_bind(x, p, &s->exporter);
	case GSASL_CB_TLS_UNIQUE:
		return auth_bind(x, p, &s->unique);
	default:
		return GSASL_NO_CALLBACK;
	}
}

/* The exchange */

/* 334, and the line that answers it; false: there is none. */
static bool
auth_ask(struct session *s, const char *challenge, struct buf *line)
{
	struct span r;
	size_t n;

	if (rest(s).n > 0) {
		notef("EARLY", NULL, "AUTH");
		return false;
	}
	buf_addf(&s->say, "334 %s\r\n", challenge);
	do {
		if (rest(s).n > AUTH_LINE_MAX || !hear(s)) {
			notef("LOST", NULL, "AUTH");
			return false;
		}
		r = rest(s);
		n = span_find(r, '\n');
	} while (n == r.n);
	s->at += n + 1;
	buf_clear(line);
	buf_add(line, r.p, n);
	if (n == 0 || line->p[n - 1] != '\r') {
		notef("BARE", NULL, "AUTH");
		return false;
	}
	line->n--;
	return true;
}

/* The proof at a SCRAM's end: as 334, or with the 235. */
static const char *
auth_prove(struct session *s, const char *proof, struct buf *line)
{
	static char in_235[200];

	if (auth_proof_in_235) {
		snprintf(in_235, sizeof in_235, "235 2.7.0 %s", proof);
		return in_235;
	}
	if (!auth_ask(s, proof, line))
		return NULL;
	return line->n == 0 ? AUTH_RIGHT : span_is(buf_span(line), "*") ?
	    AUTH_CANCELLED : AUTH_GARBAGE;
}

/* The reply; NULL: the client is gone. */
static const char *
auth_talk(struct session *s, Gsasl_session *x, bool given, struct buf *line)
{
	const char *reply = NULL;
	char *out;
	int code;

	for (;; given = true) {
		out = NULL;
		code = gsasl_step64(x, given ? buf_str(line) : NULL, &out);
		if (code == GSASL_NEEDS_MORE && !auth_ask(s, out ? out : "", line))
			break;
		if (code == GSASL_NEEDS_MORE && !span_is(buf_span(line), "*")) {
			gsasl_free(out);
			continue;
		}
		if (code == GSASL_NEEDS_MORE)
			reply = AUTH_CANCELLED;
		else if (code == GSASL_OK && out != NULL && *out != '\0')
			reply = auth_prove(s, out, line);
		else if (code == GSASL_BASE64_ERROR)
			reply = AUTH_GARBAGE;
		else
			reply = code == GSASL_OK ? AUTH_RIGHT : AUTH_WRONG;
		break;
	}
	gsasl_free(out);
	return reply;
}

static const char *
auth_library(struct session *s, const char *mech, bool given, struct buf *line)
{
	const char *reply = "504 5.5.4 not known to this library";
	Gsasl *lib;
	Gsasl_session *x;

	if (gsasl_init(&lib) != GSASL_OK)
		must(NULL);
	gsasl_callback_hook_set(lib, s);
	gsasl_callback_set(lib, auth_property);
	if (gsasl_server_start(lib, mech, &x) == GSASL_OK) {
		reply = auth_talk(s, x, given, line);
		gsasl_finish(x);
	}
	gsasl_done(lib);
	return reply;
}

/* Tokens: RFC 7628 section 3, and what XOAUTH2 was before it */

static bool
auth_token_right(const char *mech, struct buf *raw)
{
	struct buf name = {0}, auth_is = {0};
	const char *got = buf_str(raw);
	bool ours = strcmp(mech, "XOAUTH2") == 0, right;

	buf_addf(&name, ours ? "user=%.*s\001" : "n,a=%.*s,\001",
	    (int)strcspn(user, ":"), user);
	buf_addf(&auth_is, "\001auth=Bearer %s\001\001", auth_password());
	right = span_starts(buf_span(raw), buf_str(&name)) &&
	    span_ends(buf_span(raw), buf_str(&auth_is)) && strlen(got) == raw->n;
	buf_free(&name);
	buf_free(&auth_is);
	return right;
}

static const char *
auth_token(struct session *s, const char *mech, bool given, struct buf *line)
{
	/* {"status":"401","schemes":"bearer"} */
	static const char json[] =
	    "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=";
	const char *due = strcmp(mech, "XOAUTH2") == 0 ? "" : "AQ==";
	struct buf raw = {0};
	char *octets;
	bool right;

	if (!given && !auth_ask(s, "", line))
		return NULL;
	if (span_is(buf_span(line), "*"))
		return AUTH_CANCELLED;
	if (gsasl_base64_from(buf_str(line), line->n, &octets, &raw.n) != GSASL_OK)
		return AUTH_GARBAGE;
	raw.p = octets;
	raw.room = raw.n;
	right = auth_token_right(mech, &raw);
	buf_free(&raw);
	if (right)
		return AUTH_RIGHT;
	if (!auth_ask(s, json, line))
		return NULL;
	return span_is(buf_span(line), due) ? AUTH_WRONG : AUTH_GARBAGE;
}

static const char *
auth_run(struct session *s, const char *mech, bool given, struct buf *line)
{
	if (auth_no_proof && strncmp(mech, "SCRAM", 5) == 0)
		return AUTH_RIGHT;
	if (strcmp(mech, "XOAUTH2") == 0 || strcmp(mech, "OAUTHBEARER") == 0)
		return auth_token(s, mech, given, line);
	return auth_library(s, mech, given, line);
}

/* Why not even an exchange; otherwise NULL, and the mechanism's name in capitals. */
static const char *
auth_fault(const struct session *s, struct span name, struct buf *mech)
{
	struct span all, one = {0};

	if (!auth_offered(s))
		return "502 5.5.1 not offered";
	if (!s->greeted || s->mail || s->authed)
		return "503 5.5.1 not now";
	for (all = span_of(auth); span_cut(&all, ',', &one);)
		if (span_ieq(one, name))
			break;
		else
			one.n = 0;
	if (name.n == 0 || one.n == 0)
		return "504 5.5.4 unknown mechanism";
	for (size_t i = 0; i < one.n; i++)
		buf_addc(mech, (char)toupper((unsigned char)one.p[i]));
	return rule_for(&auth_refuse, buf_str(mech));
}

static bool
on_auth(struct session *s, struct span arg)
{
	struct span name = { arg.p, span_find(arg, ' ') };
	struct span initial = span_from(arg, name.n + 1);
	struct buf what = {0}, mech = {0}, line = {0};
	const char *reply = auth_fault(s, name, &mech);

	buf_addf(&what, "AUTH %.*s", (int)name.n, name.p);
	if (reply == NULL) {
		if (!span_is(initial, "="))
			buf_addspan(&line, initial);
		reply = auth_run(s, buf_str(&mech), initial.n > 0, &line);
		if (reply != NULL && auth_reply != NULL)
			reply = auth_reply;
		s->authed = reply != NULL && *reply == '2';
	}
	if (reply != NULL)
		answer(s, buf_str(&what), reply);
	buf_free(&what);
	buf_free(&mech);
	buf_free(&line);
	return reply != NULL;
}

#endif
