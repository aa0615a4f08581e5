#include "net/io.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

#define READ_SIZE 65536
#define PARTING_MS 2000		/* for what a program still has to do */

int
io_read(struct io *io, struct buf *heard, struct err *e)
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
io_write(struct io *io, struct span s, struct span behind, size_t *taken,
    struct err *e)
{
	struct iovec v[2] = {
		{ (void *)(uintptr_t)s.p, s.n },
		{ (void *)(uintptr_t)behind.p, behind.n },
	};
	ssize_t n = writev(io->out, v, behind.n > 0 ? 2 : 1);

	*taken = n > 0 ? (size_t)n : 0;
	if (n >= 0 || errno == EAGAIN || errno == EINTR)
		return 0;
	err_sys(e, "send");
	e->fault = FAULT_TEMP;
	return -1;
}

void
io_forget(struct io *io)
{
	struct linger now = { 1, 0 };

	if (io->out >= 0)	/* a pipe or a socket of another kind: no matter */
		setsockopt(io->out, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void
io_close(struct io *io)
{
	int status;

	if (io->out >= 0 && io->out != io->in)
		close(io->out);
	if (io->in >= 0)
		close(io->in);
	io->in = io->out = -1;
	io->child.in = -1;	/* was io->in */
	if (io->parted && !interrupt_came())
		child_wait(&io->child, clock_in(PARTING_MS), &status);
	child_end_soon(&io->child);
	buf_free(&io->name);
}
