/* session/feed against small shell scripts. */
#include "session/feed.h"

#include <signal.h>

#include "../tap.h"

#define LOOP "T=$(printf '\\t'); while IFS=$T read -r ref sender rcpts; do "

static const struct row {
	const char *name, *script;
	size_t in_hand, messages;
	const char *want;	/* fates in order of message and recipient */
	int status;
	bool stopped;
} rows[] = {
	{ "answers each", LOOP "printf \"$ref\\t*\\tdelivered\\t2.0.0\\tok\\n\"; done",
	  4, 3, "dddddd", 0, false },
	{ "answers backwards", "tac | { " LOOP
	  "printf \"$ref\\t*\\tdelivered\\t2.0.0\\tok\\n\"; done; }",
	  8, 5, "dddddddddd", 0, false },
	{ "reads all first, small window", "all=$(cat); echo \"$all\" | { " LOOP
	  "printf \"$ref\\t*\\tdelivered\\t2.0.0\\tok\\n\"; done; }",
	  2, 5, "dddddddddd", 0, false },
	{ "answers the second of a pair that is alike", LOOP
	  "printf \"$ref\\tsame@x.test\\tdelivered\\t2.0.0\\tok\\n\"; done",
	  4, 1, "d-", 75, false },
	{ "both of the pair", LOOP
	  "printf \"$ref\\tsame@x.test\\tdelivered\\t2.0.0\\tok\\n\";"
	  "printf \"$ref\\tsame@x.test\\tfailed\\t5.0.0\\tno\\n\"; done",
	  4, 1, "df", 0, false },
	{ "three answers for two", LOOP
	  "printf \"$ref\\t*\\tfailed\\t5.0.0\\tno\\n\";"
	  "printf \"$ref\\tsame@x.test\\tdelivered\\t2.0.0\\tok\\n\"; done",
	  4, 1, "ff", 0, false },
	{ "the last line without its end", "read -r line; "
	  "printf '/q/0\\t*\\tdelivered\\t2.0.0\\tok'", 1, 1, "dd", 0, false },
	{ "dies", "read -r a; read -r b; exit 9", 2, 5, "----", 75, true },
	{ "ends without a word", ":", 1, 5, "--", 75, true },
	{ "exits 67 with all answered", LOOP
	  "printf \"$ref\\t*\\tfailed\\t5.1.1\\tno\\n\"; done; exit 67",
	  4, 2, "ffff", 67, false },
	{ "trouble", LOOP "printf \"$ref\\t*\\tdelivered\\t2.0.0\\tok\\n\"; done;"
	  "printf '!\\t76\\tlost\\n'", 4, 1, "dd", 76, false },
	{ "an endless line", "head -c 300000 /dev/zero | tr '\\0' a; echo; " LOOP
	  "printf \"$ref\\t*\\tdelivered\\t2.0.0\\tok\\n\"; done",
	  4, 1, "dd", 0, false },
	{ "a background child holds its stdout", "sleep 20 2>/dev/null & exit 0",
	  1, 1, "--", 75, true },
};

static void
give(struct feed *f, size_t i, size_t *numbers)
{
	char ref[32];
	struct record r = { .ref = ref, .sender = (char *)(uintptr_t)"" };
	struct err e = {0};

	snprintf(ref, sizeof ref, "/q/%zu", i);
	for (int k = 0; k < 2; k++)
		*vec_add(&r.rcpts) = (char *)(uintptr_t)"same@x.test";
	if (feed_give(f, &r, &numbers[i], &e) < 0)
		printf("# give: %s\n", e.text);
	vec_free(&r.rcpts);
}

/* The newest message that has this number. */
static size_t
message_of(const size_t *numbers, size_t given, size_t number)
{
	size_t i = given;

	while (i-- > 0)
		if (numbers[i] == number)
			return i;
	return 0;
}

