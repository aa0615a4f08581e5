/* Address lists and the recipients a header names. */
#include "../tap.h"

#include "wire/header.h"
#include "wire/path.h"

/* The addresses, joined by `|`; NULL: refused. */
static const struct {
	const char *body, *want;
} lists[] = {
	{ "", "" }, { " \r\n", "" }, { ",", "" }, { " , ,, ", "" },
	{ "bob@x.test", "bob@x.test" },
	{ "bob", "bob" },
	{ " ann@x.test, bob@y.test\r\n", "ann@x.test|bob@y.test" },
	{ "ann@x.test,\r\n\tbob@y.test,\n c@z.test\r\n",
	    "ann@x.test|bob@y.test|c@z.test" },
	{ "ann@x.test,,bob@y.test,", "ann@x.test|bob@y.test" },
	{ "ann@x.test,ann@x.test", "ann@x.test|ann@x.test" },

	/* RFC 5322 appendix A.1 and its kind */
	{ "Mary Smith <mary@example.net>", "mary@example.net" },
	{ "\"Joe Q. Public\" <john.q.public@example.com>",
	    "john.q.public@example.com" },
	{ "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
	    "mary@x.test|jdoe@example.org|one@y.test" },
	{ "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
	    "boss@nil.test|sysservices@example.net" },
	{ "A Group:Ed Jones <joe@where.test>,joe@where.test,"
	    "John <jdoe@one.test>;",
	    "joe@where.test|joe@where.test|jdoe@one.test" },
	{ "Undisclosed recipients:;", "" },
	/* A.5: white space and comments wherever they may be */
	{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
	    "pete@silly.test" },
	{ "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)"
	    "public.example>,\r\n         joe@example.org,\r\n"
	    "  John <jdoe@one.test> (my dear friend); (the end of the group)",
	    "c@public.example|joe@example.org|jdoe@one.test" },
	{ "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
	    "" },
	/* A.6: old forms */
	{ "Joe Q. Public <john.q.public@example.com>",
	    "john.q.public@example.com" },
	{ "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
	    "mary@example.net|jdoe@test.example" },
	{ "John Doe <jdoe@machine(comment).  example>",
	    "jdoe@machine.example" },
	{ "<@a.test,@b.test:u@c.test>", "u@c.test" },
	{ "<,@a.test,, @[192.0.2.1]:u@c.test>", "u@c.test" },
	{ "Route <@a.test , @b . test (x) : u@c.test>", "u@c.test" },

	/* groups */
	{ "g: a@x, b@y; c@z", "a@x|b@y|c@z" },
	{ "g: a@x; h: b@y;", "a@x|b@y" },
	{ "g: a@x;, h: ;, b@y", "a@x|b@y" },
	{ "g: a@x", "a@x" },
	{ "\"g, h\": <a@x>, B <b@y>;", "a@x|b@y" },
	{ "g: a@x, h: b@y;;", NULL },
	{ "g: h: a@x;", NULL },
	{ "a@x: b@y;", NULL }, { "<a@x>: b@y;", NULL },
	{ "a@x; b@y", "a@x|b@y" },

	/* local parts */
	{ "\"john doe\"@x.test", "\"john doe\"@x.test" },
	{ "\"john\"@x.test", "john@x.test" },
	{ "\"john\".doe@x.test", "john.doe@x.test" },
	{ "\"john d\" . \"oe\" @ x . test", "\"john d.oe\"@x.test" },
	{ "\"a\\\"b\\\\\"@x", "\"a\\\"b\\\\\"@x" },
	{ "\"a@b\"@x.test", "\"a@b\"@x.test" },
	{ "\"a@b\"", "\"a@b\"" },
	{ "\"\"@x.test", "\"\"@x.test" },
	{ "\"a,b;c:d<e>\"@x.test", "\"a,b;c:d<e>\"@x.test" },
	{ "\"a\r\n b\"@x.test", "\"a b\"@x.test" },
	{ "a..b.@x.test, .c@y.test", "\"a..b.\"@x.test|\".c\"@y.test" },
	{ "a\\ b@x.test", "\"a b\"@x.test" },
	{ "a!b%c@x.test", "a!b%c@x.test" },
	{ "-x@y.test", "-x@y.test" },
	{ "o'hara@x.test", "o'hara@x.test" },
	{ "\"a\001b\"@x.test", NULL },
	{ "a\001b@x.test", NULL },
	{ "\"a\tb\"@x.test", NULL },

	/* domains */
	{ "bob@[192.0.2.1]", "bob@[192.0.2.1]" },
	{ "bob@[ 192.0.2.1\r\n ], c@x", "bob@[192.0.2.1]|c@x" },
	{ "bob@[IPv6:2001:db8::1]", "bob@[IPv6:2001:db8::1]" },
	{ "bob@x.test.", "bob@x.test." },
	{ "bob@(c)x(c).(c)test(c)", "bob@x.test" },
	{ "bob@[300.0.0.1]", NULL }, { "bob@[192.0.2.1", NULL },
	{ "[192.0.2.1]", NULL }, { "bob@\"x.test\"", NULL },
	{ "bob@x[192.0.2.1]", NULL }, { "bob@.x.test", NULL },

	/* UTF-8, RFC 6532 */
	{ "J\303\266rg <j\303\266rg@b\303\274cher.test>",
	    "j\303\266rg@b\303\274cher.test" },
	{ "\"j\303\266 rg\"@x.test", "\"j\303\266 rg\"@x.test" },
	{ "(\303\266) a@x", "a@x" },
	{ "J\366rg <joerg@x.test>", "joerg@x.test" },
	{ "j\366rg@x.test", NULL },

	/* display names as they are */
	{ "=?utf-8?Q?J=C3=B6rg?= <joerg@x.test>", "joerg@x.test" },
	{ "=?utf-8?Q?Doe,_John?= <j@x.test>", "j@x.test" },
	{ "=?utf-8?Q?\"J\"?= =?utf-8?B?w7Y=?= <j@x.test>, b@y", "j@x.test|b@y" },
	{ "=?utf-8?Q?a b, c@d", NULL },
	{ "Dr. J. Q. Public <j@x.test>", "j@x.test" },
	{ "bob@x.test <bob@y.test>", "bob@y.test" },
	{ "bob@x.test Smith <bob@y.test>", "bob@y.test" },
	{ "a@x b@y c@z <d@w>, e@v", "d@w|e@v" },
	{ "\"bob@x.test\" <bob@y.test>", "bob@y.test" },
	{ "Bob [work] <bob@x.test>", "bob@x.test" },
	{ "Bob (work) Smith <bob@x.test>", "bob@x.test" },
	{ "a\"b\"c <bob@x.test>", "bob@x.test" },
	{ "It's \\\"me\\\" :-) <bob@x.test>", "bob@x.test" },
	{ "Foo (a <b@c>, d) <e@f>", "e@f" },
	{ "\"Foo <b@c>, d\" <e@f>", "e@f" },
	{ "bob@x.test (Bob), (Ann) ann@y.test", "bob@x.test|ann@y.test" },
	{ "bob@x.test ((((nested \\( ) ok)))", "bob@x.test" },
	{ "Doe, John <j@x.test>", "Doe|j@x.test" },

	/* a bracket or a comma is missing */
	{ "Bob <bob@x.test", "bob@x.test" },
	{ "Bob <bob@x.test, Ann <ann@y.test>", "bob@x.test|ann@y.test" },
	{ "<@a,@b:u@c", "u@c" },
	{ "Ann <ann@x> Bob <bob@y>", "ann@x|bob@y" },
	{ "<ann@x><bob@y>", "ann@x|bob@y" },
	{ "<ann@x> bob@y", "ann@x|bob@y" },
	{ "ann@x bob@y", "ann@x|bob@y" },
	{ "ann@x\r\n bob@y c@[192.0.2.1] d@z", "ann@x|bob@y|c@[192.0.2.1]|d@z" },
	{ "ann@x bob", NULL }, { "<ann@x> bob", NULL }, { "ann bob", NULL },
	{ "ann bob@x", NULL },

	/* what is no address */
	{ "@x.test", NULL }, { "bob@", NULL }, { "bob@x@y", NULL },
	{ "<bob@>", NULL }, { "<@x.test>", NULL }, { "<@x:>", "" },
	{ "<>", "" }, { "Nobody <>, bob@x", "bob@x" },
	{ "<john doe@x.test>", NULL }, { "<a@x <b@y>>", NULL },
	{ "<mailto:a@x>", NULL }, { "a@x>", NULL }, { "<a@x>>", NULL },
	{ "a@x)", NULL }, { "a@x (", NULL }, { "a@x (\\)", NULL },
	{ "\"a@x", NULL }, { "\"a\\\"@x", NULL }, { ".", NULL }, { "Acme, Inc., a@x", NULL },
	{ "(", NULL }, { "a@x (b", NULL }, { "@", NULL }, { "\\", "\"\\\\\"" },
	{ "a@x\r\nRCPT TO:<b@y>", NULL },
};

