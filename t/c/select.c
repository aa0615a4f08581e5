#include "../tap.h"

#include "spool/select.h"

static void
add(struct patterns *v, const char *text)
{
	bool not = *text == '!';

	*vec_add(v) = (struct pattern){ span_dup(span_of(text + not)), not };
}

/* ann@a.test (pending), bob@b.test (done), ann@a.test again, CY@B.test. */
static void
fill(struct message *m)
{
	static const char *const names[] = {
		"ann@a.test", "bob@b.test", "ann@a.test", "CY@B.test",
	};

	*m = (struct message){ .state = STATE_DEFERRED, .arrival = 900, .size = 50 };
	m->env.sender = span_dup(SPAN("s@x.test"));
	for (int i = 0; i < 4; i++)
		envelope_add(&m->env, span_dup(span_of(names[i])))->done = i == 1;
	m->env.rcpts.p[0].reason = span_dup(SPAN("451 greylisted"));
	m->env.rcpts.p[3].reason = span_dup(SPAN("connection refused"));
}

static const char *
picked(const struct message *m)
{
	static char s[8];

	for (size_t i = 0; i < m->env.rcpts.n; i++)
		s[i] = m->env.rcpts.p[i].selected ? '1' : '0';
	s[m->env.rcpts.n] = '\0';
	return s;
}

static const struct {
	const char *name, *node, *other, *rcpt, *from, *reason;
	bool yes;
	const char *picked;
} rows[] = {
	{ "everything", NULL, NULL, NULL, NULL, NULL, true, "1011" },
	{ "a domain", "a.test", NULL, NULL, NULL, NULL, true, "1010" },
	{ "in either case", "b.test", NULL, NULL, NULL, NULL, true, "0001" },
	{ "two domains", "a.test", "b.test", NULL, NULL, NULL, true, "1011" },
	{ "none of a domain", "!a.test", NULL, NULL, NULL, NULL, true, "0001" },
	{ "a domain but not itself", "a.test", "!a.test", NULL, NULL, NULL, false, NULL },
	{ "another domain", "c.test", NULL, NULL, NULL, NULL, false, NULL },
	{ "a done recipient", NULL, NULL, "bob@*", NULL, NULL, false, NULL },
	{ "a glob", NULL, NULL, "cy@*", NULL, NULL, true, "0001" },
	{ "domain and glob", "a.test", NULL, "cy@*", NULL, NULL, false, NULL },
	{ "not a glob", NULL, NULL, "!ann@*", NULL, NULL, true, "0001" },
	{ "a sender", NULL, NULL, NULL, "*@x.test", NULL, true, "1011" },
	{ "another sender", NULL, NULL, NULL, "", NULL, false, NULL },
	{ "not that sender", NULL, NULL, NULL, "!s@x.test", NULL, false, NULL },
	{ "a reason", NULL, NULL, NULL, NULL, "grey|black", true, "1011" },
	{ "a reason of another recipient", "b.test", NULL, NULL, NULL, "grey", false, NULL },
	{ "not that reason", "b.test", NULL, NULL, NULL, "!grey", true, "0001" },
	{ "not that reason either", NULL, NULL, NULL, NULL, "!grey", false, NULL },
};

static void
test_messages(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct select s;
		struct message m;
		const char *reason = rows[i].reason;
		bool yes;

		select_init(&s);
		fill(&m);
		if (rows[i].node)
			add(&s.nodes, rows[i].node);
		if (rows[i].other)
			add(&s.nodes, rows[i].other);
		if (rows[i].rcpt)
			add(&s.rcpts, rows[i].rcpt);
		if (rows[i].from)
			add(&s.froms, rows[i].from);
		if (reason) {
			s.reason_not = *reason == '!';
			s.has_reason = regcomp(&s.reason, reason + s.reason_not,
			    REG_EXTENDED | REG_NOSUB) == 0;
		}
		ok(select_given(&s) == (i > 0), "%s: given", rows[i].name);
		yes = select_message(&s, &m);
		ok(yes == rows[i].yes, "%s", rows[i].name);
		if (yes)
			is(picked(&m), rows[i].picked, "its recipients");
		select_free(&s);
		message_free(&m);
	}
}

