#include "session/line.h"

#define WIRE_ENOUGH 131072	/* encrypted octets that wait to be written */
#define PUT_MOST 65536		/* octets that are encrypted at a time */

static int
flush(struct line *l, struct err *e)
{
	size_t n = 0;

	if (l->wire.n == 0)
		return 0;
	if (io_write(&l->io, buf_span(&l->wire), (struct span){0}, &n, e) < 0)
		return -1;
	buf_drop(&l->wire, n);
	return 0;
}

int
line_read(struct line *l, struct buf *heard, struct err *e)
{
	struct err ignored = {0};
	int got, r;

	if (l->tls == NULL)
		return io_read(&l->io, heard, e);
	got = io_read(&l->io, &l->raw, e);
	if (got < 0 || !(got & IO_HEARD))
		return got;
	r = tls_feed(l->tls, buf_take(&l->raw), heard, &l->wire, e);
	/* an alert, or the next message of the handshake */
	if (flush(l, r < 0 ? &ignored : e) < 0 && r >= 0)
		return -1;
	return r < 0 ? -1 : r == 1 ? got | IO_EOF : got;
}

static int
encrypt(struct line *l, struct span s, size_t *taken, struct err *e)
{
	s.n = s.n < PUT_MOST ? s.n : PUT_MOST;
	if (s.n == 0 || l->wire.n >= WIRE_ENOUGH)
		return 0;
	*taken += s.n;
	return tls_put(l->tls, s, &l->wire, e);
}

int
line_write(struct line *l, struct span s, struct span behind, size_t *taken,
    struct err *e)
{
	*taken = 0;
	if (l->tls == NULL)
		return io_write(&l->io, s, behind, taken, e);
	if (tls_ready(l->tls) && (encrypt(l, s, taken, e) < 0 ||
	    (*taken == s.n && encrypt(l, behind, taken, e) < 0)))
		return -1;
	return flush(l, e);
}

bool
line_busy(const struct line *l)
{
	return l->wire.n > 0;
}

int
line_encrypt(struct line *l, struct tls *tls, struct err *e)
{
	struct buf nothing = {0};
	struct err ignored = {0};
	int r;

	l->tls = tls;
	r = tls_feed(tls, (struct span){0}, &nothing, &l->wire, e);
	buf_free(&nothing);
	if (r < 0)
		return -1;
	/* a broken line is seen by whoever reads it, and knows why it broke */
	flush(l, &ignored);
	return 0;
}

void
line_close(struct line *l)
{
	struct err ignored = {0};

	if (l->tls != NULL && l->io.out >= 0 && tls_ready(l->tls)) {
		tls_close(l->tls, &l->wire);
		flush(l, &ignored);
	}
	tls_free(l->tls);
	l->tls = NULL;
	if (l->io.in >= 0 || l->io.child.pid > 0)
		io_close(&l->io);
	buf_free(&l->io.name);
	buf_free(&l->wire);
	buf_free(&l->raw);
}
