/* Addresses: what may stand between < and >, quoting, the command line's. */
#include "../tap.h"

#include "wire/path.h"

static const struct {
	const char *text;
	size_t n;	/* 0: strlen() */
	bool yes;
} boxes[] = {
	{ "bob@there.test", 0, true },
	{ "postmaster", 0, true },
	{ "a.b.c@x.test", 0, true },
	{ "a!#$%&'*+-/=?^_`{|}~z@x", 0, true },
	{ "-x@y.test", 0, true },		/* in a record it is mail */
	{ "bob@[192.0.2.1]", 0, true },
	{ "bob@[IPv6:2001:db8::1]", 0, true },
	{ "bob@x.test.", 0, true },
	{ "bob@host_with_underscore", 0, true },
	{ "b\303\266b@x.test", 0, true },
	{ "bob@b\303\274cher.test", 0, true },
	{ "\"john doe\"@x.test", 0, true },
	{ "\"a@b\"@x.test", 0, true },
	{ "\"a\\\"b\"@x.test", 0, true },
	{ "\"a\\\\\"@x.test", 0, true },
	{ "\"a>b\"@x.test", 0, true },
	{ "\"\"@x.test", 0, true },
	{ "\"a\"", 0, true },
	{ "", 0, false },
	{ "@x.test", 0, false },
	{ "bob@", 0, false },
	{ "a@b@c", 0, false },
	{ ".a@x", 0, false }, { "a.@x", 0, false }, { "a..b@x", 0, false },
	{ "a b@x", 0, false }, { "a@b c", 0, false },
	{ "a\tb@x", 0, false },
	{ "a@.x", 0, false },
	{ "@relay.test:bob@x.test", 0, false },		/* source routes */
	{ "@a,@b:bob@x.test", 0, false },
	{ "<bob@x.test>", 0, false },
	{ "bob@x.test>", 0, false },
	{ "bob@x.test> NOTIFY=NEVER", 0, false },
	{ "bob@x.test\r\nRCPT TO:<eve@x.test>", 0, false },
	{ "bob\r@x.test", 0, false }, { "bob\n@x.test", 0, false },
	{ "bob@x\r", 0, false }, { "bob@x\n", 0, false },
	{ "bob\0@x.test", 11, false }, { "bob@x\0.test", 11, false },
	{ "\"a\r\nb\"@x.test", 0, false },
	{ "\"a\0b\"@x.test", 12, false },
	{ "\"a\177b\"@x.test", 0, false },
	{ "\"a\\\rb\"@x.test", 0, false },
	{ "\"a\"b\"@x.test", 0, false },
	{ "\"a@x.test", 0, false },
	{ "a\"@x.test", 0, false },
	{ "\"a\\\"@x.test", 0, false },
	{ "\"a\"b@x.test", 0, false },
	/* behind \\ a quote ends the string, whatever stands in front of it */
	{ "\"a\\\\\"b\"@x.test", 0, false },
	{ "\"a\\\\\"> NOTIFY=NEVER \\\\\"@x\"", 0, false },
	{ "\"a\\\\\"> X \\\\\"\"@x", 0, false },
	{ "bob@[192.0.2.1", 0, false }, { "bob@[300.0.2.1]", 0, false },
	{ "bob@[]", 0, false },
	{ "b\366b@x.test", 0, false },		/* not UTF-8 */
	{ "bob@b\374cher.test", 0, false },
	{ "b\300\200b@x.test", 0, false },	/* a NUL in disguise */
	{ "b\355\240\200b@x.test", 0, false },	/* a surrogate */
	{ "b\303", 0, false },
};

static const struct {
	const char *raw, *quoted;
} quotes[] = {
	{ "bob@x.test", "bob@x.test" },
	{ "postmaster", "postmaster" },
	{ "", "" },
	{ "john doe@x.test", "\"john doe\"@x.test" },
	{ "a@b@x.test", "\"a@b\"@x.test" },
	{ "a\"b@x.test", "\"a\\\"b\"@x.test" },
	{ "a\\b@x.test", "\"a\\\\b\"@x.test" },
	{ "a..b@x.test", "\"a..b\"@x.test" },
	{ ".a@x.test", "\".a\"@x.test" },
	{ "b\303\266b@x.test", "b\303\266b@x.test" },
	{ "john doe", "\"john doe\"" },
};

static const struct {
	const char *text, *address;
	bool null_ok;
} lines[] = {
	{ "bob@x.test", "bob@x.test", false },
	{ "<bob@x.test>", "bob@x.test", false },
	{ "<-x@y.test>", "-x@y.test", false },
	{ "\"john doe\"@x.test", "\"john doe\"@x.test", false },
	{ "bob@b\303\274cher.test", "bob@b\303\274cher.test", false },
	{ "<>", "", true }, { "", "", true },
	{ "<>", NULL, false }, { "", NULL, false },
	{ "-x@y.test", NULL, false }, { "-", NULL, false },
	{ "bob@x.test\n", NULL, true }, { "bob@x.test\r", NULL, true },
	{ "bob@x.test\r\nDATA", NULL, true },
	{ "<bob@x.test", NULL, true }, { "bob@x.test>", NULL, true },
	{ "<<bob@x.test>>", NULL, true },
	{ "a b", NULL, true },
	{ "a@x,b@x", NULL, true },
	{ "Bob <bob@x.test>", NULL, true },
};

static const struct {
	const char *a, *b;
	bool same;
} pairs[] = {
	{ "bob@x.test", "bob@X.Test", true },
	{ "bob@x.test", "Bob@x.test", false },
	{ "bob@x.test", "bob@x.tes", false },
	{ "bob@x.test", "bobb@x.tes", false },
	{ "", "", true },
	{ "bob", "Bob", false },
	{ "\"a@B\"@x", "\"a@b\"@x", false },
};

static void
length(void)
{
	char *s = must(malloc(1001));

	memset(s, 'a', 1001);
	memcpy(s + 990, "@x", 2);
	ok(path_is_mailbox((struct span){ s, 1000 }), "1000 octets");
	ok(!path_is_mailbox((struct span){ s, 1001 }), "not 1001");
	free(s);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
		size_t n = boxes[i].n ? boxes[i].n : strlen(boxes[i].text);
		char *copy = must(malloc(n + (n == 0)));

		memcpy(copy, boxes[i].text, n);
		ok(path_is_mailbox((struct span){ copy, n }) == boxes[i].yes,
		    "row %zu is %sa mailbox", i, boxes[i].yes ? "" : "not ");
		free(copy);
	}
	length();
	for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
		struct buf b = {0};

		path_quote(&b, span_of(quotes[i].raw));
		is(buf_str(&b), quotes[i].quoted, "quoted");
		ok(b.n == 0 || path_is_mailbox(buf_span(&b)), "and a mailbox");
		buf_clear(&b);
		path_unquote(&b, span_of(quotes[i].quoted));
		is(buf_str(&b), quotes[i].raw, "and back");
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct err e = {0};
		char *got = path_parse("it", lines[i].text, lines[i].null_ok, &e);

		is(got, lines[i].address, "from the command line");
		ok((got == NULL) == (e.fault == FAULT_USAGE), "64 if it is none");
		free(got);
	}
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		ok(path_same(span_of(pairs[i].a), span_of(pairs[i].b)) ==
		    pairs[i].same, "pair %zu", i);
	return done_testing();
}
