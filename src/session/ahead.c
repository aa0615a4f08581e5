#include "session/ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"

#define CHUNK 16		/* entries that change hands together */
#define CHUNKS 128		/* a ring of so many */
#define FEW 4			/* chunks that are not worth a thread */
#define WARM 2			/* threads while files are in the cache */
#define COLD 32			/* and when they are not */
#define SLOW_US 60		/* a file takes longer: it came from the disk */

struct chunk {
	struct item items[CHUNK];
	size_t n, out;
	bool done;
};

struct ahead {
	struct spool *spool;
	unsigned what;
	struct chunk ring[CHUNKS];
	size_t in, work, out;	/* chunks so far: filled, begun, given out */
	bool some;		/* an item of the chunk at `out` was given out */

	pthread_t threads[COLD];
	size_t n;		/* of threads */
	size_t wanted;
	bool stop;
	pthread_mutex_t lock;	/* of all but the chunks that somebody has in hand */
	pthread_cond_t more, ready;
};

static struct chunk *
chunk(struct ahead *a, size_t i)
{
	return &a->ring[i % CHUNKS];
}

static void
read_chunk(struct ahead *a, struct chunk *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];

		it->r = a->spool->kind->read(a->spool, &it->at, a->what, &it->m,
		    &it->e);
	}
}

static void *
work(void *arg)
{
	struct ahead *a = arg;
	struct chunk *c;
	int64_t began;

	pthread_mutex_lock(&a->lock);
	for (;;) {
		while (!a->stop && a->work == a->in)
			pthread_cond_wait(&a->more, &a->lock);
		if (a->stop)
			break;
		c = chunk(a, a->work++);
		pthread_mutex_unlock(&a->lock);
		began = clock_us();
		read_chunk(a, c);
		began = clock_us() - began;
		pthread_mutex_lock(&a->lock);
		c->done = true;
		if (began > SLOW_US * CHUNK)
			a->wanted = COLD;
		pthread_cond_signal(&a->ready);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

struct ahead *
ahead_new(struct spool *s, unsigned what)
{
	struct ahead *a = must(calloc(1, sizeof *a));

	a->spool = s;
	a->what = what;
	a->wanted = WARM;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->more, NULL);
	pthread_cond_init(&a->ready, NULL);
	return a;
}

/* The chunk at `in` is complete: somebody may read it. */
static void
hand_over(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->in++;
	while (a->in > FEW && a->n < a->wanted &&
	    pthread_create(&a->threads[a->n], NULL, work, a) == 0)
		a->n++;
	pthread_cond_signal(&a->more);
	pthread_mutex_unlock(&a->lock);
}

bool
ahead_room(const struct ahead *a)
{
	return a->in - a->out < CHUNKS;
}

void
ahead_add(struct ahead *a, struct entry *at)
{
	struct chunk *c = chunk(a, a->in);

	c->items[c->n++] = (struct item){ .at = *at };
	*at = (struct entry){0};
	if (c->n == CHUNK)
		hand_over(a);
}

static void
item_free(struct item *it)
{
	buf_free(&it->at.ref);
	message_free(&it->m);
}

/* Waits for the chunk at `out`; reads it itself when nobody else is there to. */
static void
await(struct ahead *a, struct chunk *c)
{
	pthread_mutex_lock(&a->lock);
	if (!c->done && a->n == 0) {
		a->work++;
		read_chunk(a, c);
		c->done = true;
	}
	while (!c->done)
		pthread_cond_wait(&a->ready, &a->lock);
	pthread_mutex_unlock(&a->lock);
}

struct item *
ahead_next(struct ahead *a)
{
	struct chunk *c = chunk(a, a->out);

	if (a->out == a->in && c->n > 0)
		hand_over(a);		/* the last, which is not full */
	if (a->out == a->in)
		return NULL;
	await(a, c);
	if (a->some)
		item_free(&c->items[c->out - 1]);
	a->some = true;
	if (c->out < c->n)
		return &c->items[c->out++];
	*c = (struct chunk){0};
	a->some = false;
	a->out++;
	return ahead_next(a);
}

void
ahead_free(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->more);
	pthread_mutex_unlock(&a->lock);
	for (size_t i = 0; i < a->n; i++)
		pthread_join(a->threads[i], NULL);
	for (size_t i = 0; i < CHUNKS; i++) {
		struct chunk *c = &a->ring[i];
		size_t first = c == chunk(a, a->out) && a->some ? c->out - 1 : c->out;

		for (size_t k = first; k < c->n; k++)
			item_free(&c->items[k]);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->more);
	pthread_cond_destroy(&a->ready);
	free(a);
}
