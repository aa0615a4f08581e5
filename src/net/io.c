#include "net/io.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

#define READ_SIZE 16384
#define ENOUGH 262144		/* octets heard and not yet looked at */

static int
put(struct io *io, struct span *send, struct err *e)
{
	ssize_t n = write(io->out, send->p, send->n);

	if (n >= 0) {
		*send = span_from(*send, (size_t)n);
		return n > 0 ? IO_SENT : 0;
	}
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return err_sys(e, "send");
}

static int
get(struct io *io, struct buf *heard, struct err *e)
{
	ssize_t n = read(io->in, buf_room(heard, READ_SIZE), READ_SIZE);

	if (n > 0) {
		heard->n += (size_t)n;
		return IO_HEARD;
	}
	if (n == 0)
		return IO_EOF;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	err_sys(e, "receive");
	e->fault = FAULT_TEMP;
	return -1;
}

int
io_exchange(struct io *io, struct span *send, struct buf *heard,
    int64_t deadline, int wake, bool *woken, struct err *e)
{
	struct pollfd p[3] = {
		{ send->n > 0 ? io->out : -1, POLLOUT, 0 },
		{ heard->n < ENOUGH ? io->in : -1, POLLIN, 0 },
		{ wake, POLLIN, 0 },
	};
	int got = 0, r;

	r = interrupt_poll(p, 3, clock_left(deadline));
	if (r < 0 && errno != EINTR)
		return err_sys(e, "poll");
	if (r <= 0)
		return 0;
	/* What was said before the line broke still counts: read first. */
	if (p[1].revents && (r = get(io, heard, e)) != 0) {
		if (r < 0)
			return -1;
		got |= r;
	}
	if (p[0].revents && !(got & IO_EOF)) {
		r = put(io, send, e);
		if (r < 0 && !(got & IO_HEARD))
			return -1;
		got |= r > 0 ? r : 0;
	}
	if (got == 0 && p[2].revents && woken != NULL)
		*woken = true;
	return got;
}

void
io_close(struct io *io)
{
	if (io->out >= 0 && io->out != io->in)
		close(io->out);
	if (io->in >= 0)
		close(io->in);
	io->in = io->out = -1;
	io->child.in = -1;	/* was io->in */
	child_end(&io->child);
	buf_free(&io->name);
}
