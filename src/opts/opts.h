/*
 * The command line, by popt.  The only file that knows popt; tools write their
 * tables with its macros.
 *
 * Values of POPT_ARG_STRING stay good for the whole run.
 */
#ifndef OPTS_OPTS_H
#define OPTS_OPTS_H

#include <popt.h>
#include <stdbool.h>

#include "base/err.h"

/* A table within another, under its title in --help. */
#define OPTS_TABLE(table, title) \
	{ NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(table), 0, title, NULL }
#define OPTS_END OPTS_TABLE(opts_help, "Help:"), POPT_TABLEEND

extern struct poptOption opts_help[];

/*
 * Reads argv.  Operands end in NULL (never a NULL pointer).  What follows the
 * first `--` is not looked at: it is in *command (NULL when there is none) or,
 * when `command` is NULL, counts as operands.  Prints help or version and exits
 * 0; a wrong option is named and exits 64.  SIGPIPE and SIGXFSZ are ignored from here
 * on; SIGCHLD is not, whoever started us: we wait for those we start.
 */
void opts_read(const char *tool, int argc, char *argv[],
    struct poptOption *options, const char *operands,
    const char *const **rest, const char *const **command);

/*
 * Called with what is wrong with the options before opts_read() says so and exits;
 * may do that itself.  NULL: nobody else has to know.
 */
extern void (*opts_not_read)(const char *text);

/* One option or operand that is wrong: `tool: text`, a hint at --help, exit 64. */
_Noreturn void opts_wrong(const char *tool, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* An option that is known and not there yet: exit 69, if it was given. */
void opts_later(const char *tool, const char *option, bool given);

#endif
