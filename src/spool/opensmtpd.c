/*
 * OpenSMTPD.  Tried with the files of 6.8.0 and 7.6.
 *
 * queue/XX/MMMMMMMM/ is a message: `message` its text, and a file a recipient, an
 * envelope, called by its ID, whose first half is the message's.  Here every
 * envelope is a message of one recipient, as in smtpctl's own listing; the ID of
 * the whole message names all of them.  A recipient that is done has no file.
 *
 * There is no lock: smtpd reads the queue once, as it starts, and keeps it in
 * memory, where it also keeps what is suspended and when the next attempt is.
 * Queues that are compressed or encrypted are refused.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/opensmtpd.h"
#include "spool/shelf.h"

static const struct shelf places[] = {
	/* an envelope comes there by a rename */
	{ "queue", STATE_DEFERRED, true }, { NULL, 0, false }
};

static const struct shelf untold[] = {
	{ "queue", STATE_UNTOLD, false }, { NULL, 0, false }
};

/* So many lower-case hexadecimal digits and nothing else? */
static bool
is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") == n && s[n] == '\0';
}

static bool
is_first(const char *name)
{
	return is_hex(name, 2);
}

static bool
is_message(const char *name)
{
	return is_hex(name, OSMTPD_MESSAGE);
}

static bool
is_envelope(const char *name)
{
	return is_hex(name, OSMTPD_ID);
}

static shelf_level *const levels[] = { is_first, is_message, is_envelope, NULL };

struct osmtpd *
osmtpd_own(struct spool *s)
{
	if (s->own == NULL)
		s->own = must(calloc(1, sizeof(struct osmtpd)));
	return s->own;
}

static void
osmtpd_close(struct spool *s)
{
	struct osmtpd *own = s->own;

	if (own == NULL)
		return;
	seen_free(&own->had);
	osmtpd_drop_held(own);
	free(own);
}

/* What a running smtpd has suspended is held: who reads it is told. */
static bool
some_held(struct spool *s, bool anew)
{
	struct osmtpd *own;

	if (!s->live || geteuid() != 0)
		return false;
	own = osmtpd_own(s);
	if (anew || !own->loaded)
		osmtpd_load_held(own, s->dir);
	return own->held.n > 0;
}

static struct walk *
osmtpd_walk(struct spool *s, unsigned states, struct err *e)
{
	(void)e;
	return shelf_walk(s, some_held(s, true) ? untold : places, levels, states);
}

/* The directory of the message that this ID belongs to. */
static void
place(struct buf *path, const struct spool *s, const char *id)
{
	buf_addf(path, "%s/queue/%.2s/%.8s", s->dir, id, id);
}

/* Some envelope of a message: the first one found. */
static int
first_of(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	DIR *dir = NULL;
	struct dirent *d;
	int r;

	place(&at->ref, s, id);
	if ((r = dir_open(buf_str(&at->ref), &dir, e)) <= 0)
		return r;
	for (r = 0; r == 0 && (d = readdir(dir)) != NULL;) {
		if (is_envelope(d->d_name)) {
			buf_addf(&at->ref, "/%s", d->d_name);
			r = 1;
		}
	}
	closedir(dir);
	return r;
}

static int
osmtpd_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	struct stat st;

	buf_clear(&at->ref);
	at->state = some_held(s, false) ? STATE_UNTOLD : STATE_DEFERRED;
	at->whole = at->state != STATE_UNTOLD;
	if (is_message(id))
		return first_of(s, id, at, e);
	if (!is_envelope(id))
		return 0;
	place(&at->ref, s, id);
	buf_addf(&at->ref, "/%s", id);
	if (lstat(buf_str(&at->ref), &st) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 :
	    err_sys(e, "look for %s", at->ref.p);
}

static bool
osmtpd_among(const struct entry *at, const char *id)
{
	struct span name = buf_span(&at->ref);

	name = span_from(name, name.n > OSMTPD_ID ? name.n - OSMTPD_ID : 0);
	return is_message(id) && span_starts(name, id);
}

static bool
shape(const char *dir)
{
	return dir_is_there(dir, "queue") && dir_is_there(dir, "incoming") &&
	    (dir_is_there(dir, "purge") || dir_is_there(dir, "corrupt") ||
	    dir_is_there(dir, "offline"));
}

static const struct usual usual = {
	.name = "OpenSMTPD", .dir = OSMTPD_QUEUE, .has = "queue, incoming and purge", .shape = shape,
};

static int
osmtpd_owns(const char *ref, struct buf *dir)
{
	return shelf_owns(places, levels, shape, ref, dir);
}

static int
osmtpd_open(struct spool *s, struct err *e)
{
	return shelf_open(s, &usual, e);
}

static int
osmtpd_discover(struct spools *found, struct err *e)
{
	(void)e;
	return shelf_discover(found, &spool_opensmtpd, &usual);
}

const struct spool_kind spool_opensmtpd = {
	.name = "opensmtpd",
	.discover = osmtpd_discover,
	.open = osmtpd_open,
	.close = osmtpd_close,
	.owns = osmtpd_owns,
	.walk = osmtpd_walk,
	.next = shelf_next,
	.walk_end = shelf_walk_end,
	.find = osmtpd_find,
	.among = osmtpd_among,
	.read = osmtpd_read,
	.body = osmtpd_body,
	.claim = osmtpd_claim,
	.settle = osmtpd_settle,
	.done = osmtpd_done,
	.release = osmtpd_release,
	.release_end = osmtpd_release_end,
	.hold = osmtpd_hold,
	.unhold = osmtpd_unhold,
	.remove = spool_take_away,
	.outlook = osmtpd_outlook,
};
