/* What smtpd itself knows of an envelope, by smtpctl, for queue-list --why. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "spool/opensmtpd.h"
#include "spool/program.h"

static bool
find_line(struct span text, const char *id, struct span field[FIELDS])
{
	struct span line;

	while (span_cut(&text, '\n', &line))
		if (osmtpd_fields(line, field) && span_is(field[FIELD_ID], id))
			return true;
	return false;
}

#define ROUTES_TOLD 3

/*
 * After a failed connection smtpd disables the route for a while, and whatever is
 * scheduled fails at once.  `1. [] <-> 127.0.0.1 (localhost) ND-- nconn=0 ...
 * timeout=4s`: the flag is D.  Which message goes by which is not told.
 */
static void
tell_routes(struct outlook *o)
{
	const char *const args[] = { "show", "routes", NULL };
	struct buf out = {0};
	struct span rest, line, number, host, flags;
	struct err none = {0};
	long long id;
	int n = 0;

	program_run("smtpctl", args, (struct span){0}, &out, &none);
	rest = buf_span(&out);
	while (n < ROUTES_TOLD && span_cut(&rest, '\n', &line)) {
		span_cut(&line, '.', &number);
		line = span_from(line, span_find(line, '>') + 1);
		line = span_trim(line);
		span_cut(&line, ' ', &host);
		line = span_from(line, span_find(line, ')') + 1);
		line = span_trim(line);
		span_cut(&line, ' ', &flags);
		if (!span_number(number, &id) || span_find(flags, 'D') == flags.n)
			continue;
		buf_addf(&o->holder, " It has disabled its route to %.*s for now, and "
		    "what goes there fails at once.", (int)host.n, host.p);
		buf_addf(&o->commands, "smtpctl resume route %lld; ", id);
		n++;
	}
	buf_free(&out);
}

static void
tell(const struct message *m, const struct span field[FIELDS], bool paused,
    struct outlook *o)
{
	struct span state = field[FIELD_RUNSTATE];
	long long n;

	if (span_number(field[FIELD_EXPIRE], &n) && n > m->arrival)
		o->expires = n;
	if (osmtpd_has_word(field[FIELD_FLAGS], "suspend")) {
		buf_adds(&o->holder, "It is suspended (smtpctl pause): smtpd leaves it "
		    "alone until it is resumed.");
		buf_addf(&o->commands, "smtpctl resume envelope %s\n", m->id);
	} else if (span_is(state, "inflight")) {
		buf_adds(&o->holder, "smtpd is delivering it now.");
	} else if (paused) {
		buf_adds(&o->holder, "smtpd sends nothing out (smtpctl pause mta) until "
		    "it is told to.");
		buf_adds(&o->commands, "smtpctl resume mta\n");
	} else if (span_is(state, "hold")) {
		buf_adds(&o->holder, "smtpd holds it: too many wait for the same "
		    "destination.");
	} else if (span_is(state, "offline")) {
		buf_adds(&o->holder, "It waits for smtpd to be started, which tries it "
		    "again in its own time.");
	} else {
		buf_adds(&o->holder, "smtpd tries it again by itself.");
		tell_routes(o);
		buf_addf(&o->commands, "smtpctl schedule %s\n", m->id);
		if (span_number(field[FIELD_SECONDS], &n))
			o->next_attempt = time(NULL) + n;
	}
}

int
osmtpd_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	char id[OSMTPD_MESSAGE + 1] = "";
	const char *const queue[] = { "show", "queue", id, NULL };
	const char *const status[] = { "show", "status", NULL };
	struct span field[FIELDS] = {0};
	struct buf out = {0};
	struct err none = {0};
	bool paused;
	int r;

	(void)s;
	strncat(id, m->id, OSMTPD_MESSAGE);
	/* only root is told */
	o->down = program_run("smtpctl", status, (struct span){0}, &out, &none) != 0 &&
	    geteuid() == 0;
	paused = osmtpd_says_paused(buf_span(&out));
	buf_clear(&out);
	r = program_run("smtpctl", queue, (struct span){0}, &out, e);
	if (r == 0 && find_line(buf_span(&out), m->id, field))
		tell(m, field, paused, o);
	else
		buf_adds(&o->holder, "smtpd keeps in memory when it tries again.");
	if (o->down)
		buf_adds(&o->commands, "smtpd\n");
	else if (o->commands.n == 0)
		buf_addf(&o->commands, "smtpctl schedule %s\n", m->id);
	buf_free(&out);
	return r == 0 ? 0 : -1;
}
