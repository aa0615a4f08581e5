#include "base/clock.h"

#include <limits.h>
#include <time.h>

int64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_in(int64_t ms)
{
	int64_t now = clock_now();

	return ms > NEVER - now ? NEVER : now + ms;
}

int64_t
clock_sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
clock_left(int64_t deadline)
{
	int64_t left;

	if (deadline == NEVER)
		return -1;
	left = deadline - clock_now();
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}
