/*
 * store DIR N EACH: what a durable receiver cannot do without: N files of 4 kB written in
 * DIR/tmp, made safe, and renamed into DIR/new.  EACH says how they are made safe:
 *
 *	file		fsync of each
 *	name		and of DIR/new behind each rename
 *	32		one syncfs for so many, behind their renames
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int tmp, new;

static void
must_be(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(74);
}

static void
store(int i, bool safe)
{
	static char text[4096];
	char name[32];
	int fd;

	snprintf(name, sizeof name, "f%d", i);
	fd = openat(tmp, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	must_be(fd >= 0, "open");
	must_be(write(fd, text, sizeof text) == sizeof text, "write");
	must_be(!safe || fsync(fd) == 0, "fsync");
	must_be(close(fd) == 0, "close");
	must_be(renameat(tmp, name, new, name) == 0, "rename");
}

int
main(int argc, char *argv[])
{
	bool file, name;
	int n, together;

	if (argc != 4) {
		fputs("usage: store DIR N file|name|NUMBER\n", stderr);
		return 64;
	}
	must_be(chdir(argv[1]) == 0, argv[1]);
	must_be((tmp = open("tmp", O_RDONLY)) >= 0, "tmp");
	must_be((new = open("new", O_RDONLY)) >= 0, "new");
	n = atoi(argv[2]);
	name = strcmp(argv[3], "name") == 0;
	file = name || strcmp(argv[3], "file") == 0;
	together = file ? 0 : atoi(argv[3]);
	for (int i = 1; i <= n; i++) {
		store(i, file);
		must_be(!name || fsync(new) == 0, "fsync");
		must_be(together == 0 || (i % together != 0 && i < n) ||
		    syncfs(new) == 0, "syncfs");
	}
	return 0;
}
