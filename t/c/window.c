/* How much may be on its way: what is known of the line, what was asked for. */
#include "../tap.h"

#include "session/window.h"

#define KNOWN (1 << 20)		/* octets answered: the line is known well */

static const struct {
	const char *what;
	struct window w;
	bool may;
} cases[] = {
	{ "nothing is on its way: anything may", { .limit.octets = 1 }, true },
	{ "nothing is known: 128 kB", { .messages = 1, .octets = 131071 }, true },
	{ "and no more", { .messages = 1, .octets = 131072 }, false },
	{ "twice the rate times the trip",
	    { .messages = 9, .octets = 149999, .answered = KNOWN, .rate = .125,
	    .trip = 600000 }, true },
	{ "and no more", { .messages = 9, .octets = 150000, .answered = KNOWN,
	    .rate = .125, .trip = 600000 }, false },
	{ "four times, as long as it is hardly known",
	    { .messages = 9, .octets = 199999, .answered = 200000, .rate = .0833333334,
	    .trip = 600000 }, true },
	{ "a slow line: 16 kB", { .messages = 1, .octets = 16383, .answered = KNOWN,
	    .rate = .001, .trip = 300000 }, true },
	{ "and no more", { .messages = 1, .octets = 16384, .answered = KNOWN,
	    .rate = .001, .trip = 300000 }, false },
	{ "a fast line: what it carries in a fifth of a second, so that syncs are shared",
	    { .messages = 9, .octets = 199999, .answered = KNOWN, .rate = .5,
	    .trip = 1000 }, true },
	{ "and no more", { .messages = 9, .octets = 200000, .answered = KNOWN,
	    .rate = .5, .trip = 1000 }, false },
	{ "never more than 256 kB", { .messages = 9, .octets = WINDOW_OCTETS,
	    .answered = KNOWN, .rate = 1000, .trip = 600000 }, false },
	{ "nor than 64 messages", { .messages = WINDOW_MESSAGES, .octets = 640,
	    .answered = KNOWN, .rate = 1, .trip = 600000 }, false },
	{ "asked for: octets, many messages", { .limit.octets = 10000,
	    .messages = 999, .octets = 9999 }, true },
	{ "and no more", { .limit.octets = 10000, .messages = 1, .octets = 10000 },
	    false },
	{ "asked for: messages, many octets", { .limit.messages = 2, .messages = 1,
	    .octets = 1 << 30 }, true },
	{ "and no more", { .limit.messages = 2, .messages = 2, .octets = 2 }, false },
};

static void
counted(void)
{
	struct window w = {0};
	struct flight one, two;

	window_add(&w, &one, 1000);
	window_add(&w, &two, 500);
	ok(w.messages == 2 && w.octets == 1500, "two are on their way");
	window_done(&w, &two);
	ok(w.messages == 1 && w.octets == 1000 && w.answered == 500 && w.trip > 0 &&
	    w.rate > 0, "one is answered, in any order");
	window_done(&w, &one);
	ok(w.messages == 0 && w.octets == 0 && w.answered == 1500, "and the other");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(window_may(&cases[i].w) == cases[i].may, "%s", cases[i].what);
	counted();
	return done_testing();
}
