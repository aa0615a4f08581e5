/*
 * Maildir as a queue: what a virtual mailbox, a catch-all or a transport of an
 * MTA put there, one message a file, to be sent on.
 *
 * Format: cr.yp.to/proto/maildir.html, as written by Postfix 3.7 (virtual,
 * local), qmail and Dovecot.  The envelope is in the lines in front of the
 * file: Return-Path (sender; none: the null sender) and Delivered-To, or where
 * there is none X-Original-To, one a recipient.  Only these lines in front
 * count: a Delivered-To below another header was written by an earlier hop.
 * They are no part of the message as it is sent: Return-Path belongs to the
 * final delivery (RFC 5321 section 4.4), and Delivered-To would make the next
 * host believe in a loop.
 *
 * Everything in new/ and cur/ waits (`deferred`); a file with the flag T is
 * trash and left alone.  Nobody locks a Maildir.  Taking a message out is a
 * rename into DIR/tidegate.claimed: maildir_claim.c.
 */
#include "spool/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Claimed mail comes first: what a crash left there is older than the rest. */
static const char *const places[] = { MAILDIR_CLAIMED, "new", "cur", NULL };

size_t
maildir_id(const char *name)
{
	const char *flags = strstr(name, ":2,");

	return flags != NULL ? (size_t)(flags - name) : strlen(name);
}

static bool
is_trash(const char *name)
{
	const char *flags = name + maildir_id(name);

	return strchr(flags, 'T') != NULL;
}

/* May a message have this name? */
static bool
is_name(const char *name)
{
	return *name != '.' && *name != '\0' && strchr(name, '/') == NULL &&
	    !is_trash(name);
}

/* Open addressing; 0 is no inode. */
static void
put(struct maildir *t, ino_t ino)
{
	size_t i = (size_t)ino * 2654435761u % t->room;

	while (t->p[i] != 0 && t->p[i] != ino)
		i = (i + 1) % t->room;
	t->n += t->p[i] == 0;
	t->p[i] = ino;
}

void
maildir_touch(struct maildir *t, ino_t ino)
{
	struct maildir wider = { .room = t->room > 0 ? t->room * 2 : 64 };

	if (t->n * 2 >= t->room) {
		wider.p = must(calloc(wider.room, sizeof *wider.p));
		for (size_t i = 0; i < t->room; i++)
			if (t->p[i] != 0)
				put(&wider, t->p[i]);
		free(t->p);
		*t = wider;
	}
	put(t, ino);
}

bool
maildir_touched(const struct maildir *t, ino_t ino)
{
	if (t->room == 0)
		return false;
	for (size_t i = (size_t)ino * 2654435761u % t->room; t->p[i] != 0;
	    i = (i + 1) % t->room)
		if (t->p[i] == ino)
			return true;
	return false;
}

/* 1 a directory, 0 none, -1 may not look. */
static int
is_dir(const char *dir, const char *name)
{
	struct buf path = {0};
	struct stat st;
	int r;

	buf_addf(&path, "%s/%s", dir, name);
	r = stat(buf_str(&path), &st);
	buf_free(&path);
	if (r < 0)
		return errno == EACCES || errno == EPERM ? -1 : 0;
	return S_ISDIR(st.st_mode);
}

static char *
home_maildir(void)
{
	const char *home = getenv("HOME");
	struct buf dir = {0};

	buf_addf(&dir, "%s/Maildir", home != NULL ? home : "");
	return buf_str(&dir);
}

static int
maildir_open(struct spool *s, struct err *e)
{
	char *dir;

	if (s->dir == NULL || *s->dir == '\0') {
		free(s->dir);
		s->dir = home_maildir();
	}
	if ((dir = realpath(s->dir, NULL)) == NULL)
		return err_sys(e, "maildir %s", s->dir);
	free(s->dir);
	s->dir = dir;
	/* where one may not look, reading says so */
	if (is_dir(dir, "new") == 0 && is_dir(dir, "cur") == 0)
		return err_set(e, FAULT_IO,
		    "maildir %s: is no Maildir: neither new nor cur is there", dir);
	s->own = must(calloc(1, sizeof(struct maildir)));
	return 0;
}

static void
maildir_close(struct spool *s)
{
	struct maildir *own = s->own;

	if (own != NULL)
		free(own->p);
	free(own);
}

static int
maildir_owns(const char *ref, struct buf *dir)
{
	struct span rest = span_of(ref), part, place = {0}, name = {0};
	size_t at;

	if (*ref != '/')
		return 0;
	rest = span_from(rest, 1);
	while (span_cut(&rest, '/', &part)) {
		if (part.n == 0 || span_is(part, ".") || span_is(part, ".."))
			return 0;
		place = name;
		name = part;
	}
	at = strlen(ref) - name.n;
	if (place.n == 0 || !is_name(ref + at))
		return 0;
	buf_add(dir, ref, (size_t)(place.p - ref) - 1);
	for (int i = 0; places[i] != NULL; i++)
		if (span_is(place, places[i]))
			return is_dir(buf_str(dir), "new") > 0 ||
			    is_dir(buf_str(dir), "cur") > 0;
	return 0;
}

