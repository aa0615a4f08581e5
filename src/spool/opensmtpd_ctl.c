/*
 * smtpctl, through which alone a running smtpd can be told anything.  It needs root.
 *
 * What it answers is how many envelopes it told, not what became of them: `paused' it says
 * of one that is being delivered, too, and `removed' of one that goes only when its
 * delivery has failed.  So the truth is looked for in `show queue' and on disk.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/opensmtpd.h"
#include "spool/program.h"

#define DOWN "doesn't seem to be running"
#define MOMENT_MS 1000
#define LOOK_MS 50		/* between two looks */

/* 1 and its output; 0 smtpd does not run; -1. */
static int
ask(const char *const args[], struct buf *out, struct err *e)
{
	int status = program_run("smtpctl", args, (struct span){0}, out, e);

	if (status == 0)
		return 1;
	if (status > 0 && geteuid() != 0)
		e->fault = FAULT_PERM;
	else if (status > 0 && strstr(e->text, DOWN) != NULL) {
		err_clear(e);
		return 0;
	}
	return -1;
}

int
osmtpd_ctl(const char *verb, const char *id, long long *n, struct err *e)
{
	bool two = strcmp(verb, "pause") == 0 || strcmp(verb, "resume") == 0;
	const char *const args[] = { verb, two ? "envelope" : id, two ? id : NULL, NULL };
	struct buf out = {0};
	struct span rest, word = {0};
	int r = ask(args, &out, e);

	*n = 0;
	rest = buf_span(&out);
	span_cut(&rest, ' ', &word);
	if (r == 1 && !span_number(word, n))
		r = err_set(e, FAULT_IO, "smtpctl %s: says nothing that is known: %.*s",
		    verb, (int)(out.n < 80 ? out.n : 80), buf_str(&out));
	buf_free(&out);
	return r;
}

bool
osmtpd_has_word(struct span list, const char *word)
{
	struct span one;

	while (span_cut(&list, ',', &one))
		if (span_is(one, word))
			return true;
	return false;
}

bool
osmtpd_fields(struct span line, struct span field[FIELDS])
{
	size_t n = 0;

	while (n < FIELDS && span_cut(&line, '|', &field[n]))
		n++;
	return n > FIELD_RUNSTATE;
}

int
osmtpd_look(const char *id, struct osmtpd_seen *seen, struct err *e)
{
	char message[OSMTPD_MESSAGE + 1] = "";
	const char *const args[] = { "show", "queue", message, NULL };
	struct span rest, line, field[FIELDS];
	struct buf out = {0};
	int r;

	*seen = (struct osmtpd_seen){ .run = OSMTPD_UNKNOWN };
	strncat(message, id, OSMTPD_MESSAGE);
	r = ask(args, &out, e);
	rest = buf_span(&out);
	while (r == 1 && span_cut(&rest, '\n', &line)) {
		if (!osmtpd_fields(line, field) || !span_is(field[FIELD_ID], id))
			continue;
		seen->suspended = osmtpd_has_word(field[FIELD_FLAGS], "suspend");
		seen->leaves = span_is(field[FIELD_TYPE], "mta");
		seen->run = span_is(field[FIELD_RUNSTATE], "pending") ?
		    OSMTPD_PENDING : OSMTPD_OTHER;
		if (span_is(field[FIELD_RUNSTATE], "offline"))
			r = 0;
	}
	buf_free(&out);
	return r;
}

/* `MTA paused` among the lines. */
bool
osmtpd_says_paused(struct span status)
{
	struct span line;

	while (span_cut(&status, '\n', &line))
		if (span_starts(line, "MTA") && span_ends(line, "paused"))
			return true;
	return false;
}

static int
status(struct buf *out, struct err *e)
{
	const char *const args[] = { "show", "status", NULL };

	return ask(args, out, e);
}

int
osmtpd_runs(struct err *e)
{
	struct buf out = {0};
	int r = status(&out, e);

	buf_free(&out);
	return r;
}

