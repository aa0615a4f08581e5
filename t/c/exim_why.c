/*
 * What queue-list --why reads of Exim's: command lines of daemons, the hints that
 * exim_dumpdb prints (4.96 did), retry rules.
 */
#include <unistd.h>

#include "../tap.h"
#include "spool/exim.h"

/* ---- daemons ---- */

static const struct {
	const char *words;	/* a blank is a NUL */
	const char *says;	/* NULL: no daemon */
} lines[] = {
	{ "exim4 -bd -q30m", "-:30m" },
	{ "exim4 -bdf -q 30m", "-:30m" },
	{ "exim4 -bd", "-" },
	{ "exim4 -q30m", "-:30m" },
	{ "exim4 -q", NULL },
	{ "exim4 -qff", NULL },
	{ "exim4 -qqff15m", "-:15m" },
	{ "exim4 -q -v", NULL },
	{ "exim4 -qGslow", NULL },
	{ "exim4 -qGslow/5m", "- slow:5m" },
	{ "exim4 -bd -q30m -qffGslow/5m", "-:30m slow:5m" },
	{ "exim4 -bd -q30m -qG", "-:30m" },
	{ "exim4 -C /etc/x -bd -q1h", "/etc/x:1h" },
	{ "exim4 -C/etc/x -bd", "/etc/x" },
	{ "exim4 -bd -C", "-" },
	{ "exim4 -DX=1 -bd", "- macros" },
	{ "exim4 -Mc 1xWVxK-0002qv-01", NULL },
	{ "exim4 -bt -f x a@y", NULL },
	{ "exim4", NULL },
	{ "", NULL },
};

static void
read_lines(void)
{
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct exim_daemon d = {0};
		struct buf said = {0};

		buf_adds(&d.words, lines[i].words);
		for (size_t n = 0; n < d.words.n; n++)
			if (d.words.p[n] == ' ')
				d.words.p[n] = '\0';
		if (exim_daemon_read(&d)) {
			buf_addf(&said, "%.*s%s", d.conf.n > 0 ? (int)d.conf.n : 1,
			    d.conf.n > 0 ? d.conf.p : "-", d.macros ? " macros" : "");
			for (size_t n = 0; n < d.runs.n; n++)
				buf_addf(&said, "%s%.*s:%.*s", d.runs.p[n].queue.n > 0 ?
				    " " : "", (int)d.runs.p[n].queue.n, d.runs.p[n].queue.n
				    > 0 ? d.runs.p[n].queue.p : "",
				    (int)d.runs.p[n].every.n, d.runs.p[n].every.p);
			is(buf_str(&said), lines[i].says, lines[i].words);
		} else {
			ok(lines[i].says == NULL, "%s", lines[i].words);
		}
		buf_free(&said);
		buf_free(&d.words);
		vec_free(&d.runs);
	}
}

static void
trust(void)
{
	static const struct { const char *conf; bool macros, good; } rows[] = {
		{ "/etc/passwd", false, true }, { "/etc/passwd", true, false },
		{ "etc/passwd", false, false }, { "/tmp/nobody-has-this", false, false },
		{ "", false, false },
	};
	char path[] = "/tmp/tidegate-exim.XXXXXX";
	struct exim_daemon d = { .conf = span_of(path) };
	int fd = mkstemp(path);
	char *conf;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		d.conf = span_of(rows[i].conf);
		d.macros = rows[i].macros;
		conf = exim_daemon_conf(&d);
		ok((conf != NULL) == rows[i].good, "configuration %zu", i);
		free(conf);
	}
	d = (struct exim_daemon){ .conf = span_of(path) };
	conf = exim_daemon_conf(&d);
	is(conf, NULL, "in a directory where everybody writes it is not used");
	free(conf);
	if (fd >= 0)
		close(fd);
	unlink(path);
	d = (struct exim_daemon){ .uid = 12345 };
	ok(!exim_daemon_may(&d, "/"), "somebody's daemon has nothing to do with root's spool");
	d.uid = 0;
	ok(exim_daemon_may(&d, "/"), "root's may");
}

/* ---- retries ---- */

#define ID "1xWVxK-0002qv-01"
#define T(first, next) "26-Nov-2026 18:00:" first "  26-Nov-2026 18:00:20  26-Nov-2026 18:00:" next " \n"
#define BASE 1795716000LL	/* 18:00:00 */
#define HOP "  router = r, transport = t\n"

static const char hints[] =
    "  R:dns.test -1 0 host lookup did not complete\n" T("01", "30")
    "  R:later@full.test:<s@x> -44 13121 H=h [1]: 451 T:lie -1 0\n" T("02", "31")
    "  T:\"a b\"@pipe.test 0 0 Child returned 75\n" T("03", "32")
    "  T:h.test:192.0.2.1:25 111 65 refused\n" T("04", "33")
    "  T:H.test:192.0.2.2 111 65 refused\n" T("06", "34")
    "  T:i.test:192.0.2.3:25:" ID " -46 65 DATA\n" T("07", "35")
    "  T:j.test:192.0.2.4:25:1xWVxK-0002qv-02 -46 65 DATA\n" T("08", "36")
    "  T:k.test:2001:db8::1:25 111 65 refused\n26-Nov-2026 18:00:09  26-Nov-2026 18:00:20  26-Nov-2026 18:00:37 *\n"
    "  T:bad 1 2 x\nno time at all\n"
    "26-Nov-2026 18:00:01  26-Nov-2026 18:00:01  26-Nov-2026 18:00:59\n"
    "  T:cut 1 2 x\n26-Nov-2026 18:00:01  26-No";

