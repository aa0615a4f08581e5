/*
 * A preload for a queue whose MTA is quicker: before the first lock is taken with
 * flock(2), the file MOVES_FROM has become MOVES_TO.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

int
flock(int fd, int how)
{
	static int (*next)(int, int);
	const char *from = getenv("MOVES_FROM"), *to = getenv("MOVES_TO");

	if (next == NULL) {
		*(void **)&next = dlsym(RTLD_NEXT, "flock");
		if (from != NULL && to != NULL && rename(from, to) < 0)
			abort();
	}
	return next(fd, how);
}
