/*
 * The names in one directory of messages: all of them before the first message is
 * given out, so that most need no look for a -J that is not there, nor for their -D.
 *
 * They are as old as the reading of the directory, and Exim works on.  A listing may
 * rely on them nevertheless, because -H is opened later (exim_read.c):
 *
 * -J did not stand there.  Then whoever was done when the directory was begun stands
 * in the -H that is read: a name that stays all the while is not passed over (POSIX,
 * readdir()), and Exim removes -J only when a new -H says the same or -H is gone.
 * Who was done since may be shown as waiting, as in a listing that began with him.
 *
 * -J did: it is read, and before -H.  If it is gone by then, the same holds.
 *
 * Each -H had its -D.  Exim removes -D just before -H, and all it does meanwhile is
 * newer than the names.  Where one of these stands alone, because it is on its way in
 * or out, or broken, each -D of the directory is looked for.
 *
 * What was renamed or has come since is in no name and not listed; what has gone is
 * not there when -H is opened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spool/exim.h"

/* FNV-1a: what has the same sum has the same IDs. */
static uint64_t
hash(const char *id, size_t n)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)id[i]) * 1099511628211u;
	return h;
}

/* One name of the directory. */
static void
take(struct exim_names *v, const struct dirent *d)
{
	const char *name = d->d_name;
	size_t n = exim_id(name);

	if (n == 0 && exim_is_part(name))
		buf_addc(&v->parts, *name);
	if (n == 0 || name[n] != '-' || name[n + 1] == '\0' || name[n + 2] != '\0')
		return;
	switch (name[n + 1]) {
	case 'H':
		buf_addc(&v->headers, d->d_type == DT_REG ? 'f' : '?');
		buf_add(&v->headers, name, n);
		buf_addc(&v->headers, '\0');
		v->unmatched += hash(name, n);
		break;
	case 'D':
		v->unmatched -= hash(name, n);
		break;
	case 'J':
		memcpy(vec_add(&v->journals)->id, name, n);
		break;
	}
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(a, b);
}

int
exim_names_read(struct exim_names *v, const char *path, struct err *e)
{
	struct dirent *d;
	DIR *dir;
	int r;

	buf_clear(&v->headers);
	buf_clear(&v->parts);
	v->at = v->journals.n = 0;
	v->unmatched = 0;
	if ((r = dir_open(path, &dir, e)) <= 0)
		return r;
	for (errno = 0; (d = readdir(dir)) != NULL; errno = 0)
		take(v, d);
	v->all = errno == 0;
	if (!v->all)
		r = err_sys(e, "read %s", path);
	closedir(dir);
	if (v->journals.n > 0)
		qsort(v->journals.p, v->journals.n, sizeof *v->journals.p, by_id);
	return r;
}

bool
exim_names_next(struct exim_names *v, struct entry *at)
{
	const char *id;

	if (v->at == v->headers.n)
		return false;
	at->whole = v->headers.p[v->at] == 'f';
	id = v->headers.p + v->at + 1;
	v->at += strlen(id) + 2;
	buf_adds(&at->ref, id);
	buf_adds(&at->ref, "-H");
	at->beside = 0;
	if (v->all && (v->journals.n == 0 || bsearch(id, v->journals.p,
	    v->journals.n, sizeof *v->journals.p, by_id) == NULL))
		at->beside |= EXIM_NO_JOURNAL;
	if (v->all && v->unmatched == 0)
		at->beside |= EXIM_HAS_BODY;
	return true;
}

void
exim_names_free(struct exim_names *v)
{
	buf_free(&v->headers);
	buf_free(&v->parts);
	vec_free(&v->journals);
}
