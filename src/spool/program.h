/* An MTA's own programs: without a shell, with a deadline, their output bounded. */
#ifndef SPOOL_PROGRAM_H
#define SPOOL_PROGRAM_H

#include "base/buf.h"
#include "base/err.h"

/*
 * The path of a program of this host: on PATH, or in an sbin directory although
 * the PATH of a plain user does not say so.  False: there is none.
 */
bool program_find(const char *name, struct buf *path);

/*
 * Runs it with `args` (ended by NULL, without the name), `input` on its stdin,
 * its stdout in `out`.  Returns its exit status, with the last line it said on
 * stderr in `e` when that is not 0 (77, 78 and 75 where it ended with these, 75
 * for 69, else 74); -1: it was not run (69: not on this host) or did not end
 * within a minute.
 */
int program_run(const char *name, const char *const args[], struct span input,
    struct buf *out, struct err *);

/*
 * The same, until `deadline` at the latest and only while no signal came; what it prints
 * is dropped.
 */
int program_tell(const char *name, const char *const args[], struct span input,
    int64_t deadline, struct err *);

/*
 * Starts the program argv[0] (a path) with all these words and shares the others among a
 * few, which go on without us; each gets every so-manieth, so that the first ones are not
 * all behind one that is stuck.  Returns how many of `shared' nobody has: one could not be
 * started, or ended at once with a status that is not 0, as `e' says.
 */
size_t program_share(const char *const argv[], const char *const shared[], size_t n,
    struct err *e);

/* Does the process run whose number is the first line of this file? */
bool program_runs(const char *pid_file);

/* Was it started with a word that begins so, as far as its command line tells? */
bool program_runs_with(const char *pid_file, const char *option);

/*
 * That it ended with `status`, in the last line of its `words`; -1.  MTAs'
 * programs exit with sysexits, where 69 means that the MTA is not running.
 */
int program_failed(const char *name, int status, struct span words, struct err *);

#endif
