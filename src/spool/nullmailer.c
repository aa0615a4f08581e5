/*
 * nullmailer.  Tried with the files of 2.2.
 *
 * queue/TIME.PID: a line with the sender (empty: null), a line a recipient, an
 * empty line, the message.  All recipients share one fate, so there is no record
 * of any.  failed/ has what was given up and reported: it stays until somebody
 * moves it back, so it is on hold here.  Why and when something was tried stands
 * in nobody's file.
 *
 * There is no lock: nullmailer-send reads a name when its turn has come.  What we have
 * in hand lies in queue.tidegate or failed.tidegate meanwhile.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/unit.h"
#include "base/seen.h"
#include "spool/nullmailer.h"
#include "spool/shelf.h"

#define USUAL "/var/spool/nullmailer"
#define CONF "/etc/nullmailer"
#define WEEK (7 * 86400)

static const struct shelf places[] = {
	{ "queue", STATE_DEFERRED, false }, { "failed", STATE_HOLD, false },
	/* what a dequeue has in hand, or one that was killed */
	{ "queue" NM_CLAIMED, STATE_DEFERRED, false },
	{ "failed" NM_CLAIMED, STATE_HOLD, false }, { NULL, 0, false }
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

static void
nm_close(struct spool *s)
{
	struct err none = {0};

	if (s->own == NULL)
		return;
	/* nullmailer does not look there: who takes mail out leaves nothing behind */
	nm_bring_back(s, &none);
	seen_free(s->own);
	free(s->own);
}

static int
nm_discover(struct spools *found, struct err *e)
{
	(void)e;
	return shelf_discover(found, &spool_nullmailer, &usual);
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
	.close = nm_close,
	.owns = nm_owns,
	.walk = nm_walk,
	.next = shelf_next,
	.walk_end = shelf_walk_end,
	.find = nm_find,
	.read = nm_read,
	.body = nm_body,
	.claim = nm_claim,
	.settle = nm_settle,
	.done = nm_done,
	.release_all = nm_release_all,
	.hold = nm_hold,
	.unhold = nm_unhold,
	.remove = spool_take_away,
	.outlook = nm_outlook,
	.route = nm_route,
};
