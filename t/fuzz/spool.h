/* A queue of one message whose files the fuzzer writes. */
#ifndef T_FUZZ_SPOOL_H
#define T_FUZZ_SPOOL_H

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "spool/spool.h"

static char fuzz_where[64];

static int
fuzz_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st; (void)type; (void)ftw;
	return remove(path);
}

static void
fuzz_clean(void)
{
	nftw(fuzz_where, fuzz_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* A directory of its own in memory, once a process, with `sub` directories in it. */
__attribute__((unused))
static const char *
fuzz_dir(const char *const sub[])
{
	const char *below = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char path[128];

	if (*fuzz_where != '\0')
		return fuzz_where;
	snprintf(fuzz_where, sizeof fuzz_where, "%s/tidegate-fuzz.%ld", below,
	    (long)getpid());
	must_hold(mkdir(fuzz_where, 0700) == 0 && atexit(fuzz_clean) == 0);
	for (size_t i = 0; sub[i] != NULL; i++) {
		snprintf(path, sizeof path, "%s/%s", fuzz_where, sub[i]);
		must_hold(mkdir(path, 0700) == 0);
	}
	return fuzz_where;
}

/* The whole content of one of its files. */
__attribute__((unused))
static void
fuzz_file(const char *path, mode_t mode, const uint8_t *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	must_hold(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
}

/* Reads the message at `ref` and its text; every answer keeps spool.h's word. */
__attribute__((unused))
static void
fuzz_read(struct spool *s, const char *ref, enum state state)
{
	struct entry at = { .state = state };
	struct message m = {0};
	struct body b = {0};
	struct span piece;
	struct err e = {0};
	int r;

	buf_adds(&at.ref, ref);
	r = s->kind->read(s, &at, READ_REASONS, &m, &e);
	must_hold(r == 1 || m.id == NULL);
	must_hold((r == -1) == (e.fault != FAULT_NONE));
	if (r == 1) {
		must_hold(m.id != NULL && m.ref != NULL && m.env.sender != NULL);
		for (size_t i = 0; i < m.env.rcpts.n; i++)
			must_hold(m.env.rcpts.p[i].address != NULL);
	}
	message_free(&m);
	e = (struct err){0};
	if ((r = s->kind->body(s, ref, &b, &e)) == 1) {
		while ((r = b.next(&b, &piece, &e)) == 1)
			must_hold(piece.n > 0);
		must_hold((r == -1) == (e.fault != FAULT_NONE));
	}
	body_close(&b);
	buf_free(&at.ref);
}

#endif
