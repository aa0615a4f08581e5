/*
 * Which messages an Exim spool has: in SPOOL/input, in SPOOL/NAME/input for
 * queues with names, and in Finput beside each of them (frozen messages, where
 * Exim was built to move them).  In there a name of one letter or digit is a
 * directory of a split spool, whatever the configuration says today.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spool/exim.h"

#define QUEUES_MAX 1000

static const char *const inputs[] = { "input", "Finput" };

struct roots { char **p; size_t n, room; };	/* a VEC, owned */

struct walk {
	struct roots roots;
	size_t root;		/* the next to open */
	struct buf path;	/* of the directory whose names these are: */
	struct exim_names names;
	size_t whole;		/* of path: without the part */
	struct buf parts;	/* of this root, a letter each */
	size_t part;		/* the next to read */
};

/* Asked of each octet of each name: isalnum() would take twice as long. */
static bool
may_be_in_id(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

size_t
exim_id(const char *name)
{
	static const size_t parts[2][3] = { { 6, 6, 2 }, { 6, 11, 4 } };

	for (int form = 0; form < 2; form++) {
		const char *p = name;
		bool fits = true;

		for (int i = 0; i < 3 && fits; i++) {
			size_t n = 0;

			while (n < parts[form][i] && may_be_in_id(p[n]))
				n++;
			p += n;
			fits = n == parts[form][i] && (i == 2 || *p++ == '-');
		}
		if (fits && !may_be_in_id(*p))
			return (size_t)(p - name);
	}
	return 0;
}

static bool
is_header(const char *name)
{
	size_t n = strlen(name);

	return n > 2 && strcmp(name + n - 2, "-H") == 0 && exim_id(name) == n - 2;
}

bool
exim_is_part(const char *name)
{
	return may_be_in_id(name[0]) && name[1] == '\0';
}

/* The directories of one queue that are there. */
static void
add_roots(struct roots *v, const char *dir)
{
	struct buf path = {0};

	for (size_t i = 0; i < 2 && v->n < QUEUES_MAX; i++) {
		if (!dir_is_there(dir, inputs[i]))
			continue;
		buf_clear(&path);
		buf_addf(&path, "%s/%s", dir, inputs[i]);
		*vec_add(v) = span_dup(buf_span(&path));
	}
	buf_free(&path);
}

/* Names of queues: every directory of the spool that has messages of its own. */
static int
find_roots(struct roots *v, const char *spool, struct err *e)
{
	struct dirent *d;
	DIR *dir = NULL;
	int r = dir_open(spool, &dir, e);

	add_roots(v, spool);
	if (r <= 0)
		return r;
	while ((d = readdir(dir)) != NULL) {
		struct buf path = {0};

		if (*d->d_name == '.' || strcmp(d->d_name, "input") == 0 ||
		    (d->d_type != DT_DIR && d->d_type != DT_UNKNOWN))
			continue;
		buf_addf(&path, "%s/%s", spool, d->d_name);
		if (!path_is_link(buf_str(&path)))
			add_roots(v, buf_str(&path));
		buf_free(&path);
	}
	closedir(dir);
	return 1;
}

static void
roots_free(struct roots *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->p[i]);
	vec_free(v);
}

struct walk *
exim_walk(struct spool *s, unsigned states, struct err *e)
{
	struct walk *w = must(calloc(1, sizeof *w));

	(void)states;		/* frozen or not stands in the file */
	if (find_roots(&w->roots, s->dir, e) >= 0)
		return w;
	exim_walk_end(w);
	return NULL;
}

/* Reads the next root's names: 1, 0 there is none, -1. */
static int
next_root(struct walk *w, struct err *e)
{
	int r = 0;

	while (r == 0 && w->root < w->roots.n) {
		buf_clear(&w->path);
		buf_adds(&w->path, w->roots.p[w->root++]);
		w->whole = w->path.n;
		r = exim_names_read(&w->names, buf_str(&w->path), e);
		buf_clear(&w->parts);
		buf_addspan(&w->parts, buf_span(&w->names.parts));
		w->part = 0;
	}
	return r;
}

