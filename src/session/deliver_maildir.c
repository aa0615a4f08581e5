/*
 * Into a Maildir: each message a file of its own, written in tmp, renamed into new.
 *
 *	what a crash leaves		and what becomes of it
 *	a file in tmp			nobody has it; whoever looks after a Maildir removes
 *					what has lain there for 36 hours
 *	a file in new, not acknowledged	it comes once more
 *
 * Octets are on the disk before a file gets its name in new; that the name is, too, is
 * awaited once for all that wait (syncfs), and only then they are acknowledged.
 *
 * The envelope stands in front (Return-Path, Delivered-To for each recipient, Received),
 * lines end in LF.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "session/deliver_own.h"

#define HOST_SHOWN 64

/* One whose text has ended; or the one under way, without a token. */
struct written {
	unsigned token;
	int fd;			/* -1: none yet */
	int error;		/* what was wrong with it; 0 */
	char name[160];
};

struct maildir_out {
	struct deliver d;
	char *path;
	int dir, tmp, new;
	char host[HOST_SHOWN + 1];
	unsigned count;

	char *sender;
	struct { char **p; size_t n, room; } rcpts;
	struct written now;
	bool cr;		/* the last octet was one, and is not written */
	struct buf text;	/* not written yet */
	struct written waiting[DELIVER_TOGETHER];
	size_t n;
};

#define TEXT_MOST 65536

static struct maildir_out *
own(struct deliver *d)
{
	return (struct maildir_out *)d;
}

/* ---- a message's file ---- */

static void
name_it(struct maildir_out *m)
{
	struct timeval t;

	gettimeofday(&t, NULL);
	snprintf(m->now.name, sizeof m->now.name, "%lld.M%06ldP%ldQ%u.%s",
	    (long long)t.tv_sec, (long)t.tv_usec, (long)getpid(), ++m->count,
	    m->host);
}

static void
write_out(struct maildir_out *m)
{
	struct span rest = buf_span(&m->text);
	ssize_t n;

	while (m->now.error == 0 && rest.n > 0) {
		n = write(m->now.fd, rest.p, rest.n);
		if (n < 0 && errno != EINTR)
			m->now.error = errno;
		else
			rest = span_from(rest, n > 0 ? (size_t)n : 0);
	}
	buf_clear(&m->text);
}

static void
begin(struct maildir_out *m)
{
	if (m->now.fd >= 0 || m->now.error != 0)
		return;
	name_it(m);
	m->now.fd = openat(m->tmp, m->now.name, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->now.fd < 0) {
		m->now.error = errno;
		return;
	}
	buf_addf(&m->text, "Return-Path: <%s>\n", m->sender);
	for (size_t i = 0; i < m->rcpts.n; i++)
		buf_addf(&m->text, "Delivered-To: %s\n", m->rcpts.p[i]);
	m->d.opts.trace(m->d.opts.arg, &m->text);
}

/* CRLF becomes LF; there is no other CR. */
static void
add_text(struct maildir_out *m, struct span s)
{
	begin(m);
	while (s.n > 0 && m->now.error == 0) {
		size_t n = span_find(s, '\r');

		if (m->cr && *s.p != '\n')
			buf_addc(&m->text, '\r');
		m->cr = n < s.n;
		buf_add(&m->text, s.p, n);
		s = span_from(s, n + m->cr);
		if (m->text.n >= TEXT_MOST)
			write_out(m);
	}
}

static void
drop(struct maildir_out *m, struct written *w)
{
	if (w->fd >= 0) {
		close(w->fd);
		unlinkat(m->tmp, w->name, 0);
	}
	*w = (struct written){ .fd = -1 };
}

static void
forget(struct maildir_out *m)
{
	drop(m, &m->now);
	for (size_t i = 0; i < m->rcpts.n; i++)
		free(m->rcpts.p[i]);
	vec_free(&m->rcpts);
	free(m->sender);
	m->sender = NULL;
	buf_clear(&m->text);
	m->cr = false;
}

/* ---- making it safe ---- */

static void
refuse(struct maildir_out *m, unsigned token, int error)
{
	struct buf text = {0};
	bool full = error == ENOSPC || error == EDQUOT;

	buf_addf(&text, "%s: %s", m->path, strerror(error));
	deliver_say(&m->d, token, full ? 452 : 451, full ? "4.3.1" : "4.3.0",
	    buf_str(&text));
	buf_free(&text);
}

/* The octets are on their way to the disk, or there; 0 or -1. */
static int
push(int fd, bool wait)
{
#ifdef SYNC_FILE_RANGE_WRITE
	unsigned how = SYNC_FILE_RANGE_WRITE;

	if (wait)
		how |= SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER;
	return sync_file_range(fd, 0, 0, how) == 0 || errno == ENOSYS ||
	    errno == EINVAL || errno == ESPIPE ? 0 : -1;
#else
	return wait ? fsync(fd) : 0;
#endif
}

/* Never over another file. */
static int
move_in(struct maildir_out *m, const char *name)
{
	int r = -1;

#ifdef RENAME_NOREPLACE
	r = renameat2(m->tmp, name, m->new, name, RENAME_NOREPLACE);
	if (r == 0 || (errno != ENOSYS && errno != EINVAL))
		return r;
#endif
	r = linkat(m->tmp, name, m->new, name, 0);
	return r == 0 ? unlinkat(m->tmp, name, 0) : r;
}

