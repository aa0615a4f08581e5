#include "session/rates.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define NAME_MOST 200		/* octets of who: a file's name has 255 */
#define FORGET_S 7200		/* longer than any rate looks back */
#define SWEEP_S 900

/* ---- what has been forgotten ---- */

/* Is this file one that nobody has counted in, or locked, for so long? */
static bool
is_old(int fd, time_t seconds)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_mtime < time(NULL) - seconds;
}

/* A lock keeps those away who would count in what is gone: open_locked() looks again. */
static void
forget(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return;
	if (is_old(fd, FORGET_S) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    is_old(fd, FORGET_S))
		unlinkat(dir, name, 0);
	close(fd);
}

static void
forget_old(int dir)
{
	int own = openat(dir, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	DIR *all = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *d;

	while (all != NULL && (d = readdir(all)) != NULL)
		if (d->d_name[0] != '.')
			forget(dir, d->d_name);
	if (all != NULL)
		closedir(all);
	else if (own >= 0)
		close(own);
}

/* Addresses come without end: their files must not.  Seldom, and one at a time. */
static void
sweep(int dir)
{
	int fd = openat(dir, ".swept", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	struct stat st;

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
	    (st.st_size == 0 || is_old(fd, SWEEP_S))) {
		/* not done if it could not be noted */
		if (pwrite(fd, "\n", 1, 0) == 1)
			forget_old(dir);
	}
	close(fd);
}

/* ---- files ---- */

int
rates_open(struct err *e)
{
	const char *dir = getenv("TIDEGATE_RUN");
	struct buf path = {0};
	int fd;

	buf_addf(&path, "%s", dir != NULL && *dir ? dir : "/run/tidegate");
	if (mkdir(buf_str(&path), 0755) < 0 && errno != EEXIST) {
		err_sys(e, "%s", buf_str(&path));
		buf_free(&path);
		return -1;
	}
	buf_adds(&path, "/turn-server");
	if ((mkdir(buf_str(&path), 0700) < 0 && errno != EEXIST) ||
	    (fd = open(buf_str(&path), O_DIRECTORY | O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW)) < 0)
		fd = err_sys(e, "%s", buf_str(&path));
	buf_free(&path);
	if (fd >= 0)
		sweep(fd);
	return fd;
}

/* A file's name that no text can lead astray. */
static void
add_name(struct buf *b, const char *what, const char *who)
{
	buf_addf(b, "%s-", what);
	for (; *who != '\0' && b->n < NAME_MOST; who++) {
		unsigned char c = (unsigned char)*who;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z'))
			buf_addc(b, (char)c);
		else
			buf_addf(b, "+%02X", c);
	}
}

/* -2: somebody else has it; -1. */
static int
lock(int fd, int how, struct err *e)
{
	while (flock(fd, how) < 0) {
		if (errno == EWOULDBLOCK)
			return -2;
		if (errno != EINTR)
			return err_sys(e, "lock");
	}
	return 0;
}

/* Has it been swept away between open() and flock()? */
static bool
is_gone(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

static int
open_locked(int dir, const char *what, const char *who, int how, struct err *e)
{
	struct buf name = {0};
	int fd = -1, r = 0;

	add_name(&name, what, who);
	do {
		if (fd >= 0)
			close(fd);
		fd = openat(dir, buf_str(&name), O_RDWR | O_CREAT | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
		r = fd < 0 ? err_sys(e, "open %s in the run directory",
		    buf_str(&name)) : lock(fd, how, e);
	} while (r == 0 && is_gone(fd));
	buf_free(&name);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

int
rates_lock(int dir, const char *what, const char *who, struct err *e)
{
	return open_locked(dir, what, who, LOCK_EX | LOCK_NB, e);
}

/*
 * `COUNT SINCE', always as long: where a disk is full it can still be written anew.  It
 * is written even if nothing is added, so that nobody is told that he may try as long as
 * his failure could not be counted.
 */
static int
count(int fd, const struct rate *r, bool add, struct err *e)
{
	char text[64] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	long long times = 0, since = 0, now = (long long)time(NULL);

	if (n < 0)
		return err_sys(e, "read");
	if (sscanf(text, "%lld %lld", &times, &since) != 2 || since > now ||
	    now - since >= r->seconds || times < 0) {
		times = 0;
		since = now;
	}
	times += add;
	n = snprintf(text, sizeof text, "%10lld %20lld\n", times, since);
	if (pwrite(fd, text, (size_t)n, 0) != n)
		return err_sys(e, "write");
	return times >= r->most + add;
}

int
rates_count(int dir, const struct rate *r, const char *who, bool add, struct err *e)
{
	int fd, over;

	if (r->most == 0)
		return 0;
	if ((fd = open_locked(dir, r->what, who, LOCK_EX, e)) < 0)
		return -1;
	over = count(fd, r, add, e);
	close(fd);
	return over;
}