static const struct {
	const char *header, *want;
} headers[] = {
	{ "", "" }, { "\r\n", "" }, { "Subject: x\n", "" },
	{ "To: a@x\nCc: b@y\nBcc: c@z\nFrom: d@w\n\nTo: e@v\n", "a@x|b@y|c@z" },
	{ "To: a@x\r\nCc: b@y\r\n\r\nBcc: e@v\r\n", "a@x|b@y" },
	{ "tO : a@x\nX-To: b@y\nTo-: c@z\nTo\n: d@w\n", "a@x" },
	{ "To: a@x,\n b@y\n\n", "a@x|b@y" },
	{ "To:\n a@x\n\t, b@y\n \nCc:c@z", "a@x|b@y|c@z" },
	{ "To: a@x, b@y\nTo: A@x, a@X, b@Y, a@x\n", "a@x|b@y|A@x" },
	{ "Reply-To: a@x\nReturn-Path: <b@y>\nDelivered-To: c@z\n", "" },
	{ "From ann Mon Jan  1 00:00:00 2024\nTo: a@x\n", "a@x" },
	{ " To: b@y\nTo: a@x\n", "a@x" },
	{ "To: undisclosed-recipients:;\nBcc: a@x\n", "a@x" },
	{ "To: a b\n", NULL },

	/* RFC 5322 section 3.6.6 */
	{ "Resent-From: r@s\nResent-To: b@y\nTo: a@x\n", "b@y" },
	{ "To: a@x\nResent-To: b@y\nresent-CC: c@z\nResent-Bcc: d@w\n",
	    "b@y|c@z|d@w" },
	{ "Resent-From: r@s\nTo: a@x\n", "a@x" },
	{ "Resent-To: b@y\nResent-From: r@s\nReceived: x\n"
	    "Resent-To: old@y\nResent-From: q@s\nTo: a@x\n", "b@y" },
	{ "Resent-To: b@y\nResent-From: r@s\n"
	    "Resent-To: old@y\nResent-From: q@s\nTo: a@x\n", "b@y" },
	{ "Resent-From: r@s\nResent-To: b@y\nResent-To: c@z\nResent-Cc: d@w\n"
	    "Resent-From: q@s\nResent-To: old@y\n", "b@y|c@z|d@w" },
	{ "Resent-From: r@s\nX-Between: x\nResent-To: b@y\n", "b@y" },
	{ "Resent-X: x\nResent-To: b@y\nResent-Y: y\nResent-Cc: c@z\n",
	    "b@y|c@z" },
	{ "Resent-To: nobody:;\nTo: a@x\n", "" },
	{ "Resent-To: b@y\nTo: this is wrong\n", "b@y" },
};