int
osmtpd_sends_nothing(struct err *e)
{
	struct buf out = {0};
	int r = status(&out, e);

	if (r == 1)
		r = osmtpd_says_paused(buf_span(&out));
	buf_free(&out);
	return r;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
osmtpd_load_held(struct osmtpd *own, const char *dir)
{
	const char *const args[] = { "show", "queue", NULL };
	struct span rest, line, field[FIELDS];
	struct buf out = {0}, path = {0};
	struct err none = {0};

	osmtpd_drop_held(own);
	own->loaded = true;
	if (ask(args, &out, &none) == 1) {
		rest = buf_span(&out);
		while (span_cut(&rest, '\n', &line)) {
			if (!osmtpd_fields(line, field) ||
			    !osmtpd_has_word(field[FIELD_FLAGS], "suspend"))
				continue;
			buf_clear(&path);
			buf_addf(&path, "%s/" OSMTPD_CLAIMED "/%.*s", dir,
			    (int)field[FIELD_ID].n, field[FIELD_ID].p);
			if (access(buf_str(&path), F_OK) < 0)
				*vec_add(&own->held) = span_dup(field[FIELD_ID]);
		}
	}
	if (own->held.n > 0)
		qsort(own->held.p, own->held.n, sizeof *own->held.p, by_text);
	buf_free(&path);
	buf_free(&out);
}

static char **
find_held(const struct osmtpd *own, const char *id)
{
	return own == NULL || own->held.n == 0 ? NULL : bsearch(&id, own->held.p,
	    own->held.n, sizeof *own->held.p, by_text);
}

bool
osmtpd_is_held(const struct osmtpd *own, const char *id)
{
	return find_held(own, id) != NULL;
}

static void
forget_held(struct osmtpd *own, const char *id)
{
	char **at = find_held(own, id);

	if (at == NULL)
		return;
	free(*at);
	own->held.n--;
	memmove(at, at + 1, (size_t)(own->held.p + own->held.n - at) * sizeof *at);
}

void
osmtpd_drop_held(struct osmtpd *own)
{
	for (size_t i = 0; i < own->held.n; i++)
		free(own->held.p[i]);
	vec_free(&own->held);
}

/* ---- orders ---- */

static int
not_here(const struct spool *s, struct err *e)
{
	return err_set(e, FAULT_UNAVAILABLE, "%s: a copied queue: its MTA is not "
	    "here", s->dir);
}

static int
is_down(struct err *e)
{
	return err_set(e, FAULT_TEMP, "smtpd is not running");
}

/* Paused: 1; 0 it is not, and will not be; 2 no smtpd runs; -1. */
int
osmtpd_pause(const char *id, bool *was, struct err *e)
{
	struct osmtpd_seen seen;
	struct err none = {0};
	long long n = 0, back;
	int r = osmtpd_ctl("pause", id, &n, e);

	*was = n == 0;
	if (r == 1)
		r = osmtpd_look(id, &seen, e);
	if (r == 0)
		return 2;
	if (r == 1 && seen.suspended && seen.run == OSMTPD_PENDING)
		return 1;
	/* in delivery: it would be paused behind that */
	if (n > 0)
		osmtpd_ctl("resume", id, &back, &none);
	return r < 0 ? -1 : 0;
}

int
osmtpd_hold(struct spool *s, const struct message *m, struct err *e)
{
	bool was;
	int r;

	if (!s->live)
		return not_here(s, e);
	r = osmtpd_pause(m->id, &was, e);
	return r == 2 ? is_down(e) : r < 0 ? -1 : r == 1 ? 0 : 1;
}

/* As osmtpd_ctl(). */
static int
resume(struct spool *s, const struct message *m, struct err *e)
{
	long long n;
	int r = osmtpd_ctl("resume", m->id, &n, e);

	if (r == 1)
		forget_held(s->own, m->id);
	return r;
}

int
osmtpd_unhold(struct spool *s, const struct message *m, struct err *e)
{
	int r;

	if (!s->live)
		return not_here(s, e);
	r = resume(s, m, e);
	return r == 0 ? is_down(e) : r < 0 ? -1 : 0;
}

/*
 * Its file is gone before smtpd forgets what it has delivered, and there before it knows
 * what is new: a moment decides.  Returns as osmtpd_look(); 2 the file is gone.
 */
static int
look_well(const struct message *m, struct osmtpd_seen *seen, struct err *e)
{
	int64_t until = clock_in(MOMENT_MS);
	int r;

	while ((r = osmtpd_look(m->id, seen, e)) == 1 && seen->run == OSMTPD_UNKNOWN) {
		if (access(m->ref, F_OK) < 0 && errno == ENOENT)
			return 2;
		if (clock_left(until) == 0)
			break;
		poll(NULL, 0, LOOK_MS);
	}
	return r;
}

/*
 * `schedule' delivers what is suspended, too, and leaves it suspended.  It says 0 of what
 * is in delivery already, and of what it does not know.
 */
int
osmtpd_release(struct spool *s, const struct message *m, struct err *e)
{
	struct osmtpd_seen seen;
	long long n = 0;
	int r;

	if (!s->live)
		return not_here(s, e);
	if ((r = look_well(m, &seen, e)) == 2)
		return 0;	/* it has left by itself */
	if (r == 1 && seen.suspended) {
		if (m->state != STATE_HOLD)
			return 1;	/* held, or in another's hand, since it was read */
		r = resume(s, m, e);
	}
	if (r == 1 && seen.run == OSMTPD_UNKNOWN)
		return err_set(e, FAULT_DATA, "%s: smtpd does not know it", m->id);
	if (r == 1)
		r = osmtpd_ctl("schedule", m->id, &n, e);
	if (r != 1)
		return r == 0 ? is_down(e) : -1;
	osmtpd_own(s)->leaving += seen.leaves;
	return 0;
}

/* `schedule' is taken all the same, and lies until sending is resumed. */
size_t
osmtpd_release_end(struct spool *s, struct err *e)
{
	struct osmtpd *own = s->own;
	size_t n = own != NULL ? own->leaving : 0;

	if (n == 0)
		return 0;
	own->leaving = 0;
	if (osmtpd_sends_nothing(e) == 0)
		return 0;
	if (e->fault == FAULT_NONE)
		err_set(e, FAULT_TEMP, "smtpd sends nothing out (smtpctl pause mta) "
		    "until `smtpctl resume mta'");
	return n;
}
