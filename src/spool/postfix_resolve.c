/*
 * Where an address goes, asked of Postfix's own resolver, trivial-rewrite(8), over the
 * queue's socket private/rewrite: the answer that qmgr(8) would get, without a
 * delivery.  Both sides send lists of strings, name and value, a NUL behind each,
 * and one more behind the list.  Since 3.6 the resolver says first who it is.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/postfix.h"
#include "wire/path.h"

#define PATIENCE_MS 10000
#define REPLY_MAX 65536
#define FLAG_FAIL (1 << 3)

/* Master listens for its children: refused means that it is not there. */
static int
dial(const struct spool *s, struct pf_own *own, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct buf path = {0};
	int fd = -1;

	buf_addf(&path, "%s/private/rewrite", s->dir);
	if (path.n >= sizeof to.sun_path) {
		err_set(e, FAULT_IO, "%s: too long for a socket", buf_str(&path));
	} else {
		memcpy(to.sun_path, path.p, path.n);
		/* one that nobody accepts from would block in connect() */
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
			own->down = errno == ECONNREFUSED || errno == ENOENT;
			if (!own->down)
				err_sys(e, "ask Postfix's resolver at %s",
				    buf_str(&path));
			if (fd >= 0)
				close(fd);
			fd = -1;
		}
	}
	buf_free(&path);
	return fd;
}

static void
attribute(struct buf *b, const char *name, const char *value)
{
	buf_add(b, name, strlen(name) + 1);
	buf_add(b, value, strlen(value) + 1);
}

/* The next string that a NUL ends; false: it has not all come. */
static bool
next(struct span *list, struct span *one)
{
	return span_find(*list, '\0') < list->n && span_cut(list, '\0', one);
}

/* Is the list that names a transport there, to its end? */
static bool
understand(struct span list, struct pf_answer *a)
{
	struct span name, value, transport = {0}, hop = {0};
	long long flags = 0;

	while (next(&list, &name)) {
		if (name.n == 0 && transport.n > 0) {
			buf_addspan(&a->transport, transport);
			buf_addspan(&a->hop, hop);
			a->failed = (flags & FLAG_FAIL) != 0;
			return true;
		}
		if (name.n == 0)
			continue;
		if (!next(&list, &value))
			break;
		if (span_is(name, "transport"))
			transport = value.n > 0 ? value : SPAN("-");
		else if (span_is(name, "nexthop"))
			hop = value;
		else if (span_is(name, "flags"))
			span_number(value, &flags);
	}
	return false;
}

static int
converse(int fd, struct span request, struct pf_answer *a, struct err *e)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int64_t deadline = clock_in(PATIENCE_MS);
	struct buf reply = {0};
	ssize_t n = 0;
	int r = 0;

	if (send(fd, request.p, request.n, MSG_NOSIGNAL) != (ssize_t)request.n)
		r = err_sys(e, "ask Postfix's resolver");
	while (r == 0 && !understand(buf_span(&reply), a)) {
		if (poll(&p, 1, clock_left(deadline)) == 0)
			r = err_set(e, FAULT_TEMP, "Postfix's resolver does not "
			    "answer");
		else if ((n = recv(fd, buf_room(&reply, 4096), 4096, 0)) > 0)
			reply.n += (size_t)n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			r = err_set(e, FAULT_TEMP, "Postfix's resolver hangs up");
		if (reply.n > REPLY_MAX)
			r = err_set(e, FAULT_TEMP, "Postfix's resolver does not say "
			    "where mail goes");
	}
	buf_free(&reply);
	return r;
}

int
pf_resolve(struct spool *s, const char *sender, const char *address,
    struct pf_answer *a, struct err *e)
{
	struct pf_own *own = pf_own(s, e);
	struct buf request = {0}, raw = {0};
	int fd, r = -1;

	if (own->down || own->mute)
		return 0;
	attribute(&request, "request", "resolve");
	path_unquote(&raw, span_of(sender));
	attribute(&request, "sender", buf_str(&raw));
	buf_clear(&raw);
	path_unquote(&raw, span_of(address));
	attribute(&request, "address", buf_str(&raw));
	buf_addc(&request, '\0');
	if ((fd = dial(s, own, e)) >= 0) {
		r = converse(fd, buf_span(&request), a, e);
		close(fd);
	}
	own->mute = r < 0;
	buf_free(&raw);
	buf_free(&request);
	return own->down ? 0 : r < 0 ? -1 : 1;
}

void
pf_answer_free(struct pf_answer *a)
{
	buf_free(&a->transport);
	buf_free(&a->hop);
}
