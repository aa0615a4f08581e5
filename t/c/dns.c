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
begin(struct buf *b, unsigned flags, unsigned answers)
{
	number(b, 1);
	number(b, 0x8180 | flags);
	number(b, 1);
	number(b, answers);
	number(b, 0);
	number(b, 0);
	name(b, "x.test");
	number(b, 15);
	number(b, 1);
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
	cut_everywhere();
	damaged_everywhere();
	buf_free(&b);
	return done_testing();
}
