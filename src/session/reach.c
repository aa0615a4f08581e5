#include "session/reach.h"

#include <string.h>

#include "base/clock.h"
#include "session/job.h"

enum { PLACE_CONNECT, PLACE_BANNER, PLACE_EHLO, PLACE_TLS, PLACE_AUTH, PLACE_MAIL,
    PLACE_RCPT, PLACE_LAST };

static const char *const places[PLACE_LAST] = {
	"connect", "banner", "ehlo", "tls", "auth", "mail", "rcpt"
};

static int
place_of(const char *word)
{
	int i = 0;

	while (i < PLACE_LAST && strcmp(places[i], word) != 0)
		i++;
	return i;
}

bool
reach_wants_envelope(const char *step)
{
	int i = place_of(step);

	return i == PLACE_MAIL || i == PLACE_RCPT;
}

static bool
is_connected(const struct session *s)
{
	return s->step > STEP_CONNECT;
}

static bool
is_greeted(const struct session *s)
{
	return s->step > STEP_HELLO || s->client.replies > 0;
}

static bool
is_open(const struct session *s)
{
	return s->step == STEP_OPEN;
}

static int
go_until(struct session *s, bool (*there)(const struct session *),
    struct err *e)
{
	int r = 1;

	while (!there(s)) {
		if (r == 0)
			sessions_wait(&s, 1, NULL, NEVER);
		if ((r = session_move(s, e)) < 0)
			return -1;
	}
	return 0;
}

/* MAIL and RCPT as they would be; then RSET, and nothing was sent. */
static int
try_envelope(struct session *s, struct envelope *v, bool rcpt_too,
    struct err *e)
{
	struct body none = {0};
	struct job *j = job_new("-", v, &none);
	struct err bad = {0};
	int status;

	j->letter.size = -1;
	client_try(&s->client, &j->letter, rcpt_too);
	if (session_drive(s, e) < 0) {
		job_free(j);
		return -1;
	}
	for (size_t i = 0; i < j->env.rcpts.n; i++) {
		const struct outcome *o = &j->letter.met[i];

		status = o->fate == FATE_NONE && !o->again ? 0 :
		    outcome_status(o);
		if (status_worse((int)bad.fault, status) != (int)bad.fault)
			err_set(&bad, (enum fault)status, "%s: <%s>: %s",
			    session_name(s), j->named[i], o->text);
	}
	job_free(j);
	if (s->client.want == WANT_WORK) {
		client_rset(&s->client);
		session_drive(s, e);
	}
	*e = bad;
	return bad.fault == FAULT_NONE ? 0 : -1;
}

int
reach_step(const struct servers *servers, const struct dial *dial,
    const char *step, struct envelope *v, struct err *e)
{
	static const enum step until[PLACE_LAST] = {
		[PLACE_EHLO] = STEP_HELLO, [PLACE_TLS] = STEP_STARTTLS,
	};
	int place = place_of(step), r;
	struct session s = {0};

	if (place == PLACE_LAST)
		return err_set(e, FAULT_USAGE, "--quit-after: `%s' is none of "
		    "connect, banner, ehlo, tls, auth, mail, rcpt", step);
	s.until = until[place];
	r = session_begin(&s, servers, dial, e);
	if (r == 0)
		r = go_until(&s, place == PLACE_CONNECT ? is_connected :
		    place == PLACE_BANNER ? is_greeted : is_open, e);
	if (r == 0 && place == PLACE_TLS && s.line.tls == NULL)
		r = s.clear ? (*e = s.tls_failed, -1) : err_set(e,
		    FAULT_UNAVAILABLE, "%s: no TLS", session_name(&s));
	if (r == 0 && place >= PLACE_MAIL)
		r = try_envelope(&s, v, place == PLACE_RCPT, e);
	session_close(&s);
	return r;
}
