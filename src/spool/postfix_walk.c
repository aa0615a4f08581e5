/*
 * Which files a Postfix queue has, found by shape: in a queue's directory a
 * name of one character is a subdirectory to enter (hash_queue_names, whatever
 * the depth), any other valid name is an ID.  Postfix's own scanner does the
 * same, so a queue whose hashing was changed is read whole.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/file.h"
#include "spool/postfix.h"

#define QUEUES 6
#define PASSES 2

/* Deferred mail first: it is the most and stays longest. */
static const struct {
	const char *name;
	enum state state;
} queues[QUEUES] = {
	{ "deferred", STATE_DEFERRED },
	{ "hold", STATE_HOLD },
	{ "maildrop", STATE_MAILDROP },
	{ "incoming", STATE_INCOMING },
	{ "active", STATE_ACTIVE },
	{ "corrupt", STATE_CORRUPT },
};

/* Done messages wait where qmgr will come by. */
#define DONE_IN (STATE_BIT(STATE_DEFERRED) | STATE_BIT(STATE_INCOMING) | \
	STATE_BIT(STATE_ACTIVE))

struct walk {
	const struct spool *spool;
	unsigned states;
	size_t queue;			/* the next to open */
	enum state state;		/* of the one that is open */
	struct buf path;		/* of the innermost directory */
	DIR *dir[PF_DEPTH + 1];
	int depth;			/* open directories */
	bool by_name;			/* in deferred only these: */
	char **ids;
	size_t n, at;
};

/* Asked of each name: strspn() of so many letters would be half of a long listing. */
static bool
may_be_in_id(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c == '_';
}

bool
pf_is_id(const char *s)
{
	size_t n = 0;

	while (n < 100 && may_be_in_id(s[n]))
		n++;
	return n > 1 && n < 100 && s[n] == '\0';
}

struct walk *
pf_walk(struct spool *s, unsigned states, struct err *e)
{
	struct walk *w = must(calloc(1, sizeof *w));

	(void)e;
	w->spool = s;
	w->states = states;
	if (states & STATE_BIT(STATE_DONE))
		w->states |= DONE_IN;
	/* 0400 in any queue is corrupt too */
	if (states & STATE_BIT(STATE_CORRUPT))
		w->states |= STATES_ALL & ~STATE_BIT(STATE_MAILDROP);
	return w;
}

void
pf_walk_named(struct walk *w, const char *const *ids, size_t n)
{
	w->by_name = true;
	w->ids = must(calloc(n + 1, sizeof *w->ids));
	w->n = n;
	for (size_t i = 0; i < n; i++)
		w->ids[i] = span_dup(span_of(ids[i]));
}

/* The next of those that are in deferred now: 1, 0, -1. */
static int
next_named(struct walk *w, struct entry *at, struct err *e)
{
	int r = 0;

	while (r == 0 && w->at < w->n) {
		const char *id = w->ids[w->at++];

		if (pf_is_id(id))
			r = pf_place(w->spool, "deferred", id, &at->ref, e);
	}
	at->state = STATE_DEFERRED;
	at->whole = true;
	return r;
}

/* What is no directory, or gone, is no trouble: 1 entered, 0, -1. */
static int
enter(struct walk *w, const char *name, struct err *e)
{
	size_t before = w->path.n;
	int r;

	if (w->depth > PF_DEPTH)
		return 0;
	buf_addf(&w->path, "/%s", name);
	r = dir_open(buf_str(&w->path), &w->dir[w->depth], e);
	if (r == 1)
		w->depth++;
	else
		w->path.n = before;
	return r;
}

static void
leave(struct walk *w)
{
	char *slash = strrchr(buf_str(&w->path), '/');

	closedir(w->dir[--w->depth]);
	w->path.n = slash != NULL ? (size_t)(slash - w->path.p) : 0;
}

/* 1 a queue is open, 0 there are no more, -1. */
static int
next_queue(struct walk *w, struct err *e)
{
	int r;

	while (w->queue < QUEUES) {
		size_t q = w->queue++;

		if (!(w->states & STATE_BIT(queues[q].state)) ||
		    (w->by_name && queues[q].state == STATE_DEFERRED))
			continue;
		buf_clear(&w->path);
		buf_adds(&w->path, w->spool->dir);
		w->state = queues[q].state;
		if ((r = enter(w, queues[q].name, e)) != 0)
			return r;
	}
	return 0;
}

static void
entry(const struct walk *w, const struct dirent *d, struct entry *at)
{
	buf_clear(&at->ref);
	buf_addspan(&at->ref, buf_span(&w->path));
	buf_addc(&at->ref, '/');
	buf_adds(&at->ref, d->d_name);
	at->state = w->state;
	/* only a complete file is ever moved there */
	at->whole = (w->state == STATE_DEFERRED || w->state == STATE_ACTIVE ||
	    w->state == STATE_HOLD) && d->d_type == DT_REG;
}

