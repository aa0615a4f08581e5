/*
 * Which messages a Sendmail queue has.  DIR is a queue directory, or one that has
 * several in it (q1, q2 ...): found by shape.  In each, qf files lie in it or in its
 * directory qf.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spool/sendmail.h"

#define DIRS_MAX 1000
#define STAMP 8			/* of an ID: when it was made; a pid follows */

static const struct {
	char letter;
	enum state state;
} letters[] = {
	{ 'q', STATE_DEFERRED }, { 'h', STATE_HOLD }, { 'Q', STATE_CORRUPT },
};

#define LETTERS (sizeof letters / sizeof *letters)

struct dirs { char **p; size_t n, room; };	/* a VEC, owned */

struct walk {
	struct dirs dirs;
	size_t next;
	DIR *open;
	unsigned states;
	bool client;
};

static bool
is_id(const char *s)
{
	size_t n = 0, digits;

	while (isalnum((unsigned char)s[n]) && (unsigned char)s[n] < 0x80 && n < STAMP)
		n++;
	digits = strspn(s + n, "0123456789");
	return n == STAMP && digits >= 5 && digits <= 12 && s[n + digits] == '\0';
}

static int
letter_of(const char *name)
{
	for (size_t i = 0; i < LETTERS; i++)
		if (*name == letters[i].letter && name[1] == 'f')
			return (int)i;
	return -1;
}

const char *
sm_id(const char *name)
{
	return letter_of(name) >= 0 && is_id(name + 2) ? name + 2 : NULL;
}

/*
 * Sendmail goes through links to directories; so do we in its own queue, where root
 * has made them.  Where it leads to; NULL: no such link.
 */
static char *
followed(const char *path)
{
	struct stat st;
	char *real = NULL;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && st.st_uid == 0)
		real = realpath(path, NULL);
	if (real == NULL || (stat(real, &st) == 0 && S_ISDIR(st.st_mode)))
		return real;
	free(real);
	return NULL;
}

/*
 * One queue directory: where its qf files are.  0; -1 (69) where a part of it is a link:
 * a ref there would not tell where the others are.
 */
static int
add_dir(struct dirs *v, const char *dir, bool live, struct err *e)
{
	struct buf path = {0};
	char *elsewhere;
	int r = 0;

	if (v->n == DIRS_MAX)
		return 0;
	buf_addf(&path, "%s/qf", dir);
	if (live && (elsewhere = followed(buf_str(&path))) != NULL) {
		r = err_set(e, FAULT_UNAVAILABLE, "%s: is a link to %s: such a "
		    "queue cannot be read", path.p, elsewhere);
		free(elsewhere);
	} else if (!dir_is_there(dir, "qf")) {
		path.n -= 3;
	}
	if (r == 0)
		*vec_add(v) = span_dup(buf_span(&path));
	buf_free(&path);
	return r;
}

static bool
is_part(const char *name)
{
	return strcmp(name, "qf") == 0 || strcmp(name, "df") == 0 ||
	    strcmp(name, "xf") == 0;
}

/* One of the names in a queue's directory. */
static int
add_below(struct dirs *v, const char *top, const char *name, bool live,
    struct err *e)
{
	struct buf path = {0};
	char *elsewhere = NULL;
	int r = 0;

	buf_addf(&path, "%s/%s", top, name);
	if (dir_is_there(top, name))
		r = add_dir(v, buf_str(&path), live, e);
	else if (live && (elsewhere = followed(buf_str(&path))) != NULL)
		r = add_dir(v, elsewhere, live, e);
	free(elsewhere);
	buf_free(&path);
	return r;
}

/* The directory itself and those in it. */
static int
find_dirs(struct dirs *v, const char *top, bool live, struct err *e)
{
	DIR *dir = NULL;
	struct dirent *d;
	int r;

	if (add_dir(v, top, live, e) < 0)
		return -1;
	if ((r = dir_open(top, &dir, e)) <= 0)
		return r;
	while (r >= 0 && (d = readdir(dir)) != NULL)
		if (*d->d_name != '.' && !is_part(d->d_name) && d->d_type != DT_REG)
			r = add_below(v, top, d->d_name, live, e);
	closedir(dir);
	return r < 0 ? -1 : 1;
}

