/*
 * A preload that stops or fails a program at one of its steps on disk, so that a
 * test can be run at each of them in turn:
 *
 *	STEPS_IN=PROGRAM	only this program (its children may have others)
 *	STEPS_UNDER=DIR		only files below it
 *	STEPS_LOG=FILE		gets a line a step: `NUMBER CALL PATH'
 *	STEPS_AT=NUMBER		at this step (the first is 1)
 *	STEPS_DO=kill		the program is gone right after it (SIGKILL); or
 *		ENOSPC, EIO, EMFILE	the call fails with that, once
 *		full		it and all behind it fail with ENOSPC
 *	STEPS_RUN=COMMAND	run at that step, before the call, for a shell: what
 *				others may do just then; STEPS_DO is not looked at
 *	STEPS_OPENS=1		opening to read is a step, too
 *	STEPS_SAYS=1		what it says to a pipe or socket is logged between them, the
 *				first line of each: `0 says LINE'
 *	STEPS_HAS_NOT=CALL[,CALL]	this is a system that has no such call: ENOSYS
 *
 * A step is what changes something that stays: a file made, written, synced,
 * renamed, linked, unlinked, cut, or given another time, mode or owner.  What is
 * synced together is a step of the directory that was named.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long steps;

static const char *
setting(const char *name)
{
	const char *s = getenv(name);

	return s != NULL ? s : "";
}

static void *
real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static bool
is_meant(const char *path)
{
	const char *under = setting("STEPS_UNDER"), *in = setting("STEPS_IN");

	/* a sanitizer begins before there is an environment, and opens and makes things */
	if (*setting("STEPS_LOG") == '\0' && *setting("STEPS_AT") == '\0')
		return false;
	if (*in != '\0' && strcmp(in, program_invocation_short_name) != 0)
		return false;
	return *under == '\0' || strncmp(path, under, strlen(under)) == 0;
}

static void
record(long n, const char *call, const char *path)
{
	static int (*open_)(const char *, int, ...);
	static ssize_t (*write_)(int, const void *, size_t);
	const char *log = setting("STEPS_LOG");
	char line[4352];
	int fd, length;

	if (*log == '\0')
		return;
	*(void **)&open_ = real("open");
	*(void **)&write_ = real("write");
	fd = open_(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	length = snprintf(line, sizeof line, "%ld %s %s\n", n, call, path);
	if (fd < 0 || length < 0 || write_(fd, line, (size_t)length) != length)
		abort();
	close(fd);
}

static int
error_named(const char *s)
{
	return strcmp(s, "ENOSPC") == 0 ? ENOSPC : strcmp(s, "EIO") == 0 ? EIO :
	    strcmp(s, "EMFILE") == 0 ? EMFILE : 0;
}

/* What is to become of this call: > 0 it fails so; -1 killed after it; 0 nothing. */
static int
step(const char *call, const char *path)
{
	int saved = errno, fails;
	long n, at;

	if (!is_meant(path))
		return 0;
	at = atol(setting("STEPS_AT")); /* not before: a sanitizer that begins would spin */
	n = atomic_fetch_add(&steps, 1) + 1;
	record(n, call, path);
	errno = saved;
	if (strcmp(setting("STEPS_DO"), "full") == 0)
		return at > 0 && n >= at ? ENOSPC : 0;
	if (n != at)
		return 0;
	if (*setting("STEPS_RUN") != '\0') {
		if (system(setting("STEPS_RUN")) != 0)
			abort();
		errno = saved;
		return 0;
	}
	fails = error_named(setting("STEPS_DO"));
	return fails > 0 ? fails : -1;
}

static int
step_at(const char *call, int dir, const char *path)
{
	char link[64], where[4352];
	ssize_t n;

	if (*path == '/')
		return step(call, path);
	if (dir == AT_FDCWD)
		n = getcwd(where, 4096) != NULL ? (ssize_t)strlen(where) : -1;
	else {
		snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
		n = readlink(link, where, 4096);
	}
	if (n < 0)
		return 0;
	snprintf(where + n, sizeof where - (size_t)n, "/%.250s", path);
	return step(call, where);
}

static int
step_fd(const char *call, int fd)
{
	char link[64], where[4097];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, where, 4096);
	if (n < 0)
		return 0;
	where[n] = '\0';
	return step(call, where);
}

/* What goes to a peer, a line of the log for each of it. */
static void
said(int fd, const void *p, size_t n)
{
	const char *s = p, *end = s + n, *in = setting("STEPS_IN");
	char link[64], where[16], line[256];
	ssize_t got;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if (*setting("STEPS_SAYS") != '1' || (*in != '\0' &&
	    strcmp(in, program_invocation_short_name) != 0) ||
	    (got = readlink(link, where, sizeof where - 1)) < 0)
		return;
	where[got] = '\0';
	if (strncmp(where, "socket:", 7) != 0 && strncmp(where, "pipe:", 5) != 0)
		return;
	for (const char *lf; s < end; s = lf + 1) {
		if ((lf = memchr(s, '\n', (size_t)(end - s))) == NULL)
			lf = end;
		snprintf(line, sizeof line, "%.*s", (int)(lf - s -
		    (lf > s && lf[-1] == '\r')), s);
		record(0, "says", line);
	}
}

