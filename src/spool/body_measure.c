/*
 * A body's size without its text: octets are counted as they lie in the file, where
 * they do, by a thread a processor where there are many.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/body.h"
#include "wire/octets.h"

#define PIECE 65536
#define SLICES_MAX 8
#define SLICE_MIN (16 << 20)	/* less is not worth a thread */

/* Octets of a body from `at` up to `to` (-1: its end), and what was counted. */
struct slice {
	const struct body *body;
	off_t at, to;
	struct octets octets;
	pthread_t thread;
	bool threaded;
	int r;
	struct err e;
};

static void *
count(void *arg)
{
	struct slice *s = arg;
	char *piece = must(malloc(PIECE));
	size_t most = PIECE;
	ssize_t n = 0;

	do {
		if (s->to >= 0 && s->to - s->at < PIECE)
			most = (size_t)(s->to - s->at);
		n = most > 0 ? s->body->raw(s->body, s->at, piece, most, &s->e) : 0;
		if (n > 0) {
			octets_count(&s->octets, (struct span){ piece, (size_t)n });
			s->at += n;
		}
	} while (n > 0);
	s->r = n < 0 ? -1 : 0;
	free(piece);
	return NULL;
}

/* How many slices it is worth; *size: octets in the file. */
static size_t
slices(const struct body *b, off_t *size)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	struct stat st;

	if (b->stream || fstat(b->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 1;
	*size = (b->end >= 0 ? b->end : st.st_size) - b->start;
	if (n > SLICES_MAX)
		n = SLICES_MAX;
	if (n > *size / SLICE_MIN)
		n = (long)(*size / SLICE_MIN);
	return n > 1 ? (size_t)n : 1;
}

/* The last one is ours: to the file's end, wherever that is by then. */
static void
count_all(struct slice *v, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++)
		v[i].threaded = pthread_create(&v[i].thread, NULL, count, &v[i]) == 0;
	for (size_t i = n; i-- > 0;) {
		if (v[i].threaded)
			pthread_join(v[i].thread, NULL);
		else
			count(&v[i]);
	}
}

static int
raw_size(const struct body *b, struct octets *all, struct err *e)
{
	struct slice v[SLICES_MAX] = {0};
	off_t size = 0;
	size_t n = slices(b, &size);

	for (size_t i = 0; i < n; i++)
		v[i] = (struct slice){ .body = b, .octets.lf = b->lf,
		    .at = b->start + size / (off_t)n * (off_t)i,
		    .to = i + 1 < n ? b->start + size / (off_t)n * (off_t)(i + 1) :
		    -1 };
	count_all(v, n);
	for (size_t i = 0; i < n; i++) {
		if (v[i].r < 0) {
			*e = v[i].e;
			return -1;
		}
		octets_join(all, &v[i].octets);
	}
	return 0;
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
