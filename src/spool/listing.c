#include "spool/listing.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/program.h"

#define PATIENCE_MS 60000
#define LINE_MAX_OCTETS (16 << 20)
#define WORDS_MAX 600
#define PIECE 16384

int
listing_start(struct listing *l, const char *name, const char *const argv[],
    struct err *e)
{
	l->name = name;
	if (child_start(&l->child, argv, CHILD_OUT | CHILD_ERR, e) == 0)
		return 0;
	if (e->fault == FAULT_UNAVAILABLE)
		e->fault = FAULT_IO;
	return -1;
}

/* One read; the end shuts the descriptor. */
static void
hear(int *fd, struct buf *to, size_t most)
{
	ssize_t n = read(*fd, buf_room(to, PIECE), PIECE);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
	} else if (to->n < most) {
		to->n += (size_t)n;
	}
}

/* Until there is more on stdout or it has ended: 1, 0, -1. */
static int
more(struct listing *l, struct err *e)
{
	size_t before = l->in.n;

	while (l->child.out >= 0 || l->child.err >= 0) {
		struct pollfd p[2] = {
			{ l->child.out, POLLIN, 0 }, { l->child.err, POLLIN, 0 },
		};
		int r = poll(p, 2, PATIENCE_MS);

		if (r == 0)
			return err_set(e, FAULT_TEMP,
			    "%s: says nothing any more", l->name);
		if (r < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (r > 0 && p[1].revents != 0)
			hear(&l->child.err, &l->words, WORDS_MAX);
		if (r > 0 && p[0].revents != 0)
			hear(&l->child.out, &l->in, SIZE_MAX);
		if (l->in.n > before)
			return 1;
	}
	return 0;
}

/* Its status tells whether what it said was all. */
static int
ended(struct listing *l, struct err *e)
{
	int status = 0;

	if (child_wait(&l->child, clock_in(PATIENCE_MS), &status) < 0)
		return err_set(e, FAULT_TEMP, "%s: does not end", l->name);
	status = child_status(status);
	if (status != 0)
		return program_failed(l->name, status, buf_span(&l->words), e);
	if (l->in.n > 0)
		return err_set(e, FAULT_IO, "%s: broke off", l->name);
	return 0;
}

int
listing_line(struct listing *l, struct span *line, struct err *e)
{
	char *lf;
	int r;

	buf_drop(&l->in, l->looked);
	l->looked = 0;
	for (;;) {
		lf = l->in.n > 0 ? memchr(l->in.p + l->looked, '\n',
		    l->in.n - l->looked) : NULL;
		if (lf != NULL)
			break;
		l->looked = l->in.n;
		if (l->in.n > LINE_MAX_OCTETS)
			return err_set(e, FAULT_IO, "%s: endless line", l->name);
		if ((r = more(l, e)) < 0)
			return -1;
		if (r == 0)
			return ended(l, e);
	}
	*line = (struct span){ l->in.p, (size_t)(lf - l->in.p) };
	l->looked = line->n + 1;	/* dropped by the next call */
	return 1;
}

void
listing_end(struct listing *l)
{
	child_end(&l->child);
	buf_free(&l->in);
	buf_free(&l->words);
	l->looked = 0;
}
