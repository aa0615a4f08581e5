/* What the tests that take mail out of a copied Postfix queue share: the queue, in
 * $TMPDIR, and one message in it, made by hand. */
#ifndef T_C_POSTFIX_HAND_H
#define T_C_POSTFIX_HAND_H

#include "../tap.h"

#include <fcntl.h>
#include <ftw.h>
#include <time.h>
#include <unistd.h>

#include "spool/postfix.h"

#define ID "A1B2C3D4E5"
#define FUTURE 2000000000	/* 2033 */

static char dir[200];
static struct spool spool = { .kind = &spool_postfix, .dir = dir };
static struct err err;

/* One recipient of the message to be made, and its block in defer/ID. */
struct to {
	const char *address;
	int notify;
	const char *reason;
	long offset;
};

static void
record(struct buf *b, char type, const char *data)
{
	size_t n = strlen(data);

	buf_addc(b, type);
	for (; n > 127; n >>= 7)
		buf_addc(b, (char)((n & 127) | 128));
	buf_addc(b, (char)n);
	buf_adds(b, data);
}

static void
sizes(struct buf *b, long size, long start, long rcpts)
{
	char line[128];

	snprintf(line, sizeof line, "%15ld %15ld %15ld %15d %15ld %15d",
	    size, start, rcpts, 0, size, 0);
	record(b, 'C', line);
}

static void
letter(struct buf *b, struct to *to, size_t n, long size, long start)
{
	char line[128];

	buf_clear(b);
	sizes(b, size, start, (long)n);
	record(b, 'T', "1700000000 123456");
	record(b, 'A', "log_ident=" ID);
	record(b, 'S', "ann@here.test");
	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof line, "notify_flags=%d", to[i].notify);
		if (to[i].notify != 0)
			record(b, 'A', line);
		to[i].offset = (long)b->n;
		record(b, 'R', to[i].address);
	}
	record(b, 'M', "");
}

static void
put(const char *path, struct span text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n ||
	    fchmod(fd, mode) < 0 || close(fd) < 0) {
		perror(path);
		exit(1);
	}
}

static const char *
at(const char *queue)
{
	static char path[4][300];
	static int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof path[n], "%s/%s/%s", dir, queue, ID);
	return path[n];
}

static void
block(struct buf *b, const struct to *to)
{
	buf_addf(b, "\n<%s>: %s\nrecipient=%s\noffset=%ld\n", to->address,
	    to->reason, to->address, to->offset);
	if (to->notify != 0)
		buf_addf(b, "notify_flags=%d\n", to->notify);
	buf_addf(b, "status=4.7.1\naction=delayed\nreason=%s\n\n", to->reason);
}

static void
make(const char *queue, struct to *to, size_t n, time_t next)
{
	struct buf b = {0}, log = {0}, text = {0};
	struct timespec t[2] = { { .tv_sec = next }, { .tv_sec = next } };
	long start;

	record(&text, 'N', "Subject: hello");
	record(&text, 'N', "");
	record(&text, 'N', "R D are letters too");
	letter(&b, to, n, 0, 0);
	start = (long)b.n;
	letter(&b, to, n, (long)text.n, start);
	buf_addspan(&b, buf_span(&text));
	record(&b, 'X', "");
	record(&b, 'E', "");
	put(at(queue), buf_span(&b), 0700);
	utimensat(AT_FDCWD, at(queue), t, 0);
	for (size_t i = 0; i < n; i++)
		if (to[i].reason != NULL)
			block(&log, &to[i]);
	if (log.n > 0)
		put(at("defer"), buf_span(&log), 0600);
	buf_free(&b);
	buf_free(&log);
	buf_free(&text);
}

static void
clear(void)
{
	static const char *const queues[] = { "deferred", "hold", "incoming",
	    "active", "maildrop", "corrupt", "saved", "defer", "bounce",
	    "trace" };

	for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
		char d[300];

		unlink(at(queues[i]));
		snprintf(d, sizeof d, "%s/%s", dir, queues[i]);
		mkdir(d, 0700);
	}
	err_clear(&err);
}

static char *
slurp(const char *path)
{
	static struct buf b[4];
	static int n;
	int fd = open(path, O_RDONLY);
	ssize_t got = -1;

	n = (n + 1) % 4;
	buf_clear(&b[n]);
	while (fd >= 0 && (got = read(fd, buf_room(&b[n], 4096), 4096)) > 0)
		b[n].n += (size_t)got;
	if (fd >= 0)
		close(fd);
	return got < 0 ? NULL : buf_str(&b[n]);
}

static bool
is_there(const char *queue)
{
	return access(at(queue), F_OK) == 0;
}

/* -1, 0 busy, 1 ours, 2 gone */
static int
claim(const char *queue, enum state state, struct message *m,
    struct claimed **c)
{
	struct entry entry = { .state = state };
	int r;

	*m = (struct message){0};
	buf_adds(&entry.ref, at(queue));
	r = (int)pf_claim(&spool, &entry, m, c, &err);
	buf_free(&entry.ref);
	if (r < 0)
		printf("# %s\n", err.text);
	return r;
}

static int
settle(struct claimed *c, struct message *m, size_t i, enum fate fate,
    const char *status, const char *text)
{
	char s[16], t[256];
	struct result r = { .fate = fate, .status = s, .text = t };
	int done;

	snprintf(s, sizeof s, "%s", status);
	snprintf(t, sizeof t, "%s", text);
	done = pf_settle(c, m, i, &r, &err);
	if (done < 0)
		printf("# %s\n", err.text);
	return done;
}

static int
finish(struct claimed *c, struct message *m)
{
	int r = pf_done(c, m, &err);

	if (r < 0)
		printf("# %s\n", err.text);
	message_free(m);
	return r;
}

static int
gone(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static void
make_queue(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof dir, "%s/tidegate.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		exit(1);
}

static void
remove_queue(void)
{
	nftw(dir, gone, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