static char *
joined(const struct words *w)
{
	struct buf b = {0};

	for (size_t i = 0; i < w->n; i++)
		buf_addf(&b, "%s%s", i > 0 ? "|" : "", w->p[i]);
	return buf_str(&b);
}

/* From memory of just that size, so that ASan sees a step too far. */
static void
row(const char *text, const char *want, int (*read)(struct words *, struct span,
    struct err *), const char *what, size_t i)
{
	struct words w = {0};
	struct err e = {0};
	size_t n = strlen(text);
	char *copy = must(malloc(n + 1)), *got;

	memcpy(copy, text, n);
	copy = must(realloc(copy, n + (n == 0)));
	if (read(&w, (struct span){ copy, n }, &e) < 0) {
		ok(want == NULL && e.fault == FAULT_DATA, "%s %zu: %s", what, i,
		    e.text);
	} else {
		got = joined(&w);
		is(got, want, what);
		free(got);
	}
	words_free(&w);
	free(copy);
}

static void
fields(void)
{
	struct span rest = SPAN("A: b\r\n c\r\nno field\nD :e\n\t\nF"), name;
	static const struct { size_t n; const char *name; } want[] = {
		{ 10, "A" }, { 9, "" }, { 7, "D" }, { 1, "" }, { 0, "" },
	};

	for (size_t i = 0; i < 5; i++) {
		size_t n = header_field(rest, &name);

		ok(n == want[i].n && span_is(name, want[i].name), "field %zu", i);
		rest = span_from(rest, n);
	}
	ok(header_field(SPAN("\r\nA: b\n"), &name) == 0, "the empty line");
	ok(header_field(SPAN("\nA: b\n"), &name) == 0, "and with LF");
}

