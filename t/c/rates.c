/* What is counted and locked in files: limits, a full disk, and what is forgotten. */
#include "../tap.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/range.h"
#include "session/rates.h"

static const struct rate three = { "tries", 3, 600 };
static char run_dir[] = "/tmp/tidegate.rates.XXXXXX";

/* Files there, those that begin with a dot left out. */
static int
files(int dir)
{
	DIR *all = fdopendir(openat(dir, ".", O_DIRECTORY | O_RDONLY));
	const struct dirent *d;
	int n = 0;

	while ((d = readdir(all)) != NULL)
		n += d->d_name[0] != '.';
	closedir(all);
	return n;
}

static void
limits(int dir)
{
	struct err e = {0};
	struct rate gone = three;

	for (int i = 0; i < 3; i++) {
		ok(rates_count(dir, &three, "a", false, &e) == 0, "may try");
		ok(rates_count(dir, &three, "a", true, &e) == 0, "fails");
	}
	ok(rates_count(dir, &three, "a", false, &e) == 1, "may try no more");
	ok(rates_count(dir, &three, "a", true, &e) == 1, "fails once more");
	ok(rates_count(dir, &three, "b", false, &e) == 0, "another may");
	gone.seconds = 0;
	ok(rates_count(dir, &gone, "a", false, &e) == 0, "that was long ago");
	ok(rates_count(dir, &three, "../../a", true, &e) == 0 && files(dir) == 3,
	    "a name is no path");
}

/* No octet can be written: as if the disk were full. */
static void
full(int dir)
{
	struct rlimit was, none;
	struct err e = {0};

	rates_count(dir, &three, "c", true, &e);
	getrlimit(RLIMIT_FSIZE, &was);
	none = was;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_FSIZE, &none);
	ok(rates_count(dir, &three, "d", false, &e) == -1,
	    "what cannot be counted is not tried: %s", e.text);
	ok(rates_count(dir, &three, "c", true, &e) == -1, "nor more");
	setrlimit(RLIMIT_FSIZE, &was);
	ok(rates_count(dir, &three, "c", true, &e) == 0 &&
	    rates_count(dir, &three, "c", true, &e) == 0 &&
	    rates_count(dir, &three, "c", false, &e) == 1, "what was counted is not lost");
}

static void
forgotten(int dir)
{
	static const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	struct err e = {0};
	int held, n;

	rates_count(dir, &three, "old", true, &e);
	utimensat(dir, "tries-old", old, 0);
	held = rates_lock(dir, "turn", "held", &e);
	utimensat(dir, "turn-held", old, 0);
	ok(rates_lock(dir, "turn", "held", &e) == -2, "somebody is at it");
	n = files(dir);
	close(rates_open(&e));
	ok(files(dir) == n, "it is not looked through each time");
	utimensat(dir, ".swept", old, 0);
	close(rates_open(&e));
	ok(files(dir) == n - 1 && faccessat(dir, "tries-old", F_OK, 0) < 0,
	    "now and then it is, and what is old goes");
	ok(rates_lock(dir, "turn", "held", &e) == -2, "what is locked stays");
	close(held);
}

static void
sites(void)
{
	static const struct { const char *address, *site; } rows[] = {
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
		{ "2001:db8:1:2:ffff::", "2001:db8:1:2::/64" },
		{ "2001:db8:1:3::1", "2001:db8:1:3::/64" },
		{ "::1", "::/64" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct in6_addr a;
		struct buf b = {0};

		inet_pton(AF_INET6, rows[i].address, &a);
		range_site(&b, &a);
		is(buf_str(&b), rows[i].site, rows[i].address);
		buf_free(&b);
	}
}

static void
clean(int dir)
{
	DIR *all = fdopendir(openat(dir, ".", O_DIRECTORY | O_RDONLY));
	const struct dirent *d;
	char path[64];

	while ((d = readdir(all)) != NULL)
		unlinkat(dir, d->d_name, 0);
	closedir(all);
	snprintf(path, sizeof path, "%s/turn-server", run_dir);
	rmdir(path);
	rmdir(run_dir);
}

int
main(void)
{
	struct err e = {0};
	int dir;

	signal(SIGXFSZ, SIG_IGN);
	if (mkdtemp(run_dir) == NULL)
		return 1;
	setenv("TIDEGATE_RUN", run_dir, 1);
	dir = rates_open(&e);
	if (!ok(dir >= 0, "the directory: %s", e.text))
		return done_testing();
	limits(dir);
	full(dir);
	forgotten(dir);
	sites();
	clean(dir);
	return done_testing();
}
