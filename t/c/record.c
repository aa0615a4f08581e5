/* The lines programs talk in: records, results, trouble. */
#include "../tap.h"

#include <stdint.h>

#include "wire/record.h"

static const struct {
	const char *line;
	size_t n;		/* 0: strlen() */
	const char *ref;	/* NULL: 65 */
	const char *sender;
	size_t rcpts;
	const char *last;
} records[] = {
	{ "/q/1\ta@x\tb@y", 0, "/q/1", "a@x", 1, "b@y" },
	{ "/q/1\ta@x\tb@y\tc@z\tb@y", 0, "/q/1", "a@x", 3, "b@y" },
	{ "/q/1\t<>\tb@y", 0, "/q/1", "", 1, "b@y" },
	{ "/q/1", 0, "/q/1", NULL, 0, NULL },
	{ "/q/a\\x09b\\x0Ac\\x5c", 0, "/q/a\tb\nc\\", NULL, 0, NULL },
	{ "/q/a b", 0, "/q/a b", NULL, 0, NULL },
	{ "/q/1\ta@x\t-x@y", 0, "/q/1", "a@x", 1, "-x@y" },
	{ "/q/1\ta@x\t\"john doe\"@y", 0, "/q/1", "a@x", 1, "\"john doe\"@y" },
	{ "/q/1\ta@x\t\"a\\x5C\"b\"@y", 0, "/q/1", "a@x", 1, "\"a\\\"b\"@y" },
	{ "/q/1\tpostmaster\tb\303\266b@y", 0, "/q/1", "postmaster", 1,
	    "b\303\266b@y" },
	{ "", 0, NULL, NULL, 0, NULL },
	{ "\ta@x\tb@y", 0, NULL, NULL, 0, NULL },
	{ "/q/1\t\tb@y", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta@x\t\tb@y", 0, NULL, NULL, 0, NULL },
	/* an empty field at the end must not widen it to everybody */
	{ "/q/1\t", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta@x", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta@x\t", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta@x\tb@y\t", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta b\tb@y", 0, NULL, NULL, 0, NULL },
	{ "/q/1\t<a@x>\tb@y", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta@x\t<>", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta@x\tb@y\\x0D\\x0AQUIT", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta@x\\x0A\tb@y", 0, NULL, NULL, 0, NULL },
	{ "/q/1\ta@x\tb@y\r", 0, NULL, NULL, 0, NULL },
	{ "/q/\\x00", 0, NULL, NULL, 0, NULL },
	{ "/q/\0x", 5, NULL, NULL, 0, NULL },
	{ "/q/\\n", 0, NULL, NULL, 0, NULL },
	{ "/q/\\x4", 0, NULL, NULL, 0, NULL },
	{ "/q/\\xGG", 0, NULL, NULL, 0, NULL },
	{ "/q/\\", 0, NULL, NULL, 0, NULL },
	{ "/q/\\x", 0, NULL, NULL, 0, NULL },
};

static const struct {
	const char *line;
	enum fate fate;		/* FATE_NONE: 65 */
	const char *rcpt, *status, *text;
} results[] = {
	{ "/q/1\tb@y\tdelivered\t2.0.0\tok", FATE_DELIVERED, "b@y", "2.0.0", "ok" },
	{ "-\t*\tdeferred\t4.4.2\tgone away", FATE_DEFERRED, "*", "4.4.2",
	    "gone away" },
	{ "/q/1\tb@y\trelayed\t2.123.45\t-", FATE_RELAYED, "b@y", "2.123.45", "-" },
	{ "/q/1\tb@y\tfailed\t5.1.1\t550 a\\x09b\\x5C", FATE_FAILED, "b@y",
	    "5.1.1", "550 a\tb\\" },
	{ "/q/1\tb@y\tnone\t2.0.0\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tDelivered\t2.0.0\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered\t2.0\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered\t2.0.0.0\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered\t2.0.0.\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered\t5.1.1\tno", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\trelayed\t4.2.1\tlater", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered\t1.0.0\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered\t2.0.1000\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered\t\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tfailed\t2.0.0\tok", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tfailed\t4.4.7\tx", FATE_FAILED, "b@y", "4.4.7", "x" },
	{ "/q/1\tb@y\tdeferred\t2.0.0\tx", FATE_DEFERRED, "b@y", "2.0.0", "x" },
	{ "/q/1\tb@y\tdelivered\t2.0.0\t", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered\t2.0.0", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y\tdelivered", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1\tb@y", FATE_NONE, NULL, NULL, NULL },
	{ "/q/1", FATE_NONE, NULL, NULL, NULL },
	{ "", FATE_NONE, NULL, NULL, NULL },
	{ "250 ok", FATE_NONE, NULL, NULL, NULL },
};

static const struct {
	const char *line;
	int exit;		/* 0: 65 */
	const char *text;
} troubles[] = {
	{ "!\t77\tqueue-list: may not look", 77, "queue-list: may not look" },
	{ "!\t75\ta\\x09b\\x5C", 75, "a\tb\\" },
	{ "!\t255\tx", 255, "x" },
	{ "!\t0\tx", 0, NULL }, { "!\t256\tx", 0, NULL }, { "!\t-1\tx", 0, NULL },
	{ "!\tx\tx", 0, NULL }, { "!", 0, NULL }, { "!\t", 0, NULL },
	{ "!\t\tx", 0, NULL },
};

/* No room behind the line: whoever reads too far is seen. */
static struct span
copy(const char *line, size_t n)
{
	char *p = must(malloc(n + (n == 0)));

	memcpy(p, line, n);
	return (struct span){ p, n };
}

static void
drop(struct span s)
{
	free((char *)(uintptr_t)s.p);
}

static void
check_record(size_t i)
{
	size_t n = records[i].n ? records[i].n : strlen(records[i].line);
	struct span s = copy(records[i].line, n);
	struct record r;
	struct err e = {0};
	struct buf b = {0};
	int got = record_parse(&r, s, &e);

	ok((got == 0) == (records[i].ref != NULL), "record %zu", i);
	is(r.ref, records[i].ref, "its ref");
	is(r.sender, records[i].sender, "its sender");
	ok(r.rcpts.n == records[i].rcpts, "%zu recipients", records[i].rcpts);
	if (got == 0 && r.rcpts.n > 0)
		is(r.rcpts.p[r.rcpts.n - 1], records[i].last, "the last");
	ok(got == 0 || e.fault == FAULT_DATA, "65 if it is none");
	if (got == 0) {
		struct record again;

		record_add(&b, &r, '\n');
		ok(record_parse(&again, (struct span){ b.p, b.n - 1 }, &e) == 0 &&
		    strcmp(again.ref, r.ref) == 0 &&
		    again.rcpts.n == r.rcpts.n, "written and read again");
		record_free(&again);
	}
	buf_free(&b);
	record_free(&r);
	drop(s);
}

static void
check_result(size_t i)
{
	struct span s = copy(results[i].line, strlen(results[i].line));
	struct result r;
	struct err e = {0};
	struct buf b = {0};
	int got = result_parse(&r, s, &e);

	ok((got == 0) == (results[i].fate != FATE_NONE), "result %zu", i);
	ok(r.fate == results[i].fate, "its fate");
	is(r.recipient, results[i].rcpt, "its recipient");
	is(r.status, results[i].status, "its status");
	is(r.text, results[i].text, "its text");
	if (got == 0) {
		result_add(&b, &r, '\0');
		ok(b.n == s.n + 1 && memcmp(b.p, s.p, s.n) == 0 &&
		    b.p[s.n] == '\0', "the same when written");
	}
	buf_free(&b);
	result_free(&r);
	drop(s);
}

static void
check_trouble(size_t i)
{
	struct span s = copy(troubles[i].line, strlen(troubles[i].line));
	struct record r;
	struct result t;
	struct err e = {0};
	struct buf b = {0};
	int got = record_parse(&r, s, &e);

	ok((got == 0) == (troubles[i].exit != 0), "trouble %zu", i);
	ok(result_parse(&t, s, &e) == got, "among results, too");
	is(r.text, troubles[i].text, "its text");
	is(t.text, troubles[i].text, "its text");
	if (got == 0) {
		is(r.ref, "!", "never a ref");
		ok(r.exit == troubles[i].exit, "its status");
		trouble_add(&b, r.exit, r.text, '\n');
		ok(b.n == s.n + 1 && memcmp(b.p, s.p, s.n) == 0,
		    "passed on as it came");
	}
	buf_free(&b);
	record_free(&r);
	result_free(&t);
	drop(s);
}

static void
fields(void)
{
	struct buf b = {0};
	char ref[] = "/q/\1\t\n\177\\\303\266", none[] = "", self[] = "-";
	char all[] = "*", status[] = "5.0.0";
	struct record r = { .ref = ref, .sender = none };
	struct result t = { .ref = self, .recipient = all, .fate = FATE_FAILED,
	    .status = status, .text = none };

	record_add(&b, &r, '\n');
	is(buf_str(&b), "/q/\\x01\\x09\\x0A\\x7F\\x5C\303\266\t<>\n", "escapes");
	buf_clear(&b);
	result_add(&b, &t, '\n');
	is(buf_str(&b), "-\t*\tfailed\t5.0.0\t-\n", "no field is empty");
	buf_clear(&b);
	trouble_add(&b, 75, "", '\n');
	is(buf_str(&b), "!\t75\t-\n", "not in trouble either");
	buf_free(&b);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof records / sizeof *records; i++)
		check_record(i);
	for (size_t i = 0; i < sizeof results / sizeof *results; i++)
		check_result(i);
	for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
		check_trouble(i);
	fields();
	return done_testing();
}
