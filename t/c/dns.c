/* Answers from a name server, true, cut and hostile. */
#include "../tap.h"

#include "net/dns.h"

/* A message under construction. */
static void
number(struct buf *b, unsigned n)
{
	buf_addc(b, (char)(n >> 8));
	buf_addc(b, (char)n);
}

/* `a.b` as labels; `` and `.` are the root. */
static void
name(struct buf *b, const char *text)
{
	struct span rest = span_of(text), label;

	while (span_cut(&rest, '.', &label)) {
		if (label.n == 0)
			continue;
		buf_addc(b, (char)label.n);
		buf_addspan(b, label);
	}
	buf_addc(b, '\0');
}

static void
begin_type(struct buf *b, unsigned flags, unsigned answers, unsigned type)
{
	number(b, 1);
	number(b, 0x8180 | flags);
	number(b, 1);
	number(b, answers);
	number(b, 0);
	number(b, 0);
	name(b, "x.test");
	number(b, type);
	number(b, 1);
}

static void
begin(struct buf *b, unsigned flags, unsigned answers)
{
	begin_type(b, flags, answers, 15);
}

/* Whoever it belongs to, with its data. */
static void
record_of(struct buf *b, const char *owner, unsigned type, struct span data)
{
	name(b, owner);
	number(b, type);
	number(b, 1);
	number(b, 0);
	number(b, 300);
	number(b, (unsigned)data.n);
	buf_addspan(b, data);
}

static void
cname(struct buf *b, const char *owner, const char *target)
{
	struct buf n = {0};

	name(&n, target);
	record_of(b, owner, 5, buf_span(&n));
	buf_free(&n);
}

static void
mx_of(struct buf *b, const char *owner, unsigned preference, const char *host)
{
	struct buf n = {0};

	number(&n, preference);
	name(&n, host);
	record_of(b, owner, 15, buf_span(&n));
	buf_free(&n);
}

/* A record whose name points at the question's; the data follows. */
static void
record(struct buf *b, unsigned type, size_t length)
{
	number(b, 0xc00c);
	number(b, type);
	number(b, 1);
	number(b, 0);
	number(b, 300);
	number(b, (unsigned)length);
}

static void
mx(struct buf *b, unsigned preference, const char *host)
{
	struct buf n = {0};

	name(&n, host);
	record(b, 15, n.n + 2);
	number(b, preference);
	buf_addspan(b, buf_span(&n));
	buf_free(&n);
}

/* From memory without room behind it. */
static int
parse(struct mxs *v, const struct buf *b, size_t n, struct err *e)
{
	unsigned char *copy = must(malloc(n + (n == 0)));
	int r;

	memcpy(copy, b->p, n);
	*e = (struct err){0};
	r = dns_mx_parse(v, copy, n, "x.test", e);
	free(copy);
	return r;
}

/* `want`: hosts with preferences in order, or "1" no MX, or the fault. */
static void
check(const char *what, struct buf *b, const char *want)
{
	struct mxs v = {0};
	struct err e;
	struct buf got = {0};
	int r = parse(&v, b, b->n, &e);

	if (r == 1)
		buf_adds(&got, "1");
	else if (r < 0)
		buf_addf(&got, "%d", (int)e.fault);
	for (size_t i = 0; r == 0 && i < v.n; i++)
		buf_addf(&got, "%s%d %s", i ? ", " : "", v.p[i].preference,
		    v.p[i].host);
	is(buf_str(&got), want, what);
	mxs_free(&v);
	buf_free(&got);
	buf_clear(b);
}

static void
cut_everywhere(void)
{
	struct buf b = {0};
	size_t wrong = 0;

	begin(&b, 0, 2);
	mx(&b, 10, "a.x.test");
	mx(&b, 20, "b.x.test");
	for (size_t n = 0; n < b.n; n++) {
		struct mxs v = {0};
		struct err e;

		wrong += parse(&v, &b, n, &e) != -1 || e.fault != FAULT_TEMP;
		wrong += v.n != 0;
		mxs_free(&v);
	}
	ok(wrong == 0, "cut at any of %zu octets: 75", b.n);
	buf_free(&b);
}

