/*
 * A preload that makes each sync take longer, as on a disk that turns, and counts them:
 *
 *	SLOW_MS=N		so many milliseconds more
 *	SLOW_COUNT=FILE		grows by an octet each time
 *
 * A wait for octets on their way to the disk is one, too, whatever it is called.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void
slow(void)
{
	static int fd = -1;
	const char *ms = getenv("SLOW_MS"), *count = getenv("SLOW_COUNT");
	long n = ms != NULL ? atol(ms) : 0;
	struct timespec t = { n / 1000, n % 1000 * 1000000 };

	if (fd < 0 && count != NULL)
		fd = open(count, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, "x", 1) != 1)
		abort();
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

#define SYNC(name, parameters, arguments, is)			\
int name parameters;						\
int name parameters						\
{								\
	static int (*next) parameters;				\
								\
	if (next == NULL)					\
		*(void **)&next = dlsym(RTLD_NEXT, #name);	\
	if (is)							\
		slow();						\
	return next arguments;					\
}

SYNC(fsync, (int fd), (fd), 1)
SYNC(fdatasync, (int fd), (fd), 1)
SYNC(syncfs, (int fd), (fd), 1)
SYNC(sync_file_range, (int fd, off64_t at, off64_t n, unsigned how), (fd, at, n, how),
    how & (SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER))
