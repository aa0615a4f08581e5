/* TAP for the C tests: ok(), is(), done_testing(). */
#ifndef T_TAP_H
#define T_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_n, tap_bad;

#define ok(yes, ...) tap_ok_((yes), __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 4, 5), unused))
static bool
tap_ok_(bool yes, const char *file, int line, const char *fmt, ...)
{
	__builtin_va_list ap;

	printf("%sok %d - ", yes ? "" : "not ", ++tap_n);
	__builtin_va_start(ap, fmt);
	vprintf(fmt, ap);
	__builtin_va_end(ap);
	putchar('\n');
	if (!yes) {
		printf("# at %s:%d\n", file, line);
		tap_bad++;
	}
	return yes;
}

/* Strings; NULL is equal to NULL only. */
__attribute__((unused))
static void
is(const char *got, const char *want, const char *name)
{
	bool same = got && want ? strcmp(got, want) == 0 : got == want;

	if (!ok(same, "%s", name))
		printf("# got:    %s\n# wanted: %s\n", got ? got : "(null)",
		    want ? want : "(null)");
}

__attribute__((unused))
static int
done_testing(void)
{
	printf("1..%d\n", tap_n);
	return tap_bad > 0;
}

#endif
