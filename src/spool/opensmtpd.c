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

#define LEVELS 3		/* queue, XX, MMMMMMMM */

struct walk {
	DIR *dir[LEVELS];
	size_t n;		/* that are open */
	struct buf path;	/* of the innermost */
	bool wanted;
};

/* So many lower-case hexadecimal digits and nothing else? */
static bool
is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") == n && s[n] == '\0';
}

static int
enter(struct walk *w, const char *name, struct err *e)
{
	size_t before = w->path.n;
	int r;

	buf_addf(&w->path, "/%s", name);
	r = dir_open(buf_str(&w->path), &w->dir[w->n], e);
	if (r == 1)
		w->n++;
	else
		w->path.n = before;
	return r;
}

static void
leave(struct walk *w)
{
	char *slash = strrchr(buf_str(&w->path), '/');

	closedir(w->dir[--w->n]);
	w->path.n = slash != NULL ? (size_t)(slash - w->path.p) : 0;
}

static void
osmtpd_walk_end(struct walk *w)
{
	while (w->n > 0)
		leave(w);
	buf_free(&w->path);
	free(w);
}

static struct walk *
osmtpd_walk(struct spool *s, unsigned states, struct err *e)
{
	struct walk *w = must(calloc(1, sizeof *w));

	w->wanted = (states & STATE_BIT(STATE_DEFERRED)) != 0;
	buf_adds(&w->path, s->dir);
	if (!w->wanted || enter(w, "queue", e) >= 0)
		return w;
	osmtpd_walk_end(w);
	return NULL;
}

/* Does a directory of this name lie on the way down? */
static bool
is_level(size_t depth, const char *name)
{
	return depth == 1 ? is_hex(name, 2) : is_hex(name, OSMTPD_MESSAGE);
}

static int
osmtpd_next(struct walk *w, struct entry *at, struct err *e)
{
	struct dirent *d;

	while (w->n > 0) {
		errno = 0;
		if ((d = readdir(w->dir[w->n - 1])) == NULL) {
			int r = errno == 0 ? 0 : err_sys(e, "read %s",
			    buf_str(&w->path));

			leave(w);
			if (r < 0)
				return -1;
		} else if (w->n < LEVELS) {
			if (is_level(w->n, d->d_name) && enter(w, d->d_name, e) < 0)
				return -1;
		} else if (is_hex(d->d_name, OSMTPD_ID)) {
			buf_clear(&at->ref);
			buf_addspan(&at->ref, buf_span(&w->path));
			buf_addf(&at->ref, "/%s", d->d_name);
			at->state = STATE_DEFERRED;
			at->whole = true;	/* it came there by a rename */
			return 1;
		}
	}
	return 0;
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
		if (is_hex(d->d_name, OSMTPD_ID)) {
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
	at->state = STATE_DEFERRED;
	if (is_hex(id, OSMTPD_MESSAGE))
		return first_of(s, id, at, e);
	if (!is_hex(id, OSMTPD_ID))
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
	return is_hex(id, OSMTPD_MESSAGE) && span_starts(name, id);
}

static bool
shape(const char *dir)
{
	return dir_is_there(dir, "queue") && dir_is_there(dir, "incoming") &&
	    (dir_is_there(dir, "purge") || dir_is_there(dir, "corrupt") ||
	    dir_is_there(dir, "offline"));
}

/* DIR/queue/XX/MMMMMMMM/EEEEEEEEEEEEEEEE */
static int
osmtpd_owns(const char *ref, struct buf *dir)
{
	size_t n = strlen(ref), tail = strlen("/queue/xx/mmmmmmmm/") + OSMTPD_ID;
	const char *p = ref + (n > tail ? n - tail : 0);

	if (!path_is_plain(ref) || n <= tail || strncmp(p, "/queue/", 7) != 0 ||
	    !is_hex(ref_name(ref), OSMTPD_ID))
		return 0;
	buf_add(dir, ref, (size_t)(p - ref));
	if (shape(buf_str(dir)))
		return 1;
	buf_clear(dir);
	return 0;
}

static int
osmtpd_open(struct spool *s, struct err *e)
{
	bool usual = s->dir == NULL;

	if (usual)
		s->dir = span_dup(span_of(OSMTPD_QUEUE));
	if (dir_absolute(s, e) < 0)
		return usual ? err_set(e, FAULT_IO, "no OpenSMTPD queue was found on "
		    "this host; name one: --spool=opensmtpd:DIR") : -1;
	if (!shape(s->dir))
		return err_set(e, FAULT_IO, "%s: is no OpenSMTPD queue: it has no "
		    "queue, incoming and purge", s->dir);
	s->live = dir_same(s->dir, OSMTPD_QUEUE);
	return 0;
}

static int
osmtpd_discover(struct spools *found, struct err *e)
{
	(void)e;
	if (shape(OSMTPD_QUEUE))
		*vec_add(found) = (struct spool){ .kind = &spool_opensmtpd,
		    .dir = span_dup(span_of(OSMTPD_QUEUE)), .live = true };
	return 0;
}

const struct spool_kind spool_opensmtpd = {
	.name = "opensmtpd",
	.discover = osmtpd_discover,
	.open = osmtpd_open,
	.owns = osmtpd_owns,
	.walk = osmtpd_walk,
	.next = osmtpd_next,
	.walk_end = osmtpd_walk_end,
	.find = osmtpd_find,
	.among = osmtpd_among,
	.read = osmtpd_read,
	.body = osmtpd_body,
	.outlook = osmtpd_outlook,
};