static void
play(const struct row *row)
{
	const char *command[] = { "sh", "-c", row->script, NULL };
	struct feed_limits limits = { row->in_hand, 1, 50, 30000, NEVER };
	struct err e = {0};
	struct feed *f = feed_new(command, &limits, false, &e);
	struct feed_event ev;
	size_t given = 0, numbers[16];
	char fates[33] = {0};
	int r;

	while ((r = feed_next(f, &ev, &e)) > 0) {
		if (r == FEED_ROOM && given < row->messages) {
			give(f, given, numbers);
			given++;
		} else if (r == FEED_ROOM) {
			feed_no_more(f);
		} else if (r == FEED_RESULT) {
			size_t i = message_of(numbers, given, ev.number);

			fates[2 * i + ev.rcpt] = "?ddDf"[ev.result->fate];
			if (strstr(ev.result->text, "before it answered"))
				fates[2 * i + ev.rcpt] = '-';
		}
	}
	is(fates, row->want, row->name);
	ok(r == FEED_END, "%s: comes to its end", row->name);
	ok(feed_status(f) == row->status, "%s: status %d, wanted %d", row->name,
	    feed_status(f), row->status);
	ok(feed_stopped(f) == row->stopped, "%s: goes on or not", row->name);
	feed_free(f);
}

/* 2000 records to one that reads nothing before it has said as much. */
static void
flood(void)
{
	const char *command[] = { "sh", "-c",
	    "head -c 3000000 /dev/zero | tr '\\0' '\\n'; " LOOP
	    "printf \"$ref\\t*\\tdelivered\\t2.0.0\\tok\\n\"; done", NULL };
	/* on a busy machine so many lines take half a minute, and none is an answer */
	struct feed_limits limits = { 500, 1, 600000, 600000, NEVER };
	struct err e = {0};
	struct feed *f;
	struct feed_event ev;
	size_t given = 0, results = 0, numbers[2000];
	int r;

	f = feed_new(command, &limits, true, &e);
	while ((r = feed_next(f, &ev, &e)) > 0) {
		if (r == FEED_ROOM && given < 2000)
			give(f, given++, numbers);
		else if (r == FEED_ROOM)
			feed_no_more(f);
		results += r == FEED_RESULT;
	}
	ok(r == FEED_END && results == 4000 && feed_status(f) == 0,
	    "both pipes full: no deadlock (%zu results, status %d)", results,
	    feed_status(f));
	feed_free(f);
}

/* A recipient whose name is `*` is delivered to; the other has no answer. */
static void
star(void)
{
	const char *command[] = { "sh", "-c", LOOP
	    "printf \"$ref\\t*\\tdelivered\\t2.0.0\\tok\\n\"; done", NULL };
	char *rcpts[] = { (char *)(uintptr_t)"b@y.test", (char *)(uintptr_t)"*" };
	struct record r = { .ref = (char *)(uintptr_t)"/q/0",
	    .sender = (char *)(uintptr_t)"", .rcpts = { rcpts, 2, 2 } };
	struct feed_limits limits = { 1, 1, 10000, 30000, NEVER };
	struct err e = {0};
	struct feed *f = feed_new(command, &limits, true, &e);
	struct feed_event ev;
	enum fate fates[2] = { FATE_NONE, FATE_NONE };
	bool given = false;
	size_t number;
	int event;

	while ((event = feed_next(f, &ev, &e)) > 0) {
		if (event == FEED_ROOM && !given)
			given = feed_give(f, &r, &number, &e) == 0;
		else if (event == FEED_ROOM)
			feed_no_more(f);
		else if (event == FEED_RESULT)
			fates[ev.rcpt] = ev.result->fate;
	}
	ok(fates[0] == FATE_DEFERRED && fates[1] == FATE_DELIVERED,
	    "a mailbox of the name `*' is not everybody");
	feed_free(f);
}

static void
never(void)
{
	const char *command[] = { "/nonexistent/command", NULL };
	const char *plain[] = { "/etc/passwd", NULL };
	struct feed_limits limits = { 1, 1, 1, 1, NEVER };
	struct err e = {0};

	ok(feed_new(command, &limits, false, &e) == NULL &&
	    e.fault == FAULT_UNAVAILABLE, "not there: 69");
	ok(feed_new(plain, &limits, false, &e) == NULL &&
	    e.fault == FAULT_PERM, "no program: 77");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		play(&rows[i]);
	flood();
	star();
	never();
	return done_testing();
}
