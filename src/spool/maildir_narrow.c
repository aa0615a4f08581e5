#include "spool/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PIECE 65536

static int
write_all(int fd, struct span s)
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

static bool
is_done(const struct message *m, const char *address)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (strcmp(m->env.rcpts.p[i].address, address) == 0)
			return m->env.rcpts.p[i].done;
	return false;
}

static int
copy_rest(int from, off_t at, int to)
{
	struct buf piece = {0};
	ssize_t n;
	int r = 0;

	while (r == 0) {
		n = pread(from, buf_room(&piece, PIECE), PIECE, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = (int)n;
			break;
		}
		at += n;
		r = write_all(to, (struct span){ piece.p, (size_t)n });
	}
	buf_free(&piece);
	return r;
}

/* The file without the lines of those that are done. */
static int
copy(int from, const char *ref, int to, const struct message *m, struct err *e)
{
	struct maildir_head h = {0};
	int r = 0;

	if (maildir_head(&h, from, ref, e) < 0)
		return -1;
	for (size_t i = 0; i < h.lines.n && r == 0; i++) {
		const struct maildir_line *l = &h.lines.p[i];

		if (l->field != h.rcpts || !is_done(m, l->address))
			r = write_all(to, (struct span){ h.text.p + l->start,
			    l->end - l->start });
	}
	if (r == 0)
		r = copy_rest(from, h.body, to);
	maildir_head_free(&h);
	return r < 0 ? err_sys(e, "%s: copy", ref) : 0;
}

static int
like_the_old(int from, int to)
{
	struct stat st;

	if (fstat(from, &st) < 0 ||
	    (geteuid() == 0 && fchown(to, st.st_uid, st.st_gid) < 0) ||
	    fchmod(to, st.st_mode & 07777) < 0 ||
	    futimens(to, (struct timespec[]){ st.st_atim, st.st_mtim }) < 0)
		return -1;
	return fsync(to);
}

/*
 * The new file is locked before it takes the old one's name: at no moment does
 * an unlocked file of ours lie there.
 */
int
maildir_narrow(int from, const char *ref, const char *new,
    const struct message *m, struct err *e)
{
	int to = open(new, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	    0600);

	if (to < 0)
		return err_sys(e, "open %s", new);
	if (copy(from, ref, to, m, e) == 0) {
		if (flock(to, LOCK_EX | LOCK_NB) == 0 &&
		    like_the_old(from, to) == 0 && rename(new, ref) == 0)
			return to;
		err_sys(e, "%s: write it anew", ref);
	}
	unlink(new);
	close(to);
	return -1;
}
