#include "session/note.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

/* What stands in front of a note's octets. */
struct head {
	int32_t what, code;
	uint32_t flags;
	uint32_t n[3];
	char status[12];
};

enum { HAS_MORE = 1, ENCRYPTED = 2 };

void
note_init(struct note *n, enum note_what what)
{
	*n = (struct note){ .what = what, .fd = -1 };
}

void
note_free(struct note *n)
{
	buf_wipe(&n->text);
	buf_wipe(&n->more);
	buf_wipe(&n->extra);
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

static void
attach(struct msghdr *m, void *room, size_t size, int fd)
{
	struct cmsghdr *c;

	m->msg_control = room;
	m->msg_controllen = size;
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
}

int
note_send(int to, const struct note *n, struct err *e)
{
	struct head h = { .what = (int32_t)n->what, .code = n->code,
	    .flags = (n->has_more ? HAS_MORE : 0) | (n->encrypted ? ENCRYPTED : 0),
	    .n = { (uint32_t)n->text.n, (uint32_t)n->more.n,
	    (uint32_t)n->extra.n } };
	struct iovec v[] = { { &h, sizeof h }, { n->text.p, n->text.n },
	    { n->more.p, n->more.n }, { n->extra.p, n->extra.n } };
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {0};
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 4 };
	ssize_t r;

	memcpy(h.status, n->status, sizeof h.status);
	if (n->fd >= 0)
		attach(&m, room, sizeof room, n->fd);
	do
		r = sendmsg(to, &m, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		return 0;
	err_sys(e, "the other half");
	e->fault = FAULT_TEMP;
	return -1;
}

/* Whatever descriptors came, at most one is kept. */
static void
detach(struct msghdr *m, struct note *n)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (n->fd < 0)
				n->fd = fd;
			else
				close(fd);
		}
	}
}

static int
take(struct note *n, const char *p, size_t size, struct err *e)
{
	struct buf *part[] = { &n->text, &n->more, &n->extra };
	struct head h;
	size_t at = sizeof h;

	if (size < sizeof h)
		return err_set(e, FAULT_BUG, "the other half: a short note");
	memcpy(&h, p, sizeof h);
	for (int i = 0; i < 3; i++) {
		if (h.n[i] > size - at)
			return err_set(e, FAULT_BUG, "the other half: a bad note");
		buf_room(part[i], h.n[i] + 1);
		buf_add(part[i], p + at, h.n[i]);
		at += h.n[i];
	}
	n->what = (enum note_what)h.what;
	n->code = h.code;
	n->has_more = h.flags & HAS_MORE;
	n->encrypted = h.flags & ENCRYPTED;
	memcpy(n->status, h.status, sizeof n->status);
	n->status[sizeof n->status - 1] = '\0';
	return 1;
}

static int
receive(int from, struct note *n, struct err *e)
{
	char *room = must(malloc(NOTE_MOST));
	struct iovec v = { room, NOTE_MOST };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
	    .msg_controllen = sizeof control };
	ssize_t got = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	int r;

	if (got > 0)
		detach(&m, n);
	r = got == 0 || (got < 0 && errno == ECONNRESET) ? 0 :
	    got < 0 ? err_sys(e, "the other half") : take(n, room, (size_t)got, e);
	explicit_bzero(room, got > 0 ? (size_t)got : 0);
	free(room);
	return r;
}

int
note_hear(int from, struct note *n, int64_t deadline, struct err *e)
{
	struct pollfd p = { from, POLLIN, 0 };
	int r;

	note_init(n, NOTE_LOG);
	while ((r = interrupt_poll(&p, 1, clock_left(deadline))) <= 0) {
		if (interrupt_came())
			return err_set(e, FAULT_TEMP, "interrupted");
		if (r == 0)
			return err_set(e, FAULT_TEMP, "the other half says nothing");
	}
	return receive(from, n, e);
}
