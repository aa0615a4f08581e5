#include "spool/flat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	const struct flat *place;	/* the one that is open or comes next */
	bool (*is_name)(const char *);
	const char *top;
	unsigned states;
	struct buf path;
	DIR *open;
};

static void
path_of(struct buf *b, const char *top, const struct flat *place)
{
	buf_clear(b);
	buf_addf(b, "%s%s%s", top, *place->dir != '\0' ? "/" : "", place->dir);
}

struct walk *
flat_walk(struct spool *s, const struct flat *places,
    bool (*is_name)(const char *), unsigned states)
{
	struct walk *w = must(calloc(1, sizeof *w));

	w->place = places;
	w->is_name = is_name;
	w->top = s->dir;
	w->states = states;
	return w;
}

/* 1 one is open, 0 there are no more, -1. */
static int
open_next(struct walk *w, struct err *e)
{
	int r = 0;

	for (; w->place->dir != NULL; w->place++) {
		if (!(w->states & STATE_BIT(w->place->state)))
			continue;
		path_of(&w->path, w->top, w->place);
		if ((r = dir_open(buf_str(&w->path), &w->open, e)) != 0)
			break;
	}
	if (r < 0)
		w->place++;
	return r;
}

int
flat_next(struct walk *w, struct entry *at, struct err *e)
{
	struct dirent *d;
	int r;

	for (;;) {
		if (w->open == NULL && (r = open_next(w, e)) <= 0)
			return r;
		errno = 0;
		if ((d = readdir(w->open)) == NULL) {
			r = errno == 0 ? 0 : err_sys(e, "read %s", w->path.p);
			closedir(w->open);
			w->open = NULL;
			w->place++;
			if (r < 0)
				return -1;
		} else if (w->is_name(d->d_name)) {
			buf_clear(&at->ref);
			buf_addf(&at->ref, "%s/%s", buf_str(&w->path), d->d_name);
			at->state = w->place->state;
			at->whole = false;
			return 1;
		}
	}
}

void
flat_walk_end(struct walk *w)
{
	if (w->open != NULL)
		closedir(w->open);
	buf_free(&w->path);
	free(w);
}

int
flat_find(struct spool *s, const struct flat *places, const char *name,
    struct entry *at, struct err *e)
{
	struct stat st;

	for (int twice = 0; twice < 2; twice++) {
		for (const struct flat *p = places; p->dir != NULL; p++) {
			path_of(&at->ref, s->dir, p);
			buf_addf(&at->ref, "/%s", name);
			at->state = p->state;
			at->whole = false;
			if (lstat(buf_str(&at->ref), &st) == 0)
				return 1;
			if (errno != ENOENT && errno != ENOTDIR)
				return err_sys(e, "look for %s", at->ref.p);
		}
	}
	return 0;
}

int
flat_owns(const struct flat *places, bool (*is_name)(const char *), const char *ref,
    struct buf *dir)
{
	struct span path = span_of(ref);

	if (!path_is_plain(ref) || !is_name(ref_name(ref)) || path_is_link(ref))
		return 0;
	path.n -= strlen(ref_name(ref)) + 1;
	for (const struct flat *p = places; p->dir != NULL; p++) {
		size_t n = strlen(p->dir);

		if (n > 0 && (path.n <= n + 1 || !span_ends(path, p->dir) ||
		    path.p[path.n - n - 1] != '/'))
			continue;
		buf_add(dir, path.p, path.n - (n > 0 ? n + 1 : 0));
		return 1;
	}
	return 0;
}

void
flat_start(struct message *m, const struct entry *at, const struct stat *st)
{
	*m = (struct message){
		.ref = span_dup(buf_span(&at->ref)), .state = at->state,
		.attempts = -1, .mtime = st->st_mtime, .dev = st->st_dev,
		.ino = st->st_ino,
	};
}
