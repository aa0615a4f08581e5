#include "spool/shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	const struct shelf *place;	/* the one that is open or comes next */
	shelf_level *const *levels;
	const char *top;
	unsigned states;
	struct buf path;		/* of the innermost directory */
	DIR *dir[SHELF_LEVELS];
	size_t n;			/* that are open */
};

static void
path_of(struct buf *b, const char *top, const struct shelf *place)
{
	buf_clear(b);
	buf_addf(b, "%s%s%s", top, *place->dir != '\0' ? "/" : "", place->dir);
}

struct walk *
shelf_walk(struct spool *s, const struct shelf *places,
    shelf_level *const *levels, unsigned states)
{
	struct walk *w = must(calloc(1, sizeof *w));

	w->place = places;
	w->levels = levels;
	w->top = s->dir;
	w->states = states;
	return w;
}

static void
leave(struct walk *w)
{
	char *slash = strrchr(buf_str(&w->path), '/');

	closedir(w->dir[--w->n]);
	if (w->n == 0)
		w->place++;
	w->path.n = slash != NULL ? (size_t)(slash - w->path.p) : 0;
}

/* 1 it is open, 0 it is none, -1. */
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

/* 1 one is open, 0 there are no more, -1. */
static int
open_place(struct walk *w, struct err *e)
{
	int r = 0;

	for (; w->place->dir != NULL; w->place++) {
		if (!(w->states & STATE_BIT(w->place->state)))
			continue;
		path_of(&w->path, w->top, w->place);
		if ((r = dir_open(buf_str(&w->path), &w->dir[0], e)) != 0)
			break;
	}
	if (r == 1)
		w->n = 1;
	else if (r < 0)
		w->place++;
	return r;
}

static void
put(struct entry *at, struct span dir, const char *name, const struct shelf *place)
{
	buf_clear(&at->ref);
	buf_addspan(&at->ref, dir);
	buf_addf(&at->ref, "/%s", name);
	at->state = place->state;
	at->whole = place->whole;
}

int
shelf_next(struct walk *w, struct entry *at, struct err *e)
{
	struct dirent *d;
	int r;

	for (;;) {
		if (w->n == 0 && (r = open_place(w, e)) <= 0)
			return r;
		errno = 0;
		if ((d = readdir(w->dir[w->n - 1])) == NULL) {
			r = errno == 0 ? 0 : err_sys(e, "read %s",
			    buf_str(&w->path));
			leave(w);
			if (r < 0)
				return -1;
		} else if (!w->levels[w->n - 1](d->d_name)) {
			continue;
		} else if (w->levels[w->n] != NULL) {
			if (enter(w, d->d_name, e) < 0)
				return -1;
		} else {
			put(at, buf_span(&w->path), d->d_name, w->place);
			at->whole = at->whole && d->d_type == DT_REG;
			return 1;
		}
	}
}

void
shelf_walk_end(struct walk *w)
{
	while (w->n > 0)
		leave(w);
	buf_free(&w->path);
	free(w);
}

int
shelf_find(struct spool *s, const struct shelf *places, const char *name,
    struct entry *at, struct err *e)
{
	struct buf dir = {0};
	struct stat st;
	int r = 0;

	for (int twice = 0; twice < 2; twice++) {
		for (const struct shelf *p = places; p->dir != NULL && r == 0; p++) {
			path_of(&dir, s->dir, p);
			put(at, buf_span(&dir), name, p);
			if (lstat(buf_str(&at->ref), &st) == 0)
				r = 1;
			else if (errno != ENOENT && errno != ENOTDIR)
				r = err_sys(e, "look for %s", at->ref.p);
		}
	}
	buf_free(&dir);
	return r;
}

/* Cuts the last part off, if it is one of this level. */
static bool
up(struct span *path, shelf_level *is_one)
{
	size_t n = path->n;
	char *name;
	bool yes;

	while (n > 0 && path->p[n - 1] != '/')
		n--;
	name = span_dup(span_from(*path, n));
	yes = n > 1 && is_one(name);
	free(name);
	path->n = n > 0 ? n - 1 : 0;
	return yes;
}

int
shelf_owns(const struct shelf *places, shelf_level *const *levels,
    bool (*shape)(const char *), const char *ref, struct buf *dir)
{
	struct span path = span_of(ref);
	size_t depth = 0;

	if (!path_is_plain(ref) || path_is_link(ref))
		return 0;
	while (levels[depth] != NULL)
		depth++;
	while (depth > 0)
		if (!up(&path, levels[--depth]))
			return 0;
	for (const struct shelf *p = places; p->dir != NULL; p++) {
		size_t n = strlen(p->dir);

		if (n > 0 && (path.n <= n + 1 || !span_ends(path, p->dir) ||
		    path.p[path.n - n - 1] != '/'))
			continue;
		buf_add(dir, path.p, path.n - (n > 0 ? n + 1 : 0));
		if (shape == NULL || shape(buf_str(dir)))
			return 1;
		buf_clear(dir);
	}
	return 0;
}

bool
shelf_number(const char *name)
{
	size_t n = strspn(name, "0123456789");

	return n > 0 && n <= 20 && name[n] == '\0';
}

int
shelf_open(struct spool *s, const struct usual *u, struct err *e)
{
	bool usual = s->dir == NULL;

	if (usual)
		s->dir = span_dup(span_of(u->dir));
	if (dir_absolute(s, e) < 0)
		return usual && e->fault != FAULT_PERM ? err_set(e, FAULT_IO, "no %s "
		    "queue was found on this host; name one: --spool=%s:DIR",
		    u->name, s->kind->name) : -1;
	if (u->named != NULL ? !u->named(s->dir) : !u->shape(s->dir))
		return err_set(e, FAULT_IO, "%s: is no %s queue: it has no %s", s->dir,
		    u->name, u->has);
	s->live = dir_same(s->dir, u->dir);
	return 0;
}

int
shelf_discover(struct spools *found, const struct spool_kind *kind,
    const struct usual *u)
{
	if (u->shape(u->dir))
		*vec_add(found) = (struct spool){ .kind = kind, .live = true,
		    .dir = span_dup(span_of(u->dir)) };
	return 0;
}

void
shelf_start(struct message *m, const struct entry *at, const struct stat *st)
{
	*m = (struct message){
		.ref = span_dup(buf_span(&at->ref)), .state = at->state,
		.attempts = -1, .mtime = st->st_mtime, .dev = st->st_dev,
		.ino = st->st_ino,
	};
}