/* Every octet replaced by some others: an answer or an error, never a crash. */
static void
damaged_everywhere(void)
{
	static const unsigned char others[] = { 0, 1, 0x3f, 0x40, 0xc0, 0xff };
	struct buf b = {0};
	size_t n = 0;

	begin(&b, 0, 2);
	mx(&b, 10, "a.x.test");
	mx(&b, 20, "b.x.test");
	for (size_t i = 0; i < b.n; i++) {
		char was = b.p[i];

		for (size_t k = 0; k < sizeof others; k++) {
			struct mxs v = {0};
			struct err e;

			b.p[i] = (char)others[k];
			parse(&v, &b, b.n, &e);
			mxs_free(&v);
			n++;
		}
		b.p[i] = was;
	}
	ok(n > 0, "%zu damaged ones", n);
	buf_free(&b);
}

/* An MX whose host is two pointers at each other. */
static void
loop(struct buf *b)
{
	begin(b, 0, 1);
	record(b, 15, 4);
	number(b, 10);
	number(b, 0xc000 | (unsigned)b->n);
}

static void
pointer(struct buf *b, unsigned to)
{
	begin(b, 0, 1);
	record(b, 15, 4);
	number(b, 10);
	number(b, 0xc000 | to);
}

static void
many(struct buf *b)
{
	struct mxs v = {0};
	struct err e;
	char host[32];

	begin(b, 0, 80);
	for (unsigned i = 0; i < 80; i++) {
		snprintf(host, sizeof host, "h%u.x.test", i);
		mx(b, 80 - i, host);
	}
	ok(parse(&v, b, b->n, &e) == 0 && v.n == MX_MAX, "at most %d hosts",
	    MX_MAX);
	for (size_t i = 1; i < v.n; i++)
		if (v.p[i - 1].preference > v.p[i].preference)
			ok(false, "in order");
	mxs_free(&v);
	buf_clear(b);
}

/* More records than anybody has hosts, or memory should be spent on. */
static void
thousands(struct buf *b)
{
	struct mxs v = {0};
	struct err e;

	begin(b, 0, 4000);
	for (unsigned i = 0; i < 4000; i++) {
		record(b, 15, 4);
		number(b, i);
		number(b, 0xc00c);
	}
	ok(parse(&v, b, b->n, &e) == 0 && v.n == MX_MAX && v.p[0].preference == 0,
	    "4000 records in %zu octets", b->n);
	mxs_free(&v);
	buf_clear(b);
	begin(b, 0, 10000);
	for (unsigned i = 0; b->n < 65535; i++)
		mx(b, i, "a");
	check("10000 said, and more octets than a message has", b, "75");
}

/* A CNAME to the next one, and so on. */
static void
chain(struct buf *b, unsigned n)
{
	char from[32] = "x.test", to[32];

	begin(b, 0, n + 1);
	for (unsigned i = 0; i < n; i++) {
		snprintf(to, sizeof to, "c%u.test", i);
		cname(b, from, to);
		memcpy(from, to, sizeof from);
	}
	mx_of(b, from, 10, "a.test");
}

static void
chains(struct buf *b)
{
	chain(b, 3);
	check("behind three CNAMEs", b, "10 a.test");
	chain(b, 16);
	check("behind sixteen", b, "10 a.test");
	chain(b, 17);
	check("behind more than anybody needs", b, "75");
	begin(b, 0, 3);
	mx_of(b, "d.test", 10, "a.test");
	cname(b, "c.test", "d.test");
	cname(b, "x.test", "c.test");
	check("in any order", b, "10 a.test");
	begin(b, 0, 3);
	cname(b, "x.test", "c.test");
	cname(b, "c.test", "X.Test");
	mx_of(b, "x.test", 10, "a.test");
	check("in a circle", b, "75");
	begin(b, 0, 1);
	cname(b, "x.test", "X.TEST");
	check("to itself", b, "75");
	begin(b, 0, 2);
	mx_of(b, "y.test", 1, "evil.test");
	mx_of(b, "X.TEST", 10, "a.test");
	check("of another name", b, "10 a.test");
	begin(b, 0, 2);
	cname(b, "y.test", "x.test");
	mx_of(b, "y.test", 1, "evil.test");
	check("a CNAME from another name", b, "1");
	begin(b, 0, 2);
	record_of(b, "x.test", 15, SPAN("\0\1\1a\0x"));
	mx(b, 10, "a.test");
	check("octets behind a host", b, "75");
	begin(b, 0, 1);
	record_of(b, "x.test", 15, SPAN("\0\1\1a"));
	buf_addc(b, '\0');
	check("a host that runs out of its record", b, "75");
	begin(b, 0, 2);
	mx(b, 0, ".");
	mx(b, 5, "-.test");
	check("a null MX beside a name that is none", b, "75");
	begin(b, 0, 1);
	b->p[2] = 1;
	mx(b, 10, "a.test");
	check("a question", b, "75");
}