/* The next directory's names: 1, 0 it was the last, -1. */
static int
next_directory(struct walk *w, struct err *e)
{
	int r = 0;

	while (r == 0 && w->part < w->parts.n) {
		w->path.n = w->whole;
		buf_addf(&w->path, "/%c", w->parts.p[w->part++]);
		r = exim_names_read(&w->names, buf_str(&w->path), e);
	}
	return r != 0 ? r : next_root(w, e);
}

int
exim_next(struct walk *w, struct entry *at, struct err *e)
{
	int r;

	for (;;) {
		buf_clear(&at->ref);
		buf_addspan(&at->ref, buf_span(&w->path));
		buf_addc(&at->ref, '/');
		at->state = STATE_UNTOLD;
		if (exim_names_next(&w->names, at))
			return 1;
		if ((r = next_directory(w, e)) <= 0)
			return r;
	}
}

void
exim_walk_end(struct walk *w)
{
	exim_names_free(&w->names);
	roots_free(&w->roots);
	buf_free(&w->parts);
	buf_free(&w->path);
	free(w);
}

/* In one directory of messages, flat or split: 1, 0, -1. */
static int
look_in(const char *root, const char *id, size_t n, struct buf *ref,
    struct err *e)
{
	struct stat st;

	for (int split = 0; split < 2; split++) {
		buf_clear(ref);
		buf_addf(ref, "%s/", root);
		if (split)
			buf_addf(ref, "%c/", id[5]);
		buf_add(ref, id, n);
		buf_adds(ref, "-H");
		if (lstat(buf_str(ref), &st) == 0)
			return 1;
		if (errno != ENOENT && errno != ENOTDIR)
			return err_sys(e, "look for %s", ref->p);
	}
	return 0;
}

/* Twice: it may move (be frozen, named anew) to where we have just looked. */
int
exim_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	struct roots roots = {0};
	size_t n = exim_id(id);
	int r = 0;

	if (n == 0 || (id[n] != '\0' && !is_header(id)))
		return 0;
	if (find_roots(&roots, s->dir, e) < 0)
		r = -1;
	for (size_t i = 0; i < 2 * roots.n && r == 0; i++)
		r = look_in(roots.p[i % roots.n], id, n, &at->ref, e);
	roots_free(&roots);
	at->state = STATE_UNTOLD;
	at->beside = 0;
	return r;
}

bool
exim_shape(const char *dir)
{
	return dir_is_there(dir, "input") && (dir_is_there(dir, "msglog") ||
	    dir_is_there(dir, "db"));
}

/* Cuts the last part off; false: there is none. */
static bool
up(char *path, const char **last)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return false;
	*slash = '\0';
	*last = slash + 1;
	return true;
}

/*
 * SPOOL/[NAME/]input/[c/]ID-H.  A queue with a name looks like a spool itself: the
 * spool is the one above it.
 */
int
exim_owns(const char *ref, struct buf *dir)
{
	char *path, *above;
	const char *last;
	int yes = 0;

	if (!path_is_plain(ref) || !is_header(ref_name(ref)))
		return 0;
	path = span_dup(span_of(ref));
	if (up(path, &last) && up(path, &last) &&
	    (!exim_is_part(last) || up(path, &last)) &&
	    (strcmp(last, inputs[0]) == 0 || strcmp(last, inputs[1]) == 0)) {
		above = span_dup(span_of(path));
		if (up(above, &last) && exim_shape(above))
			yes = 2;
		else if (exim_shape(path))
			yes = 1;
		buf_adds(dir, yes == 2 ? above : yes == 1 ? path : "");
		free(above);
	}
	free(path);
	return yes > 0;
}

void
exim_beside(struct buf *path, const char *ref, const char *what)
{
	size_t n = strlen(ref) - 1;	/* without the H */
	const char *name = ref_name(ref), *in;

	if (strcmp(what, "msglog") != 0) {
		buf_add(path, ref, n);
		buf_adds(path, what);
		return;
	}
	/* .../input/[c/]ID-H: .../msglog/[c/]ID */
	for (in = name - 1; in - ref >= 5 &&
	    strncmp(in - 5, "input", 5) != 0; in--)
		;
	if (in - ref < 6)
		return;
	buf_add(path, ref, (size_t)(in - ref) - 5);
	buf_adds(path, "msglog");
	buf_add(path, in, n - 1 - (size_t)(in - ref));
}
