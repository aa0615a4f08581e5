/*
 * A body's size without its text: octets are counted as they lie in the file, where
 * they do.  A long one is cut into parts that several threads take as they come.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/body.h"
#include "wire/octets.h"

#define PIECE 65536
#define THREADS_MAX 8
#define PART_MIN (4 << 20)
#define PARTS_MAX 1024

struct part {
	struct octets octets;
	int r;
	struct err *e;		/* of -1; owned */
};

struct measure {
	const struct body *body;
	off_t each;		/* octets of a part */
	size_t n;		/* parts; the last one goes on to the end */
	atomic_size_t next;	/* that nobody has taken */
	struct part *parts;
};

static void
count(const struct body *b, off_t at, off_t to, struct part *part, char *piece)
{
	size_t most = PIECE;
	struct err e = {0};
	ssize_t n;

	part->octets.lf = b->lf;
	do {
		if (to >= 0 && to - at < PIECE)
			most = (size_t)(to - at);
		n = most > 0 ? b->raw(b, at, piece, most, &e) : 0;
		if (n > 0) {
			octets_count(&part->octets, (struct span){ piece, (size_t)n });
			at += n;
		}
	} while (n > 0);
	if (n < 0) {
		part->r = -1;
		part->e = must(malloc(sizeof e));
		*part->e = e;
	}
}

static void *
work(void *arg)
{
	struct measure *m = arg;
	char *piece = must(malloc(PIECE));
	size_t i;

	while ((i = atomic_fetch_add(&m->next, 1)) < m->n) {
		off_t at = m->body->start + (off_t)i * m->each;

		count(m->body, at, i + 1 < m->n ? at + m->each : -1, &m->parts[i],
		    piece);
	}
	free(piece);
	return NULL;
}

/* Cuts what is now in the file; one part when it is short, or no file. */
static void
cut(struct measure *m)
{
	const struct body *b = m->body;
	struct stat st;
	off_t size = 0;

	if (!b->stream && fstat(b->fd, &st) == 0 && S_ISREG(st.st_mode))
		size = (b->end >= 0 ? b->end : st.st_size) - b->start;
	m->each = size / PARTS_MAX + 1;
	if (m->each < PART_MIN)
		m->each = PART_MIN;
	m->n = size > m->each ? (size_t)(size / m->each) : 1;
	m->parts = must(calloc(m->n, sizeof *m->parts));
}

static void
work_together(struct measure *m)
{
	pthread_t threads[THREADS_MAX];
	long more = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	size_t n = 0;

	if (more > THREADS_MAX)
		more = THREADS_MAX;
	if (more > (long)m->n / 2)
		more = (long)m->n / 2;
	while ((long)n < more && pthread_create(&threads[n], NULL, work, m) == 0)
		n++;
	work(m);
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

static int
raw_size(const struct body *b, struct octets *all, struct err *e)
{
	struct measure m = { .body = b };
	int r = 0;

	cut(&m);
	work_together(&m);
	for (size_t i = 0; i < m.n; i++) {
		if (m.parts[i].r < 0 && r == 0)
			*e = *m.parts[i].e;
		r = r < 0 ? r : m.parts[i].r;
		octets_join(all, &m.parts[i].octets);
		free(m.parts[i].e);
	}
	free(m.parts);
	return r;
}

int
body_measure(struct body *b, int64_t *size, struct err *e)
{
	struct octets all = { .lf = b->lf };
	struct span piece;
	int r;

	if (b->raw != NULL) {
		octets_count(&all, buf_span(&b->front));
		r = raw_size(b, &all, e);
		*size = octets_size(&all);
		return r;
	}
	*size = 0;
	while ((r = b->next(b, &piece, e)) > 0)
		*size += (int64_t)piece.n;
	return r;
}
