#include "spool/body.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

#define PIECE 65536

/* LF becomes CRLF unless that is what it is, in this piece or with the last. */
static void
crlf(struct body *b, struct span in)
{
	char *to = buf_room(&b->out, 2 * in.n), *start = to;
	const char *lf;
	size_t n;

	while (in.n > 0) {
		lf = memchr(in.p, '\n', in.n);
		n = lf != NULL ? (size_t)(lf - in.p) : in.n;
		memcpy(to, in.p, n);
		to += n;
		if (n > 0)
			b->last = (unsigned char)in.p[n - 1];
		if (lf == NULL)
			break;
		if (b->last != '\r' || b->lf)
			*to++ = '\r';
		*to++ = '\n';
		b->last = '\n';
		in = span_from(in, n + 1);
	}
	b->out.n += (size_t)(to - start);
}

/* What was read, in wire form; at the end the last line's end. */
static int
give(struct body *b, ssize_t n, struct span *piece)
{
	buf_clear(&b->out);
	if (n > 0) {
		b->at += n;
		crlf(b, (struct span){ b->in.p, (size_t)n });
	} else if (b->last != -1 && b->last != '\n') {
		buf_adds(&b->out, "\r\n");
		b->last = '\n';
	}
	*piece = buf_span(&b->out);
	return b->out.n > 0;
}

/* How many of `n` octets at `at` may be there. */
static size_t
within(const struct body *b, off_t at, size_t n)
{
	if (b->end < 0 || b->end - at >= (off_t)n)
		return n;
	return at < b->end ? (size_t)(b->end - at) : 0;
}

static ssize_t
file_raw(const struct body *b, off_t at, char *to, size_t most, struct err *e)
{
	ssize_t n = 0;

	most = within(b, at, most);
	do
		n = most > 0 ? pread(b->fd, to, most, at) : 0;
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read message");
	if (n == 0 && most > 0 && b->end >= 0)
		return err_set(e, FAULT_TEMP, "the message became shorter while "
		    "it was read");
	return n;
}

static int
file_next(struct body *b, struct span *piece, struct err *e)
{
	size_t most;
	ssize_t n;

	if (!b->fronted) {
		b->fronted = true;
		buf_clear(&b->out);
		crlf(b, buf_span(&b->front));
		*piece = buf_span(&b->out);
		if (piece->n > 0)
			return 1;
	}
	most = within(b, b->at, PIECE);
	n = file_raw(b, b->at, buf_room(&b->in, most), most, e);
	return n < 0 ? -1 : give(b, n, piece);
}

static ssize_t
stream_raw(const struct body *b, off_t at, char *to, size_t most, struct err *e)
{
	struct pollfd p = { b->fd, POLLIN, 0 };
	ssize_t n = -1;

	(void)at;
	while (n < 0) {
		if (interrupt_came() || clock_left(b->deadline) == 0)
			return err_set(e, FAULT_TEMP, "the message did not end "
			    "in time");
		if (interrupt_poll(&p, 1, clock_left(b->deadline)) <= 0)
			continue;
		n = read(b->fd, to, most);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_sys(e, "read message");
	}
	return n;
}

static int
stream_next(struct body *b, struct span *piece, struct err *e)
{
	ssize_t n = stream_raw(b, 0, buf_room(&b->in, PIECE), PIECE, e);

	return n < 0 ? -1 : give(b, n, piece);
}

static int
stream_rewind(struct body *b, struct err *e)
{
	return b->at == 0 ? 0 : err_set(e, FAULT_IO, "a stream cannot be read "
	    "twice");
}

static void
stream_close(struct body *b)
{
	buf_free(&b->in);
	buf_free(&b->out);
	*b = (struct body){0};
}

void
body_stream(struct body *b, int fd, int64_t deadline)
{
	*b = (struct body){
		.next = stream_next, .rewind = stream_rewind,
		.close = stream_close, .raw = stream_raw, .stream = true,
		.fd = fd, .last = -1, .deadline = deadline,
	};
}

static int
file_rewind(struct body *b, struct err *e)
{
	(void)e;
	b->at = b->start;
	b->fronted = false;
	b->last = -1;
	return 0;
}

static void
file_close(struct body *b)
{
	close(b->fd);
	buf_free(&b->front);
	buf_free(&b->in);
	buf_free(&b->out);
	*b = (struct body){0};
}

void
body_file(struct body *b, int fd, off_t start, off_t end)
{
	/* what takes more than one look may grow in between: the file says so */
	if (end - start > PIECE)
		end = -1;
	*b = (struct body){
		.next = file_next, .rewind = file_rewind, .close = file_close,
		.raw = file_raw, .fd = fd, .start = start, .at = start, .end = end,
		.last = -1,
	};
}

void
body_behind(struct body *b, struct buf *front, int fd, off_t start, off_t end)
{
	body_file(b, fd, start, end);
	b->front = *front;
	*front = (struct buf){0};
}

void
body_close(struct body *b)
{
	if (b->close != NULL)
		b->close(b);
}
