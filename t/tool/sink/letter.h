/* One file in a Maildir, there as a whole or not at all. */
#ifndef T_SINK_LETTER_H
#define T_SINK_LETTER_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "log.h"

struct letter {
	FILE *f;		/* NULL: none in hand */
	struct buf tmp, new;	/* its names; empty: kept nowhere */
};

static void
maildir_make(const char *dir)
{
	static const char *const parts[] = { "", "/tmp", "/new", "/cur" };
	struct buf path = {0};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		buf_clear(&path);
		buf_addf(&path, "%s%s", dir, parts[i]);
		if (mkdir(buf_str(&path), 0700) < 0 && errno != EEXIST)
			die(path.p);
	}
	buf_free(&path);
}

/* A new file in tmp/ of `dir'; NULL: text goes nowhere. */
static bool
letter_open(struct letter *l, const char *dir)
{
	static unsigned serial;
	struct timespec now;
	struct buf name = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	buf_addf(&name, "%lld.M%06ldP%ldQ%u.sink", (long long)now.tv_sec,
	    now.tv_nsec / 1000, (long)getpid(), ++serial);
	buf_clear(&l->tmp);
	buf_clear(&l->new);
	if (dir != NULL) {
		buf_addf(&l->tmp, "%s/tmp/%s", dir, buf_str(&name));
		buf_addf(&l->new, "%s/new/%s", dir, buf_str(&name));
	}
	buf_free(&name);
	l->f = dir != NULL ? fopen(buf_str(&l->tmp), "wxe") :
	    fopen("/dev/null", "we");
	return l->f != NULL;
}

static void
letter_drop(struct letter *l)
{
	if (l->f == NULL)
		return;
	fclose(l->f);
	l->f = NULL;
	if (l->tmp.n > 0)
		unlink(buf_str(&l->tmp));
}

static bool
sync_dir_of(struct buf *path)
{
	char *slash = strrchr(buf_str(path), '/');
	int fd;
	bool good;

	*slash = '\0';
	fd = open(path->p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

/* On disk for good, name and all, before anybody is told. */
static bool
letter_keep(struct letter *l)
{
	if (l->tmp.n > 0 && (fflush(l->f) != 0 || fsync(fileno(l->f)) < 0 ||
	    rename(buf_str(&l->tmp), buf_str(&l->new)) < 0)) {
		letter_drop(l);
		return false;
	}
	fclose(l->f);
	l->f = NULL;
	return l->new.n == 0 || sync_dir_of(&l->new);
}

#endif