#define A1 "\300\0\2\1"
#define A2 "\300\0\2\2"
#define SIX "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"

/* `want`: how many, `/` the canonical name, ` secure`; or the fault. */
static void
check_addresses(const char *what, struct buf *b, const char *want)
{
	unsigned char *copy = must(malloc(b->n));
	struct addresses v = {0};
	struct err e = {0};
	struct buf got = {0};

	memcpy(copy, b->p, b->n);
	if (dns_addresses_parse(&v, copy, b->n, "x.test", &e) < 0)
		buf_addf(&got, "%d", (int)e.fault);
	else
		buf_addf(&got, "%zu/%s%s", v.n, v.canonical ? v.canonical : "",
		    v.secure ? " secure" : "");
	is(buf_str(&got), want, what);
	addresses_free(&v);
	free(copy);
	buf_free(&got);
	buf_clear(b);
}

static void
addresses(struct buf *b)
{
	begin_type(b, 0, 2, 1);
	record_of(b, "x.test", 1, SPAN(A1));
	record_of(b, "x.test", 1, SPAN(A2));
	check_addresses("two addresses", b, "2/");
	begin_type(b, 0x20, 1, 28);
	record_of(b, "x.test", 28, SPAN(SIX));
	check_addresses("one of IPv6, secure", b, "1/ secure");
	begin_type(b, 0, 2, 1);
	cname(b, "x.test", "y.test");
	record_of(b, "y.test", 1, SPAN(A1));
	check_addresses("behind a CNAME", b, "1/y.test");
	begin_type(b, 0, 2, 1);
	cname(b, "x.test", "y .test");
	record_of(b, "y .test", 1, SPAN(A1));
	check_addresses("whose target is no host name", b, "1/");
	begin_type(b, 0, 1, 1);
	cname(b, "x.test", "y.test");
	check_addresses("a CNAME to nothing", b, "0/y.test");
	begin_type(b, 0x20, 0, 1);
	check_addresses("none", b, "0/ secure");
	begin_type(b, 0, 1, 1);
	record_of(b, "y.test", 1, SPAN(A1));
	check_addresses("of somebody else", b, "0/");
	begin_type(b, 0, 1, 1);
	record_of(b, "x.test", 1, SPAN("\1\2\3"));
	check_addresses("three octets", b, "75");
	begin_type(b, 0, 1, 1);
	record_of(b, "x.test", 1, SPAN("\1\2\3\4\5"));
	check_addresses("five octets", b, "75");
	begin_type(b, 0, 1, 28);
	record_of(b, "x.test", 28, SPAN(A1));
	check_addresses("four octets of IPv6", b, "75");
	begin_type(b, 3, 0, 1);
	check_addresses("no such host", b, "68");
	begin_type(b, 2, 0, 1);
	check_addresses("the server fails", b, "75");
	begin_type(b, 0, 2000, 1);
	for (int i = 0; i < 2000; i++)
		record_of(b, "x.test", 1, SPAN(A1));
	check_addresses("2000", b, "10/");
}

/* `want`: USAGE SELECTOR MATCHING LENGTH of each, ` secure`; or the fault. */
static void
check_tlsa(const char *what, struct buf *b, const char *want)
{
	unsigned char *copy = must(malloc(b->n));
	struct tlsas v = {0};
	struct err e = {0};
	struct buf got = {0};

	memcpy(copy, b->p, b->n);
	if (dns_tlsa_parse(&v, copy, b->n, "x.test", &e) < 0)
		buf_addf(&got, "%d", (int)e.fault);
	for (size_t i = 0; i < v.n; i++)
		buf_addf(&got, "%s%d %d %d %zu", i ? ", " : "", v.p[i].usage,
		    v.p[i].selector, v.p[i].matching, v.p[i].data.n);
	if (v.secure)
		buf_adds(&got, " secure");
	is(buf_str(&got), want, what);
	for (size_t i = 0; i < v.n; i++)
		buf_free(&v.p[i].data);
	vec_free(&v);
	free(copy);
	buf_free(&got);
	buf_clear(b);
}