static const struct {
	const char *name, *address, *said;
	int next, since;	/* seconds after BASE; 99: as it was */
} asked[] = {
	{ "nothing is known", "a@b", "a@b\n" HOP "  host x [192.0.2.9]\n", 0, 99 },
	{ "a domain that the DNS does not tell", "b@dns.test",
	    "b@dns.test cannot be resolved at this time: host lookup did not complete\n", 30, 1 },
	{ "a recipient, from this sender, in either case", "Later@Full.test",
	    "Later@Full.test\n" HOP "  host x [192.0.2.9]\n", 31, 2 },
	{ "a quoted one, delivered here", "\"a b\"@pipe.test", "\"a b\"@pipe.test\n" HOP, 32, 3 },
	{ "a host", "a@b", "a@b\n" HOP "  host h.test [192.0.2.1] MX=10\n", 33, 4 },
	{ "the sooner of two, failing since the later failed", "a@b", "a@b\n" HOP
	    "  host h.test [192.0.2.1]\n  host h.test [192.0.2.2]\n", 33, 6 },
	{ "one of two works", "a@b", "a@b\n" HOP
	    "  host h.test [192.0.2.1]\n  host x [192.0.2.9]\n", 0, 99 },
	{ "another address of a host", "a@b", "a@b\n" HOP "  host h.test [192.0.2.11]\n", 0, 99 },
	{ "this message alone", "a@b", "a@b\n" HOP "  host i.test [192.0.2.3]\n", 35, 7 },
	{ "another message alone", "a@b", "a@b\n" HOP "  host j.test [192.0.2.4]\n", 0, 99 },
	{ "IPv6, past its last cutoff", "a@b", "a@b\n" HOP "  host k.test [2001:db8::1] port=25\n", 37, 9 },
	{ "the sooner of an alias's two", "list@b", "later@full.test\n    <-- list@b\n" HOP
	    "  host x [192.0.2.9]\nb@dns.test\n    <-- list@b\n" HOP "  host x [192.0.2.9]\n", 30, 1 },
	{ "both: the later", "later@full.test", "later@full.test\n" HOP
	    "  host h.test [192.0.2.2]\n", 34, 2 },
	{ "a record without its times", "bad", "bad\n" HOP, 0, 99 },
	{ "one that is cut off", "cut", "cut\n" HOP, 0, 99 },
	{ "what a server says is no record", "lie", "lie\n" HOP, 0, 99 },
	{ "nothing was said", "a@b", "", 0, 99 },
};

static void
read_hints(void)
{
	struct exim_retries all = {0};

	buf_adds(&all.text, hints);
	exim_retries_read(&all);
	ok(all.n == 8, "eight records, not %zu", all.n);
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		struct exim_asked a = { .address = span_dup(span_of(asked[i].address)),
		    .sender = span_dup(SPAN("s@x")) };
		int64_t since = BASE + 99, next;

		buf_adds(&a.said, asked[i].said);
		next = exim_retry_at(&all, &a, ID, &since);
		if (!ok((asked[i].next == 0 ? next == 0 : next == BASE + asked[i].next) &&
		    since == BASE + asked[i].since, "%s", asked[i].name))
			printf("# %lld, %lld\n", (long long)(next - BASE),
			    (long long)(since - BASE));
		free(a.address);
		free(a.sender);
		buf_free(&a.said);
	}
	exim_retries_free(&all);
}

static const struct { const char *said; long long life; } rules[] = {
	{ "Retry rule: *  *  F,4h,20m; G,16h,1h,1.5; F,4d,6h; \n", 345600 },
	{ "Retry rule: *.slow.test  *  F,4d,2h; \n", 345600 },
	{ "Retry rule: a  quota_7d  H,1w2d3h,1h,1.5;", 788400 },
	{ "No retry information found\n", -1 },
	{ "Retry rule: *  *  \n", -1 },
	{ "Retry rule: x;F,1d,2h\n", 86400 },
	{ "Retry rule: *  *  F,4,20m; \n", -1 },
	{ "Retry rule: *  *  F,99999999999d,20m; \n", -1 },
	{ "Retry rule: *  *  X,4d; \n", -1 },
	{ "", -1 },
};

static void
read_rules(void)
{
	struct span host, domain;

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		ok(exim_retry_life(span_of(rules[i].said)) == rules[i].life,
		    "rule %zu", i);
	exim_said_where(SPAN("a@b.test\n" HOP "  host h [192.0.2.1]\n  host i [192.0.2.2]\n"),
	    &host, &domain);
	ok(span_is(host, "h") && span_is(domain, "b.test"), "a host and a domain");
	exim_said_where(SPAN("a@b.test cannot be resolved at this time: x@y\n"), &host,
	    &domain);
	ok(host.n == 0 && span_is(domain, "b.test"), "a domain alone");
	exim_said_where(SPAN(""), &host, &domain);
	ok(host.n == 0 && domain.n == 0, "nothing");
}

int
main(void)
{
	setenv("TZ", "UTC", 1);
	read_lines();
	trust();
	read_hints();
	read_rules();
	return done_testing();
}
