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

static bool
works_in(const char *pid, const char *dir)
{
	struct buf path = {0};
	bool yes;

	buf_addf(&path, "/proc/%s/cwd", pid);
	yes = dir_same(buf_str(&path), dir);
	buf_free(&path);
	return yes;
}

/* The next process of that name, in `pid'. */
static bool
next_called(DIR *proc, const char *name, const char **pid)
{
	struct buf text = {0};
	struct dirent *d;
	bool found = false;

	while (!found && (d = readdir(proc)) != NULL)
		if (is_pid(d->d_name) && span_is(say(d->d_name, "comm", &text), name)) {
			*pid = d->d_name;
			found = true;
		}
	buf_free(&text);
	return found;
}

int
holders_have(const char *name, const struct stat *file, struct err *e)
{
	DIR *proc = opendir("/proc");
	const char *pid;
	int r = 0;

	while (proc != NULL && r == 0 && next_called(proc, name, &pid))
		r = family_has(pid, file, e);
	if (proc != NULL)
		closedir(proc);
	return r;
}

long
holders_at(const char *name, const char *dir)
{
	DIR *proc = opendir("/proc");
	const char *pid;
	long found = 0;

	while (proc != NULL && found == 0 && next_called(proc, name, &pid))
		if (works_in(pid, dir))
			found = strtol(pid, NULL, 10);
	if (proc != NULL)
		closedir(proc);
	return found;
}
