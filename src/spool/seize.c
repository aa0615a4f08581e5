#include "spool/seize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "spool/file.h"

#define PIECE 65536

bool
seize_is_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static enum claim
lock(int fd, const char *path, nlink_t names, struct stat *st, struct err *e)
{
	if (fstat(fd, st) < 0)
		return (enum claim)err_sys(e, "stat %s", path);
	if (!S_ISREG(st->st_mode))
		return CLAIM_GONE;
	if (st->st_nlink > names)
		return (enum claim)err_set(e, FAULT_DATA, "%s: the file has %lu "
		    "names", path, (unsigned long)st->st_nlink);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? CLAIM_BUSY :
		    (enum claim)err_sys(e, "lock %s", path);
	/* what it was before we had the lock is a hint at best */
	if (fstat(fd, st) < 0)
		return (enum claim)err_sys(e, "stat %s", path);
	return st->st_nlink > 0 && seize_is_at(fd, path) ? CLAIM_OURS : CLAIM_GONE;
}

enum claim
seize(const char *path, nlink_t names, int *fd, struct stat *st, struct err *e)
{
	enum claim r;

	*fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
		    errno == ENXIO || errno == EISDIR ? CLAIM_GONE :
		    (enum claim)err_sys(e, "open %s", path);
	r = lock(*fd, path, names, st, e);
	if (r != CLAIM_OURS) {
		close(*fd);
		*fd = -1;
	}
	return r;
}

int
seize_mark(int fd, const char *path, off_t at, char was, char now, struct err *e)
{
	struct stat st;
	char there = 0;

	if (fstat(fd, &st) < 0 || pread(fd, &there, 1, at) < 0)
		return err_sys(e, "read %s", path);
	if (there != was)
		return err_set(e, FAULT_DATA, "%s: no recipient at octet %lld: not "
		    "marked", path, (long long)at);
	if (pwrite(fd, &now, 1, at) != 1 ||
	    futimens(fd, (struct timespec[]){ st.st_atim, st.st_mtim }) < 0 ||
	    fdatasync(fd) < 0)
		return err_sys(e, "mark a recipient in %s", path);
	return 0;
}

int
seize_append(int fd, const char *path, struct span text, struct err *e)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", path);
	n = pwrite(fd, text.p, text.n, st.st_size);
	if (n == (ssize_t)text.n)
		return fdatasync(fd) == 0 ? 0 : err_sys(e, "write %s", path);
	if (n >= 0)
		errno = ENOSPC;
	err_sys(e, "write %s", path);
	if (n > 0 && ftruncate(fd, st.st_size) < 0)
		err_in(e, "half a line at its end");
	return -1;
}

int
seize_write(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		s = span_from(s, (size_t)n);
	}
	return 0;
}

int
seize_copy(int from, off_t at, off_t end, int to)
{
	struct buf piece = {0};
	ssize_t n;
	int r = 0;

	while (r == 0 && at != end) {
		n = pread(from, buf_room(&piece, PIECE), end < 0 || end - at > PIECE ?
		    PIECE : (size_t)(end - at), at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = (int)n;
			break;
		}
		at += n;
		r = seize_write(to, (struct span){ piece.p, (size_t)n });
	}
	buf_free(&piece);
	return r;
}

int
seize_like(int from, int to)
{
	struct stat st;

	if (fstat(from, &st) < 0 ||
	    (geteuid() == 0 && fchown(to, st.st_uid, st.st_gid) < 0) ||
	    fchmod(to, st.st_mode & 07777) < 0 ||
	    futimens(to, (struct timespec[]){ st.st_atim, st.st_mtim }) < 0)
		return -1;
	return fsync(to);
}

int
seize_make_dir(const char *path, const char *like, struct err *e)
{
	struct stat st;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : err_sys(e, "mkdir %s", path);
	if (geteuid() == 0 && stat(like, &st) == 0 &&
	    chown(path, st.st_uid, st.st_gid) < 0 && errno != ENOENT)
		return err_sys(e, "chown %s", path);
	return 0;
}

int
seize_sync_dir(const char *path, struct err *e)
{
	char *dir = span_dup((struct span){ path, strlen(path) -
	    strlen(ref_name(path)) });
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fsync(fd) < 0)
		r = err_sys(e, "sync %s", dir);
	if (fd >= 0)
		close(fd);
	free(dir);
	return r;
}

/*
 * The directory is ours to sync, whatever becomes of its name: another run may remove it
 * when it is empty.  Then it is its going that must stay.
 */
int
seize_remove(const char *path, struct err *e)
{
	struct buf dir = {0};
	struct stat st;
	int fd, r = 0;

	buf_add(&dir, path, strlen(path) - strlen(ref_name(path)));
	fd = open(buf_str(&dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (unlink(path) < 0 && errno != ENOENT))
		r = err_sys(e, "remove %s", path);
	else if (fsync(fd) < 0 || fstat(fd, &st) < 0)
		r = err_sys(e, "sync %s", dir.p);
	else if (st.st_nlink == 0) {
		dir.n--;
		r = seize_sync_dir(buf_str(&dir), e);
	}
	if (fd >= 0)
		close(fd);
	buf_free(&dir);
	return r;
}

int
seize_move(const char *from, const char *to)
{
#ifdef RENAME_NOREPLACE
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != ENOSYS && errno != EINVAL)
		return -1;
#endif
	return link(from, to) < 0 || unlink(from) < 0 ? -1 : 0;
}

size_t
seize_pending(const struct message *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->env.rcpts.n; i++)
		n += !m->env.rcpts.p[i].done;
	return n;
}

bool
seize_is_done(const struct result *r)
{
	return r->fate == FATE_DELIVERED || r->fate == FATE_RELAYED;
}
