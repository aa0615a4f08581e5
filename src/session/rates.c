#include "session/rates.h"

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

static int
open_locked(int dir, const char *what, const char *who, int how, struct err *e)
{
	struct buf name = {0};
	int fd;

	add_name(&name, what, who);
	fd = openat(dir, buf_str(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		err_sys(e, "open %s in the run directory", buf_str(&name));
	buf_free(&name);
	if (fd < 0)
		return -1;
	while (flock(fd, how) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			err_sys(e, "lock");
		close(fd);
		return errno == EWOULDBLOCK ? -2 : -1;
	}
	return fd;
}

int
rates_lock(int dir, const char *what, const char *who, struct err *e)
{
	return open_locked(dir, what, who, LOCK_EX | LOCK_NB, e);
}

/* `COUNT SINCE' */
static int
count(int fd, const struct rate *r, bool add, struct err *e)
{
	char text[64] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	long long times = 0, since = 0, now = (long long)time(NULL);
	struct buf b = {0};

	if (n < 0)
		return err_sys(e, "read");
	if (sscanf(text, "%lld %lld", &times, &since) != 2 || since > now ||
	    now - since >= r->seconds || times < 0) {
		times = 0;
		since = now;
	}
	times += add;
	buf_addf(&b, "%lld %lld\n", times, since);
	if (add && (ftruncate(fd, 0) < 0 || pwrite(fd, b.p, b.n, 0) < 0))
		times = err_sys(e, "write");
	buf_free(&b);
	return times < 0 ? -1 : times >= r->most + add;
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
