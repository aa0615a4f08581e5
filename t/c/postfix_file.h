/* What the tests of Postfix's files share: a queue in $TMPDIR, files made by hand. */
#ifndef T_C_POSTFIX_FILE_H
#define T_C_POSTFIX_FILE_H

#include "../tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "spool/spool.h"

#define TOP "T7 1|Ss@x|"
#define TEXT "M|Nhi|X|E"

static char tmp[4096];
static struct spool spool;

/* `Tdata|Tdata|...` into records; `T*Nx`: N times x. */
static void
records(struct buf *b, const char *s)
{
	struct span rest = span_of(s), one;

	while (span_cut(&rest, '|', &one)) {
		struct buf data = {0};
		size_t n = one.n - 1;

		if (n > 2 && one.p[1] == '*') {
			n = (size_t)atol(one.p + 2);
			memset(buf_room(&data, n), one.p[one.n - 1], n);
			data.n = n;
		} else {
			buf_add(&data, one.p + 1, n);
		}
		buf_addc(b, *one.p);
		for (; n > 127; n >>= 7)
			buf_addc(b, (char)(n & 127) | (char)128);
		buf_addc(b, (char)n);
		buf_addspan(b, buf_span(&data));
		buf_free(&data);
	}
}

static void
write_file(const char *path, const void *p, size_t n, mode_t mode)
{
	struct buf full = {0};
	int fd;

	buf_addf(&full, "%s/%s", spool.dir, path);
	fd = open(buf_str(&full), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n || fchmod(fd, mode) < 0)
		perror(full.p);
	close(fd);
	buf_free(&full);
}

static int
read_at(const char *path, enum state state, struct message *m, struct err *e)
{
	struct entry at = { .state = state };
	int r;

	err_clear(e);
	buf_addf(&at.ref, "%s/%s", spool.dir, path);
	r = spool.kind->read(&spool, &at, READ_REASONS, m, e);
	buf_free(&at.ref);
	return r;
}

static void
dirs(const char *const *names)
{
	struct buf path = {0};

	for (; *names != NULL; names++) {
		buf_clear(&path);
		buf_addf(&path, "%s/%s", spool.dir, *names);
		mkdir(buf_str(&path), 0700);
	}
	buf_free(&path);
}

static void
run(const char *const argv[])
{
	struct err e = {0};

	if (child_run(argv, (struct span){0}, NULL, NULL, 1 << 20,
	    clock_in(60000), &e) != 0)
		err_print(&e, argv[0]);
}

static void
make_spool(void)
{
	static const char *const queues[] = { "", "deferred", "hold", "defer",
	    "incoming", "active", "corrupt", "maildrop", "saved", "other", NULL };
	const char *top = getenv("TMPDIR");
	struct buf spec = {0};
	struct err e = {0};

	snprintf(tmp, sizeof tmp, "%s/tidegate.XXXXXX", top ? top : "/tmp");
	if (mkdtemp(tmp) == NULL)
		exit(1);
	buf_addf(&spec, "postfix:%s/q", tmp);
	spool.dir = buf_str(&spec) + strlen("postfix:");
	ok(spool_open(&(struct spool){0}, buf_str(&spec), &e) < 0 &&
	    e.fault == FAULT_IO, "%s", e.text);
	dirs(queues);
	ok(spool_open(&spool, buf_str(&spec), &e) == 0, "open %s", e.text);
	buf_free(&spec);
}

static void
remove_spool(void)
{
	spool_close(&spool);
	run((const char *[]){ "rm", "-rf", tmp, NULL });
}

#endif