struct walk {
	const char *dir;	/* of the spool */
	const struct maildir *own;
	DIR *open;
	int place;		/* the one that is open or comes next */
};

static struct walk *
maildir_walk(struct spool *s, unsigned states, struct err *e)
{
	struct walk *w = must(calloc(1, sizeof *w));

	(void)e;
	w->dir = s->dir;
	w->own = s->own;
	if (!(states & (STATE_BIT(STATE_DEFERRED) | STATE_BIT(STATE_DONE))))
		while (places[w->place] != NULL)
			w->place++;
	return w;
}

/* The next name in the open directory; NULL at its end, errno 0, or an error. */
static const char *
next_name(struct walk *w)
{
	struct dirent *d;

	while (errno = 0, (d = readdir(w->open)) != NULL)
		if (is_name(d->d_name) && !maildir_touched(w->own, d->d_ino))
			return d->d_name;
	return NULL;
}

static void
path_of(struct buf *b, const char *dir, const char *place, const char *name)
{
	buf_clear(b);
	buf_addf(b, "%s/%s/%s", dir, place, name);
	buf_str(b);
}

/* 1 it is open, 0 there is none, -1. */
static int
open_place(struct walk *w, struct err *e)
{
	struct buf path = {0};
	int r = 1;

	path_of(&path, w->dir, places[w->place], "");
	if ((w->open = opendir(path.p)) == NULL)
		r = errno == ENOENT ? 0 : err_sys(e, "open %s", path.p);
	buf_free(&path);
	return r;
}

static int
maildir_next(struct walk *w, struct entry *at, struct err *e)
{
	const char *name;
	int r;

	for (; places[w->place] != NULL; w->place++) {
		if (w->open == NULL && (r = open_place(w, e)) <= 0) {
			if (r == 0)
				continue;
			w->place++;
			return -1;
		}
		if ((name = next_name(w)) != NULL) {
			path_of(&at->ref, w->dir, places[w->place], name);
			at->state = STATE_DEFERRED;
			return 1;
		}
		r = errno == 0 ? 0 : err_sys(e, "read %s/%s", w->dir,
		    places[w->place]);
		closedir(w->open);
		w->open = NULL;
		if (r < 0) {
			w->place++;
			return -1;
		}
	}
	return 0;
}

static void
maildir_walk_end(struct walk *w)
{
	if (w->open != NULL)
		closedir(w->open);
	free(w);
}

/* Flags may have come or gone since: look at every name. */
static int
search(struct spool *s, const char *id, size_t n, int place, struct entry *at,
    struct err *e)
{
	struct maildir none = {0};
	struct walk w = { .dir = s->dir, .own = &none, .place = place };
	const char *name;
	int r;

	if ((r = open_place(&w, e)) <= 0)
		return r;
	r = 0;
	while (r == 0 && (name = next_name(&w)) != NULL) {
		if (maildir_id(name) != n || strncmp(name, id, n) != 0)
			continue;
		path_of(&at->ref, s->dir, places[place], name);
		r = 1;
	}
	closedir(w.open);
	return r;
}

static int
maildir_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	size_t n = maildir_id(id);
	struct stat st;
	int r = 0;

	at->state = STATE_DEFERRED;
	if (!is_name(id))
		return 0;
	for (int i = 0; places[i] != NULL; i++) {
		path_of(&at->ref, s->dir, places[i], id);
		if (lstat(at->ref.p, &st) == 0)
			return 1;
		if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
			return err_sys(e, "%s", at->ref.p);
	}
	for (int i = 0; places[i] != NULL && r == 0; i++)
		r = search(s, id, n, i, at, e);
	return r;
}

static bool
maildir_at(struct spool *s, const char *ref, struct entry *at)
{
	struct span rest = span_of(ref), place = {0};

	if (!span_starts(rest, s->dir))
		return false;
	rest = span_from(rest, strlen(s->dir));
	if (!span_starts(rest, "/"))
		return false;
	rest = span_from(rest, 1);
	span_cut(&rest, '/', &place);
	for (int i = 0; places[i] != NULL; i++)
		if (span_is(place, places[i]) && is_name(rest.p)) {
			buf_clear(&at->ref);
			buf_adds(&at->ref, ref);
			at->state = STATE_DEFERRED;
			return true;
		}
	return false;
}

const struct spool_kind spool_maildir = {
	.name = "maildir",
	.open = maildir_open,
	.close = maildir_close,
	.owns = maildir_owns,
	.walk = maildir_walk,
	.next = maildir_next,
	.walk_end = maildir_walk_end,
	.at = maildir_at,
	.find = maildir_find,
	.read = maildir_read,
	.body = maildir_body,
	.read_body = maildir_read_body,
	.claim = maildir_claim,
	.remove = spool_take_away,
	.settle = maildir_settle,
	.done = maildir_done,
};