static void
tlsa(struct buf *b)
{
	begin_type(b, 0x20, 2, 52);
	record_of(b, "x.test", 52, SPAN("\3\1\1abcd"));
	record_of(b, "x.test", 52, SPAN("\2\0\2x"));
	check_tlsa("TLSA", b, "3 1 1 4, 2 0 2 1 secure");
	begin_type(b, 0, 3, 52);
	record_of(b, "x.test", 52, SPAN("\3\1\1"));
	record_of(b, "x.test", 52, SPAN(""));
	record_of(b, "x.test", 52, SPAN("\377\377\377x"));
	check_tlsa("malformed ones are there", b,
	    "255 0 0 0, 255 0 0 0, 255 255 255 1");
	begin_type(b, 0x20, 0, 52);
	check_tlsa("none", b, " secure");
	begin_type(b, 0x23, 0, 52);
	check_tlsa("no such name", b, " secure");
	begin_type(b, 2, 0, 52);
	check_tlsa("SERVFAIL", b, "75");
	begin_type(b, 0, 2, 52);
	cname(b, "x.test", "y.test");
	record_of(b, "y.test", 52, SPAN("\3\1\1x"));
	check_tlsa("behind a CNAME", b, "3 1 1 1");
	begin_type(b, 0, 1, 52);
	record_of(b, "y.test", 52, SPAN("\3\1\1x"));
	check_tlsa("of somebody else", b, "");
	begin_type(b, 0, 2, 52);
	record_of(b, "x.test", 52, SPAN("\3\1\1x"));
	number(b, 0xc000 | (unsigned)b->n);
	buf_add(b, "\0\64\0\1\0\0\0\0\0\4\3\1\1y", 14);
	check_tlsa("one of a name that is a circle", b, "75");
}

int
main(void)
{
	struct buf b = {0};

	begin(&b, 0, 1);
	mx(&b, 10, "a.x.test");
	check("one", &b, "10 a.x.test");
	begin(&b, 0, 3);
	mx(&b, 30, "c.x.test");
	mx(&b, 10, "a.x.test");
	mx(&b, 20, "b.x.test");
	check("three, sorted", &b, "10 a.x.test, 20 b.x.test, 30 c.x.test");
	begin(&b, 0, 0);
	check("none", &b, "1");
	begin(&b, 3, 0);
	check("NXDOMAIN", &b, "68");
	begin(&b, 2, 0);
	check("SERVFAIL", &b, "75");
	begin(&b, 5, 0);
	check("REFUSED", &b, "75");
	begin(&b, 1, 0);
	check("FORMERR", &b, "75");
	begin(&b, 0, 1);
	mx(&b, 0, ".");
	check("null MX", &b, "68");
	begin(&b, 0, 2);
	mx(&b, 0, ".");
	mx(&b, 10, "a.x.test");
	check("a root among others is passed over", &b, "10 a.x.test");
	begin(&b, 0, 2);
	record(&b, 5, 3);
	buf_adds(&b, "\1c");
	buf_addc(&b, '\0');
	mx(&b, 10, "a.x.test");
	check("a CNAME in front", &b, "10 a.x.test");
	begin(&b, 0, 3);
	mx(&b, 1, "a b.x.test");
	mx(&b, 2, "a;b.x.test");
	mx(&b, 10, "a.x.test");
	check("names that are none are passed over", &b, "10 a.x.test");
	begin(&b, 0, 1);
	mx(&b, 1, "-rf.x.test");
	check("only names that are none: no other host in their place", &b, "75");
	begin(&b, 0, 1);
	mx(&b, 1, "a\r\nb.x.test");
	check("with CR and LF", &b, "75");
	begin(&b, 0, 1);
	record(&b, 15, 2);
	number(&b, 10);
	check("no host", &b, "75");
	begin(&b, 0, 2);
	mx(&b, 10, "a.x.test");
	check("fewer records than said", &b, "75");
	loop(&b);
	check("a name that points at itself", &b, "75");
	pointer(&b, 0x3fff);
	check("a name that points behind the end", &b, "75");
	pointer(&b, 12);
	check("a name that points at the question", &b, "10 x.test");
	many(&b);
	thousands(&b);
	chains(&b);
	addresses(&b);
	tlsa(&b);
	cut_everywhere();
	damaged_everywhere();
	buf_free(&b);
	return done_testing();
}
