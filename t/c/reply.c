/* Replies, complete, halved and damaged; what EHLO offers. */
#include "../tap.h"

#include "wire/ehlo.h"
#include "wire/reply.h"

static const struct row {
	const char *name;
	const char *in;
	ssize_t length;		/* what reply_parse() returns */
	int code;
	const char *text, *status;
} rows[] = {
	{ "one line", "250 ok\r\n", 8, 250, "ok", "" },
	{ "two lines", "250-a\r\n250 b\r\n", 14, 250, "a\nb", "" },
	{ "a code alone", "250\r\n", 5, 250, "", "" },
	{ "a code and a blank", "250 \r\n", 6, 250, "", "" },
	{ "more, then a code alone", "250-a\r\n250\r\n", 12, 250, "a\n", "" },
	{ "a bare LF", "354 go\n", 7, 354, "go", "" },
	{ "only the first", "250 ok\r\n550 no\r\n", 8, 250, "ok", "" },
	{ "an enhanced code", "550 5.1.1 no\r\n", 14, 550, "5.1.1 no", "5.1.1" },
	{ "nothing but that", "250 2.0.0\r\n", 11, 250, "2.0.0", "2.0.0" },
	{ "on two lines", "550-5.7.1 a\r\n550 5.7.1 b\r\n", 26, 550,
	    "5.7.1 a\n5.7.1 b", "5.7.1" },
	{ "of another class", "550 4.1.1 no\r\n", 14, 550, "4.1.1 no", "" },
	{ "with two parts", "550 5.1 no\r\n", 12, 550, "5.1 no", "" },
	{ "with four parts", "550 5.1.1.1 no\r\n", 16, 550, "5.1.1.1 no", "" },
	{ "with a large part", "550 5.1.1000 no\r\n", 17, 550, "5.1.1000 no", "" },
	{ "with three digits", "550 5.123.456 no\r\n", 18, 550, "5.123.456 no",
	    "5.123.456" },
	{ "grown into a word", "550 5.1.1no\r\n", 13, 550, "5.1.1no", "" },
	{ "an empty part", "550 5..1 no\r\n", 13, 550, "5..1 no", "" },
	{ "199 is none", "199 x\r\n", -1, 0, NULL, NULL },
	{ "600 is none", "600 x\r\n", -1, 0, NULL, NULL },
	{ "two digits", "25 x\r\n", -1, 0, NULL, NULL },
	{ "four digits", "2500 x\r\n", -1, 0, NULL, NULL },
	{ "two minds", "250-a\r\n550 b\r\n", -1, 0, NULL, NULL },
	{ "two minds of a kind", "250-a\r\n251 b\r\n", -1, 0, NULL, NULL },
	{ "no code on the second", "250-a\r\nhello\r\n", -1, 0, NULL, NULL },
	{ "another protocol", "HTTP/1.1 400 Bad\r\n", -1, 0, NULL, NULL },
	{ "an empty line", "\r\n", -1, 0, NULL, NULL },
	{ "a TAB behind the code", "250\tok\r\n", -1, 0, NULL, NULL },
	{ "a blank in front", " 250 ok\r\n", -1, 0, NULL, NULL },
	{ "letters for digits", "2x0 ok\r\n", -1, 0, NULL, NULL },
};

/* A copy without room behind it: whoever reads too far is seen. */
static ssize_t
parse(struct reply *r, const char *in, size_t n, struct err *e)
{
	char *copy = must(malloc(n + (n == 0)));
	ssize_t got;

	memcpy(copy, in, n);
	got = reply_parse(r, (struct span){ copy, n }, e);
	free(copy);
	return got;
}

static void
row(const struct row *w)
{
	struct reply r = {0};
	struct err e = {0};
	ssize_t n = parse(&r, w->in, strlen(w->in), &e);
	size_t early = 0;

	ok(n == w->length, "%s: %zd", w->name, w->length);
	if (n < 0) {
		ok(e.fault == FAULT_PROTO && *e.text, "%s: 76 and why", w->name);
		reply_free(&r);
		return;
	}
	ok(r.code == w->code, "%s: %d", w->name, w->code);
	is(buf_str(&r.text), w->text, w->name);
	is(r.status, w->status, w->name);
	for (ssize_t i = 0; i < n; i++)
		early += parse(&r, w->in, (size_t)i, &e) != 0 || r.code != 0;
	ok(early == 0, "%s: cut anywhere, more is wanted", w->name);
	reply_free(&r);
}

/* `lines` lines of `octets` each, CRLF included. */
static ssize_t
long_one(int lines, size_t octets, size_t cut)
{
	struct buf b = {0};
	struct reply r = {0};
	struct err e = {0};
	ssize_t n;

	for (int i = 0; i < lines; i++) {
		buf_adds(&b, i + 1 < lines ? "250-" : "250 ");
		for (size_t k = 6; k < octets; k++)
			buf_addc(&b, 'x');
		buf_adds(&b, "\r\n");
	}
	n = parse(&r, b.p, b.n - cut, &e);
	if (n > 0 && (size_t)n != b.n)
		n = -2;
	buf_free(&b);
	reply_free(&r);
	return n;
}

