#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
is_none(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP ||
	    error == ENXIO;
}

int
file_open(const char *path, struct stat *st, int *fd, struct err *e)
{
	int r;

	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0)
		return is_none(errno) ? 0 : err_sys(e, "open %s", path);
	r = fstat(*fd, st) < 0 ? err_sys(e, "stat %s", path) :
	    S_ISREG(st->st_mode);
	if (r == 1)
		return 1;
	close(*fd);
	*fd = -1;
	return r;
}

int
file_open_single(const char *path, struct stat *st, int *fd, struct err *e)
{
	int r = file_open(path, st, fd, e);

	if (r <= 0 || st->st_nlink <= 1)
		return r;
	close(*fd);
	*fd = -1;
	return err_set(e, FAULT_DATA, "%s: the file has %lu names: it may be one "
	    "of another directory", path, (unsigned long)st->st_nlink);
}

int
file_text(int fd, size_t most, struct buf *text, struct err *e)
{
	size_t before = text->n, step = 4096;
	ssize_t n;

	for (;;) {
		n = pread(fd, buf_room(text, step), step, (off_t)(text->n - before));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		text->n += (size_t)n;
		if (text->n - before > most)
			return err_set(e, FAULT_DATA, "is longer than %zu octets",
			    most);
		if ((size_t)n < step)
			return 0;	/* a regular file gives all it has */
		step = text->n - before;
	}
}

int
file_read(const char *path, size_t most, struct buf *text, struct err *e)
{
	struct stat st;
	int fd, r = file_open(path, &st, &fd, e);

	if (r <= 0)
		return r;
	r = file_text(fd, most, text, e) < 0 ? err_in(e, "%s", path) : 1;
	close(fd);
	return r;
}

int
file_conf(const char *path, size_t most, struct buf *text, struct err *e)
{
	char *real = realpath(path, NULL);
	int r = file_read(real != NULL ? real : path, most, text, e);

	free(real);
	return r;
}

int
dir_open(const char *path, DIR **dir, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd >= 0 && (*dir = fdopendir(fd)) != NULL)
		return 1;
	r = is_none(errno) ? 0 : err_sys(e, "open %s", path);
	if (fd >= 0)
		close(fd);
	return r;
}

bool
dir_is_there(const char *dir, const char *name)
{
	struct buf path = {0};
	struct stat st;
	bool yes;

	buf_addf(&path, "%s/%s", dir, name);
	yes = lstat(buf_str(&path), &st) == 0 ? S_ISDIR(st.st_mode) :
	    errno == EACCES;
	buf_free(&path);
	return yes;
}

bool
dir_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 &&
	    x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

char *
dir_real(const char *path)
{
	char *real = realpath(path, NULL);

	return real == NULL && errno == EACCES ? span_dup(span_of(path)) : real;
}

int
dir_absolute(struct spool *s, struct err *e)
{
	char *real = realpath(s->dir, NULL);

	if (real == NULL)
		return err_sys(e, "%s", s->dir);
	free(s->dir);
	s->dir = real;
	return 0;
}

bool
path_is_plain(const char *path)
{
	struct span rest = span_of(path), part;

	if (*path != '/')
		return false;
	rest = span_from(rest, 1);
	while (span_cut(&rest, '/', &part))
		if (part.n == 0 || span_is(part, ".") || span_is(part, ".."))
			return false;
	return true;
}

bool
path_is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}