static int
make_safe(int dir)
{
#ifdef __linux__
	return syncfs(dir);
#else
	return fsync(dir);
#endif
}

static void
put(struct maildir_out *m, struct written *w)
{
	if (w->error == 0 && push(w->fd, true) < 0)
		w->error = errno;
	if (close(w->fd) < 0 && w->error == 0)
		w->error = errno;
	if (w->error == 0 && move_in(m, w->name) < 0)
		w->error = errno;
	if (w->error != 0)
		unlinkat(m->tmp, w->name, 0);
}

/* All that wait, at once. */
static void
settle(struct deliver *d)
{
	struct maildir_out *m = own(d);
	int error = 0;

	if (m->n == 0)
		return;
	for (size_t i = 0; i < m->n; i++)
		put(m, &m->waiting[i]);
	if (make_safe(m->new) < 0)
		error = errno;
	for (size_t i = 0; i < m->n; i++) {
		struct written *w = &m->waiting[i];

		if (error != 0 && w->error == 0) {
			w->error = error;
			unlinkat(m->new, w->name, 0);
		}
		if (w->error != 0)
			refuse(m, w->token, w->error);
		else
			deliver_say(d, w->token, 250, "2.0.0", w->name);
	}
	m->n = 0;
}

static void
end(struct maildir_out *m, unsigned token)
{
	add_text(m, (struct span){0});
	if (m->cr)
		buf_addc(&m->text, '\r');
	write_out(m);
	if (m->now.error != 0) {
		refuse(m, token, m->now.error);
		forget(m);
		return;
	}
	push(m->now.fd, false);
	m->now.token = token;
	m->waiting[m->n++] = m->now;
	m->now = (struct written){ .fd = -1 };
	forget(m);
	if (m->n == DELIVER_TOGETHER)
		settle(&m->d);
}

static void
take(struct deliver *d, struct question *q)
{
	struct maildir_out *m = own(d);

	switch (q->about) {
	case ABOUT_MAIL:
		forget(m);
		m->sender = q->env.sender;
		q->env.sender = NULL;
		deliver_say(d, q->token, 250, "2.1.0", "ok");
		break;
	case ABOUT_RCPT:
		*vec_add(&m->rcpts) = q->env.rcpts.p[0].address;
		q->env.rcpts.p[0].address = NULL;
		deliver_say(d, q->token, 250, "2.1.5", "ok");
		break;
	case ABOUT_TEXT:
		add_text(m, buf_span(&q->text));
		break;
	case ABOUT_END:
		end(m, q->token);
		break;
	default:
		forget(m);
	}
}

/* ---- the rest ---- */

static bool
full(const struct deliver *d)
{
	(void)d;
	return false;
}

static bool
move(struct deliver *d)
{
	(void)d;
	return false;
}

static bool
owes(const struct deliver *d)
{
	return ((const struct maildir_out *)d)->n > 0;
}

static void
polls(struct deliver *d, struct pollfd p[2], int64_t *deadline)
{
	(void)d, (void)p, (void)deadline;
}

static void
finish(struct deliver *d)
{
	struct maildir_out *m = own(d);

	forget(m);
	for (size_t i = 0; i < m->n; i++)
		drop(m, &m->waiting[i]);
	if (m->new >= 0)
		close(m->new);
	if (m->tmp >= 0)
		close(m->tmp);
	if (m->dir >= 0)
		close(m->dir);
	buf_free(&m->text);
	free(m->path);
	free(m);
}

static const struct deliver_kind kind = { take, full, move, settle, owes, polls,
    finish };

/* A directory of it, made where there is none; -1. */
static int
open_dir(int at, const char *name)
{
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* No `/' and no `:' in a file's name. */
static void
our_name(char *host)
{
	if (gethostname(host, HOST_SHOWN) < 0)
		*host = '\0';
	if (*host == '\0')
		strncat(host, "localhost", HOST_SHOWN);
	for (; *host != '\0'; host++)
		if (*host == '/' || *host == ':' || (unsigned char)*host <= ' ')
			*host = '_';
}

struct deliver *
deliver_maildir(const struct deliver_opts *o, const char *dir, struct err *e)
{
	struct maildir_out *m = must(calloc(1, sizeof *m));

	*m = (struct maildir_out){ .d = { &kind, *o }, .dir = -1, .tmp = -1,
	    .new = -1, .now.fd = -1 };
	m->path = span_dup(span_of(dir));
	our_name(m->host);
	if (*dir == '\0')
		err_set(e, FAULT_USAGE, "--deliver: maildir: which directory?");
	else if ((m->dir = open_dir(AT_FDCWD, dir)) < 0 ||
	    (m->tmp = open_dir(m->dir, "tmp")) < 0 ||
	    (m->new = open_dir(m->dir, "new")) < 0 ||
	    (mkdirat(m->dir, "cur", 0700) < 0 && errno != EEXIST))
		err_sys(e, "%s", dir);
	else if (faccessat(m->tmp, ".", W_OK, AT_EACCESS) < 0 ||
	    faccessat(m->new, ".", W_OK, AT_EACCESS) < 0)
		err_sys(e, "%s", dir);
	if (e->fault == FAULT_NONE)
		return &m->d;
	finish(&m->d);
	return NULL;
}
