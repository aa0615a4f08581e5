#include "session/window.h"

#include "base/clock.h"

#define FIRST_OCTETS 131072	/* before anything is known */
#define START_OCTETS 262144	/* answered, before the line is known well */
#define LEAST_OCTETS 16384
#define LEAST_TRIP 200000	/* microseconds: a server makes several safe at once */

/*
 * A rate that was measured through a window is at most the window over the round
 * trip: a multiple of that opens it until the line is full.  In the first burst all
 * wait for the first answer, so the rate looks lower than it is: four times then.
 * The shortest trip may have been that of one alone: on a fast line a server that
 * shares a sync among those that have come is given some to share it.
 */
static int64_t
enough(const struct window *w)
{
	int64_t trip = w->trip < LEAST_TRIP ? LEAST_TRIP : w->trip;
	double octets = (w->answered < START_OCTETS ? 4 : 2) * w->rate *
	    (double)trip;

	if (w->limit.octets > 0)
		return w->limit.octets;
	if (w->limit.messages > 0)
		return INT64_MAX;
	if (w->answered < FIRST_OCTETS)
		return FIRST_OCTETS;
	return octets < LEAST_OCTETS ? LEAST_OCTETS :
	    octets > WINDOW_OCTETS ? WINDOW_OCTETS : (int64_t)octets;
}

static size_t
most_messages(const struct window *w)
{
	if (w->limit.messages > 0)
		return w->limit.messages;
	return w->limit.octets > 0 ? SIZE_MAX : WINDOW_MESSAGES;
}

bool
window_may(const struct window *w)
{
	return w->messages == 0 || (w->messages < most_messages(w) &&
	    w->octets < enough(w));
}

void
window_add(struct window *w, struct flight *f, int64_t octets)
{
	*f = (struct flight){ octets, clock_us(), w->answered };
	w->messages++;
	w->octets += octets;
}

void
window_done(struct window *w, const struct flight *f)
{
	int64_t took = clock_us() - f->since;
	double rate;

	w->messages--;
	w->octets -= f->octets;
	w->answered += (uint64_t)f->octets;
	if (took <= 0)
		took = 1;
	rate = (double)(w->answered - f->answered) / (double)took;
	/* an old best fades, so that a line that got slower is believed */
	w->rate = rate > w->rate ? rate : w->rate - (w->rate - rate) / 16;
	if (w->trip == 0 || took < w->trip)
		w->trip = took;
}