static void
dirs_free(struct dirs *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i]);
	vec_free(v);
}

struct walk *
sm_walk(struct spool *s, unsigned states, struct err *e)
{
	struct walk *w = must(calloc(1, sizeof *w));

	w->states = states;
	w->client = sm_is_client(s);
	if (find_dirs(&w->dirs, s->dir, s->live, e) >= 0)
		return w;
	sm_walk_end(w);
	return NULL;
}

static enum state
state_of(int letter, bool client)
{
	return letters[letter].state == STATE_DEFERRED && client ? STATE_MAILDROP :
	    letters[letter].state;
}

int
sm_next(struct walk *w, struct entry *at, struct err *e)
{
	struct dirent *d;
	int letter, r;

	for (;;) {
		if (w->open == NULL) {
			if (w->next == w->dirs.n)
				return 0;
			r = dir_open(w->dirs.p[w->next++], &w->open, e);
			if (r < 0)
				return -1;
			if (r == 0)
				continue;
		}
		errno = 0;
		if ((d = readdir(w->open)) == NULL) {
			r = errno == 0 ? 0 : err_sys(e, "read %s",
			    w->dirs.p[w->next - 1]);
			closedir(w->open);
			w->open = NULL;
			if (r < 0)
				return -1;
			continue;
		}
		if (sm_id(d->d_name) == NULL)
			continue;
		letter = letter_of(d->d_name);
		at->state = state_of(letter, w->client);
		if (!(w->states & STATE_BIT(at->state)))
			continue;
		buf_clear(&at->ref);
		buf_adds(&at->ref, w->dirs.p[w->next - 1]);
		buf_addc(&at->ref, '/');
		buf_adds(&at->ref, d->d_name);
		at->whole = false;	/* an empty one has only just been begun */
		return 1;
	}
}

void
sm_walk_end(struct walk *w)
{
	if (w->open != NULL)
		closedir(w->open);
	dirs_free(&w->dirs);
	free(w);
}

/* In one directory, under each letter: 1, 0, -1. */
static int
look_in(const struct spool *s, const char *dir, const char *id, struct entry *at,
    struct err *e)
{
	struct stat st;

	for (size_t i = 0; i < LETTERS; i++) {
		buf_clear(&at->ref);
		buf_addf(&at->ref, "%s/%cf%s", dir, letters[i].letter, id);
		at->state = state_of((int)i, sm_is_client(s));
		if (lstat(buf_str(&at->ref), &st) == 0)
			return 1;
		if (errno != ENOENT && errno != ENOTDIR)
			return err_sys(e, "look for %s", at->ref.p);
	}
	return 0;
}

/* Twice: it may move from one letter to one where we have just looked. */
int
sm_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	struct dirs dirs = {0};
	int r = 0;

	if (sm_id(id) != NULL)
		id = sm_id(id);
	if (!is_id(id))
		return 0;
	if (find_dirs(&dirs, s->dir, s->live, e) < 0)
		r = -1;
	for (size_t i = 0; i < 2 * dirs.n && r == 0; i++)
		r = look_in(s, dirs.p[i % dirs.n], id, at, e);
	dirs_free(&dirs);
	return r;
}

/* A file of a message in it, or directories for them. */
static bool
is_queue(const char *path)
{
	struct err none = {0};
	DIR *dir = NULL;
	struct dirent *d;
	bool yes = dir_is_there(path, "qf") && dir_is_there(path, "df");

	if (yes || dir_open(path, &dir, &none) <= 0)
		return yes;
	while (!yes && (d = readdir(dir)) != NULL)
		yes = d->d_name[0] != '\0' && d->d_name[1] == 'f' &&
		    strchr("qhQdtx", d->d_name[0]) != NULL && is_id(d->d_name + 2);
	closedir(dir);
	return yes;
}

