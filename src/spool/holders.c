#include "spool/holders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/file.h"

/* What a file of /proc says, without its LF; nothing when the process is gone. */
static struct span
say(const char *pid, const char *what, struct buf *text)
{
	struct buf path = {0};
	ssize_t n = -1;
	int fd;

	buf_clear(text);
	buf_addf(&path, "/proc/%s/%s", pid, what);
	fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, buf_room(text, 4096), 4096);
	if (n > 0)
		text->n = (size_t)n;
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return span_trim(buf_span(text));
}

/* 1, 0, or -1 may not be looked at. */
static int
has_open(const char *pid, const struct stat *file, struct err *e)
{
	struct buf path = {0};
	struct dirent *d;
	struct stat st;
	DIR *dir;
	int r = 0;

	buf_addf(&path, "/proc/%s/fd", pid);
	dir = opendir(buf_str(&path));
	if (dir == NULL && errno != ENOENT && errno != ESRCH)
		r = err_sys(e, "look at %s", path.p);
	while (dir != NULL && r == 0 && (d = readdir(dir)) != NULL)
		r = *d->d_name != '.' && fstatat(dirfd(dir), d->d_name, &st, 0) == 0 &&
		    st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	if (dir != NULL)
		closedir(dir);
	buf_free(&path);
	return r;
}

static int
family_has(const char *pid, const struct stat *file, struct err *e)
{
	struct buf text = {0}, path = {0};
	struct span rest, child;
	int r = has_open(pid, file, e);

	buf_addf(&path, "task/%s/children", pid);
	rest = say(pid, buf_str(&path), &text);
	while (r == 0 && span_cut(&rest, ' ', &child)) {
		char *one = span_dup(child);

		r = has_open(one, file, e);
		free(one);
	}
	buf_free(&path);
	buf_free(&text);
	return r;
}

static bool
is_pid(const char *name)
{
	return *name >= '1' && *name <= '9';
}

/* Over all processes of that name; without a file: is there one? */
static int
each(const char *name, const struct stat *file, struct err *e)
{
	DIR *proc = opendir("/proc");
	struct buf text = {0};
	struct dirent *d;
	int r = 0;

	while (proc != NULL && r == 0 && (d = readdir(proc)) != NULL)
		if (is_pid(d->d_name) && span_is(say(d->d_name, "comm", &text), name))
			r = file != NULL ? family_has(d->d_name, file, e) : 1;
	if (proc != NULL)
		closedir(proc);
	buf_free(&text);
	return r;
}

int
holders_have(const char *name, const struct stat *file, struct err *e)
{
	return each(name, file, e);
}

bool
holders_run(const char *name)
{
	struct err none = {0};

	return each(name, NULL, &none) == 1;
}
