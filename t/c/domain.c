/* Domains, literals and ETRN's nodes. */
#include "../tap.h"

#include "wire/domain.h"

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct { const char *address, *domain; } of[] = {
	{ "a@b", "b" }, { "a", "" }, { "", "" }, { "a@", "" }, { "a@b@c", "c" },
	{ "\"a@b\"@c", "c" }, { "\"a@b\"", "" }, { "\"a\\\"@b\"@c", "c" },
	{ "\"a\\\\\"@c", "c" },
};

static const struct { const char *text; bool name, literal; } names[] = {
	{ "example.com", true, false }, { "x", true, false },
	{ "a_b.c", true, false }, { "3com.com", true, false },
	{ L63 ".test", true, false }, { "a" L63 ".test", false, false },
	{ L63 "." L63 "." L63 "." L63, true, false },
	{ L63 "." L63 "." L63 "." L63 ".a", false, false },
	{ "", false, false }, { ".", false, false }, { ".a", false, false },
	{ "a.", false, false }, { "a..b", false, false },
	{ "-a.b", false, false }, { "a-.b", false, false },
	{ "a b", false, false }, { "a\r", false, false }, { "a\n", false, false },
	{ "a;b", false, false }, { "a/b", false, false }, { "*.a", false, false },
	{ "b\303\274cher.test", false, false },
	{ "[192.0.2.1]", false, true }, { "[IPv6:2001:db8::1]", false, true },
	{ "[ipv6:::1]", false, true }, { "[]", false, false },
	{ "[192.0.2]", false, false }, { "[192.0.2.1", false, false },
	{ "192.0.2.1]", false, false }, { "[::1]", false, false },
	{ "[IPv6:]", false, false }, { "[IPv6:x]", false, false },
	{ "[192.0.2.1]x", false, false }, { "[192.0.2.1\r]", false, false },
};

static const struct { const char *text, *node; } nodes[] = {
	{ "example.com", "example.com" }, { "Example.COM", "example.com" },
	{ "example.com.", "example.com" }, { "@Example.com", "@example.com" },
	{ "#queue", "#queue" }, { "#My.Queue-1_a", "#My.Queue-1_a" },
	{ "b\303\274cher.test", "xn--bcher-kva.test" },
	{ "@B\303\234CHER.test", "@xn--bcher-kva.test" },
	{ "stra\303\237e.test", "xn--strae-oqa.test" },		/* not strasse */
	{ "bu\314\210cher.test", "xn--bcher-kva.test" },	/* NFC first */
	{ "", NULL }, { "@", NULL }, { "#", NULL }, { "@@a", NULL },
	{ "#@a", NULL }, { "#a b", NULL }, { "#-x", NULL }, { "#a\n", NULL },
	{ "-x", NULL }, { "-x.test", NULL }, { "a b", NULL },
	{ "a.test\r\nQUIT", NULL }, { "a.test\n", NULL }, { "a.test\r", NULL },
	{ "u@x.test", NULL }, { "<x.test>", NULL }, { "*", NULL },
	{ "[192.0.2.1]", NULL }, { "a..b", NULL }, { ".", NULL },
	{ "b\374cher.test", NULL }, { "\342\200\256x.test", NULL },
	{ "a" L63 ".test", NULL },
};

static const struct { const char *node, *domain; bool yes; } has[] = {
	{ "x.test", "x.test", true }, { "x.test", "X.TEST", true },
	{ "x.test", "x.test.", true }, { "x.test", "a.x.test", false },
	{ "x.test", "ax.test", false }, { "x.test", "", false },
	{ "@x.test", "x.test", true }, { "@x.test", "a.x.test", true },
	{ "@x.test", "a.b.X.test", true }, { "@x.test", "ax.test", false },
	{ "@x.test", ".x.test", false }, { "@x.test", "test", false },
	{ "#x.test", "x.test", false },
	{ "xn--bcher-kva.test", "b\303\274cher.test", true },
	{ "@xn--bcher-kva.test", "a.b\303\274cher.test", true },
	{ "x.test", "b\374cher.test", false },
};

int
main(void)
{
	for (size_t i = 0; i < sizeof of / sizeof *of; i++)
		ok(span_is(domain_of(span_of(of[i].address)), of[i].domain),
		    "the domain of %s", of[i].address);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct span s = span_of(names[i].text);

		ok(domain_is_name(s) == names[i].name, "name: row %zu", i);
		ok(domain_is_literal(s) == names[i].literal, "literal: row %zu", i);
	}
	ok(!domain_is_name((struct span){ "a\0b", 3 }), "no NUL in a name");
	ok(!domain_is_literal((struct span){ "[1.2.3.4\0]", 10 }),
	    "no NUL in a literal");
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		struct err e = {0};
		char *got = node_parse("it", nodes[i].text, &e);

		is(got, nodes[i].node, "node");
		ok((got == NULL) == (e.fault == FAULT_USAGE), "64 if it is none");
		free(got);
	}
	for (size_t i = 0; i < sizeof has / sizeof *has; i++)
		ok(node_has(has[i].node, span_of(has[i].domain)) == has[i].yes,
		    "%s has%s %s", has[i].node, has[i].yes ? "" : " not",
		    has[i].domain);
	return done_testing();
}
