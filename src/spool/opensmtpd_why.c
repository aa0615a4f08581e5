/* What smtpd itself knows of an envelope, by smtpctl, for queue-list --why. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spool/opensmtpd.h"
#include "spool/program.h"

/* Fields of a line of `smtpctl show queue', parted by `|`. */
enum { FIELD_ID = 0, FIELD_FLAGS = 3, FIELD_EXPIRE = 8, FIELD_RUNSTATE = 11,
    FIELD_SECONDS = 12, FIELDS = 14 };

static bool
find_line(struct span text, const char *id, struct span field[FIELDS])
{
	struct span line;
	size_t n;

	while (span_cut(&text, '\n', &line)) {
		for (n = 0; n < FIELDS && span_cut(&line, '|', &field[n]); n++)
			;
		if (n > FIELD_RUNSTATE && span_is(field[FIELD_ID], id))
			return true;
	}
	return false;
}

static void
tell(const struct message *m, const struct span field[FIELDS], struct outlook *o)
{
	struct span state = field[FIELD_RUNSTATE];
	long long n;

	if (span_number(field[FIELD_EXPIRE], &n) && n > m->arrival)
		o->expires = n;
	if (span_is(field[FIELD_FLAGS], "suspend")) {
		buf_adds(&o->holder, "It is suspended (smtpctl pause): smtpd leaves it "
		    "alone until it is resumed.");
		buf_addf(&o->commands, "smtpctl resume envelope %s\n", m->id);
	} else if (span_is(state, "inflight")) {
		buf_adds(&o->holder, "smtpd is delivering it now.");
	} else if (span_is(state, "hold")) {
		buf_adds(&o->holder, "smtpd holds it: too many wait for the same "
		    "destination.");
	} else if (span_is(state, "offline")) {
		buf_adds(&o->holder, "It waits for smtpd to be started.");
	} else {
		buf_adds(&o->holder, "smtpd tries it again by itself.");
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
	int r;

	(void)s;
	strncat(id, m->id, OSMTPD_MESSAGE);
	o->down = program_run("smtpctl", status, (struct span){0}, &out, &none) != 0;
	buf_clear(&out);
	r = program_run("smtpctl", queue, (struct span){0}, &out, e);
	if (r == 0 && find_line(buf_span(&out), m->id, field))
		tell(m, field, o);
	else
		buf_adds(&o->holder, "smtpd keeps in memory when it tries again.");
	if (o->commands.n == 0)
		buf_addf(&o->commands, "smtpctl schedule %s\n", m->id);
	buf_free(&out);
	return r == 0 ? 0 : -1;
}