bool
sm_shape(const char *dir)
{
	struct err none = {0};
	struct dirs dirs = {0};
	bool yes = is_queue(dir);

	if (!yes && find_dirs(&dirs, dir, false, &none) >= 0)
		for (size_t i = 0; i < dirs.n && !yes; i++)
			yes = span_ends(span_of(dirs.p[i]), "/qf") ||
			    is_queue(dirs.p[i]);
	dirs_free(&dirs);
	return yes;
}

void
sm_whole(char *dir)
{
	char *slash = strrchr(dir, '/');

	if (slash == NULL || slash == dir || !is_part(slash + 1))
		return;
	*slash = '\0';
	if (!dir_is_there(dir, "qf") || !dir_is_there(dir, "df"))
		*slash = '/';
}

bool
sm_leads_to(const char *top, const char *dir)
{
	struct err none = {0};
	struct dirs dirs = {0};
	bool yes = false;

	find_dirs(&dirs, top, true, &none);
	for (size_t i = 0; i < dirs.n && !yes; i++)
		yes = strcmp(dirs.p[i], dir) == 0 || dir_same(dirs.p[i], dir);
	dirs_free(&dirs);
	return yes;
}

/* The directory it lies in, without qf: one queue directory. */
int
sm_owns(const char *ref, struct buf *dir)
{
	struct span path = span_of(ref);

	if (!path_is_plain(ref) || sm_id(ref_name(ref)) == NULL || path_is_link(ref))
		return 0;
	path.n -= strlen(ref_name(ref)) + 1;
	if (span_ends(path, "/qf"))
		path.n -= 3;
	if (path.n == 0)
		return 0;
	buf_addspan(dir, path);
	return 1;
}

/* Is it a directory of this queue, or the queue's own? */
static bool
is_within(const char *queue, struct span dir)
{
	char *path = span_dup(dir);
	bool yes = path_is_plain(path) && span_starts(dir, queue) &&
	    (dir.n == strlen(queue) || dir.p[strlen(queue)] == '/');

	free(path);
	return yes;
}

static struct span
last_part(struct span path)
{
	size_t n = path.n;

	while (n > 0 && path.p[n - 1] != '/')
		n--;
	return span_from(path, n);
}

static bool
leads_down(struct span name)
{
	return name.n > 0 && !span_is(name, ".") && !span_is(name, "..");
}

/* Is there no queue of this name in that directory, but one beside it? */
static bool
is_beside(const char *dir, struct span name)
{
	struct buf beside = {0};
	char *child = span_dup(name);
	bool yes = false;

	if (!dir_is_there(dir, child)) {
		buf_add(&beside, dir, strlen(dir) - strlen(ref_name(dir)));
		buf_addspan(&beside, name);
		yes = is_queue(buf_str(&beside));
	}
	buf_free(&beside);
	free(child);
	return yes;
}

void
sm_df(const struct spool *s, const char *ref, struct span other, struct buf *path)
{
	struct span dir = span_of(ref), last;
	bool parted;

	dir.n -= strlen(ref_name(ref)) + 1;
	parted = span_ends(dir, "/qf");
	if (parted)
		dir.n -= 3;
	/* of a copied queue only the directory's name counts */
	if (is_within(s->dir, other)) {
		dir = other;
	} else if (leads_down(last = last_part(other))) {
		if (is_beside(s->dir, last))
			buf_add(path, s->dir, strlen(s->dir) -
			    strlen(ref_name(s->dir)));
		else
			buf_addf(path, "%s/", s->dir);
		dir = last;
	}
	buf_addspan(path, dir);
	if (parted && !span_ends(buf_span(path), "/df"))
		buf_adds(path, "/df");
	buf_addf(path, "/df%s", ref_name(ref) + 2);
}