static void
refused(const char *header, const char *want)
{
	struct words w = {0};
	struct err e = {0};

	ok(header_recipients(&w, span_of(header), &e) < 0, "refused");
	is(e.text, want, "what and why");
	words_free(&w);
}

/* A megabyte of them, many twice: no time is lost. */
static void
many(void)
{
	struct words w = {0};
	struct err e = {0};
	struct buf h = {0};

	buf_adds(&h, "To: z@x");
	for (int i = 0; h.n < HEADER_OCTETS_MAX - 100; i++)
		buf_addf(&h, ",\n u%d@x", i % 40000);
	buf_adds(&h, "\n");
	ok(header_recipients(&w, buf_span(&h), &e) == 0 && w.n == 40001,
	    "%zu recipients", w.n);
	is(w.p[40000], "u39999@x", "in their order");
	while (h.n <= HEADER_OCTETS_MAX)
		buf_adds(&h, "X: y\n");
	ok(header_recipients(&w, buf_span(&h), &e) < 0 &&
	    e.fault == FAULT_DATA, "%s", e.text);
	words_free(&w);

	buf_clear(&h);
	buf_adds(&h, "To: ");
	while (h.n < HEADER_OCTETS_MAX - 1)
		buf_addc(&h, '(');
	ok(header_recipients(&w, buf_span(&h), &e) < 0, "%s", e.text);
	words_free(&w);
	buf_free(&h);
}

/* What the list held before stays, and is not named again. */
static void
added(void)
{
	struct words w = {0};
	struct err e = {0};
	char *got;

	*vec_add(&w) = span_dup(SPAN("a@x"));
	*vec_add(&w) = span_dup(SPAN("a@x"));
	header_recipients(&w, SPAN("To: a@X, b@y\n"), &e);
	got = joined(&w);
	is(got, "a@x|a@x|b@y", "added to a list");
	free(got);
	words_free(&w);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		row(lists[i].body, lists[i].want, header_addresses, "list", i);
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		row(headers[i].header, headers[i].want, header_recipients,
		    "header", i);
	fields();
	refused("To: a@x, bob smith, c@z\n",
	    "To: `bob smith': no comma between its words");
	refused("Resent-cc: a@x, (b\n", "Resent-cc: `(b': a quote, comment or "
	    "bracket has no end");
	many();
	added();
	return done_testing();
}
