#include "base/unit.h"

#include "base/buf.h"

struct unit {
	char letter;
	int64_t worth;
};

static const struct unit sizes[] = {
	{ 'k', 1 << 10 }, { 'K', 1 << 10 }, { 'M', 1 << 20 }, { 'G', 1 << 30 },
	{ 0, 0 },
};

static const struct unit times[] = {
	{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
	{ 'w', 7 * 86400 }, { 0, 0 },
};

static const struct unit none[] = { { 0, 0 } };

static int
scaled(const struct unit *units, const char *s, int64_t *out)
{
	struct span digits = span_of(s);
	int64_t worth = 1;
	long long v;

	for (; units->letter != 0; units++) {
		if (digits.n > 0 && digits.p[digits.n - 1] == units->letter) {
			worth = units->worth;
			digits.n--;
			break;
		}
	}
	if (!span_number(digits, &v) || v > INT64_MAX / 1000 / worth)
		return -1;
	*out = v * worth;
	return 0;
}

int
unit_size(const char *what, const char *s, int64_t *octets, struct err *e)
{
	if (scaled(sizes, s, octets) == 0)
		return 0;
	return err_set(e, FAULT_USAGE,
	    "%s: `%s' is no size; write 512, 300k, 10M or 1G", what, s);
}

int
unit_time(const char *what, const char *s, int64_t *seconds, struct err *e)
{
	if (scaled(times, s, seconds) == 0)
		return 0;
	return err_set(e, FAULT_USAGE,
	    "%s: `%s' is no time; write 90, 90s, 5m, 2h, 3d or 1w", what, s);
}

int
unit_count(const char *what, const char *s, int64_t *count, struct err *e)
{
	if (scaled(none, s, count) == 0)
		return 0;
	return err_set(e, FAULT_USAGE, "%s: `%s' is no number", what, s);
}

int
unit_wait(const char *what, const char *s, int64_t *ms, struct err *e)
{
	int64_t seconds;

	if (unit_time(what, s, &seconds, e) < 0)
		return -1;
	if (seconds == 0)
		return err_set(e, FAULT_USAGE, "%s: no time at all", what);
	*ms = seconds * 1000;
	return 0;
}

int
unit_port(const char *what, const char *s, struct err *e)
{
	long long n;

	if (span_number(span_of(s), &n) && n > 0 && n <= 65535)
		return (int)n;
	return err_set(e, FAULT_USAGE, "%s: `%s' is no port", what, s);
}
