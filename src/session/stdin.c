#include "session/stdin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

#define PIECE 65536

static const char *
temporary(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && *dir != '\0' ? dir : "/tmp";
}

/* A file that only we know. */
static int
unlinked(struct err *e)
{
	const char *dir = temporary();
	struct buf path = {0};
	int fd;

	fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd < 0) {
		buf_addf(&path, "%s/tidegate.XXXXXX", dir);
		fd = mkostemp(buf_str(&path), O_CLOEXEC);
		if (fd >= 0)
			unlink(path.p);
	}
	if (fd < 0)
		err_sys(e, "make a file in %s", dir);
	buf_free(&path);
	return fd;
}

static int
put_all(int fd, const char *p, size_t n)
{
	ssize_t w;

	for (; n > 0; p += w, n -= (size_t)w) {
		w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			w = 0;
		if (w < 0)
			return -1;
	}
	return 0;
}

static int
copy(int to, int64_t deadline, struct err *e)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	char piece[PIECE];
	ssize_t n;

	for (;;) {
		if (interrupt_came() || clock_left(deadline) == 0)
			return err_set(e, FAULT_TEMP, "stdin: the message did "
			    "not end in time");
		if (interrupt_poll(&p, 1, clock_left(deadline)) <= 0)
			continue;
		n = read(STDIN_FILENO, piece, sizeof piece);
		if (n == 0)
			return 0;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_sys(e, "read stdin");
		if (put_all(to, piece, (size_t)n) < 0) {
			err_sys(e, "keep the message from stdin in %s",
			    temporary());
			e->fault = FAULT_TEMP;
			return -1;
		}
	}
}

int
stdin_body(struct body *b, int64_t deadline, struct err *e)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	int fd;

	/* what cannot be read at all is found before a server is called */
	if (read(STDIN_FILENO, NULL, 0) < 0)
		return err_sys(e, "read stdin");
	if (at >= 0) {
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return err_sys(e, "read stdin");
		body_file(b, fd, at, -1);
		return 0;
	}
	if ((fd = unlinked(e)) < 0)
		return -1;
	if (copy(fd, deadline, e) < 0) {
		close(fd);
		return -1;
	}
	body_file(b, fd, 0, -1);
	return 0;
}

/* No more is read of it. */
static void
end(struct lines *l)
{
	buf_clear(&l->in);
	l->used = 0;
	l->eof = true;
}

int
lines_next(struct lines *l, struct span *line, struct err *e)
{
	struct span rest = span_from(buf_span(&l->in), l->used);
	size_t n = span_find(rest, l->end);

	if (n > LINE_OCTETS_MAX) {
		end(l);
		return err_set(e, FAULT_DATA, "stdin: a line of over %d octets",
		    LINE_OCTETS_MAX);
	}
	if (n == rest.n && !l->eof)
		return LINES_EMPTY_HANDED;
	if (rest.n == 0)
		return 0;
	if (n == rest.n) {
		l->used = l->in.n;
		return err_set(e, FAULT_DATA, "stdin: the last line is not "
		    "ended: it was cut off, and is not used");
	}
	*line = (struct span){ rest.p, n };
	l->used += n + 1;
	return 1;
}

void
lines_bad(struct lines *l, struct err *e)
{
	if (++l->bad == LINES_BAD_MAX) {
		end(l);
		err_in(e, "the %dth bad line, the rest is not read",
		    LINES_BAD_MAX);
	}
	err_in(e, "stdin: line %lld", l->number);
}

int
lines_record(struct lines *l, struct record *r, struct err *e)
{
	struct span line;
	int got = lines_next(l, &line, e);

	if (got != 1)
		return got;
	l->number++;
	if (record_parse(r, line, e) == 0)
		return 1;
	lines_bad(l, e);
	return LINES_BAD;
}

int
lines_fill(struct lines *l, struct err *e)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	ssize_t n;

	buf_drop(&l->in, l->used);
	l->used = 0;
	if (interrupt_poll(&p, 1, -1) < 0)
		return 1;	/* the caller looks why */
	n = read(STDIN_FILENO, buf_room(&l->in, PIECE), PIECE);
	if (n < 0 && errno != EINTR && errno != EAGAIN) {
		l->eof = true;
		return err_sys(e, "read stdin");
	}
	if (n == 0)
		l->eof = true;
	if (n > 0)
		l->in.n += (size_t)n;
	return 1;
}

bool
lines_ready(const struct lines *l)
{
	struct span rest = span_from(buf_span(&l->in), l->used);

	return l->eof || span_find(rest, l->end) < rest.n;
}

void
lines_free(struct lines *l)
{
	buf_free(&l->in);
}
