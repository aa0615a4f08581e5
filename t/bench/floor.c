/*
 * floor PREFIX SUFFIX DIR...: what listing cannot do without: each directory read,
 * and of each file whose name begins and ends so the first 4096 octets; one thread,
 * nothing else.  `-' stands for none.  Prints how many there were.
 *
 * floor --names ...: the same without opening a file.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *prefix, *suffix;
static int names;
static long n;

static int
fits(const char *name)
{
	size_t a = strlen(prefix), b = strlen(suffix), l = strlen(name);

	return l >= a + b && strncmp(name, prefix, a) == 0 &&
	    strcmp(name + l - b, suffix) == 0;
}

static void
walk(int dir)
{
	static char piece[4096];
	DIR *d = fdopendir(dir);
	struct dirent *e;
	int fd;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (*e->d_name == '.')
			continue;
		if (e->d_type == DT_DIR) {
			walk(openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY));
		} else if (fits(e->d_name)) {
			n++;
			if (names)
				continue;
			fd = openat(dirfd(d), e->d_name, O_RDONLY);
			if (fd >= 0 && read(fd, piece, sizeof piece) >= 0)
				close(fd);
		}
	}
	if (d != NULL)
		closedir(d);
}

int
main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "--names") == 0) {
		names = 1;
		argc--, argv++;
	}
	if (argc < 4) {
		fputs("usage: floor [--names] PREFIX SUFFIX DIR...\n", stderr);
		return 64;
	}
	prefix = strcmp(argv[1], "-") == 0 ? "" : argv[1];
	suffix = strcmp(argv[2], "-") == 0 ? "" : argv[2];
	for (int i = 3; i < argc; i++)
		walk(open(argv[i], O_RDONLY | O_DIRECTORY));
	printf("%ld\n", n);
	return 0;
}
