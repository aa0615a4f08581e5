#include "session/auth.h"

#include "session/opening.h"

static int
refused(struct session *s, enum fault fault, struct err *e)
{
	struct buf words = {0};

	reply_words(&words, &s->client.said);
	if (s->login.sasl != NULL && sasl_reason(s->login.sasl).n > 0)
		buf_addf(&words, " (%.*s)", (int)sasl_reason(s->login.sasl).n,
		    sasl_reason(s->login.sasl).p);
	err_set(e, fault, "AUTH: %s", buf_str(&words));
	buf_free(&words);
	return -1;
}

static int
next_mechanism(struct session *s, struct err *e)
{
	struct login *l = s->dial->login;
	struct attempt *a = &s->login;
	struct sasl_who who = { .user = l->user, .secret = buf_span(&l->secret),
	    .mechs = l->mechs, .host = session_server(s)->peer.host,
	    .port = session_port(s), .encrypted = s->line.tls != NULL,
	    .clear_ok = l->in_clear || s->line.io.near,
	    .certificate = s->line.tls != NULL && l->tls.cert != NULL };
	struct buf initial = {0};

	sasl_free(a->sasl);
	if (s->line.tls != NULL) {
		buf_clear(&a->exporter);
		buf_clear(&a->unique);
		tls_exporter(s->line.tls, &a->exporter);
		tls_unique(s->line.tls, &a->unique);
	}
	who.exporter = buf_span(&a->exporter);
	who.unique = buf_span(&a->unique);
	a->sasl = sasl_start(&who, span_of(s->client.server.auth), &a->tried,
	    &a->mech, &initial, e);
	if (a->sasl == NULL)
		return -1;
	client_auth(&s->client, a->mech, buf_span(&initial));
	buf_wipe(&initial);
	return 0;
}

/*
 * AUTH goes only where the password is safe: by default within verified TLS (the
 * level sees to that), or on this host.  sasl_start() keeps PLAIN and LOGIN out of
 * the clear.
 */
int
auth_begin(struct session *s, struct err *e)
{
	struct login *l = s->dial->login;

	if (!(s->client.server.offers & EXT_AUTH))
		return err_set(e, FAULT_UNAVAILABLE, "the server offers no AUTH%s",
		    s->line.tls != NULL ? "" : " without TLS");
	if (s->line.tls == NULL && !s->line.io.near && !l->in_clear)
		return err_set(e, FAULT_PERM, "AUTH: not without TLS; "
		    "--auth-in-clear would allow it");
	if (s->line.tls != NULL && opening_asks(s) >= TLS_VERIFY &&
	    !tls_verified(s->line.tls))
		return err_set(e, FAULT_TEMP, "AUTH: not to a server that is not "
		    "verified");
	if (login_secret(l, session_server(s)->peer.host, e) < 0)
		return -1;
	s->step = STEP_AUTH;
	return next_mechanism(s, e);
}

static int
answer(struct session *s, struct err *e)
{
	struct buf out = {0};

	if (s->login.why.fault != FAULT_NONE) {	/* it goes on all the same */
		*e = s->login.why;
		return -1;
	}
	if (sasl_step(s->login.sasl,
	    span_trim(buf_span(&s->client.said.text)), &out, e) < 0) {
		/* cancelled, RFC 4954 section 4; the reason is ours */
		s->login.why = *e;
		err_clear(e);
		buf_wipe(&out);
		buf_adds(&out, "*");
	}
	client_answer(&s->client, buf_span(&out));
	buf_wipe(&out);
	return 0;
}

static int
verdict(struct session *s, struct err *e)
{
	int code = s->client.said.code;

	if (s->login.why.fault != FAULT_NONE) {
		*e = s->login.why;
		return -1;
	}
	if (code == 235 && sasl_finish(s->login.sasl,
	    buf_span(&s->client.said.text), e) < 0)
		return -1;
	if (code == 235) {
		s->step = STEP_OPEN;
		return 0;
	}
	/* that mechanism is not for us: another one may be */
	if (code == 504 || code == 534) {
		if (next_mechanism(s, e) == 0)
			return 0;
		return refused(s, FAULT_PERM, e);
	}
	return refused(s, code / 100 == 4 && code != 432 ? FAULT_TEMP :
	    FAULT_PERM, e);
}

int
auth_go_on(struct session *s, struct err *e)
{
	return s->client.want == WANT_ANSWER ? answer(s, e) : verdict(s, e);
}
