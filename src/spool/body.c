#include "spool/body.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536

/* LF becomes CRLF unless a CR stands before it, in this piece or the last. */
static void
crlf(struct body *b, struct span in)
{
	const char *lf;
	size_t n;

	while (in.n > 0) {
		lf = memchr(in.p, '\n', in.n);
		n = lf != NULL ? (size_t)(lf - in.p) : in.n;
		buf_add(&b->out, in.p, n);
		if (n > 0)
			b->last = (unsigned char)in.p[n - 1];
		if (lf == NULL)
			return;
		buf_adds(&b->out, b->last == '\r' ? "\n" : "\r\n");
		b->last = '\n';
		in = span_from(in, n + 1);
	}
}

static int
file_next(struct body *b, struct span *piece, struct err *e)
{
	ssize_t n;

	do
		n = pread(b->fd, buf_room(&b->in, PIECE), PIECE, b->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read message");
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

static int
file_rewind(struct body *b, struct err *e)
{
	(void)e;
	b->at = b->start;
	b->last = -1;
	return 0;
}

static void
file_close(struct body *b)
{
	close(b->fd);
	buf_free(&b->in);
	buf_free(&b->out);
	*b = (struct body){0};
}

void
body_file(struct body *b, int fd, off_t start)
{
	*b = (struct body){
		.next = file_next, .rewind = file_rewind, .close = file_close,
		.fd = fd, .start = start, .at = start, .last = -1,
	};
}

void
body_close(struct body *b)
{
	if (b->close != NULL)
		b->close(b);
}
