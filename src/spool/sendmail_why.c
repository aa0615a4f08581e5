/* What Sendmail itself says of a message, for queue-list --why. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/unit.h"
#include "spool/program.h"
#include "spool/sendmail.h"

#define DAY 86400

/* Where systems keep the real one while `sendmail` is somebody's wrapper. */
static const char *
binary(void)
{
	static const char *const places[] = {
		"/usr/lib/sm.bin/sendmail", "/usr/libexec/sendmail/sendmail",
		"/usr/sbin/sendmail.sendmail", NULL
	};
	int i = 0;

	while (places[i] != NULL && access(places[i], X_OK) != 0)
		i++;
	return places[i];
}

static bool
is_running(const char *conf)
{
	static const char *const usual[] = {
		"/run/sendmail/mta/sendmail.pid", "/run/sendmail.pid"
	};
	struct buf path = {0};
	struct err none = {0};
	bool yes = sm_option(conf, "PidFile", &path, &none) == 1 &&
	    program_runs(buf_str(&path));

	for (size_t i = 0; i < 2 && !yes; i++)
		yes = program_runs(usual[i]);
	buf_free(&path);
	return yes;
}

/* Timeout.queuereturn, five days unless the configuration says otherwise. */
static int64_t
patience(const char *conf)
{
	struct buf value = {0};
	struct err none = {0};
	int64_t seconds = 5 * DAY;

	if (sm_option(conf, "Timeout.queuereturn", &value, &none) == 1)
		unit_time("", buf_str(&value), &seconds, &none);
	buf_free(&value);
	return seconds;
}

static bool
says(const struct message *m, const char *word)
{
	if (m->note != NULL && strstr(m->note, word) != NULL)
		return true;
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (m->env.rcpts.p[i].reason != NULL &&
		    strstr(m->env.rcpts.p[i].reason, word) != NULL)
			return true;
	return false;
}

static void
holder(const struct message *m, bool client, struct buf *b)
{
	if (m->state == STATE_HOLD)
		buf_adds(b, "It is in quarantine: queue runners leave it alone until "
		    "it is let go.");
	else if (m->state == STATE_CORRUPT)
		buf_adds(b, "Sendmail took its qf for unsafe (owner, mode or content) "
		    "and renamed it Qf: it is lost until somebody looks.");
	else if (client)
		buf_adds(b, "It was submitted here and waits for the daemon on this "
		    "host, which did not take it yet.");
	else if (m->attempts == 0)
		buf_adds(b, "It was never tried: it waits for a queue run (mail for "
		    "an expensive mailer or a queue of its own waits for ETRN or "
		    "such a run).");
	else if (says(m, "Host") && says(m, "down"))
		buf_adds(b, "Its host is taken for down until the next queue run.");
	else
		buf_adds(b, "The next queue run tries it again.");
}

int
sm_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	bool client = sm_is_client(s);
	const char *run = client ? "sendmail -Ac" : "sendmail";

	(void)e;
	o->down = !is_running(SENDMAIL_CF);
	o->expires = m->arrival + patience(s->conf != NULL ? s->conf : SENDMAIL_CF);
	holder(m, client, &o->holder);
	if (m->state == STATE_HOLD)
		buf_addf(&o->commands, "sendmail -Q -qQ -qI%s && sendmail -v -qI%s\n",
		    m->id, m->id);
	else if (m->state == STATE_CORRUPT)
		buf_addf(&o->commands, "ls -l %s\n", m->ref);
	else
		buf_addf(&o->commands, "%s -v -OMinQueueAge=0 -qI%s\n", run, m->id);
	return 0;
}

/* `a@b... deliverable: mailer esmtp, host b., user a@b` */
int
sm_route(struct spool *s, const struct message *m, const char *address,
    struct buf *route, struct err *e)
{
	const char *const args[] = { "-bv", address, NULL };
	struct buf out = {0};
	struct span rest, line, last = {0};
	const char *p;
	int r;

	(void)s, (void)m;
	if (*address == '-' || binary() == NULL)
		return 0;
	r = program_run("sendmail", args, (struct span){0}, &out, e);
	rest = buf_span(&out);
	while (span_cut(&rest, '\n', &line))
		if (span_trim(line).n > 0)
			last = span_trim(line);
	p = last.n > 0 ? memmem(last.p, last.n, "... ", 4) : NULL;
	if (p != NULL)
		buf_addspan(route, span_from(last, (size_t)(p - last.p) + 4));
	buf_free(&out);
	if (r >= 0 && route->n > 0)
		err_clear(e);
	return r < 0 ? -1 : route->n > 0;
}

void
sm_close(struct spool *s)
{
	(void)s;
}
