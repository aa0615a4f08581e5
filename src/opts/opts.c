#include "opts/opts.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static const char *name;

/* Stays to the end: it owns what the options and operands point at. */
static struct {
	volatile poptContext c;
	const char *const *volatile words;
} kept;

static void
show_version(poptContext c, enum poptCallbackReason why,
    const struct poptOption *o, const char *arg, const void *data)
{
	(void)c, (void)why, (void)o, (void)arg, (void)data;
	printf("%s (Tidegate) %s\n", name, VERSION);
	exit(fflush(stdout) == 0 ? 0 : FAULT_IO);
}

static void
show_help(poptContext c, enum poptCallbackReason why,
    const struct poptOption *o, const char *arg, const void *data)
{
	(void)why, (void)arg, (void)data;
	if (o->val == 'u')
		poptPrintUsage(c, stdout, 0);
	else
		poptPrintHelp(c, stdout, 0);
	exit(fflush(stdout) == 0 ? 0 : FAULT_IO);
}

/* popt's own callbacks stand for all options of the table that follow. */
static struct poptOption version_table[] = {
	{ NULL, 0, POPT_ARG_CALLBACK, (void *)(uintptr_t)show_version, 0, NULL, NULL },
	{ "version", 0, POPT_ARG_NONE, NULL, 0, "print the version", NULL },
	POPT_TABLEEND
};

struct poptOption opts_help[] = {
	{ NULL, 0, POPT_ARG_CALLBACK, (void *)(uintptr_t)show_help, 0, NULL, NULL },
	{ "help", 'h', POPT_ARG_NONE, NULL, 'h', "print this help", NULL },
	{ "usage", 0, POPT_ARG_NONE, NULL, 'u', "print the options in short", NULL },
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, version_table, 0, NULL, NULL },
	POPT_TABLEEND
};

_Noreturn void
opts_wrong(const char *tool, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	warn(tool, "%s", text);
	fprintf(stderr, "%s: try `%s --help'\n", tool, tool);
	exit(FAULT_USAGE);
}

void
opts_later(const char *tool, const char *option, bool given)
{
	if (!given)
		return;
	warn(tool, "%s: not there yet", option);
	exit(FAULT_UNAVAILABLE);
}

/* Where argv's first `--` is; argc when there is none. */
static int
dashes(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i;
	return argc;
}

static const char *const *
joined(const char **a, char *b[])
{
	size_t n = 0, m = 0;
	const char **all;

	while (a != NULL && a[n] != NULL)
		n++;
	while (b != NULL && b[m] != NULL)
		m++;
	all = must(calloc(n + m + 1, sizeof *all));
	for (size_t i = 0; i < n; i++)
		all[i] = a[i];
	for (size_t i = 0; i < m; i++)
		all[n + i] = b[i];
	return all;
}

/*
 * Else the next file opened were stdout or stderr, and our words went into it.
 * Each is open the wrong way round: to use one that was closed fails (EBADF),
 * rather than look like an empty input or a written output.
 */
static void
fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null",
		    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			exit(FAULT_OS);
}

void (*opts_not_read)(const char *text);

/*
 * What is wrong first, to be freed; NULL.  Goes on to the end for opts_not_read(),
 * to whom it matters what else was asked for.
 */
static char *
read_all(poptContext c, int n)
{
	struct buf wrong = {0};
	int r;

	for (; n >= 0 && (r = poptGetNextOpt(c)) != -1; n -= r < -1) {
		if (r < -1 && wrong.n == 0)
			buf_addf(&wrong, "%s: %s", poptBadOption(c, 0),
			    poptStrerror(r));
		if (r < -1 && opts_not_read == NULL)
			break;
	}
	return wrong.n > 0 ? buf_str(&wrong) : NULL;
}

void
opts_read(const char *tool, int argc, char *argv[], struct poptOption *options,
    const char *operands, const char *const **rest,
    const char *const **command)
{
	int n = dashes(argc, argv);
	char **behind = n < argc ? argv + n + 1 : NULL, *wrong;
	poptContext c;

	fill_descriptors();
	name = tool;
	signal(SIGPIPE, SIG_IGN);
	/* too large is an error of write(), told like a full disk */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	kept.c = c = must(poptGetContext(tool, n, (const char **)(uintptr_t)argv,
	    options, 0));
	poptSetOtherOptionHelp(c, operands);
	if ((wrong = read_all(c, n)) != NULL) {
		if (opts_not_read != NULL)
			opts_not_read(wrong);
		opts_wrong(tool, "%s", wrong);
	}
	*rest = joined(poptGetArgs(c), command == NULL ? behind : NULL);
	kept.words = *rest;
	if (command != NULL)
		*command = (const char *const *)behind;
}
