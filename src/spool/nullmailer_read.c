/*
 * A nullmailer file into a struct message, and its text: sender, recipients, an empty
 * line, the message.
 *
 * While we have a message in hand the LF behind a recipient who has it is a NUL; so is
 * it after a crash, until the next claim has written the file anew.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/nullmailer.h"
#include "spool/shelf.h"

#define ENVELOPE_MAX (16 << 20)

/* The length of what ends in LF, or NUL; the whole when it does not end. */
static size_t
ends(struct span s, bool marks)
{
	size_t lf = span_find(s, '\n');

	return marks ? span_find((struct span){ s.p, lf }, '\0') : lf;
}

/* One line: true when it is the empty one behind the recipients. */
static bool
line_is_last(struct message *m, struct span line, char end, off_t at)
{
	struct rcpt *r;

	if (m->env.sender == NULL) {
		m->env.sender = span_dup(line);
		return false;
	}
	if (line.n == 0)
		return end == '\n';
	r = envelope_read(&m->env, span_dup(line));
	r->offset = at + (off_t)line.n;
	r->done = end == '\0';
	return false;
}

/* Reads up to the empty line: where the message begins, or -1. */
static off_t
envelope(int fd, struct message *m, struct err *e)
{
	struct buf text = {0};
	off_t at = 0, message = 0;
	ssize_t n = 1;

	while (message == 0 && text.n < ENVELOPE_MAX &&
	    (n = pread(fd, buf_room(&text, 4096), 4096, (off_t)text.n)) > 0) {
		struct span rest;
		size_t length;

		text.n += (size_t)n;
		rest = span_from(buf_span(&text), (size_t)at);
		while (message == 0 && (length = ends(rest, m->env.sender != NULL)) <
		    rest.n) {
			struct span line = { rest.p, length };
			bool last = line_is_last(m, line, rest.p[length], at);

			at += (off_t)length + 1;
			rest = span_from(rest, length + 1);
			if (last)
				message = at;
		}
	}
	buf_free(&text);
	if (n < 0)
		return err_sys(e, "read");
	if (envelope_whole(&m->env, e) < 0)
		return -1;
	if (message == 0 || m->env.rcpts.n == 0)
		return err_set(e, FAULT_DATA, "damaged: no recipient, or no empty "
		    "line behind the recipients");
	return message;
}

int
nm_read_fd(const struct entry *at, int fd, const struct stat *st, struct message *m,
    off_t *start, struct err *e)
{
	shelf_start(m, at, st);
	m->id = span_dup(span_of(ref_name(m->ref)));
	m->arrival = strtoll(m->id, NULL, 10);
	m->size = st->st_size;
	*start = envelope(fd, m, e);
	if (*start >= 0)
		return 1;
	err_in(e, "%s", m->ref);
	message_free(m);
	return -1;
}

/*
 * nullmailer-queue links tmp/PID to queue/TIME.PID and then unlinks the first: for a
 * moment, or since it was killed just there, a message has two names, both its own.
 */
static bool
is_of_tmp(struct spool *s, const char *ref, const struct stat *st)
{
	struct buf path = {0};
	struct stat tmp;
	const char *pid = strchr(ref_name(ref), '.');
	bool yes;

	if (pid == NULL || st->st_nlink != 2)
		return false;
	pid++;
	buf_addf(&path, "%s/tmp/%.*s", s->dir, (int)strspn(pid, "0123456789"), pid);
	yes = lstat(buf_str(&path), &tmp) == 0 && tmp.st_dev == st->st_dev &&
	    tmp.st_ino == st->st_ino;
	buf_free(&path);
	return yes;
}

/* As file_open_single(). */
static int
open_message(struct spool *s, const char *ref, struct stat *st, int *fd, struct err *e)
{
	int r = file_open(ref, st, fd, e);

	if (r <= 0 || st->st_nlink <= 1 || is_of_tmp(s, ref, st))
		return r;
	close(*fd);
	*fd = -1;
	/* the other name may have gone since: what is said is of now */
	return file_open_single(ref, st, fd, e);
}

int
nm_read(struct spool *s, const struct entry *at, unsigned what,
    struct message *m, struct err *e)
{
	char *ref = span_dup(buf_span(&at->ref));
	struct stat st;
	off_t start;
	int fd, r = open_message(s, ref, &st, &fd, e);

	(void)what;
	free(ref);
	if (r <= 0)
		return r;
	r = nm_read_fd(at, fd, &st, m, &start, e);
	close(fd);
	return r;
}

int
nm_body(struct spool *s, const char *ref, struct body *b, struct err *e)
{
	struct message m = {0};
	struct stat st;
	off_t start = 0;
	int fd, r = open_message(s, ref, &st, &fd, e);

	if (r == 1 && (start = envelope(fd, &m, e)) < 0) {
		r = err_in(e, "%s", ref);
		close(fd);
	}
	if (r == 1) {
		body_file(b, fd, start, st.st_size);
		b->lf = true;
	}
	message_free(&m);
	return r;
}
