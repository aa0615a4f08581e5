/* Writing Postfix's logs: defer/ID and trace/ID. */
#include "spool/postfix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LOG_SIZE (64 << 20)	/* a log that is larger is damaged */

int
pf_log_text(struct spool *s, const char *log, const char *id, struct buf *text,
    struct err *e)
{
	struct buf path = {0};
	ssize_t n = 0;
	int fd = -1, there = pf_log_path(s, log, id, &path, e);

	if (there > 0)
		fd = open(buf_str(&path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (there > 0 && fd < 0 && errno != ENOENT)
		there = err_sys(e, "open %s", path.p);
	while (fd >= 0 && text->n < LOG_SIZE &&
	    (n = read(fd, buf_room(text, 4096), 4096)) > 0)
		text->n += (size_t)n;
	if (n < 0)
		there = err_sys(e, "read %s", path.p);
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return there < 0 ? -1 : 0;
}

int
pf_log_remove(struct spool *s, const char *log, const char *id, struct err *e)
{
	struct buf path = {0};
	int r = pf_log_path(s, log, id, &path, e);

	if (r > 0 && unlink(buf_str(&path)) < 0 && errno != ENOENT)
		r = err_sys(e, "remove %s", path.p);
	buf_free(&path);
	return r < 0 ? -1 : 0;
}

/* Only root can, and only root need: anybody else's file is his own. */
static int
give(int fd, const struct stat *like)
{
	return geteuid() != 0 || fchown(fd, like->st_uid, like->st_gid) == 0 ?
	    0 : -1;
}

/* Makes the directories of `path` that the queue lacks: hashed ones. */
static int
make_dirs(const struct spool *s, const char *path, const struct stat *like)
{
	const char *slash = path + strlen(s->dir);
	char *dir;
	int r = 0;

	while (r == 0 && (slash = strchr(slash + 1, '/')) != NULL) {
		dir = span_dup((struct span){ path, (size_t)(slash - path) });
		if (mkdir(dir, 0700) < 0)
			r = errno == EEXIST ? 0 : -1;
		else if (geteuid() == 0)
			r = chown(dir, like->st_uid, like->st_gid);
		free(dir);
	}
	return r;
}

static int
create(const struct spool *s, const char *path, int how,
    const struct stat *like)
{
	int fd;

	how |= O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	fd = open(path, how, 0600);
	if (fd < 0 && errno == ENOENT && make_dirs(s, path, like) == 0)
		fd = open(path, how, 0600);
	return fd;
}

static int
write_all(int fd, struct span text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			text = span_from(text, (size_t)n);
	}
	return fsync(fd);
}

static int
sync_dir(const char *path)
{
	char *dir = span_dup((struct span){ path,
	    (size_t)(strrchr(path, '/') - path) });
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -1 : fsync(fd);

	free(dir);
	if (fd >= 0)
		close(fd);
	return r;
}

int
pf_log_write(struct spool *s, const char *log, const struct message *m,
    const struct stat *like, struct span text, struct err *e)
{
	struct buf path = {0};
	int fd, r = 0;

	if (pf_log_remove(s, log, m->id, e) < 0)
		return -1;
	if (text.n == 0)
		return 0;
	if (pf_log_path(s, log, m->id, &path, e) < 0) {
		buf_free(&path);
		return -1;
	}
	fd = create(s, buf_str(&path), O_EXCL, like);
	if (fd < 0 || give(fd, like) < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
	    write_all(fd, text) < 0 || sync_dir(path.p) < 0) {
		r = err_sys(e, "write %s", path.p);
		if (fd >= 0)
			unlink(path.p);
	}
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return r;
}

int
pf_log_append(struct spool *s, const char *log, const struct message *m,
    const struct stat *like, struct span text, struct err *e)
{
	struct buf path = {0};
	struct stat st;
	int fd = -1, r = 0;

	if (pf_log_path(s, log, m->id, &path, e) < 0) {
		buf_free(&path);
		return -1;
	}
	fd = create(s, buf_str(&path), O_APPEND, like);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 ||
	    give(fd, like) < 0)
		r = err_sys(e, "open %s", path.p);
	else if (write_all(fd, text) < 0 || sync_dir(path.p) < 0) {
		r = err_sys(e, "write %s", path.p);
		if (ftruncate(fd, st.st_size) < 0)
			err_in(e, "left with half a block");
	}
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return r;
}
