/* session/order_wait: what is said of a message that was let go, look by look. */
#include "../tap.h"

#include <unistd.h>

#include "session/order_wait.h"

#define LOOKS 6
#define PUT_OFF "t: ID: stayed: come again\n"
#define HELD "t: ID: stayed: it is held now: come again\n"

struct seen_so {
	bool here, work;
	enum state state;
	int64_t mtime, attempts;
};

static const struct row {
	const char *name;
	enum state before;
	int64_t attempts;
	struct seen_so looks[LOOKS];	/* the last for ever */
	int wants;			/* looks until it is over */
	const char *says;		/* of one that left, nothing */
} rows[] = {
	{ "it left", STATE_DEFERRED, -1, {
		{ true, true, STATE_DEFERRED, 1, -1 }, { 0 } }, 3, "" },
	{ "put off", STATE_DEFERRED, -1, {
		{ true, false, STATE_DEFERRED, 1, -1 },
		{ true, false, STATE_DEFERRED, 2, -1 },
		{ true, false, STATE_DEFERRED, 2, -1 } }, 3, PUT_OFF },
	{ "frozen", STATE_DEFERRED, -1, {
		{ true, false, STATE_DEFERRED, 1, -1 },
		{ true, true, STATE_HOLD, 2, -1 },
		{ true, false, STATE_HOLD, 2, -1 } }, 3, HELD },
	{ "frozen again, at once", STATE_HOLD, -1, {
		{ true, false, STATE_HOLD, 2, -1 } }, 1, HELD },
	/* as Postfix does it: the file is the same */
	{ "let go, and put off", STATE_HOLD, -1, {
		{ true, false, STATE_DEFERRED, 1, -1 },
		{ true, false, STATE_DEFERRED, 1, -1 },
		{ true, false, STATE_ACTIVE, 2, -1 },
		{ true, false, STATE_DEFERRED, 3, -1 },
		{ true, false, STATE_DEFERRED, 3, -1 } }, 5, PUT_OFF },
	/* as Sendmail does it: the file is another one */
	{ "let go, and put off, counted", STATE_HOLD, 0, {
		{ true, false, STATE_DEFERRED, 2, 0 },
		{ true, false, STATE_DEFERRED, 2, 0 },
		{ true, false, STATE_DEFERRED, 2, 0 },
		{ true, false, STATE_DEFERRED, 3, 1 },
		{ true, false, STATE_DEFERRED, 3, 1 } }, 5, PUT_OFF },
	{ "let go, and it left", STATE_HOLD, 0, {
		{ true, false, STATE_DEFERRED, 2, 0 },
		{ true, false, STATE_DEFERRED, 2, 0 },
		{ true, false, STATE_DEFERRED, 2, 0 }, { 0 } }, 5, "" },
};

static const struct row *row;
static int looks;

static const struct seen_so *
now(void)
{
	return &row->looks[looks - 1 < LOOKS - 1 ? looks - 1 : LOOKS - 1];
}

static int
find(struct spool *s, const char *id, struct entry *at, struct err *e)
{
	(void)s, (void)id, (void)at, (void)e;
	looks++;
	if (looks > row->wants + 2)
		_exit(ok(false, "%s: it is over in time", row->name));
	return now()->here;
}

static int
read_it(struct spool *s, const struct entry *at, unsigned what, struct message *m,
    struct err *e)
{
	struct rcpt *r;

	(void)s, (void)at, (void)what, (void)e;
	*m = (struct message){ .id = span_dup(SPAN("ID")), .state = now()->state,
	    .mtime = now()->mtime, .arrival = 1, .attempts = now()->attempts };
	r = envelope_add(&m->env, span_dup(SPAN("bob@y.test")));
	r->reason = span_dup(SPAN("come again"));
	return 1;
}

static bool
at_work(struct spool *s, const struct message *m)
{
	(void)s, (void)m;
	return now()->work;
}

/* What is said on stderr meanwhile, in `said'. */
static void
watch(struct spool *s, struct stay *stay, char *said, size_t room)
{
	struct released list = {0};
	struct order_how how = { .tool = "t", .wait_ms = 60000 };
	struct message m = { .id = span_dup(SPAN("ID")), .state = row->before,
	    .mtime = 1, .arrival = 1, .attempts = row->attempts };
	FILE *file = tmpfile();
	int err = dup(STDERR_FILENO);
	ssize_t n;

	released_add(&list, s, &m, 0);
	dup2(fileno(file), STDERR_FILENO);
	released_watch(&list, &how, stay);
	dup2(err, STDERR_FILENO);
	n = pread(fileno(file), said, room - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	fclose(file);
	close(err);
	released_free(&list);
	message_free(&m);
}

int
main(void)
{
	static const struct spool_kind kind = { .name = "played", .find = find,
	    .read = read_it, .at_work = at_work };
	struct spool s = { .kind = &kind };
	char said[300];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct stay stay = {0};
		bool left = *rows[i].says == '\0';

		row = &rows[i];
		looks = 0;
		watch(&s, &stay, said, sizeof said);
		ok(stay.left == left && stay.stayed == !left, "%s: counted",
		    row->name);
		is(said, row->says, row->name);
		ok(looks == row->wants, "%s: at look %d of %d", row->name, looks,
		    row->wants);
	}
	return done_testing();
}
