/* Sizes, times and numbers as people write them. */
#include "../tap.h"

#include "base/buf.h"
#include "base/unit.h"

static const struct { const char *text; long long size, time, count; } rows[] = {
	/* -1: 64 */
	{ "0", 0, 0, 0 }, { "512", 512, 512, 512 }, { "007", 7, 7, 7 },
	{ "300k", 307200, -1, -1 }, { "1K", 1024, -1, -1 },
	{ "10M", 10485760, -1, -1 }, { "1G", 1073741824, -1, -1 },
	{ "90s", -1, 90, -1 }, { "5m", -1, 300, -1 }, { "2h", -1, 7200, -1 },
	{ "3d", -1, 259200, -1 }, { "1w", -1, 604800, -1 },
	{ "", -1, -1, -1 }, { "k", -1, -1, -1 }, { "s", -1, -1, -1 },
	{ "-1", -1, -1, -1 }, { "+1", -1, -1, -1 }, { " 1", -1, -1, -1 },
	{ "1 ", -1, -1, -1 }, { "1.5M", -1, -1, -1 }, { "1e3", -1, -1, -1 },
	{ "0x10", -1, -1, -1 }, { "1kk", -1, -1, -1 }, { "1MB", -1, -1, -1 },
	{ "1T", -1, -1, -1 }, { "5min", -1, -1, -1 }, { "1h30m", -1, -1, -1 },
	{ "1\n", -1, -1, -1 }, { "\302\262", -1, -1, -1 },
	{ "9223372036854775807", -1, -1, -1 },
	{ "9223372036854775808", -1, -1, -1 },
	{ "99999999999999999999", -1, -1, -1 },
	{ "9000000000G", -1, -1, -1 }, { "99999999999999w", -1, -1, -1 },
};

static void
check(const char *kind, int (*read)(const char *, const char *, int64_t *,
    struct err *), const char *text, long long want)
{
	struct err e = {0};
	int64_t got = -1;

	if (read("--it", text, &got, &e) < 0)
		got = -1;
	ok(got == want, "%s `%s': %lld", kind, text, want);
	if (want < 0)
		ok(e.fault == FAULT_USAGE && strncmp(e.text, "--it: ", 6) == 0,
		    "64 and the option's name");
}

static const struct { const char *text; int port; } ports[] = {
	{ "1", 1 }, { "65535", 65535 }, { "0", -1 }, { "65536", -1 }, { "", -1 },
	{ "smtp", -1 }, { "-25", -1 }, { "25 ", -1 },
};

int
main(void)
{
	long long n;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		check("size", unit_size, rows[i].text, rows[i].size);
		check("time", unit_time, rows[i].text, rows[i].time);
		check("count", unit_count, rows[i].text, rows[i].count);
	}
	check("wait", unit_wait, "2m", 120000);
	check("wait", unit_wait, "0", -1);
	check("wait", unit_wait, "0s", -1);
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
		struct err e = {0};

		ok(unit_port("--it", ports[i].text, &e) == ports[i].port,
		    "port `%s'", ports[i].text);
	}
	ok(span_number(SPAN("9223372036854775807"), &n) && n == INT64_MAX,
	    "the largest number");
	ok(!span_number(SPAN("9223372036854775808"), &n), "none larger");
	return done_testing();
}