static void
test_bounds(void)
{
	struct select s;
	struct message m;

	fill(&m);
	select_init(&s);
	s.now = 1000;
	s.older = 99;
	ok(select_message(&s, &m), "older than 99 seconds");
	s.older = 100;
	ok(!select_message(&s, &m), "not older than 100");
	s.older = -1, s.newer = 101;
	ok(select_message(&s, &m), "newer than 101 seconds");
	s.newer = 100;
	ok(!select_message(&s, &m), "not newer than 100");
	s.newer = -1, s.larger = 50;
	ok(!select_message(&s, &m), "not larger than itself");
	s.larger = 49, s.smaller = 51;
	ok(select_message(&s, &m), "between two sizes");
	s.larger = -1, s.smaller = -1, s.states = STATE_BIT(STATE_HOLD);
	ok(!select_message(&s, &m), "another state");
	message_free(&m);
	select_free(&s);
}

static const struct {
	const char *name, *sender, *rcpts[4];
	bool yes;
	const char *picked;
} records[] = {
	{ "REF alone", NULL, { NULL }, true, "1011" },
	{ "one", "s@x.test", { "cy@b.test" }, false, "0000" },
	{ "one, the domain in either case", "s@X.TEST", { "CY@b.test" }, true, "0001" },
	{ "once", "s@x.test", { "ann@a.test" }, true, "1000" },
	{ "twice", "s@x.test", { "ann@a.test", "ann@a.test" }, true, "1010" },
	{ "one that is done meanwhile", "s@x.test", { "bob@b.test", "CY@B.test" }, true, "0001" },
	{ "another sender", "t@x.test", { "ann@a.test" }, false, "0000" },
	{ "the null sender", "", { "ann@a.test" }, false, "0000" },
	{ "another recipient", "s@x.test", { "ann@a.test", "eve@a.test" }, false, "0000" },
};

static void
test_records(void)
{
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		struct select s;
		struct message m;
		struct record r = { .ref = (char *)(uintptr_t)"/x",
		    .sender = (char *)(uintptr_t)records[i].sender };

		select_init(&s);
		fill(&m);
		for (int k = 0; records[i].rcpts[k]; k++)
			*vec_add(&r.rcpts) = (char *)(uintptr_t)records[i].rcpts[k];
		select_message(&s, &m);
		ok(select_record(&m, &r) == records[i].yes, "%s", records[i].name);
		is(picked(&m), records[i].picked, "its recipients");
		vec_free(&r.rcpts);
		message_free(&m);
		select_free(&s);
	}
}

static void
test_entries(void)
{
	struct entry at = { .state = STATE_DEFERRED };
	struct select s;

	buf_adds(&at.ref, "/q/deferred/A/ABC");
	select_init(&s);
	ok(select_entry(&s, &at), "any entry");
	*vec_add(&s.ids) = span_dup(SPAN("ABCD"));
	ok(!select_entry(&s, &at), "another ID");
	*vec_add(&s.ids) = span_dup(SPAN("ABC"));
	ok(select_entry(&s, &at), "one of two IDs");
	s.states = STATE_BIT(STATE_HOLD);
	ok(!select_entry(&s, &at), "another state");
	s.states = STATE_BIT(STATE_DONE);
	ok(select_entry(&s, &at), "only the file tells what is done");
	ok(select_walks(&s) & STATE_BIT(STATE_DEFERRED), "so it is looked for there");
	buf_clear(&at.ref);
	buf_adds(&at.ref, "/md/cur/ABC:2,S");
	s.states = STATES_SHOWN;
	ok(select_entry(&s, &at), "an ID with flags behind it");
	select_touch(&s);
	ok(!(s.states & STATE_BIT(STATE_HOLD)), "held mail is not touched");
	s.states = STATES_SHOWN;
	s.named = STATE_BIT(STATE_HOLD);
	select_touch(&s);
	ok(s.states & STATE_BIT(STATE_HOLD), "unless it was named");
	select_free(&s);
	buf_free(&at.ref);
}

int
main(void)
{
	test_messages();
	test_bounds();
	test_records();
	test_entries();
	return done_testing();
}