int
pf_next(struct walk *w, struct entry *at, struct err *e)
{
	struct dirent *d;
	int r;

	if ((w->states & STATE_BIT(STATE_DEFERRED)) && w->at < w->n &&
	    (r = next_named(w, at, e)) != 0)
		return r;
	for (;;) {
		if (w->depth == 0 && (r = next_queue(w, e)) <= 0)
			return r;
		errno = 0;
		d = readdir(w->dir[w->depth - 1]);
		if (d == NULL && errno != 0)
			err_sys(e, "read %s", buf_str(&w->path));
		if (d == NULL) {
			r = errno;
			leave(w);
			if (r != 0)
				return -1;
		} else if (d->d_name[1] == '\0' && d->d_name[0] != '.') {
			if (enter(w, d->d_name, e) < 0)
				return -1;
		} else if (pf_is_id(d->d_name)) {
			entry(w, d, at);
			return 1;
		}
	}
}

void
pf_walk_end(struct walk *w)
{
	while (w->depth > 0)
		leave(w);
	for (size_t i = 0; i < w->n; i++)
		free(w->ids[i]);
	free(w->ids);
	buf_free(&w->path);
	free(w);
}

/* The first parts of long IDs are base 52; 0 for none of its digits. */
static unsigned
digit52(char c)
{
	static const char digits[] =
	    "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p != NULL ? (unsigned)(p - digits) : 0;
}

/*
 * Long IDs (the last z no earlier than the 11th character; four digits of base
 * 52 before it are the microseconds) hash by those in hexadecimal, short ones
 * by their first characters; what is too short is filled with _.
 */
void
pf_hash(const char *id, char hash[PF_DEPTH + 1])
{
	static const char hex[] = "0123456789ABCDEF";
	const char *z = strrchr(id, 'z');
	unsigned usec = 0;
	size_t n = strlen(id);

	memset(hash, '_', PF_DEPTH);
	hash[PF_DEPTH] = '\0';
	if (z == NULL || z - id < 10) {
		memcpy(hash, id, n < PF_DEPTH ? n : PF_DEPTH);
		return;
	}
	for (int i = 4; i > 0; i--)
		usec = usec * 52 + digit52(z[-i]);
	for (int i = 0; i < 5; i++)
		hash[i] = hex[usec >> 4 * (4 - i) & 15];
}

int
pf_place(const struct spool *s, const char *queue, const char *id,
    struct buf *path, struct err *e)
{
	char hash[PF_DEPTH + 1];
	struct buf dir = {0};
	struct stat st;
	int r = 0;

	pf_hash(id, hash);
	buf_addf(&dir, "%s/%s", s->dir, queue);
	for (int depth = 0; r == 0; depth++) {
		buf_clear(path);
		buf_addf(path, "%s/%s", buf_str(&dir), id);
		if (lstat(buf_str(path), &st) == 0)
			r = 1;
		else if (errno != ENOENT && errno != ENOTDIR)
			r = err_sys(e, "look for %s", path->p);
		if (depth == PF_DEPTH)
			break;
		buf_addf(&dir, "/%c", hash[depth]);
		if (r == 0 && lstat(buf_str(&dir), &st) < 0)
			break;
	}
	buf_free(&dir);
	return r;
}

/*
 * Every place where Postfix itself could find it, flat or hashed to any depth,
 * rather than a walk: the queue may be long and the message gone.  Twice,
 * because it may move to where we have just looked.
 */
int
pf_find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	int r = 0;

	if (!pf_is_id(id))
		return 0;
	for (int i = 0; i < QUEUES * PASSES && r == 0; i++) {
		r = pf_place(s, queues[i % QUEUES].name, id, &at->ref, e);
		at->state = queues[i % QUEUES].state;
	}
	return r;
}

/* OpenSMTPD has directories named incoming and corrupt too. */
bool
pf_shape(const char *dir)
{
	int own = dir_is_there(dir, "deferred") + dir_is_there(dir, "hold") +
	    dir_is_there(dir, "maildrop") + dir_is_there(dir, "active");

	return own > 1 || (own == 1 && (dir_is_there(dir, "incoming") ||
	    dir_is_there(dir, "corrupt") || dir_is_there(dir, "defer")));
}

static bool
is_queue(const char *name)
{
	for (size_t i = 0; i < QUEUES; i++)
		if (strcmp(name, queues[i].name) == 0)
			return true;
	return strcmp(name, "saved") == 0;
}

int
pf_owns(const char *ref, struct buf *dir)
{
	char *path, *name;
	bool yes = false;

	if (!path_is_plain(ref) || !pf_is_id(ref_name(ref)) || path_is_link(ref))
		return 0;
	path = span_dup(span_of(ref));
	for (int depth = 0; depth <= PF_DEPTH + 1; depth++) {
		if ((name = strrchr(path, '/')) == NULL || name == path)
			break;
		*name = '\0';		/* the directory it lies in */
		if (path_is_link(path) || (name = strrchr(path, '/')) == NULL)
			break;
		if (name[1] != '\0' && name[2] == '\0')
			continue;	/* a level of hashing */
		if (is_queue(name + 1) && name != path) {
			*name = '\0';
			yes = pf_shape(path);
		}
		break;
	}
	if (yes)
		buf_adds(dir, path);
	free(path);
	return yes;
}
