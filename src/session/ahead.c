#include "session/ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"

#define CHUNK 16		/* entries that change hands together */
#define CHUNKS 128		/* a ring of so many */
#define KEPT (COLD + 8)		/* of them with messages: these take far more memory
				   than texts, and may wait while one is slow */
#define FEW 4			/* chunks that are not worth a thread */
#define COLD 32			/* threads, when files are in no cache, */
#define WARM 3			/* and at most, when they are */
#define SLOW_US 30		/* a file takes longer: it came from the disk, */
#define WAITS 4			/* if its reader had to wait so often for a chunk */
#define TEXT_KEPT 8192		/* octets of memory that an item keeps */

struct chunk {
	struct item items[CHUNK];
	size_t n, out;
	bool done;
};

struct ahead {
	struct spool *spool;
	unsigned what;
	ahead_digest *digest;
	const void *arg;	/* for it */
	bool text_only;
	struct chunk ring[CHUNKS];
	size_t in, work, out;	/* chunks so far: filled, begun, given out */
	bool some;		/* an item of the chunk at `out` was given out */

	pthread_t threads[COLD];
	size_t n;		/* of threads */
	size_t idle;		/* of these, waiting for `more' */
	size_t wanted;
	bool waiting;		/* for `ready': who takes the items */
	bool stop;
	pthread_mutex_t lock;	/* of all but the chunks that somebody has in hand */
	pthread_cond_t more, ready;
};

static struct chunk *
chunk(struct ahead *a, size_t i)
{
	return &a->ring[i % CHUNKS];
}

/* How often this thread had to wait so far; what others run on is no wait. */
static long
waits(void)
{
#ifdef RUSAGE_THREAD
	struct rusage use;

	return getrusage(RUSAGE_THREAD, &use) == 0 ? use.ru_nvcsw : 0;
#else
	static const long step = WAITS;		/* time alone has to tell */
	static _Thread_local long n;

	return n += step;
#endif
}

static void
read_item(struct ahead *a, struct item *it)
{
	struct err e = {0};
	int r;

	r = it->r = a->spool->kind->read(a->spool, &it->at, a->what, &it->m, &e);
	if (r == 1) {
		r = a->digest(a->arg, a->spool, &it->m, &it->text, &e);
		it->r = r != 0;
	}
	if (r < 0) {
		it->e = must(malloc(sizeof *it->e));
		*it->e = e;
	}
	if (it->r != 1 || a->text_only)
		message_free(&it->m);
}

/* Did it come from the disk? */
static bool
read_chunk(struct ahead *a, struct chunk *c)
{
	int64_t began = clock_us();
	long before = waits();

	for (size_t i = 0; i < c->n; i++)
		read_item(a, &c->items[i]);
	return clock_us() - began > (int64_t)(SLOW_US * c->n) &&
	    waits() - before >= WAITS;
}

/* Reads the next chunk that nobody has begun; with the lock, which it lets go. */
static void
work_on(struct ahead *a)
{
	struct chunk *c = chunk(a, a->work++);
	bool slow;

	pthread_mutex_unlock(&a->lock);
	slow = read_chunk(a, c);
	pthread_mutex_lock(&a->lock);
	c->done = true;
	if (slow)
		a->wanted = COLD;
	if (a->waiting)
		pthread_cond_signal(&a->ready);
}

static void *
work(void *arg)
{
	struct ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		if (a->work < a->in) {
			work_on(a);
			continue;
		}
		a->idle++;
		pthread_cond_wait(&a->more, &a->lock);
		a->idle--;
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Whoever takes the items reads, too, rather than wait. */
static size_t
helpers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 2 ? 0 : n > WARM ? WARM : (size_t)n - 1;
}

struct ahead *
ahead_new(struct spool *s, unsigned what, ahead_digest *d, const void *arg,
    bool text_only)
{
	struct ahead *a = must(calloc(1, sizeof *a));

	a->spool = s;
	a->what = what;
	a->digest = d;
	a->arg = arg;
	a->text_only = text_only;
	a->wanted = helpers();
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->more, NULL);
	pthread_cond_init(&a->ready, NULL);
	return a;
}

/* As many threads as are wanted and have something to do; with the lock. */
static void
start(struct ahead *a)
{
	size_t due = a->in - a->work;

	for (; a->in > FEW && due > 0 && a->n < a->wanted; due--)
		if (pthread_create(&a->threads[a->n], NULL, work, a) == 0)
			a->n++;
}

/* The chunk at `in` is complete: somebody may read it. */
static void
hand_over(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->in++;
	start(a);
	if (a->idle > 0)
		pthread_cond_signal(&a->more);
	pthread_mutex_unlock(&a->lock);
}

bool
ahead_room(const struct ahead *a)
{
	return a->in - a->out < (a->text_only ? CHUNKS : KEPT);
}

void
ahead_add(struct ahead *a, struct entry *at)
{
	struct chunk *c = chunk(a, a->in);

	c->items[c->n++].at = *at;
	*at = (struct entry){0};
	if (c->n == CHUNK)
		hand_over(a);
}

/* Its text's memory serves the next one, unless it is large. */
static void
item_free(struct item *it)
{
	struct buf text = it->text;

	buf_free(&it->at.ref);
	message_free(&it->m);
	free(it->e);
	if (text.room > TEXT_KEPT)
		buf_free(&text);
	buf_clear(&text);
	*it = (struct item){ .text = text };
}

/* Waits for the chunk at `out`; meanwhile reads what nobody has begun. */
static void
await(struct ahead *a, struct chunk *c)
{
	pthread_mutex_lock(&a->lock);
	while (!c->done) {
		if (a->work < a->in) {
			work_on(a);
			start(a);
			continue;
		}
		a->waiting = true;
		pthread_cond_wait(&a->ready, &a->lock);
		a->waiting = false;
	}
	pthread_mutex_unlock(&a->lock);
}

/* All of the chunk at `out` was given out. */
static void
give_back(struct ahead *a, struct chunk *c)
{
	c->n = c->out = 0;
	c->done = false;
	a->some = false;
	a->out++;
}

struct item *
ahead_next(struct ahead *a)
{
	struct chunk *c = chunk(a, a->out);

	if (a->some)
		item_free(&c->items[c->out - 1]);
	if (a->some && c->out == c->n) {
		give_back(a, c);
		c = chunk(a, a->out);
	}
	if (a->out == a->in && c->n > 0)
		hand_over(a);		/* the last, which is not full */
	if (a->out == a->in)
		return NULL;
	if (!a->some)
		await(a, c);
	a->some = true;
	return &c->items[c->out++];
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
		for (size_t k = 0; k < CHUNK; k++)
			buf_free(&c->items[k].text);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->more);
	pthread_cond_destroy(&a->ready);
	free(a);
}
