#include "spool/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "spool/seize.h"

static bool
is_done(const struct message *m, const char *address)
{
	for (size_t i = 0; i < m->env.rcpts.n; i++)
		if (strcmp(m->env.rcpts.p[i].address, address) == 0)
			return m->env.rcpts.p[i].done;
	return false;
}

int
maildir_put_lines(const struct maildir_head *h, const struct message *m, int to)
{
	int r = 0;

	for (size_t i = 0; i < h->lines.n && r == 0; i++) {
		const struct maildir_line *l = &h->lines.p[i];

		if (l->field != h->rcpts || !is_done(m, l->address))
			r = seize_write(to, (struct span){ h->text.p + l->start,
			    l->end - l->start });
	}
	return r;
}

/* The file without the lines of those that are done. */
static int
copy(int from, const char *ref, int to, const struct message *m, struct err *e)
{
	struct maildir_head h = {0};
	int r;

	if (maildir_head(&h, from, ref, e) < 0)
		return -1;
	r = maildir_put_lines(&h, m, to);
	if (r == 0)
		r = seize_copy(from, h.body, -1, to);
	maildir_head_free(&h);
	return r < 0 ? err_sys(e, "%s: copy", ref) : 0;
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
		    seize_like(from, to) == 0 && rename(new, ref) == 0)
			return to;
		err_sys(e, "%s: write it anew", ref);
	}
	unlink(new);
	close(to);
	return -1;
}