static void
limits(void)
{
	ok(long_one(1, 4096, 0) == 4096, "a line of 4096 octets");
	ok(long_one(1, 4097, 0) == -1, "none of 4097");
	ok(long_one(1, 8000, 2) == -1, "not even before it ends");
	ok(long_one(1, 4096, 1) == 0, "4095 octets may still become one");
	ok(long_one(128, 100, 0) == 12800, "128 lines");
	ok(long_one(129, 100, 0) == -1, "not 129");
	ok(long_one(16, 4096, 0) == 65536, "64 KiB");
	ok(long_one(32, 2049, 0) == -1, "not more");
}

static void
words(void)
{
	struct reply r = {0};
	struct err e = {0};
	struct buf b = {0};
	static const char in[] = "550-5.1.1 a\tb\r\n550 c\r\n";

	parse(&r, in, sizeof in - 1, &e);
	reply_words(&b, &r);
	is(buf_str(&b), "550 5.1.1 a b c", "words: lines joined by blanks");
	buf_clear(&b);
	parse(&r, "250 a\0b\r\n", 9, &e);
	reply_words(&b, &r);
	is(buf_str(&b), "250 a b", "words: a NUL does not cut them");
	buf_clear(&b);
	parse(&r, "250\r\n", 5, &e);
	reply_words(&b, &r);
	is(buf_str(&b), "250", "words: a code alone");
	buf_clear(&b);
	buf_adds(&r.text, "x");
	for (int i = 0; i < 1000; i++)
		buf_adds(&r.text, "x");
	buf_adds(&b, "kept ");
	reply_words(&b, &r);
	ok(b.n == 5 + 512, "words: at most 512 octets, behind what was there");
	buf_free(&b);
	reply_free(&r);
	reply_free(&r);
	ok(r.code == 0 && r.text.p == NULL, "freed twice");
}

static const struct {
	const char *reply;
	unsigned offers;
	long long size;
	const char *name;
} offers[] = {
	{ "250 mx.test\r\n", 0, 0, "mx.test" },
	{ "250\r\n", 0, 0, "" },
	{ "250-mx.test at your service\r\n250 PIPELINING\r\n",
	    EXT_PIPELINING, 0, "mx.test" },
	{ "250-mx\r\n250-pipelining\r\n250-Size 100\r\n250 8bitMIME\r\n",
	    EXT_PIPELINING | EXT_SIZE | EXT_8BITMIME, 100, "mx" },
	{ "250-mx\r\n250-SIZE\r\n250 DSN\r\n", EXT_SIZE | EXT_DSN, 0, "mx" },
	{ "250-mx\r\n250 SIZE 0\r\n", EXT_SIZE, 0, "mx" },
	{ "250-mx\r\n250 SIZE 9223372036854775807\r\n", EXT_SIZE,
	    9223372036854775807LL, "mx" },
	{ "250-mx\r\n250 SIZE 9223372036854775808\r\n", EXT_SIZE, 0, "mx" },
	{ "250-mx\r\n250 SIZE 18446744073709551617\r\n", EXT_SIZE, 0, "mx" },
	{ "250-mx\r\n250 SIZE 12x\r\n", EXT_SIZE, 0, "mx" },
	{ "250-mx\r\n250 SIZE -1\r\n", EXT_SIZE, 0, "mx" },
	{ "250-mx\r\n250 SIZE  77 \r\n", EXT_SIZE, 77, "mx" },
	{ "250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n",
	    EXT_AUTH | EXT_STARTTLS, 0, "mx" },
	{ "250-mx\r\n250 AUTH=LOGIN\r\n", EXT_AUTH, 0, "mx" },
	{ "250-mx\r\n250-ETRN\r\n250-ATRN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
	    "250-LIMITS MAILMAX=1\r\n250 ENHANCEDSTATUSCODES\r\n",
	    EXT_ETRN | EXT_ATRN | EXT_SMTPUTF8 | EXT_CHUNKING | EXT_LIMITS |
	    EXT_ENHANCEDSTATUSCODES, 0, "mx" },
	{ "250-mx\r\n250-ETRNX\r\n250-XETRN\r\n250-\r\n250 \r\n", 0, 0, "mx" },
	{ "250-PIPELINING\r\n250 HELP\r\n", 0, 0, "PIPELINING" },
};

static void
ehlo(size_t i)
{
	struct reply r = {0};
	struct err e = {0};
	struct ehlo h = { .offers = 0xffff, .size = 5, .name = "old" };

	parse(&r, offers[i].reply, strlen(offers[i].reply), &e);
	ehlo_parse(&h, &r);
	if (!ok(h.offers == offers[i].offers && h.size == offers[i].size,
	    "EHLO %zu: offers", i))
		printf("# got %x %lld\n", h.offers, (long long)h.size);
	is(h.name, offers[i].name, "its name");
	reply_free(&r);
}

static void
long_name(void)
{
	struct reply r = { .code = 250 };
	struct ehlo h;

	for (int i = 0; i < 300; i++)
		buf_addc(&r.text, 'n');
	ehlo_parse(&h, &r);
	is(h.name, "", "EHLO: a name too long is none");
	reply_free(&r);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		row(&rows[i]);
	limits();
	words();
	for (size_t i = 0; i < sizeof offers / sizeof *offers; i++)
		ehlo(i);
	long_name();
	return done_testing();
}