static int
says(int fd, const struct iovec *v, int n)
{
	for (int i = 0; i < n; i++)
		said(fd, v[i].iov_base, v[i].iov_len);
	return step_fd("writev", fd);
}

static bool
has_not(const char *call)
{
	return strstr(setting("STEPS_HAS_NOT"), call) != NULL;
}

static void
die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* The call NAME, returning TYPE, taking PARAMETERS, passed on as ARGUMENTS. */
#define STEP(type, name, parameters, arguments, ask)		\
type name parameters;						\
type name parameters						\
{								\
	static type (*next) parameters;				\
	int what = ask;						\
	type r;							\
								\
	if (next == NULL)					\
		*(void **)&next = real(#name);			\
	if (what > 0) {						\
		errno = what;					\
		return -1;					\
	}							\
	r = next arguments;					\
	if (what < 0)						\
		die();						\
	return r;						\
}

STEP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n),
    (said(fd, p, n), step_fd("write", fd)))
STEP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
    (fd, p, n, at), step_fd("pwrite", fd))
STEP(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at),
    (fd, p, n, at), step_fd("pwrite", fd))
STEP(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n),
    says(fd, v, n))
STEP(int, fsync, (int fd), (fd), step_fd("fsync", fd))
STEP(int, fdatasync, (int fd), (fd), step_fd("fdatasync", fd))
STEP(int, syncfs, (int fd), (fd),
    has_not("syncfs") ? ENOSYS : step_fd("syncfs", fd))
STEP(int, sync_file_range, (int fd, off64_t at, off64_t n, unsigned x),
    (fd, at, n, x), step_fd("sync_file_range", fd))
STEP(int, ftruncate, (int fd, off_t n), (fd, n), step_fd("ftruncate", fd))
STEP(int, ftruncate64, (int fd, off64_t n), (fd, n), step_fd("ftruncate", fd))
STEP(int, futimens, (int fd, const struct timespec t[2]), (fd, t),
    step_fd("futimens", fd))
STEP(int, fchmod, (int fd, mode_t mode), (fd, mode), step_fd("fchmod", fd))
STEP(int, fchown, (int fd, uid_t u, gid_t g), (fd, u, g), step_fd("fchown", fd))
STEP(int, rename, (const char *a, const char *b), (a, b),
    step_at("rename", AT_FDCWD, a))
STEP(int, renameat, (int d, const char *a, int f, const char *b), (d, a, f, b),
    step_at("rename", d, a))
STEP(int, renameat2, (int d, const char *a, int f, const char *b, unsigned x),
    (d, a, f, b, x), has_not("renameat2") ? ENOSYS : step_at("rename", d, a))
STEP(int, link, (const char *a, const char *b), (a, b),
    step_at("link", AT_FDCWD, b))
STEP(int, linkat, (int d, const char *a, int f, const char *b, int x),
    (d, a, f, b, x), step_at("link", f, b))
STEP(int, unlink, (const char *a), (a), step_at("unlink", AT_FDCWD, a))
STEP(int, unlinkat, (int d, const char *a, int x), (d, a, x),
    step_at("unlink", d, a))
STEP(int, rmdir, (const char *a), (a), step_at("rmdir", AT_FDCWD, a))
STEP(int, mkdir, (const char *a, mode_t mode), (a, mode),
    step_at("mkdir", AT_FDCWD, a))
STEP(int, mkdirat, (int d, const char *a, mode_t mode), (d, a, mode),
    step_at("mkdir", d, a))

static bool
counts(int flags)
{
	return (flags & (O_CREAT | O_TRUNC)) != 0 || *setting("STEPS_OPENS") == '1';
}

static int
open_at(const char *name, int dir, const char *path, int flags, mode_t mode)
{
	static int (*next)(int, const char *, int, ...);
	int what = counts(flags) ? step_at(name, dir, path) : 0, r;

	if (next == NULL)
		*(void **)&next = real("openat");
	if (what > 0) {
		errno = what;
		return -1;
	}
	r = next(dir, path, flags, mode);
	if (what < 0)
		die();
	return r;
}

#define OPEN(name, parameters, dir)				\
int name parameters;						\
int name parameters						\
{								\
	mode_t mode = 0;					\
	va_list ap;						\
								\
	va_start(ap, flags);					\
	if ((flags & (O_CREAT | O_TMPFILE)) != 0)		\
		mode = va_arg(ap, mode_t);			\
	va_end(ap);						\
	return open_at("open", dir, path, flags, mode);		\
}

OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int fd, const char *path, int flags, ...), fd)
OPEN(openat64, (int fd, const char *path, int flags, ...), fd)
