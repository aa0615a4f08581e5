/* The customers' file: what is one, what is none, and who may ask for what. */
#include "../tap.h"

#include <arpa/inet.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/customers.h"

static const char *path;

static int
read_text(struct customers *v, const char *text, struct err *e)
{
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	err_clear(e);
	return customers_read(v, path, e);
}

static const struct { const char *text, *says; } wrong[] = {
	{ "alice one.test\n", "line 1: it is user: domain ..." },
	{ ": one.test\n", "line 1: it is user: domain ..." },
	{ "a b: one.test\n", "line 1: it is user: domain ..." },
	{ "# x\n\nalice:\n", "line 3: alice has no domain" },
	{ "alice: splice=127.0.0.2:25\n", "line 1: alice has no domain" },
	{ "alice: #queue\n", "line 1: `#queue' is no domain" },
	{ "alice: -x.test\n", "line 1: " },
	{ "alice: one..test\n", "line 1: " },
	{ "alice: a.test\nalice: b.test\n", "line 2: alice was there before" },
	{ "alice: a.test\nbob: A.test\n", "line 2: a.test of bob is a.test of alice" },
	{ "alice: @a.test\nbob: x.a.test\n", "line 2: x.a.test of bob is @a.test of alice" },
	{ "alice: x.a.test\nbob: @a.test\n", "line 2: @a.test of bob is x.a.test of alice" },
	{ "alice: a.test.\nbob: a.test\n", "line 2: a.test of bob is a.test of alice" },
	{ "alice: b\303\274cher.test\nbob: xn--bcher-kva.test\n",
	    "line 2: xn--bcher-kva.test of bob is xn--bcher-kva.test of alice" },
	{ "alice: *.a.test\n", "line 1: " }, { "alice: *\n", "line 1: " },
	{ "alice: @@a.test\n", "line 1: " }, { "alice: [192.0.2.1]\n", "line 1: " },
	{ "alice: ../../etc/passwd\n", "line 1: " },
	{ "alice: a.test\001 b.test\n", "line 1: " },
	{ "alice: a.test splice=mx.test:25\n", "line 1: splice: mx.test:25: it is address:port" },
	{ "alice: a.test splice=127.0.0.2\n", "line 1: splice: 127.0.0.2: it is address:port" },
	{ "alice: a.test splice=unix:/run/a\n", "line 1: splice=unix:/run/a: it is address:port" },
	{ "alice: a.test splice=0.0.0.0:25\n", "line 1: splice: 0.0.0.0:25: others could reach "
	    "that; it is an address of loopback, like 127.0.0.2:625" },
	{ "alice: a.test splice=[2001:db8::1]:25\n", "line 1: splice: [2001:db8::1]:25: others "
	    "could reach that; it is an address of loopback, like 127.0.0.2:625" },
	{ "alice: a.test splice=127.0.0.2:25 splice=127.0.0.3:25\n", "line 1: splice= twice" },
	{ "alice: a.test from=10.0.0.0/33\n", "line 1: " },
	{ "alice: a.test from=mx.test\n", "line 1: " },
};

static void
refused(void)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct customers v;
		struct err e = {0};
		int r = read_text(&v, wrong[i].text, &e);

		ok(r < 0 && e.fault == FAULT_CONFIG && strstr(e.text, wrong[i].says),
		    "%zu is refused: %s", i, e.text);
		customers_free(&v);
	}
}

static const char file[] =
    "# who calls\n"
    "\n"
    "alice:\tone.test two.test\tsplice=127.0.0.61:2561 from=192.0.2.7\r\n"
    "  bob : @three.test from=2001:db8::/32 from=10.0.0.0/8\n"
    "carol: xn--mller-kva.test a.three.example from=10.1.0.0/16";

static const struct { const char *user, *node; bool his; } rows[] = {
	{ "alice", "one.test", true }, { "alice", "ONE.test", true },
	{ "alice", "@one.test", false }, { "alice", "a.one.test", false },
	{ "alice", "three.test", false }, { "alice", "notone.test", false },
	{ "bob", "three.test", true }, { "bob", "a.b.three.test", true },
	{ "bob", "@three.test", true }, { "bob", "@a.three.test", true },
	{ "bob", "xthree.test", false }, { "bob", "test", false },
};

