/* The limits file: which line counts for whom, and what is no such line. */
#include "../tap.h"

#include "wire/limits.h"

static const char file[] =
    "# sizes\n"
    "\n"
    "*\t10M\n"
    "example.com 5M\n"
    "  @example.org   300k  \r\n"
    "deep.example.org 1k\n"
    "@low.example.org 2k\n"
    "Bob@Example.COM 7\n"
    "\"a b\"@example.com 8\n"
    "free.test 0\n"
    "m\303\274ller.test 9\n"
    "[192.0.2.1] 12\n"
    "bob@[IPv6:2001:DB8::1] 13\n"
    "@test 11";

static const struct { const char *address; long long size; } rows[] = {
	{ "ann@example.com", 5 << 20 }, { "ann@EXAMPLE.com", 5 << 20 },
	{ "ann@sub.example.com", 10 << 20 },
	{ "x@example.org", 300 << 10 }, { "x@a.b.example.org", 300 << 10 },
	{ "x@deep.example.org", 1024 }, { "x@a.deep.example.org", 300 << 10 },
	{ "x@low.example.org", 2048 }, { "x@a.low.example.org", 2048 },
	{ "x@notexample.org", 10 << 20 }, { "Bob@example.com", 7 },
	{ "bob@example.com", 5 << 20 }, { "\"a b\"@example.com", 8 },
	{ "x@free.test", 0 }, { "x@xn--mller-kva.test", 9 },
	{ "x@m\303\274ller.test", 9 }, { "x@other.test", 11 },
	{ "x@[192.0.2.1]", 12 }, { "x@[192.0.2.11]", 10 << 20 },
	{ "bob@[ipv6:2001:db8::1]", 13 }, { "ann@[IPv6:2001:db8::1]", 10 << 20 },
	/* no host's name, but an MTA may carry it */
	{ "x@-a.Example.ORG", 300 << 10 }, { "x@a..example.org.", 300 << 10 },
	{ "postmaster", 10 << 20 },
	{ "", 10 << 20 }, { "x@*", 10 << 20 },
};

static const struct { const char *text, *says; } wrong[] = {
	{ "example.com\n", "f: line 1: a key and a size are wanted" },
	{ "a.test 1k\n\nb.test lots\n", "f: line 3: size: `lots' is no size; write 512, 300k, 10M or 1G" },
	{ "a.test -1\n", "f: line 1: size: `-1' is no size; write 512, 300k, 10M or 1G" },
	{ "a b 1k\n", "f: line 1: key: `a b' is no domain name" },
	{ "-x@b..test 1k\n", "f: line 1: `-x@b..test' is no address" },
	{ "*@a.test 1k\n", "f: line 1: `*@a.test' is nobody's address; all of a domain is `a.test'" },
	{ "@[192.0.2.1] 1k\n", "f: line 1: key: `[192.0.2.1]' is no domain name" },
	{ "[192.0.2.1 1k\n", "f: line 1: key: `[192.0.2.1' is no domain name" },
	{ "a.test 1k\nA.test 2k\n", "f: a.test stands in lines 1 and 2" },
};

int
main(void)
{
	struct limits v = {0}, none = {0};
	struct err e = {0};

	ok(limits_parse(&v, "f", span_of(file), &e) == 0, "the file: %s", e.text);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		long long got = (long long)limits_of(&v, rows[i].address);

		ok(got == rows[i].size, "<%s>: %lld", rows[i].address, got);
	}
	limits_free(&v);
	ok(limits_parse(&none, "f", SPAN(""), &e) == 0 &&
	    limits_of(&none, "a@b.test") == 0, "an empty file");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		err_clear(&e);
		ok(limits_parse(&v, "f", span_of(wrong[i].text), &e) < 0 &&
		    e.fault == FAULT_CONFIG, "%s", e.text);
		is(e.text, wrong[i].says, "in words");
		limits_free(&v);
	}
	return done_testing();
}
