/* Sessions that come: addresses, the kernel's table as text, and counting. */
#include "../tap.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "net/arrivals.h"
#include "base/vec.h"

static struct in6_addr
address(const char *text)
{
	struct ranges v = {0};
	struct err e = {0};
	struct in6_addr a = {0};

	if (range_parse(&v, "test", text, &e) == 0)
		a = v.p[0].at;
	vec_free(&v);
	return a;
}

static const struct {
	const char *range;	/* is one if `in' is not NULL */
	const char *in, *out;
} ranges[] = {
	{ "192.0.2.1", "192.0.2.1", "192.0.2.2" },
	{ "192.0.2.1", "::ffff:192.0.2.1", "::192.0.2.1" },
	{ "::ffff:192.0.2.1", "192.0.2.1", "2001:db8::1" },
	{ "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
	{ "192.0.2.77/24", "192.0.2.1", "192.0.1.255" },
	{ "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
	{ "192.0.2.4/31", "192.0.2.5", "192.0.2.6" },
	{ "192.0.2.4/32", "192.0.2.4", "192.0.2.5" },
	{ "0.0.0.0/0", "203.0.113.9", "2001:db8::1" },
	{ "::/0", "203.0.113.9", NULL }, { "::/0", "2001:db8::1", NULL },
	{ "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
	{ "2001:db8::1", "2001:db8::1", "2001:db8::2" },
	{ "", NULL, NULL }, { "/", NULL, NULL }, { "192.0.2.1/", NULL, NULL },
	{ "192.0.2.1/33", NULL, NULL }, { "::/129", NULL, NULL },
	{ "192.0.2.1/-1", NULL, NULL }, { "192.0.2.1/8/8", NULL, NULL },
	{ "192.0.2", NULL, NULL }, { "localhost", NULL, NULL },
	{ "[::1]", NULL, NULL }, { "192.0.2.1:25", NULL, NULL },
	{ "fe80::1%lo", NULL, NULL }, { "192.0.2.1 ", NULL, NULL },
	{ "192.0.2.1/ 8", NULL, NULL },
};

static void
test_ranges(void)
{
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		struct ranges v = {0};
		struct err e = {0};
		struct in6_addr a;
		int r = range_parse(&v, "--wait-from", ranges[i].range, &e);

		if (ranges[i].in == NULL) {
			ok(r == -1 && e.fault == FAULT_USAGE && v.n == 0,
			    "not `%s'", ranges[i].range);
			continue;
		}
		a = address(ranges[i].in);
		ok(r == 0 && range_has(&v, &a), "%s has %s", ranges[i].range,
		    ranges[i].in);
		if (ranges[i].out != NULL) {
			a = address(ranges[i].out);
			ok(!range_has(&v, &a), "but not %s", ranges[i].out);
		}
		vec_free(&v);
	}
}

/* ---- /proc/net/tcp ---- */

/* An address as this machine's kernel writes it. */
static const char *
hex(const char *text)
{
	static char all[2][40];
	static int turn;
	char *to = all[turn ^= 1];
	struct in6_addr a = address(text);
	uint32_t w[4];

	memcpy(w, &a, sizeof w);
	if (strchr(text, ':') == NULL)
		snprintf(to, 40, "%08X", w[3]);
	else
		snprintf(to, 40, "%08X%08X%08X%08X", w[0], w[1], w[2], w[3]);
	return to;
}

static void
add_row(struct buf *b, const char *to, int here, const char *from, int there,
    int state, int inode)
{
	buf_addf(b, "   0: %s:%04X ", hex(to), (unsigned)here);
	buf_addf(b, "%s:%04X %02X 00000000:00000000 00:00000000 00000000     0"
	    "        0 %d 1 0000000000000000 100 0 0 10 0\n", hex(from),
	    (unsigned)there, (unsigned)state, inode);
}

static void
test_text(void)
{
	struct buf b = {0}, text = {0};
	struct sightings v = {0};

	buf_adds(&b, "  sl  local_address rem_address   st tx_queue rx_queue "
	    "tr tm->when retrnsmt   uid  timeout inode\n");
	add_row(&b, "192.0.2.9", 25, "192.0.2.1", 4711, TCP_ESTABLISHED, 77);
	add_row(&b, "192.0.2.9", 26, "192.0.2.1", 4712, TCP_ESTABLISHED, 78);
	add_row(&b, "192.0.2.9", 4713, "192.0.2.1", 25, TCP_ESTABLISHED, 79);
	add_row(&b, "192.0.2.9", 25, "192.0.2.1", 4714, TCP_TIME_WAIT, 0);
	add_row(&b, "192.0.2.9", 25, "192.0.2.1", 4715, TCP_SYN_RECV, 0);
	add_row(&b, "192.0.2.9", 25, "192.0.2.1", 4716, TCP_CLOSE, 0);
	add_row(&b, "192.0.2.9", 25, "192.0.2.1", 4717, TCP_CLOSE_WAIT, 80);
	add_row(&b, "192.0.2.9", 25, "192.0.2.1", 4718, TCP_LAST_ACK, 0);
	add_row(&b, "2001:db8::9", 25, "2001:db8::1", 4719, TCP_ESTABLISHED, 81);
	add_row(&b, "::ffff:192.0.2.9", 25, "::ffff:192.0.2.1", 4720,
	    TCP_ESTABLISHED, 82);
	sightings_parse(&v, 25, buf_span(&b));
	for (size_t i = 0; i < v.n; i++) {
		buf_addf(&text, "%u %llu %d ", (unsigned)v.p[i].port,
		    (unsigned long long)v.p[i].id, v.p[i].over);
		range_text(&text, &v.p[i].from);
		buf_addc(&text, '\n');
	}
	is(buf_str(&text), "4711 77 0 192.0.2.1\n4714 0 1 192.0.2.1\n"
	    "4717 80 0 192.0.2.1\n4718 0 1 192.0.2.1\n4719 81 0 2001:db8::1\n"
	    "4720 82 0 192.0.2.1\n", "the kernel's table");
	ok(!v.listens, "nobody listens there");
	buf_clear(&b);
	add_row(&b, "::", 25, "::", 0, TCP_LISTEN, 83);
	sightings_parse(&v, 26, buf_span(&b));
	ok(!v.listens, "nor on another port");
	sightings_parse(&v, 25, buf_span(&b));
	ok(v.listens && v.n == 6, "somebody listens");
	vec_free(&v);
	buf_free(&text);

	/* whatever it is cut down to, or made of */
	buf_clear(&b);
	add_row(&b, "192.0.2.9", 25, "192.0.2.1", 4711, TCP_ESTABLISHED, 77);
	for (size_t n = 0; n < b.n; n++) {
		char *copy = span_dup((struct span){ b.p, n });

		sightings_parse(&v, 25, span_of(copy));
		free(copy);
	}
	ok(v.n == 0 || v.p[0].port == 4711, "cut short anywhere");
	vec_free(&v);
	sightings_parse(&v, 25, SPAN("0: 0G000000:0019 00000000:0019 01 0 0 0 0 0 9\n"
	    "0: 090200C0:00019 090200C0:10019 01 0 0 0 0 0 9\n"
	    "0: 090200C0:0019 090200C000:0019 01 0 0 0 0 0 9\n"
	    "0: 090200C0 090200C0:0019 01 0 0 0 0 0 9\n"
	    "0: 090200C0:0019 090200C0: 01 0 0 0 0 0 9\n"
	    "0: 090200C0:0019 090200C0:0019 0000000001 0 0 0 0 0 9\n"
	    "0: 090200C0:0019 090200C0:0019 01 0 0 0 0 0 x\n"
	    "\n    \n0\n"));
	ok(v.n == 0, "lines that are none");
	vec_free(&v);
	buf_free(&b);
}

/* ---- counting ---- */

/* What one look sees of each port, `port state id octets' ... */
struct seen { uint16_t port; int state; uint64_t id; int64_t octets; };

#define SEES_MAX 3

static const struct {
	const char *name;
	struct seen looks[4][SEES_MAX];	/* the first is the one before */
	size_t count;
	int64_t octets;
	size_t busy;
} counts[] = {
	{ "nobody", {{{0}}}, 0, 0, 0 },
	{ "one that is there", { {{0}}, {{ 7, 1, 1, 50 }}, {{ 7, 1, 1, 90 }},
	    {{ 7, 1, 1, 95 }} }, 1, 95, 1 },
	{ "that has gone", { {{0}}, {{ 7, 1, 1, 50 }}, {{ 7, 1, 1, 90 }} },
	    1, 90, 0 },
	{ "of which only the end was seen", { {{0}}, {{0}},
	    {{ 7, TCP_TIME_WAIT, 0, -1 }}, {{ 7, TCP_TIME_WAIT, 0, -1 }} },
	    1, -1, 0 },
	{ "that ends", { {{0}}, {{ 7, 1, 1, 50 }},
	    {{ 7, TCP_TIME_WAIT, 9, -1 }} }, 1, 50, 0 },
	{ "their FIN is no octet", { {{0}}, {{ 7, TCP_CLOSE_WAIT, 1, 51 }} },
	    1, 50, 0 },
	{ "one that was there", { {{ 7, 1, 1, 50 }}, {{ 7, 1, 1, 90 }},
	    {{ 7, 1, 1, 95 }}, {{ 7, 1, 1, 95 }} }, 0, 0, 1 },
	{ "and ends", { {{ 7, 1, 1, 50 }}, {{ 7, TCP_TIME_WAIT, 0, -1 }} },
	    0, 0, 0 },
	{ "one that was over", { {{ 7, TCP_TIME_WAIT, 0, -1 }},
	    {{ 7, TCP_TIME_WAIT, 0, -1 }} }, 0, 0, 0 },
	{ "and another from its port", { {{ 7, TCP_TIME_WAIT, 0, -1 }},
	    {{ 7, 1, 3, 10 }}, {{ 7, 1, 3, 20 }} }, 1, 20, 0 },
	{ "a look that missed it", { {{0}}, {{ 7, 1, 1, 50 }}, {{0}},
	    {{ 7, 1, 1, 90 }} }, 1, 90, 1 },
	{ "its end, missed likewise", { {{0}}, {{ 7, TCP_TIME_WAIT, 0, -1 }},
	    {{0}}, {{ 7, TCP_TIME_WAIT, 0, -1 }} }, 1, -1, 0 },
	{ "two from one port", { {{0}}, {{ 7, 1, 1, 50 }}, {{ 7, 1, 2, 5 }},
	    {{ 7, 1, 2, 6 }} }, 2, 56, 1 },
	{ "side by side", { {{0}}, {{ 7, 1, 1, 50 }, { 8, 1, 2, 5 }},
	    {{ 8, 1, 2, 6 }, { 7, 1, 1, 51 }},
	    {{ 9, 1, 3, 1 }, { 8, 1, 2, 6 }} }, 3, 58, 2 },
	{ "an id that comes late", { {{0}}, {{ 7, 1, 0, -1 }},
	    {{ 7, 1, 4, -1 }}, {{ 7, 1, 4, -1 }} }, 1, -1, 1 },
	{ "no id at all", { {{0}}, {{ 7, 1, 0, -1 }}, {{ 7, 1, 0, -1 }},
	    {{ 7, 1, 0, -1 }} }, 1, -1, 1 },
	{ "a handshake is no session", { {{0}}, {{ 7, TCP_SYN_RECV, 1, 0 }},
	    {{ 7, TCP_SYN_RECV, 1, 0 }}, {{ 7, 12, 1, 0 }} }, 0, 0, 0 },
};

static void
look(struct arrivals *a, const struct seen seen[SEES_MAX], bool first)
{
	struct sightings v = {0};

	for (size_t i = 0; i < SEES_MAX && seen[i].port != 0; i++) {
		struct sighting s = { .from = address("192.0.2.1"),
		    .to = address("192.0.2.9"), .port = seen[i].port,
		    .id = seen[i].id, .octets = seen[i].octets };

		sightings_add(&v, &s, seen[i].state);
		s.from = address("192.0.2.2");	/* means nothing */
		sightings_add(&v, &s, seen[i].state);
	}
	arrivals_note(a, &v, first);
	vec_free(&v);
}

static void
test_counts(void)
{
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct arrivals a = {0};
		struct err e = {0};

		range_parse(&a.from, "test", "192.0.2.1", &e);
		for (size_t k = 0; k < 4; k++)
			look(&a, counts[i].looks[k], k == 0);
		if (!ok(arrivals_count(&a) == counts[i].count &&
		    arrivals_octets(&a) == counts[i].octets &&
		    a.busy == counts[i].busy, "%s", counts[i].name))
			printf("# %zu sessions, %lld octets, %zu there\n",
			    arrivals_count(&a), (long long)arrivals_octets(&a),
			    a.busy);
		arrivals_free(&a);
	}
}

/* Between the same ports from one address to two of ours. */
static void
test_two_ends(void)
{
	struct arrivals a = {0};
	struct err e = {0};
	struct sighting s = { .from = address("192.0.2.1"), .port = 7,
	    .octets = 1 };

	range_parse(&a.from, "test", "192.0.2.0/24", &e);
	for (int i = 0; i < 3; i++) {
		struct sightings v = {0};

		s.to = address("192.0.2.8");
		s.id = 1;
		sightings_add(&v, &s, TCP_ESTABLISHED);
		s.to = address("192.0.2.9");
		s.id = 2;
		sightings_add(&v, &s, TCP_ESTABLISHED);
		arrivals_note(&a, &v, false);
		vec_free(&v);
	}
	ok(arrivals_count(&a) == 2, "to two addresses of ours: two");
	arrivals_free(&a);
}

int
main(void)
{
	test_ranges();
	test_text();
	test_counts();
	test_two_ends();
	return done_testing();
}
