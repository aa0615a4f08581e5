/*
 * nullmailer.  Tried with the files of 2.2.
 *
 * queue/TIME.PID: a line with the sender (empty: null), a line a recipient, an
 * empty line, the message.  All recipients share one fate, so there is no record
 * of any.  failed/ has what was given up and reported: it stays until somebody
 * moves it back, so it is on hold here.  Why and when something was tried stands
 * in nobody's file.
 *
 * There is no lock: nullmailer-send reads a name when its turn has come.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/unit.h"
#include "spool/shelf.h"
#include "spool/program.h"

#define USUAL "/var/spool/nullmailer"
#define CONF "/etc/nullmailer"
#define ENVELOPE_MAX (16 << 20)
#define WEEK (7 * 86400)

static const struct shelf places[] = {
	{ "queue", STATE_DEFERRED, false }, { "failed", STATE_HOLD, false }, { NULL, 0, false }
};

/* `1795450564.7259`: when it came, and by which process. */
static bool
is_name(const char *s)
{
	size_t n = strspn(s, "0123456789"), pid;

	if (n == 0 || n > 18 || s[n] != '.')
		return false;
	pid = strspn(s + n + 1, "0123456789");
	return pid > 0 && pid <= 18 && (s[n + 1 + pid] == '\0' ||
	    (s[n + 1 + pid] == '.' && strspn(s + n + 2 + pid, "0123456789") > 0 &&
	    s[n + 2 + pid + strspn(s + n + 2 + pid, "0123456789")] == '\0'));
}

static shelf_level *const levels[] = { is_name, NULL };

static struct walk *
nm_walk(struct spool *s, unsigned states, struct err *e)
{
	(void)e;
	return shelf_walk(s, places, levels, states);
}

static int
nm_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	return is_name(id) ? shelf_find(s, places, id, at, e) : 0;
}

static bool
shape(const char *dir)
{
	return dir_is_there(dir, "queue") && dir_is_there(dir, "tmp") &&
	    !dir_is_there(dir, "incoming");
}

/* A copy may have that alone. */
static bool
has_queue(const char *dir)
{
	return dir_is_there(dir, "queue");
}

static const struct usual usual = {
	.name = "nullmailer", .dir = USUAL, .has = "queue", .shape = shape, .named = has_queue,
};

static int
nm_owns(const char *ref, struct buf *dir)
{
	return shelf_owns(places, levels, shape, ref, dir);
}

static int
nm_open(struct spool *s, struct err *e)
{
	return shelf_open(s, &usual, e);
}

static int
nm_discover(struct spools *found, struct err *e)
{
	(void)e;
	return shelf_discover(found, &spool_nullmailer, &usual);
}

/* ---- the envelope in front ---- */

/* Reads up to the empty line: where the message begins, or -1. */
static off_t
envelope(int fd, struct message *m, struct err *e)
{
	struct buf text = {0};
	off_t at = 0, message = 0;
	bool sender = false;
	ssize_t n = 1;

	while (message == 0 && text.n < ENVELOPE_MAX &&
	    (n = pread(fd, buf_room(&text, 4096), 4096, (off_t)text.n)) > 0) {
		struct span line, rest;

		text.n += (size_t)n;
		rest = span_from(buf_span(&text), (size_t)at);
		while (message == 0 && span_find(rest, '\n') < rest.n &&
		    span_cut(&rest, '\n', &line)) {
			at += (off_t)line.n + 1;
			if (!sender)
				m->env.sender = span_dup(line);
			else if (line.n > 0)
				envelope_add(&m->env, span_dup(line));
			else
				message = at;
			sender = true;
		}
	}
	buf_free(&text);
	if (n < 0)
		return err_sys(e, "read");
	if (message == 0 || m->env.rcpts.n == 0)
		return err_set(e, FAULT_DATA, "damaged: no recipient, or no empty "
		    "line behind the recipients");
	return message;
}

static int
nm_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct stat st;
	int fd, r = file_open_single(ref, &st, &fd, e);

	(void)s;
	(void)what;
	free(ref);
	if (r <= 0)
		return r;
	shelf_start(m, at, &st);
	m->id = span_dup(span_of(ref_name(m->ref)));
	m->arrival = strtoll(m->id, NULL, 10);
	m->size = st.st_size;
	if (envelope(fd, m, e) < 0) {
		r = err_in(e, "%s", m->ref);
		message_free(m);
	}
	close(fd);
	return r;
}

static int
nm_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct message m = {0};
	struct stat st;
	off_t start = 0;
	int fd, r = file_open_single(ref, &st, &fd, e);

	(void)s;
	if (r == 1 && (start = envelope(fd, &m, e)) < 0) {
		r = err_in(e, "%s", ref);
		close(fd);
	}
	if (r == 1) {
		body_file(b, fd, start, st.st_size);
		b->lf = true;
	}
	message_free(&m);
	return r;
}

/* ---- the host ---- */

/* The first line of a file of its configuration; empty: it is not there. */
static void
setting(const char *name, struct buf *value)
{
	struct buf path = {0}, text = {0};
	struct err none = {0};
	struct span line;

	buf_addf(&path, CONF "/%s", name);
	file_read(buf_str(&path), 65536, &text, &none);
	line = buf_span(&text);
	line.n = span_find(line, '\n');
	buf_addspan(value, span_trim(line));
	buf_free(&path);
	buf_free(&text);
}

static int
nm_outlook(struct spool *s, const struct message *m, struct outlook *o,
    struct err *e)
{
	struct buf life = {0};
	struct err none = {0};
	int64_t seconds = WEEK;

	(void)e;
	setting("queuelifetime", &life);
	if (life.n > 0)
		unit_time("", buf_str(&life), &seconds, &none);
	buf_free(&life);
	if (m->state == STATE_HOLD) {
		buf_adds(&o->holder, "nullmailer gave it up and told its sender; it "
		    "stays in failed until somebody moves it.");
		buf_addf(&o->commands, "mv %s %s/queue/ && echo >%s/trigger\n",
		    m->ref, s->dir, s->dir);
		return 0;
	}
	o->expires = m->mtime + seconds;
	buf_adds(&o->holder, "nullmailer-send tries the whole queue again and again, "
	    "and writes down nowhere why it failed: see its log.");
	buf_addf(&o->commands, "echo >%s/trigger\n", s->dir);
	return 0;
}

/* Its remotes, by name only: passwords stand behind them. */
static int
nm_route(struct spool *s, const struct message *m, const char *address,
    struct buf *route, struct err *e)
{
	struct buf line = {0};
	struct span rest, host;

	(void)s, (void)m;
	(void)address;
	(void)e;
	setting("remotes", &line);
	rest = buf_span(&line);
	if (span_cut(&rest, ' ', &host) && host.n > 0)
		buf_addf(route, "%.*s (" CONF "/remotes)", (int)host.n, host.p);
	buf_free(&line);
	return route->n > 0;
}

const struct spool_kind spool_nullmailer = {
	.name = "nullmailer",
	.discover = nm_discover,
	.open = nm_open,
	.owns = nm_owns,
	.walk = nm_walk,
	.next = shelf_next,
	.walk_end = shelf_walk_end,
	.find = nm_find,
	.read = nm_read,
	.body = nm_body,
	.outlook = nm_outlook,
	.route = nm_route,
};
