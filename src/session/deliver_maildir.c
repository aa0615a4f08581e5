/*
 * Into a Maildir: each message a file of its own, written in tmp, renamed into new.
 *
 *	it lies in	and is		what a crash leaves, and what becomes of it
 *	tmp		written		a file in tmp, whole or not, which nobody has;
 *					whoever looks after a Maildir removes what has
 *					lain there for 36 hours
 *	new		named		it there, whole, or in tmp; it comes once more
 *	new		acknowledged	it there
 *
 * A file is renamed when its octets are on the disk, and acknowledged when its name is,
 * too.  One sync does both, for all that wait: for those in tmp the former, for those in
 * new the latter.
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
#include "session/deliver_sync.h"

#define HOST_SHOWN 64

/* One whose text has ended; or the one under way, without a token. */
struct held {
	unsigned token;
	int fd;			/* -1: none yet, or none any more */
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
	struct held now;
	bool cr;		/* the last octet was one, and is not written */
	struct buf text;	/* not written yet */
	struct held held[2 * DELIVER_TOGETHER];
	size_t named, n;	/* the first lie in new, the others in tmp */
	bool shared;		/* sync_is_shared() */
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
drop(struct maildir_out *m, struct held *h)
{
	if (h->fd >= 0) {
		close(h->fd);
		unlinkat(m->tmp, h->name, 0);
	}
	*h = (struct held){ .fd = -1 };
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
	deliver_fail(&m->d, token, full ? 452 : 451, full ? "4.3.1" : "4.3.0",
	    buf_str(&text));
	buf_free(&text);
}

/* Never over another file. */
static int
move_in(struct maildir_out *m, const char *name)
{
#ifdef RENAME_NOREPLACE
	if (renameat2(m->tmp, name, m->new, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != ENOSYS && errno != EINVAL)
		return -1;
#endif
	if (linkat(m->tmp, name, m->new, name, 0) < 0)
		return -1;
	unlinkat(m->tmp, name, 0);	/* it is in new, whatever becomes of this */
	return 0;
}

/* The octets of those in tmp, the names of those in new; who could not be has an error. */
static void
make_safe(struct maildir_out *m)
{
	size_t alone = m->n - m->named + (m->named > 0);
	int error = 0;

	/* one alone need not wait for what others have written there */
	if (m->shared && alone > 1 && sync_together(m->tmp) == 0)
		return;
	for (size_t i = m->named; i < m->n; i++)
		if (fsync(m->held[i].fd) < 0)
			m->held[i].error = errno;
	if (m->named > 0 && sync_names(m->new) < 0)
		error = errno;
	for (size_t i = 0; i < m->named; i++)
		m->held[i].error = error;
}

static void
acknowledge(struct maildir_out *m, struct held *h)
{
	if (h->error == 0) {
		deliver_say(&m->d, h->token, 250, "2.0.0", h->name);
		return;
	}
	unlinkat(m->new, h->name, 0);
	refuse(m, h->token, h->error);
}

/* Its octets are safe, if it has no error; false: it comes to nothing. */
static bool
put(struct maildir_out *m, struct held *h)
{
	int fd = h->fd;

	h->fd = -1;
	if (close(fd) < 0 && h->error == 0)
		h->error = errno;
	if (h->error == 0 && move_in(m, h->name) < 0)
		h->error = errno;
	if (h->error == 0)
		return true;
	unlinkat(m->tmp, h->name, 0);
	refuse(m, h->token, h->error);
	return false;
}

static bool
settle(struct deliver *d)
{
	struct maildir_out *m = own(d);
	size_t named = 0;

	if (m->n == 0)
		return false;
	make_safe(m);
	for (size_t i = 0; i < m->named; i++)
		acknowledge(m, &m->held[i]);
	for (size_t i = m->named; i < m->n; i++)
		if (put(m, &m->held[i]))
			m->held[named++] = m->held[i];
	m->n = m->named = named;
	return true;
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
	m->now.token = token;
	m->held[m->n++] = m->now;
	m->now = (struct held){ .fd = -1 };
	forget(m);
	if (m->n - m->named == DELIVER_TOGETHER)
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
	for (size_t i = 0; i < m->named; i++)
		unlinkat(m->new, m->held[i].name, 0);
	for (size_t i = m->named; i < m->n; i++)
		drop(m, &m->held[i]);
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
	else if ((m->dir = sync_opendir(AT_FDCWD, dir)) < 0 ||
	    (m->tmp = sync_opendir(m->dir, "tmp")) < 0 ||
	    (m->new = sync_opendir(m->dir, "new")) < 0 ||
	    (mkdirat(m->dir, "cur", 0700) < 0 && errno != EEXIST))
		err_sys(e, "%s", dir);
	else if (faccessat(m->tmp, ".", W_OK, AT_EACCESS) < 0 ||
	    faccessat(m->new, ".", W_OK, AT_EACCESS) < 0)
		err_sys(e, "%s", dir);
	m->shared = m->tmp >= 0 && sync_is_shared(m->tmp);
	if (e->fault == FAULT_NONE)
		return &m->d;
	finish(&m->d);
	return NULL;
}
