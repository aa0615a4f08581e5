#include "wire/octets.h"

#include <string.h>

#define WIDE 16
#define STEP (4 * WIDE)
#define STEPS_MAX 255		/* an octet of a sum counts no further */

/* Octets side by side, the compiler's own; a comparison gives -1 where it is true. */
struct wide {
	unsigned char v __attribute__((vector_size(WIDE)));
};

static inline struct wide
at(const char *p)
{
	struct wide w;

	memcpy(&w.v, p, WIDE);
	return w;
}

/* Adds the LFs at p; with `bare` only those without a CR before them. */
static inline void
add(struct wide *sum, const char *p, bool bare)
{
	if (bare)
		sum->v -= (at(p).v == '\n') & (at(p - 1).v != '\r');
	else
		sum->v -= at(p).v == '\n';
}

static inline int64_t
total(const struct wide *sum)
{
	int64_t n = 0;

	for (size_t i = 0; i < WIDE; i++)
		n += sum->v[i];
	return n;
}

/* Of `n` octets; an octet stands before p. */
static inline int64_t
count(const char *p, size_t n, bool bare)
{
	int64_t sum = 0;

	while (n >= STEP) {
		struct wide a = {0}, b = {0}, c = {0}, d = {0};
		size_t steps = n / STEP < STEPS_MAX ? n / STEP : STEPS_MAX;

		n -= steps * STEP;
		for (; steps > 0; steps--, p += STEP) {
			add(&a, p, bare);
			add(&b, p + WIDE, bare);
			add(&c, p + 2 * WIDE, bare);
			add(&d, p + 3 * WIDE, bare);
		}
		sum += total(&a) + total(&b) + total(&c) + total(&d);
	}
	for (; n > 0; p++, n--)
		sum += *p == '\n' && (!bare || p[-1] != '\r');
	return sum;
}

void
octets_count(struct octets *o, struct span s)
{
	if (s.n == 0)
		return;
	if (o->lf)
		o->added += count(s.p, s.n, false);
	else
		o->added += (s.p[0] == '\n' && o->last != '\r') +
		    count(s.p + 1, s.n - 1, true);
	if (o->read == 0)
		o->first = s.p[0];
	o->read += (int64_t)s.n;
	o->last = s.p[s.n - 1];
}

void
octets_join(struct octets *o, const struct octets *next)
{
	if (next->read == 0)
		return;
	o->added += next->added;
	if (!o->lf && o->last == '\r' && next->first == '\n')
		o->added--;
	if (o->read == 0)
		o->first = next->first;
	o->read += next->read;
	o->last = next->last;
}

int64_t
octets_size(const struct octets *o)
{
	return o->read + o->added + (o->read > 0 && o->last != '\n' ? 2 : 0);
}
