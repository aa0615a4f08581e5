/*
 * meter FILE COMMAND...: runs it, and appends to FILE a line of what it took:
 * seconds, seconds of CPU (its children's too), kB of memory at most, status.
 *
 * time(1) counts in hundredths of a second, and a shell's own memory is in what
 * the shell measures; this program is small.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int
main(int argc, char *argv[])
{
	struct timespec a, b;
	struct rusage u;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3) {
		fputs("usage: meter FILE COMMAND...\n", stderr);
		return 64;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	if ((pid = vfork()) == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) < 0) {
		perror("meter");
		return 71;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if ((f = fopen(argv[1], "a")) == NULL) {
		perror(argv[1]);
		return 74;
	}
	fprintf(f, "%.6f %.6f %ld %d\n", (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9,
	    seconds(u.ru_utime) + seconds(u.ru_stime), u.ru_maxrss, status);
	fclose(f);
	return status;
}