static const struct { const char *user, *argument; int code; size_t n; } asks[] = {
	{ "alice", "", 0, 2 }, { "alice", "one.test", 0, 1 },
	{ "alice", "one.test,two.test", 0, 2 },
	{ "alice", "two.test,three.test,one.test", 450, 3 },
	{ "alice", "one.test,", 501, 0 }, { "alice", ",one.test", 501, 0 },
	{ "alice", "one.test,,two.test", 501, 1 },
	{ "alice", "@one.test", 501, 0 }, { "alice", "#one.test", 501, 0 },
	{ "alice", "one", 501, 0 }, { "alice", "one.test;rm", 501, 0 },
	{ "alice", "-d.test", 501, 0 }, { "alice", "one.test two.test", 501, 0 },
	{ "bob", "deep.three.test", 0, 1 }, { "bob", "one.test", 450, 1 },
	{ "carol", "xn--mller-kva.test", 0, 1 },
};

static const struct { const char *at, *user, *node; } from[] = {
	{ "::ffff:192.0.2.7", "alice", NULL }, { "::ffff:192.0.2.8", NULL, NULL },
	{ "2001:db8:1::1", "bob", NULL }, { "2001:db9::1", NULL, NULL },
	{ "::ffff:10.255.0.1", "bob", NULL }, { "::ffff:11.0.0.1", NULL, NULL },
	{ "::1", NULL, "one.test" },
	/* two who share an address */
	{ "::ffff:10.1.0.1", "bob", "three.test" },
	{ "::ffff:10.1.0.1", "carol", "a.three.example" },
	{ "::ffff:10.1.0.1", "bob", "one.test" },
};

/* What is behind a NUL would not be seen. */
static void
nul(void)
{
	static const char text[] = "alice: a.test\0.elsewhere.test b.test\n";
	FILE *f = fopen(path, "w");
	struct customers v;
	struct err e = {0};

	fwrite(text, 1, sizeof text - 1, f);
	fclose(f);
	ok(customers_read(&v, path, &e) < 0 && e.fault == FAULT_CONFIG,
	    "a NUL is refused: %s", e.text);
	customers_free(&v);
}

static void
questions(void)
{
	struct customers v;
	struct err e = {0};

	ok(read_text(&v, file, &e) == 0 && v.n == 3, "three customers: %s", e.text);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct customer *c = customers_find(&v, rows[i].user);

		ok(c && customer_has(c, rows[i].node) == rows[i].his, "%s: %s is %shis",
		    rows[i].user, rows[i].node, rows[i].his ? "" : "not ");
	}
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
		struct domains d = {0};
		int code = customer_asks(customers_find(&v, asks[i].user),
		    span_of(asks[i].argument), &d);

		ok(code == asks[i].code && d.n == asks[i].n, "%s asks for `%s': %d, %zu",
		    asks[i].user, asks[i].argument, code, d.n);
		domains_free(&d);
	}
	for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
		const struct customer *c;
		struct in6_addr at;

		inet_pton(AF_INET6, from[i].at, &at);
		c = customers_from(&v, &at, from[i].node);
		is(c ? c->user : NULL, from[i].user, from[i].at);
	}
	ok(customers_find(&v, "Alice") == NULL, "a user is spelled as he is");
	ok(customers_find(&v, "alice")->spliced && !customers_find(&v, "bob")->spliced,
	    "splice= of the one who has it");
	customers_free(&v);
}

int
main(void)
{
	char name[] = "/tmp/tidegate.customers.XXXXXX";
	struct customers v;
	struct err e = {0};

	close(mkstemp(name));
	path = name;
	refused();
	nul();
	questions();
	chmod(path, 0666);
	ok(customers_read(&v, path, &e) < 0 && e.fault == FAULT_CONFIG,
	    "anybody can change it: %s", e.text);
	unlink(path);
	err_clear(&e);
	ok(customers_read(&v, path, &e) < 0 && e.fault != FAULT_CONFIG,
	    "not there: %s", e.text);
	customers_free(&v);
	done_testing();
}
