/*
 * How much may be on its way without an answer.  Enough to keep the line full is
 * twice its rate times its round trip; what is more only makes more duplicates
 * when the line drops.
 */
#ifndef SESSION_WINDOW_H
#define SESSION_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_MESSAGES 64
#define WINDOW_OCTETS 262144

/* Asked for by the user; 0: not said. */
struct window_limit {
	size_t messages;
	int64_t octets;
};

struct window {
	struct window_limit limit;
	size_t messages;	/* unanswered now */
	int64_t octets;
	uint64_t answered;	/* octets, ever */
	double rate;		/* octets a microsecond, the best lately; 0: unknown */
	int64_t trip;		/* microseconds, the shortest; 0: unknown */
};

/* A message in the window. */
struct flight {
	int64_t octets, since;
	uint64_t answered;	/* of the window, when it was sent */
};

/* Is there room for one more?  Always, when nothing is on its way. */
bool window_may(const struct window *);

void window_add(struct window *, struct flight *, int64_t octets);
void window_done(struct window *, const struct flight *);

#endif
