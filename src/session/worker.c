#include "session/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define READ_OCTETS 16384
#define LAST_WORDS (1 << 20)	/* so much is read of what a dead one left */

const char *
worker_name(const char *const command[])
{
	const char *slash = strrchr(command[0], '/');

	return slash != NULL ? slash + 1 : command[0];
}

/* False and errno: EACCES when it is there and may not be run. */
static bool
runnable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if (S_ISREG(st.st_mode) && access(path, X_OK) == 0)
		return true;
	errno = EACCES;
	return false;
}

static bool
on_path(const char *name, bool *denied)
{
	const char *path = getenv("PATH");
	struct span rest = span_of(path != NULL ? path : "/bin:/usr/bin"), dir;
	struct buf b = {0};
	bool found = false;

	while (!found && span_cut(&rest, ':', &dir)) {
		buf_clear(&b);
		buf_addspan(&b, dir.n > 0 ? dir : SPAN("."));
		buf_addf(&b, "/%s", name);
		found = runnable(buf_str(&b));
		*denied |= !found && errno == EACCES;
	}
	buf_free(&b);
	return found;
}

int
worker_find(const char *name, struct err *e)
{
	bool denied = false;

	if (strchr(name, '/') == NULL) {
		if (on_path(name, &denied))
			return 0;
	} else {
		if (runnable(name))
			return 0;
		denied = errno == EACCES;
	}
	return err_set(e, denied ? FAULT_PERM : FAULT_UNAVAILABLE, "run %s: %s",
	    name, strerror(denied ? EACCES : ENOENT));
}

static void
not_blocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int
worker_start(struct worker *w, const char *const command[], struct err *e)
{
	struct buf out = w->out, in = w->in;

	buf_clear(&out);
	buf_clear(&in);
	*w = (struct worker){ .out = out, .in = in, .nap = 1 };
	if (child_start(&w->child, command, CHILD_IN | CHILD_OUT, e) < 0)
		return -1;
	not_blocking(w->child.in);
	not_blocking(w->child.out);
	w->last = clock_now();
	return 0;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
worker_hang_up(struct worker *w, bool asked)
{
	if (!w->closing)
		w->asked = asked;
	w->closing = true;
	buf_clear(&w->out);
	shut(&w->child.in);
}

void
worker_push(struct worker *w)
{
	ssize_t n;

	while (w->child.in >= 0 && w->out.n > 0) {
		n = write(w->child.in, w->out.p, w->out.n);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			worker_hang_up(w, false);
			return;
		}
		buf_drop(&w->out, (size_t)n);
		w->written += (size_t)n;
		w->last = clock_now();
	}
}

void
worker_pull(struct worker *w)
{
	ssize_t n;

	n = read(w->child.out, buf_room(&w->in, READ_OCTETS), READ_OCTETS);
	if (n > 0) {
		w->in.n += (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		shut(&w->child.out);
		worker_hang_up(w, false);	/* who cannot answer gets no more */
	}
}

/* Where the line at the front ends, its LF included; 0 not yet. */
static size_t
line_end(const struct worker *w)
{
	size_t n = span_find(buf_span(&w->in), '\n');

	if (n < w->in.n)
		return n + 1;
	return w->child.out < 0 ? w->in.n : 0;	/* its last words */
}

int
worker_line(struct worker *w, struct span *line)
{
	size_t n;
	bool skipped;

	buf_drop(&w->in, w->drop);
	w->drop = 0;
	while ((n = line_end(w)) > 0) {
		skipped = w->skipping;
		w->skipping = false;
		if (skipped) {
			buf_drop(&w->in, n);
			continue;
		}
		w->drop = n;
		*line = (struct span){ w->in.p, n };
		if (w->in.p[n - 1] == '\n')
			line->n--;
		return 1;
	}
	if (w->in.n < WORKER_LINE)
		return 0;
	buf_clear(&w->in);
	skipped = w->skipping;
	w->skipping = true;
	return skipped ? 0 : -1;
}

/* Children of the child may hold its end of the pipe: read what is there. */
static void
take_leave(struct worker *w, int code, const char *why)
{
	size_t before;

	do {
		before = w->in.n;
		if (w->child.out >= 0)
			worker_pull(w);
	} while (w->in.n > before && w->in.n < LAST_WORDS);
	shut(&w->child.out);
	worker_hang_up(w, false);
	w->gone = true;
	w->code = code;
	snprintf(w->why, sizeof w->why, "%s", why);
}

void
worker_reap(struct worker *w)
{
	char why[sizeof w->why] = "ended";
	int status, code;

	if (w->child.out < 0)
		w->nap = w->nap < 50 ? w->nap * 2 : 50;
	if (child_wait(&w->child, clock_now(), &status) < 0)
		return;
	code = child_status(status);
	if (code > 128)
		snprintf(why, sizeof why, "was ended by signal %d", code - 128);
	else if (code > 0)
		snprintf(why, sizeof why, "exited with status %d", code);
	take_leave(w, code, why);
}

void
worker_end(struct worker *w, const char *why)
{
	int out = w->child.out;

	w->child.out = -1;	/* what it says on TERM is still read */
	child_end(&w->child);
	w->child.out = out;
	take_leave(w, FAULT_TEMP, why);
}

void
worker_free(struct worker *w)
{
	child_end(&w->child);
	buf_free(&w->out);
	buf_free(&w->in);
}
